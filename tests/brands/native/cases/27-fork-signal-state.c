/* The child has no pending signal and no alarm; it keeps mask, handlers, altstack. */
#include "case.h"

static char alt[16384];
static void h(int s)
{
    (void)s;
}

int main(void)
{
    struct sigaltstack ss = {alt, sizeof alt, 0}, now;
    uint64_t set = SIGBIT(SIGUSR1) | SIGBIT(SIGTERM), cur;
    int st = 0;
    alarm(20);
    signal(SIGUSR1, h);
    signal(SIGUSR2, SIG_IGN);
    sigaltstack(&ss, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    kill(getpid(), SIGTERM);
    pid_t pid = fork();
    if (pid == 0) {
        int code = 0;
        sigpending(&cur);
        if (cur & set)
            code |= 1;
        if (alarm(0) != 0)
            code |= 2;
        sigprocmask(SIG_BLOCK, NULL, &cur);
        if ((cur & set) != set)
            code |= 4;
        if (sighandler(SIGUSR1) != h || sighandler(SIGUSR2) != SIG_IGN)
            code |= 8;
        sigaltstack(NULL, &now);
        if (now.ss_sp != alt || (now.ss_flags & SS_DISABLE))
            code |= 16;
        _exit(code);
    }
    waitpid(pid, &st, 0);
    CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0, "child: status 0x%x", st);
    sigpending(&cur);
    CHECK((cur & set) == set, "parent lost its pending signals");
    CHECK(alarm(0) > 0, "parent lost its alarm");
    return bad;
}
