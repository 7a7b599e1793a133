/*
 * A process of root that gives up uid 0 cannot get it back, and has lost what goes
 * with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad;
#define CHECK(ok, ...)                        \
    do {                                      \
        if (!(ok)) {                          \
            dprintf(1, "wrong: " __VA_ARGS__); \
            dprintf(1, "\n");                 \
            bad = 1;                          \
        }                                     \
    } while (0)

int main(void)
{
    int st = 0;
    alarm(20);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setgid(7) == 0 && setuid(5) == 0, "setuid: errno %d", errno);
        CHECK(getuid() == 5 && geteuid() == 5 && getegid() == 7, "ids");
        CHECK(setuid(0) == -1 && errno == EPERM, "setuid(0): errno %d", errno);
        CHECK(seteuid(0) == -1 && errno == EPERM, "seteuid(0): errno %d", errno);
        CHECK(setgid(0) == -1 && errno == EPERM, "setgid(0): errno %d", errno);
        CHECK(kill(getppid(), 0) == -1 && errno == EPERM, "kill: errno %d", errno);
        CHECK(chroot("/tmp") == -1 && errno == EPERM, "chroot: errno %d", errno);
        _exit(bad);
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0, "child status %#x", st);
    CHECK(setuid(0) == 0, "the parent: errno %d", errno);
    return bad;
}
