/* rctlsys: values of resource controls, what they refuse and which signals they send. */
#include "case.h"

struct blk {
    unsigned long value, enforced;
    unsigned privilege, global, level, local;
    int signal, pid;
    long fired;
};

#define BASIC 0x01000000
#define PRIVILEGED 0x04000000
#define SYSTEM 0x07000000
#define SIGNAL 1
#define DENY 2
#define CODE_RCTL 2049
#define XCPU 30
#define XRES 38

static long rctl(long code, const char *name, void *old, void *new, long size, long flags)
{
    return syscall(74, code, name, old, new, size, flags);
}

static long put(const char *name, unsigned privilege, long value, unsigned local, int sig)
{
    struct blk b = {value, 0, privilege, 0, 0, local, sig, -1, 0};
    return rctl(1, name, 0, &b, 0, 0);
}

static volatile int hits, code, entity;

static void on(int sig, int *info, void *ctx)
{
    (void)ctx;
    hits += sig == info[0];
    code = info[1];
    entity = info[4];
}

static void walk(void)
{
    struct blk b, next;
    CHECK(put("process.max-file-descriptor", BASIC, 100, DENY, 0) == 0, "%d", errno);
    CHECK(rctl(0, "process.max-file-descriptor", 0, &b, 0, 0) == 0, "first %d", errno);
    CHECK(b.value == 100 && b.privilege == BASIC && b.pid == getpid(), "%ld", b.value);
    CHECK(rctl(0, "process.max-file-descriptor", &b, &next, 0, 1) == 0, "next");
    CHECK(next.privilege == PRIVILEGED && next.pid == -1, "%lx", (long)next.privilege);
    b = next;
    CHECK(rctl(0, "process.max-file-descriptor", &b, &next, 0, 1) == 0, "last");
    CHECK(next.privilege == SYSTEM && next.value == 0x7fffffff, "%lx", next.value);
    b = next;
    CHECK(rctl(0, "process.max-file-descriptor", &b, &next, 0, 1) == -1
              && errno == ENOENT, "after the last: %d", errno);
    CHECK(rctl(0, "spoons", 0, &b, 0, 0) == -1 && errno == EINVAL, "spoons %d", errno);
    CHECK(rctl(0, "task.max-lwps", 0, 0, 0, 0) == -1 && errno == EFAULT, "%d", errno);
    CHECK(rctl(0, "task.max-lwps", 0, &b, 0, 7) == -1 && errno == EINVAL, "%d", errno);
    CHECK(rctl(0, "task.max-processes", 0, &b, 0, 2) == 0 && b.value >= 1, "usage");
    CHECK(rctl(0, "process.max-cpu-time", 0, &b, 0, 2) == -1 && errno == 48,
          "usage of time: %d", errno);
    CHECK(put("task.max-lwps", SYSTEM, 3, DENY, 0) == -1 && errno == EPERM, "%d", errno);
    CHECK(put("task.max-lwps", PRIVILEGED, 3, SIGNAL, XCPU) == -1 && errno == EINVAL,
          "XCPU: %d", errno);
    CHECK(rctl(2, 0, 0, 0, 0, 0) > 300, "list %ld", rctl(2, 0, 0, 0, 0, 0));
}

int main(void)
{
    alarm(20);
    walk();

    /* A limit of processes of the task: a signal at one value, EAGAIN at the next. */
    sigaction(XRES, (sighandler_t)(void *)on, SA_SIGINFO, 0);
    struct blk used;
    rctl(0, "task.max-processes", 0, &used, 0, 2);
    CHECK(put("task.max-processes", PRIVILEGED, used.value, SIGNAL, XRES) == 0, "put");
    CHECK(put("task.max-processes", PRIVILEGED, used.value + 1, DENY, 0) == 0, "put 2");
    pid_t a = fork(), b = -1;
    if (a == 0) {
        sigsuspend(0);
        _exit(0);
    }
    CHECK(a > 0 && hits == 1, "first fork %d, %d signals", a, hits);
    CHECK(code == CODE_RCTL && entity == 1, "si_code %d entity %d", code, entity);
    b = fork();
    if (b == 0)
        _exit(0);
    CHECK(b == -1 && errno == EAGAIN, "second fork %d, errno %d", b, errno);
    CHECK(hits == 1, "%d signals", hits);
    kill(a, SIGKILL);
    waitpid(a, 0, 0);

    /* Signals that wait: the third one is refused. */
    uint64_t rt = SIGBIT(45);
    sigprocmask(SIG_BLOCK, &rt, 0);
    CHECK(put("process.max-sigqueue-size", BASIC, 2, DENY, 0) == 0, "queue %d", errno);
    for (int i = 0; i < 3; i++) {
        long r = syscall(190, getpid(), 45, i, -2);
        CHECK(i < 2 ? r == 0 : r == -1 && errno == EAGAIN, "sigqueue %d: %ld", i, r);
    }

    /* CPU time: SIGXCPU when a second is used up. */
    hits = 0;
    sigaction(XCPU, (sighandler_t)(void *)on, SA_SIGINFO, 0);
    CHECK(put("process.max-cpu-time", BASIC, 1, SIGNAL, XCPU) == 0, "time %d", errno);
    while (!hits)
        ;
    CHECK(code == CODE_RCTL && entity == 0, "si_code %d entity %d", code, entity);
    return bad;
}
