/* FORK-41, FORK-46: two lwps fork at once, again and again; a child has its forker's id. */
#include "../case.h"
#include "lwp.h"

static volatile int made[2], wrong;

static void forks(int me, int tid)
{
    for (int i = 0; i < 50; i++) {
        long two = 0, pid = syscall_rval2(SYS_forksys, FORKSYS_FORK1, &two);
        int st = -1;
        if (two == 1)
            _exit(syscall(SYS_lwp_self) != tid);
        if (pid > 0 && waitpid(pid, &st, 0) == pid && st == 0)
            made[me]++;
        else
            wrong = errno;
    }
}

static void second(void)
{
    forks(1, 2);
    lwp_end();
}

int main(void)
{
    alarm(60);
    int tid = lwp_start(second, 0);
    forks(0, 1);
    syscall(SYS_lwp_wait, tid, NULL);
    CHECK(made[0] == 50 && made[1] == 50, "%d and %d children, error %d", made[0], made[1], wrong);
    return bad;
}
