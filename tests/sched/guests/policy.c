/* Scheduling calls of Linux; status 0 is right, else it prints what is wrong.
 * "policy realtime" with PROC_PRIOCNTL, "policy" without.
 */
#include "tiny.h"

#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define RESET_ON_FORK 0x40000000
enum {
    SETPARAM = 118, SETSCHEDULER, GETSCHEDULER, GETPARAM, SETAFFINITY, GETAFFINITY,
    INTERVAL = 127, SETPRIORITY = 140, GETPRIORITY, GETCPU = 168,
};

static int bad;
#define CHECK(ok, ...)                         \
    do {                                       \
        if (!(ok)) {                           \
            dprintf(1, "wrong: " __VA_ARGS__); \
            dprintf(1, "\n");                  \
            bad = 1;                           \
        }                                      \
    } while (0)

static long set(int policy, int prio)
{
    return syscall(SETSCHEDULER, 0, policy, &prio);
}

static int prio(void)
{
    int p = -1;
    syscall(GETPARAM, 0, &p);
    return p;
}

static long interval(void)
{
    struct timespec t = {-1, -1};
    syscall(INTERVAL, 0, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void child_has(int policy, int priority)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(syscall(GETSCHEDULER, 0) == policy && prio() == priority ? 0 : 1);
    int status;
    waitpid(pid, &status, 0);
    CHECK(status == 0, "the child of policy %d", policy);
}

static void realtime(void)
{
    CHECK(set(SCHED_FIFO, 50) == 0, "FIFO: errno %d", errno);
    CHECK(syscall(GETSCHEDULER, 0) == SCHED_FIFO && prio() == 50, "FIFO 50");
    CHECK(interval() == 0, "FIFO: interval %ld", interval());
    child_has(SCHED_FIFO, 50);
    CHECK(set(SCHED_RR, 99) == 0 && prio() == 99, "RR 99");
    CHECK(interval() == 100, "RR: interval %ld", interval());
    int p = 1;
    CHECK(syscall(SETPARAM, 0, &p) == 0 && prio() == 1, "setparam");
    p = 100;
    CHECK(syscall(SETPARAM, 0, &p) < 0 && errno == EINVAL, "priority 100");
    CHECK(set(SCHED_FIFO | RESET_ON_FORK, 7) == 0, "reset on fork");
    child_has(SCHED_OTHER, 0);
    CHECK(set(SCHED_OTHER, 0) == 0 && prio() == 0, "back to OTHER");
    child_has(SCHED_OTHER, 0);
}

static void nice(void)
{
    CHECK(syscall(GETPRIORITY, 0, 0) == 20, "nice 0");
    CHECK(syscall(SETPRIORITY, 0, 0, 5) == 0, "nice 5");
    CHECK(syscall(GETPRIORITY, 0, 0) == 15, "is %ld", syscall(GETPRIORITY, 0, 0));
    pid_t pid = fork();
    if (pid == 0)
        _exit(syscall(GETPRIORITY, 0, 0) == 15 ? 0 : 1);
    int status;
    waitpid(pid, &status, 0);
    CHECK(status == 0, "the child's nice value");
}

static void affinity(void)
{
    for (int cpu = 3; cpu >= 0; cpu--) {
        uint64_t mask = UINT64_C(1) << cpu, now = 0;
        unsigned where = 99;
        CHECK(syscall(SETAFFINITY, 0, 8, &mask) == 0, "CPU %d: errno %d", cpu, errno);
        syscall(GETCPU, &where, NULL, NULL);
        CHECK(where == (unsigned)cpu, "on CPU %u, not %d", where, cpu);
        CHECK(syscall(GETAFFINITY, 0, 8, &now) == 8 && now == mask, "mask %lx", now);
    }
    uint64_t none = UINT64_C(1) << 9;
    CHECK(syscall(SETAFFINITY, 0, 8, &none) < 0 && errno == EINVAL, "no such CPU");
}

int main(int argc, char **argv)
{
    (void)argv;
    CHECK(set(SCHED_FIFO, 0) < 0 && errno == EINVAL, "FIFO 0");
    CHECK(set(SCHED_OTHER, 1) < 0 && errno == EINVAL, "OTHER 1");
    if (argc > 1)
        realtime();
    else
        CHECK(set(SCHED_FIFO, 1) < 0 && errno == EPERM, "FIFO without the privilege");
    nice();
    affinity();
    return bad;
}
