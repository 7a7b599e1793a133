/*
 * A vfork child whose exec fails leaves the parent intact: locals, handlers (the
 * child's own are default, fork.c:502) and descriptors.
 */
#include "case.h"

static void h(int s)
{
    (void)s;
}

int main(void)
{
    char *av[] = {"x", NULL};
    alarm(20);
    signal(SIGUSR1, h);
    for (volatile int i = 0; i < 20; i++) {
        volatile int a = i * 3 + 1, b = ~i;
        int st = 0;
        volatile int fd = dup(1);
        pid_t pid = vfork();
        if (pid == 0) {
            close(fd);
            if (sighandler(SIGUSR1) != SIG_DFL)
                _exit(1);
            execve("/no/such/program", av, av + 1);
            _exit(127);
        }
        CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 127, "status 0x%x", st);
        CHECK(a == i * 3 + 1 && b == ~i, "parent locals damaged in round %d", i);
        CHECK(fcntl(fd, F_GETFD, 0) >= 0, "child close() reached the parent's table");
        close(fd);
        CHECK(sighandler(SIGUSR1) == h, "handler lost in round %d", i);
        if (bad)
            break;
    }
    return bad;
}
