/* waitid(P_PGID) reaps only members of the group; ECHILD when none is a child. */
#include "case.h"

int main(void)
{
    int go[2], st, n = 0;
    pid_t kid[3], lead = 0, p;
    alarm(20);
    if (pipe(go))
        return 2;
    CHECK(waitpid(-getpid() - 10000, &st, 0) == -1 && errno == ECHILD,
          "empty group gave errno %d", errno);
    for (int i = 0; i < 3; i++) {
        kid[i] = fork();
        if (kid[i] == 0) {
            char c;
            close(go[1]);
            if (read(go[0], &c, 1) != 0)
                _exit(99);
            _exit(10 + i);
        }
        if (i == 0)
            lead = kid[0];
        if (i < 2)
            CHECK(setpgid(kid[i], lead) == 0, "setpgid kid %d errno %d", i, errno);
    }
    CHECK(waitpid(-lead, &st, WNOHANG) == 0, "WNOHANG on a live group was not 0");
    close(go[1]);
    while ((p = waitpid(-lead, &st, 0)) > 0) {
        CHECK(p == kid[0] || p == kid[1], "reaped %d from outside the group", p);
        n++;
    }
    CHECK(errno == ECHILD, "group wait ended with errno %d", errno);
    CHECK(n == 2, "group wait reaped %d of 2", n);
    CHECK(waitpid(0, &st, 0) == kid[2] && WEXITSTATUS(st) == 12, "own-group child lost");
    return bad;
}
