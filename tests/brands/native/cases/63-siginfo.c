/* What a handler is told: siginfo of kill, of a child, of a fault; the ucontext. */
#include "case.h"

struct ksiginfo {
    int signo, code, err, pad;
    int pid, pad2;
    union {
        struct {
            unsigned uid;
            uint64_t value;
        } kill;
        struct {
            long utime;
            int status;
            long stime;
        } cld;
    };
    int ctid, zoneid;
};

struct kfault {
    int signo, code, err, pad;
    char *addr;
};

struct kucontext {
    uint64_t flags, link, mask[2], sp, size, sflags, pc, x[31], f[32];
    uint32_t fcsr;
};

static struct ksiginfo got;
static struct kfault fault;
static struct kucontext *volatile uc;
static volatile int calls;

static void on_any(int sig, struct ksiginfo *si, void *ucp)
{
    uc = ucp;
    calls += sig == si->signo;
    got = *si;
}

static void on_segv(int sig, struct kfault *si, struct kucontext *ucp)
{
    calls += sig == si->signo;
    fault = *si;
    ucp->pc += 4; /* the store is a four-byte instruction: go on behind it */
}

int main(void)
{
    int st;
    alarm(20);
    sigaction(SIGUSR1, (sighandler_t)(void *)on_any, SA_SIGINFO, 0);
    sigaction(SIGCHLD, (sighandler_t)(void *)on_any, SA_SIGINFO, 0);
    sigaction(SIGSEGV, (sighandler_t)(void *)on_segv, SA_SIGINFO, 0);
    raise(SIGUSR1);
    CHECK(calls == 1 && got.code == 0 && got.pid == getpid() && got.kill.uid == 0,
          "kill: code %d pid %d", got.code, got.pid);
    CHECK(((uintptr_t)uc & 15) == 0 && uc->mask[0] == 0, "ucontext at %p", uc);

    pid_t pid = fork();
    if (pid == 0)
        _exit(0x1234);
    while (calls == 1)
        msleep(1);
    CHECK(got.signo == SIGCHLD && got.code == CLD_EXITED, "child: code %d", got.code);
    CHECK(got.pid == pid && got.cld.status == 0x1234, "child: status 0x%x", got.cld.status);
    waitpid(pid, &st, 0);

    pid = fork();
    if (pid == 0)
        for (;;)
            msleep(1000);
    kill(pid, SIGTERM);
    while (calls == 2)
        msleep(1);
    CHECK(got.code == CLD_KILLED && got.cld.status == SIGTERM, "killed: code %d status %d",
          got.code, got.cld.status);
    waitpid(pid, &st, 0);

    char *hole = (char *)0x3000000120;
    __asm__ volatile(".option push; .option norvc; sb zero, 0(%0); .option pop"
                     : : "r"(hole) : "memory");
    CHECK(calls == 4 && fault.addr == hole && fault.code == 1, "fault: %p code %d",
          fault.addr, fault.code);
    return bad;
}
