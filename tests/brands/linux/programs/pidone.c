/* Run as the init of a zone: what pid 1 sees, and that it can't be killed from inside. */
#include "../cases/check.h"

int main(void)
{
    int st = 0, p[2];
    pid_t got = 0;
    CHECK(getpid() == 1 && getppid() == 0, "pid %d ppid %d", getpid(), getppid());
    CHECK(getpgrp() == 1 && getsid(0) == 1, "group %d session %d", getpgrp(), getsid(0));
    CHECK(kill(1, SIGKILL) == 0 && kill(1, SIGTERM) == 0 && raise(SIGSTOP) == 0, "kill");
    pid_t pid = fork();
    if (pid == 0)
        _exit(getppid() == 1 && kill(1, SIGKILL) == 0 ? 7 : 8);
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 7, "child: %#x", st);
    (void)!pipe(p);
    pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            while (getppid() != 1)
                usleep(1000);
            got = getpid();
            (void)!write(p[1], &got, sizeof got);
            _exit(9);
        }
        _exit(0);
    }
    waitpid(pid, &st, 0);
    CHECK(read(p[0], &got, sizeof got) == sizeof got, "the orphan says nothing");
    CHECK(waitpid(got, &st, 0) == got && WEXITSTATUS(st) == 9, "orphan: %#x", st);
    char text[64] = "";
    int fd = open("/proc/1/stat", O_RDONLY);
    (void)!read(fd, text, 63);
    CHECK(strncmp(text, "1 (", 3) == 0, "/proc/1/stat is %s", text);
    return bad;
}
