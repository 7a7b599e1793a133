/*
 * FORK-86: with SIGCHLD ignored, or SA_NOCLDWAIT, children leave nothing, wait blocks until
 * the last has gone and is ECHILD then.  FORK-90: who has lost its parent gets another one.
 * FORK-72: a child may be gone before its parent comes back.
 */
#include "../case.h"

static void h(int s)
{
    (void)s;
}

int main(void)
{
    int st, p[2];
    pid_t late, me;
    alarm(60);
    for (int round = 0; round < 2; round++) {
        sigaction(SIGCHLD, round ? h : SIG_IGN, round ? SA_NOCLDWAIT | SA_RESTART : 0, 0);
        for (int i = 0; i < 5; i++)
            if (fork() == 0) {
                msleep(i * 5);
                _exit(i);
            }
        CHECK(waitpid(-1, &st, 0) == -1 && errno == ECHILD, "round %d: %d", round, errno);
    }
    signal(SIGCHLD, SIG_DFL);

    pipe(p);
    me = getpid();
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            pid_t first = getppid();
            while ((late = getppid()) == first)
                msleep(1);
            write(p[1], &late, sizeof late);
            _exit(0);
        }
        _exit(0);
    }
    waitpid(child, &st, 0);
    late = 0;
    CHECK(read(p[0], &late, sizeof late) == sizeof late, "no word of the orphan");
    CHECK(late > 0 && late != child && late != me, "the orphan's parent is %d", late);
    CHECK(waitpid(-1, &st, 0) == -1 && errno == ECHILD, "it is ours: %d", errno);

    signal(SIGCHLD, SIG_DFL);
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(i);
        CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == i, "child %d: 0x%x", i, st);
    }
    return bad;
}
