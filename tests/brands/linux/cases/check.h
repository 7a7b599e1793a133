/* What the cases share: CHECK(condition, message...) and the usual headers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int bad;
#define CHECK(ok, ...)                         \
    do {                                       \
        if (!(ok)) {                           \
            dprintf(1, "wrong: " __VA_ARGS__); \
            dprintf(1, "\n");                  \
            bad = 1;                           \
        }                                      \
    } while (0)

/* The order of the last two arguments differs between machines (clone(2)). */
static inline long raw_clone(unsigned long flags, void *stack, int *ptid, int *ctid)
{
#ifdef __riscv
    return syscall(SYS_clone, flags, stack, ptid, 0, ctid);
#else
    return syscall(SYS_clone, flags, stack, ptid, ctid, 0);
#endif
}
