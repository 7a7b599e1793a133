/*
 * FORK-42, FORK-43, FORK-44, FORK-49: forkall takes along a sibling asleep in a read, with
 * its mask, and the lwps that ended; fork1 none of them.
 */
#include "../case.h"
#include "lwp.h"

static int p[2];
static volatile int got, mask;

static void ends(void)
{
    lwp_end();
}

static void reads(void)
{
    uint64_t set = SIGBIT(SIGUSR2), now;
    char c = 0;
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (read(p[0], &c, 1) != 1) /* EINTR of a forkall */
        ;
    sigprocmask(SIG_BLOCK, NULL, &now);
    mask = now == set;
    got = c;
    lwp_end();
}

static int child(int all, int dead, int reader)
{
    int who = 0, r = syscall(SYS_lwp_wait, dead, &who);
    if (!all) {
        /* nobody else, and nobody to wait for */
        if (r != -1 || errno != ESRCH)
            return 1;
        return syscall(SYS_lwp_kill, reader, 0) == 0 ? 2 : 0;
    }
    if (r != 0 || who != dead)
        return 3;
    if (syscall(SYS_lwp_wait, dead, &who) != -1 || errno != ESRCH)
        return 4;
    write(p[1], "c", 1);
    if (syscall(SYS_lwp_wait, reader, &who) != 0 || got != 'c' || !mask)
        return 5;
    return lwp_start(ends, 0) == reader + 1 ? 0 : 6;
}

int main(void)
{
    int st, who;
    alarm(60);
    pipe(p);
    int dead = lwp_start(ends, 0), reader = lwp_start(reads, 0);
    msleep(5);
    for (int all = 0; all < 2; all++) {
        long two = 0, pid = syscall_rval2(SYS_forksys, all, &two);
        if (two == 1)
            _exit(child(all, dead, reader));
        CHECK(waitpid(pid, &st, 0) == pid && st == 0, "all %d: child's status 0x%x", all, st);
    }
    /* here everything is as it was */
    CHECK(syscall(SYS_lwp_wait, dead, &who) == 0 && who == dead, "the parent lost a zombie");
    CHECK(got == 0, "the parent's reader has %d", got);
    write(p[1], "p", 1);
    CHECK(syscall(SYS_lwp_wait, reader, &who) == 0 && got == 'p' && mask, "reader: %d", got);
    return bad;
}
