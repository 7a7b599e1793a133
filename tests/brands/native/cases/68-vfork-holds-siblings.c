/*
 * While a vfork child has the address space, the other lwps of the parent stand still;
 * afterwards they go on, also when the child was killed or the vfork failed.
 */
#include "case.h"

struct kucontext {
    uint64_t flags, link, mask[2], sp, size, sflags, pc, x[31], f[32];
    uint64_t fcsr;
};

static char stack[8192] __attribute__((aligned(16)));
static volatile long count, early, late;
static volatile int stop;

static void spin(void)
{
    while (!stop) {
        count++;
        syscall(SYS_yield);
    }
    for (;;)
        syscall(160);
}

static void moves_on(const char *when)
{
    long was = count;
    for (int i = 0; i < 1000 && count == was; i++)
        msleep(1);
    CHECK(count != was, "%s: the other lwp stands still", when);
}

int main(void)
{
    struct kucontext uc;
    int st = 0;
    alarm(60);
    syscall(SYS_context, 0, &uc);
    uc.pc = (uint64_t)spin;
    uc.x[1] = (uint64_t)stack + sizeof stack;
    int tid = syscall(159, &uc, 0, NULL);
    CHECK(tid == 2, "lwp_create: %d errno %d", tid, errno);
    moves_on("at first");

    pid_t pid = vfork();
    if (pid == 0) {
        early = count;
        msleep(20);
        late = count;
        _exit(0);
    }
    CHECK(early == late, "it ran %ld times during the vfork", late - early);
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "status 0x%x", st);
    moves_on("after vfork");

    pid = vfork();
    if (pid == 0)
        kill(getpid(), SIGKILL);
    CHECK(waitpid(pid, &st, 0) == pid && WTERMSIG(st) == SIGKILL, "status 0x%x", st);
    moves_on("after a killed child");

    CHECK(syscall(SYS_forksys, FORKSYS_VFORK, 4) == -1 && errno == EINVAL, "flags");
    moves_on("after a failed vfork");
    stop = 1;
    syscall(167, tid, NULL);
    return bad;
}
