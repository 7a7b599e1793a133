/* Limits, ids, timers, sigqueue and sigtimedwait by the native numbers. */
#include "case.h"

static volatile int hits;
static void h(int s)
{
    (void)s;
    hits++;
}

int main(void)
{
    uint64_t rl[2], set[2] = {SIGBIT(SIGUSR1), 0}, block = SIGBIT(SIGUSR1);
    struct timespec ts = {0, 20000000}, now, later;
    long it[4] = {0, 2000, 0, 1000}, tms[4];
    struct {
        int signo, code, err, pad, pid, pad2;
        unsigned uid, pad3;
        uint64_t value;
        char rest[200];
    } si;
    int fds[64], n = 0;

    alarm(60);
    CHECK(syscall(129, 5, rl) == 0 && rl[0] >= 64, "NOFILE %ld", rl[0]);
    uint64_t hard = rl[1];
    rl[0] = 16;
    CHECK(syscall(128, 5, rl) == 0, "setrlimit: errno %d", errno);
    while (n < 64 && (fds[n] = dup(1)) >= 0)
        n++;
    CHECK(n < 16 && errno == EMFILE, "%d descriptors, errno %d", n, errno);
    while (n)
        close(fds[--n]);
    rl[0] = 32;
    rl[1] = 16;
    CHECK(syscall(128, 5, rl) == -1 && errno == EINVAL, "soft above hard: %d", errno);
    CHECK(syscall(129, 5, rl) == 0 && rl[0] == 16 && rl[1] == hard, "unchanged");
    CHECK(syscall(129, 7, rl) == -1 && errno == EINVAL, "resource 7: %d", errno);

    /* what was pending is gone with the signal that is taken */
    sigprocmask(SIG_BLOCK, &block, NULL);
    CHECK(syscall(144, set, &si, &ts) == -1 && errno == EAGAIN, "timeout: %d", errno);
    CHECK(syscall(190, getpid(), SIGUSR1, 0x1234, -2, 0) == 0, "sigqueue: %d", errno);
    CHECK(syscall(144, set, &si, &ts) == SIGUSR1, "sigtimedwait: errno %d", errno);
    CHECK(si.code == -2 && si.value == 0x1234 && si.pid == getpid(), "code %d", si.code);

    sigaction(SIGALRM, h, 0, 0);
    CHECK(syscall(158, 0, it, NULL) == 0, "setitimer: errno %d", errno);
    for (int i = 0; i < 3; i++)
        msleep(1000);
    CHECK(hits == 3, "%d alarms ended three sleeps", hits);
    it[1] = it[3] = 0;
    syscall(158, 0, it, NULL);
    CHECK(syscall(191, 4, &now) == 0, "clock: errno %d", errno);
    msleep(250);
    syscall(191, 4, &later);
    long ms = (later.tv_sec - now.tv_sec) * 1000 + (later.tv_nsec - now.tv_nsec) / 1000000;
    CHECK(ms >= 250 && ms < 260, "slept %ld ms", ms);
    CHECK(syscall(43, tms) > 0, "times");
    CHECK(syscall(191, 99, &now) == -1 && errno == EINVAL, "clock 99: %d", errno);

    long euid = -1;
    CHECK(syscall(46, 7) == 0 && syscall(23, 5) == 0, "setuid: errno %d", errno);
    CHECK(syscall_rval2(SYS_getuid, 0, &euid) == 5 && euid == 5, "euid %ld", euid);
    CHECK(syscall(23, 0) == -1 && errno == EPERM, "back: errno %d", errno);
    CHECK(kill(getppid(), 0) == -1 && errno == EPERM, "kill: errno %d", errno);
    return bad;
}
