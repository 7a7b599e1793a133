/* A small tree: one child that gives up its rights and execs, one that crashes. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc > 1)
        return atoi(argv[1]);
    if (fork() == 0) {
        setuid(1000);
        execl("/audit", "audit", "3", NULL);
        _exit(99);
    }
    wait(NULL);
    if (fork() == 0) {
        if (fork() == 0)
            raise(SIGSEGV);
        wait(NULL);
        pause();
    }
    usleep(100000);
    kill(getpid() + 2, SIGTERM);
    wait(NULL);
    return 0;
}
