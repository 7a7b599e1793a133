/* Handlers: arguments, mask, altstack, nesting, EINTR, SA_RESTART, SIGSYS. */
#include "case.h"

static char alt[16384];
static volatile int hits, on_alt, masked;

static void h(int s)
{
    uint64_t cur = 0;
    char here;

    hits++;
    on_alt = &here >= alt && &here < alt + sizeof alt;
    sigprocmask(SIG_BLOCK, NULL, &cur);
    masked = ((cur & SIGBIT(s)) != 0) + 2 * ((cur & SIGBIT(SIGTERM)) != 0);
}

int main(void)
{
    struct sigaltstack ss = {alt, sizeof alt, 0};
    uint64_t none = 0, cur = 1;
    double x = 2.5;
    int p[2], st;
    char c;

    alarm(20);
    sigaltstack(&ss, NULL);
    sigaction(SIGUSR1, h, SA_ONSTACK, SIGBIT(SIGTERM));
    raise(SIGUSR1);
    CHECK(hits == 1 && on_alt && masked == 3, "hits %d alt %d masked %d", hits, on_alt, masked);
    sigprocmask(SIG_BLOCK, NULL, &cur);
    CHECK(cur == none, "mask after the handler is 0x%lx", cur);
    CHECK(x == 2.5, "floating point registers damaged");
    sigaction(SIGUSR1, h, SA_NODEFER, 0);
    raise(SIGUSR1);
    CHECK(!on_alt && masked == 0, "alt %d masked %d", on_alt, masked);

    pipe(p);
    for (int restart = 0; restart < 2; restart++) {
        sigaction(SIGUSR1, h, restart ? SA_RESTART : 0, 0);
        pid_t pid = fork();
        if (pid == 0) {
            msleep(20);
            kill(getppid(), SIGUSR1);
            msleep(20);
            write(p[1], "x", 1);
            _exit(0);
        }
        ssize_t n = read(p[0], &c, 1);
        if (restart)
            CHECK(n == 1, "SA_RESTART: errno %d", errno);
        else
            CHECK(n == -1 && errno == EINTR && read(p[0], &c, 1) == 1, "errno %d", errno);
        waitpid(pid, &st, 0);
    }
    signal(SIGSYS, h);
    hits = 0;
    CHECK(syscall(213) == -1 && errno == ENOSYS && hits == 1, "unassigned: %d", errno);
    CHECK(syscall(155, 0) == -1 && errno == ENOSYS && hits == 1, "absent: %d", errno);
    CHECK(sigaction(SIGKILL, h, 0, 0) == -1 && errno == EINVAL, "SIGKILL: %d", errno);
    return bad;
}
