/*
 * The parent of a vfork is killed, or stopped and continued, while its child has the
 * address space: the child goes on unharmed, the parent dies once.
 */
#include "case.h"

static int p[2];

static int round(int sig)
{
    int st = 0;
    char c = 0;
    pid_t mid = fork();
    if (mid == 0) {
        pid_t kid = vfork();
        if (kid == 0) {
            kill(getppid(), sig);
            msleep(20);
            if (sig == SIGSTOP)
                kill(getppid(), SIGCONT);
            write(p[1], "k", 1);
            _exit(0);
        }
        _exit(waitpid(kid, NULL, 0) == kid ? 7 : 8);
    }
    CHECK(read(p[0], &c, 1) == 1 && c == 'k', "the child died with its parent");
    CHECK(waitpid(mid, &st, 0) == mid, "errno %d", errno);
    return st;
}

int main(void)
{
    alarm(60);
    pipe(p);
    for (int i = 0; i < 3; i++) {
        int st = round(SIGKILL);
        CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL, "SIGKILL: 0x%x", st);
        st = round(SIGTERM);
        CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM, "SIGTERM: 0x%x", st);
        st = round(SIGSTOP);
        CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 7, "SIGSTOP: 0x%x", st);
    }
    return bad;
}
