/* FORK-87: WNOWAIT leaves the zombie as it is; WNOHANG zeroes; bad options are EINVAL. */
#include "../case.h"

int main(void)
{
    struct waitinfo a, b;
    alarm(60);
    pid_t pid = fork();
    if (pid == 0) {
        msleep(10);
        _exit(0x1234);
    }
    CHECK(waitid(P_ALL, 0, &a, 0) == -1 && errno == EINVAL, "options 0: %d", errno);
    CHECK(waitid(P_ALL, 0, &a, WEXITED | 0x400) == -1 && errno == EINVAL, "unknown: %d", errno);
    CHECK(waitid(P_ALL, 0, &a, WNOHANG) == -1 && errno == EINVAL, "WNOHANG alone: %d", errno);
    a.signo = a.pid = a.code = a.status = 9;
    CHECK(waitid(P_PID, pid, &a, WEXITED | WNOHANG) == 0, "WNOHANG: %d", errno);
    CHECK(!a.signo && !a.pid && !a.code && !a.status, "siginfo is not zero");
    msleep(30);
    for (int i = 0; i < 2; i++) {
        CHECK(waitid(P_ALL, 0, &a, WEXITED | WNOWAIT) == 0 && a.pid == pid, "NOWAIT %d", errno);
        CHECK(a.code == CLD_EXITED && a.status == 0x1234, "status 0x%x", a.status);
    }
    CHECK(waitid(P_PID, pid, &b, WEXITED) == 0, "wait: %d", errno);
    CHECK(memcmp(&a, &b, sizeof a) == 0, "WNOWAIT told something else");
    CHECK(waitid(P_PID, pid, &b, WEXITED) == -1 && errno == ECHILD, "twice: %d", errno);
    return bad;
}
