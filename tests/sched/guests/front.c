/* The leader of a session gives its terminal to a child's group and takes it back. */
#include "tiny.h"

#define SYS_ioctl 29
#define TIOCSPGRP 0x5410

static void front(pid_t pgid)
{
    int pg = pgid;
    if (syscall(SYS_ioctl, 0, TIOCSPGRP, &pg) < 0)
        _exit(errno);
}

static void wait_for(pid_t pid)
{
    int status;
    waitpid(pid, &status, 0);
    if (status)
        _exit(99);
}

int main(void)
{
    signal(22, SIG_IGN); /* SIGTTOU */
    pid_t pid = fork();
    if (pid == 0) {
        for (volatile long i = 0; i < 300000; i++)
            ;
        _exit(0);
    }
    setpgid(pid, pid);
    front(pid);
    wait_for(pid);
    front(getpgrp());
    return 0;
}
