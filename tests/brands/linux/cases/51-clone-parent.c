/*
 * CLONE_PARENT: the new process is a sibling: same parent, and that parent reaps it.
 */
#include "check.h"

int main(void)
{
    int p[2], st = 0;
    pid_t me = getpid(), got[3] = {0};
    alarm(20);
    if (pipe(p))
        return 2;
    pid_t mid = fork();
    if (mid == 0) {
        pid_t sib = raw_clone(CLONE_PARENT | SIGCHLD, NULL, NULL, NULL);
        if (sib == 0) {
            pid_t msg[3] = {getpid(), getppid(), 0};
            (void)!write(p[1], msg, sizeof msg);
            _exit(7);
        }
        int r = waitpid(-1, NULL, 0);
        _exit(sib > 0 && r == -1 && errno == ECHILD ? 0 : 1);
    }
    CHECK(read(p[0], got, sizeof got) == sizeof got, "nothing from the sibling");
    CHECK(got[1] == me, "parent of the sibling is %d, want %d", got[1], me);
    CHECK(waitpid(mid, &st, 0) == mid && st == 0, "the middle one: %#x", st);
    CHECK(waitpid(got[0], &st, 0) == got[0] && WEXITSTATUS(st) == 7, "sibling: %#x", st);
    return bad;
}
