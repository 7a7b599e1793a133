/* WNOWAIT peeks; WNOHANG without news is 0 and zeros; ECHILD and EINVAL. */
#include "case.h"

int main(void)
{
    struct waitinfo w;
    int go[2], st = 0;
    char c;
    alarm(20);
    if (pipe(go))
        return 2;
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        read(go[0], &c, 1);
        _exit(0x1234);
    }
    memset(&w, 0x55, sizeof w);
    CHECK(waitid(P_ALL, 0, &w, WEXITED | WNOHANG) == 0 && w.pid == 0 && w.signo == 0,
          "WNOHANG: pid %d", w.pid);
    close(go[1]);
    for (int i = 0; i < 3; i++) {
        CHECK(waitid(P_PID, pid, &w, WEXITED | WNOWAIT) == 0, "peek errno %d", errno);
        CHECK(w.signo == SIGCHLD && w.code == CLD_EXITED && w.status == 0x1234,
              "peek %d: code %d status 0x%x", i, w.code, w.status);
    }
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 0x34, "not waitable any more");
    CHECK(waitid(P_ALL, 0, &w, WEXITED) == -1 && errno == ECHILD, "errno %d", errno);
    CHECK(waitid(P_ALL, 0, &w, 0) == -1 && errno == EINVAL, "no option: errno %d", errno);
    CHECK(waitid(1, 0, &w, WEXITED) == -1 && errno == EINVAL, "idtype: errno %d", errno);
    return bad;
}
