/* lwp_create, wait, detach, park, suspend; forkall clones all lwps, fork1 one. */
#include "case.h"

#define SYS_lwp_park 77
#define SYS_lwp_detach 150
#define SYS_lwp_create 159
#define SYS_lwp_suspend 161
#define SYS_lwp_continue 162
#define SYS_lwp_kill 163
#define SYS_lwp_self 164
#define SYS_lwp_wait 167
#define DETACHED 0x40
#define SUSPENDED 0x80
#define EDEADLK 45
#define ETIME 62

struct kucontext {
    uint64_t flags, link, mask[2], sp, size, sflags, pc, x[31], f[32];
    uint64_t fcsr;
};

static char stacks[8][8192] __attribute__((aligned(16)));
static int used;
static volatile int count, go, parked, hits;

/* Start fn on a stack of its own; the id, or -1. */
static int start(void (*fn)(void), int flags, int *idp)
{
    static struct kucontext uc;
    syscall(SYS_context, 0, &uc);
    uc.pc = (uint64_t)fn;
    uc.x[1] = (uint64_t)stacks[used++ % 8] + sizeof stacks[0];
    return syscall(SYS_lwp_create, &uc, flags, idp);
}

static void once(void)
{
    count++;
    for (;;)
        syscall(SYS_lwp_exit);
}

static void spin(void)
{
    while (!go) {
        count++;
        sched_yield();
    }
    once();
}

static void sleeper(void)
{
    parked = 1 + (syscall(SYS_lwp_park, 0, NULL, 0) == 0);
    once();
}

static void h(int s)
{
    (void)s;
    hits = syscall(SYS_lwp_self);
}

int main(void)
{
    int id = -1, other, st;
    struct timespec ts = {0, 1000000};
    alarm(60);
    CHECK(syscall(SYS_lwp_self) == 1, "the first lwp is %ld", syscall(SYS_lwp_self));
    int tid = start(once, 0, &id);
    CHECK(tid == 2 && id == 2, "tid %d id %d", tid, id);
    CHECK(syscall(SYS_lwp_wait, 0, &other) == 0 && other == 2, "wait: %d errno %d", other, errno);
    CHECK(count == 1, "count %d", count);
    CHECK(syscall(SYS_lwp_wait, 2, NULL) == -1 && errno == ESRCH, "twice: errno %d", errno);
    CHECK(syscall(SYS_lwp_wait, 1, NULL) == -1 && errno == EDEADLK, "self: errno %d", errno);
    CHECK(start(once, 1, &id) == -1 && errno == EINVAL, "flags: errno %d", errno);
    CHECK(start(once, 0, (int *)8) == -1 && errno == EFAULT, "id pointer: errno %d", errno);
    CHECK(syscall(SYS_lwp_create, 8, 0, 0) == -1 && errno == EFAULT, "context: %d", errno);

    tid = start(spin, DETACHED | SUSPENDED, &id);
    CHECK(syscall(SYS_lwp_wait, tid, NULL) == -1 && errno == EINVAL, "detached: %d", errno);
    int was = count;
    msleep(5);
    CHECK(count == was, "a suspended lwp ran");
    syscall(SYS_lwp_continue, tid);
    while (count < was + 5)
        sched_yield();
    syscall(SYS_lwp_suspend, tid);
    was = count;
    msleep(5);
    CHECK(count == was, "lwp_suspend did not stop it");
    CHECK(syscall(SYS_lwp_suspend, 1) == -1 && errno == EDEADLK, "last one: %d", errno);
    syscall(SYS_lwp_continue, tid);

    /* forkall: the other lwp goes on in the child; fork1: it does not */
    for (int all = 0; all < 2; all++) {
        long two = 0, pid = syscall_rval2(SYS_forksys, all, &two);
        if (two == 1) {
            was = count;
            msleep(5);
            _exit((count != was) * 2 + (syscall(SYS_lwp_kill, tid, 0) == 0));
        }
        CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st), "errno %d", errno);
        CHECK(WEXITSTATUS(st) == all * 3, "all %d: child exited with %d", all, WEXITSTATUS(st));
    }
    signal(SIGUSR1, h);
    syscall(SYS_lwp_kill, tid, SIGUSR1);
    while (!hits)
        sched_yield();
    CHECK(hits == tid, "lwp_kill went to %d", hits);
    go = 1;
    while (syscall(SYS_lwp_kill, tid, 0) == 0)
        sched_yield();

    tid = start(sleeper, 0, &id);
    msleep(2);
    CHECK(parked == 0, "park did not wait");
    CHECK(syscall(SYS_lwp_park, 0, &ts, tid) == -1 && errno == ETIME, "timeout: %d", errno);
    CHECK(syscall(SYS_lwp_wait, tid, &other) == 0 && other == tid && parked == 2, "unpark");
    CHECK(syscall(SYS_lwp_wait, 0, NULL) == -1 && errno == EDEADLK, "none: errno %d", errno);

    /* exec from a process with many lwps is the end of the others; so is exit */
    tid = start(sleeper, DETACHED, &id);
    return bad;
}
