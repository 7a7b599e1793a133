/* PR_SET_CHILD_SUBREAPER: orphans go to the nearest ancestor that asked for them. */
#include "check.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* a child that leaves a grandchild behind; the grandchild answers who its parent is */
static pid_t orphan(int fd)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            pid_t was = getppid();
            while (getppid() == was)
                usleep(1000);
            pid_t now = getppid();
            write(fd, &now, sizeof now);
            _exit(9);
        }
        usleep(5000);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    int fds[2], st, value = -1;
    pid_t told = -1, mid;

    alarm(20);
    CHECK(pipe(fds) == 0, "pipe");
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "set");
    CHECK(prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0) == 0 && value == 1, "get %d", value);
    mid = orphan(fds[1]);
    CHECK(waitpid(mid, &st, 0) == mid && st == 0, "the one between");
    CHECK(read(fds[0], &told, sizeof told) == sizeof told && told == getpid(), "adopted by %d", told);
    CHECK(waitpid(-1, &st, 0) > 0 && WEXITSTATUS(st) == 9, "the orphan is waited for: %x", st);

    /* the nearest one: a child that asks as well, and is not asked by its own child */
    pid_t inner = fork();
    if (inner == 0) {
        int v = -1;
        prctl(PR_GET_CHILD_SUBREAPER, &v, 0, 0, 0);
        if (v != 0) /* a fork does not inherit it */
            _exit(1);
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        mid = orphan(fds[1]);
        if (waitpid(mid, &st, 0) != mid || read(fds[0], &told, sizeof told) != sizeof told)
            _exit(2);
        if (told != getpid() || waitpid(-1, &st, 0) <= 0 || WEXITSTATUS(st) != 9)
            _exit(3);
        _exit(0);
    }
    CHECK(waitpid(inner, &st, 0) == inner && st == 0, "the nearer one: %x", st);

    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0, "unset");
    mid = orphan(fds[1]);
    CHECK(waitpid(mid, &st, 0) == mid, "the one between");
    CHECK(read(fds[0], &told, sizeof told) == sizeof told && told != getpid(), "adopted by %d", told);
    CHECK(waitpid(-1, &st, 0) == -1, "it is not ours");
    return bad;
}
