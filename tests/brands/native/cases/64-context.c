/* getcontext and setcontext: go back with registers and mask, as often as wanted. */
#include "case.h"

static char context[576] __attribute__((aligned(16)));
static volatile int rounds;

int main(void)
{
    uint64_t block = SIGBIT(SIGUSR1), cur = 0;
    volatile double d = 1.5;
    alarm(20);
    sigprocmask(SIG_BLOCK, &block, NULL);
    int r = syscall(SYS_context, 0, context);
    CHECK(r == 0, "getcontext gave %d", r);
    sigprocmask(SIG_BLOCK, NULL, &cur);
    CHECK(cur == block, "mask 0x%lx in round %d", cur, rounds);
    CHECK(d == 1.5, "floating point");
    if (rounds++ < 3) {
        uint64_t none = 0;
        sigprocmask(SIG_SETMASK, &none, NULL);
        syscall(SYS_context, 1, context);
        CHECK(0, "setcontext came back: errno %d", errno);
    }
    CHECK(rounds == 4, "rounds %d", rounds);
    CHECK(syscall(SYS_context, 1, 8) == -1 && errno == EFAULT, "bad address: %d", errno);
    CHECK(syscall(SYS_context, 7, context) == -1 && errno == EINVAL, "flag: %d", errno);
    return bad;
}
