/*
 * The parent of a vfork is killed, or stopped and continued, while its child has the
 * address space: the child goes on unharmed, the parent dies once.
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

static int p[2];

static int one(int sig)
{
    int st = 0;
    char c = 0;
    pid_t mid = fork();
    if (mid == 0) {
        pid_t kid = vfork();
        if (kid == 0) {
            kill(getppid(), sig);
            usleep(20000);
            if (sig == SIGSTOP)
                kill(getppid(), SIGCONT);
            (void)!write(p[1], "k", 1);
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
    if (pipe(p))
        return 2;
    for (int i = 0; i < 3; i++) {
        int st = one(SIGKILL);
        CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL, "SIGKILL: 0x%x", st);
        st = one(SIGTERM);
        CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM, "SIGTERM: 0x%x", st);
        st = one(SIGSTOP);
        CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 7, "SIGSTOP: 0x%x", st);
    }
    return bad;
}
