/* A lwp with ITIMER_VIRTUAL ends: its timer goes with it, and others have none of it. */
#include "case.h"

static char stack[8192] __attribute__((aligned(16)));
static volatile int armed, fired;

static void on_vtalrm(int sig)
{
    fired += sig == 28;
}

static void other(void)
{
    long it[4] = {0, 100, 0, 100};

    syscall(158, 1, it, 0);
    armed = 1;
    syscall(160);
}

int main(void)
{
    struct {
        uint64_t head[4];
        void *sp;
        uint64_t size, flags, regs[32], fregs[32], fcsr;
    } uc;
    long old[4] = {9, 9, 9, 9};
    int id = 0;

    sigaction(28, on_vtalrm, 0, 0);
    memset(&uc, 0, sizeof uc);
    syscall(100, 0, &uc);
    uc.regs[0] = (uint64_t)other;
    uc.regs[2] = (uint64_t)stack + sizeof stack;
    CHECK(syscall(159, &uc, 0x40, &id) >= 0, "lwp_create: %d", errno);
    while (!armed)
        syscall(SYS_yield);
    for (volatile int i = 0; i < 3000000; i++)
        ;
    msleep(50);
    CHECK(fired == 0, "fired %d times", fired);
    CHECK(syscall(157, 1, old) == 0 && old[0] + old[1] + old[2] + old[3] == 0, "getitimer");
    CHECK(syscall(157, 3, old) == -1 && errno == EINVAL, "ITIMER_REALPROF");
    return bad;
}
