/*
 * What a handler is told: siginfo of kill, sigqueue, a child and a fault; which stack it
 * runs on; the mask inside and after; changes to the saved registers count.
 */
#include "check.h"

static siginfo_t seen[65];
static volatile int on_alt, count;
static char alt[32768];
static sigset_t inside;

static void h(int s, siginfo_t *si, void *uc)
{
    char here;
    seen[s] = *si;
    on_alt = &here >= alt && &here < alt + sizeof alt;
    count++;
    sigprocmask(SIG_BLOCK, NULL, &inside);
    if (s == SIGSEGV) {
        ucontext_t *u = uc;
        sigaddset(&u->uc_sigmask, SIGUSR2);
#ifdef __riscv
        u->uc_mcontext.__gregs[0] += 4;
#else
        u->uc_mcontext.gregs[REG_RIP] += 7;
#endif
    }
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
    sigset_t now;
    alarm(20);
    sigaltstack(&ss, NULL);
    sigaddset(&sa.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &sa, NULL);
    sigaction(SIGCHLD, &sa, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGRTMIN + 1, &sa, NULL);
    kill(getpid(), SIGUSR1);
    CHECK(seen[SIGUSR1].si_code == SI_USER && seen[SIGUSR1].si_pid == getpid(),
          "kill: code %d pid %d", seen[SIGUSR1].si_code, seen[SIGUSR1].si_pid);
    CHECK(on_alt, "SA_ONSTACK: not on the alternate stack");
    CHECK(sigismember(&inside, SIGUSR1) && sigismember(&inside, SIGTERM), "mask inside");
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGTERM), "mask after");

    int rt = SIGRTMIN + 1;
    sigemptyset(&now);
    sigaddset(&now, rt);
    sigprocmask(SIG_BLOCK, &now, NULL);
    count = 0;
    for (long i = 1; i <= 3; i++)
        sigqueue(getpid(), rt, (union sigval){.sival_ptr = (void *)(i << 40)});
    sigprocmask(SIG_UNBLOCK, &now, NULL);
    CHECK(count == 3, "%d of 3 queued signals", count);
    CHECK(seen[rt].si_code == SI_QUEUE && seen[rt].si_value.sival_ptr == (void *)(3L << 40),
          "sigqueue: code %d value %p", seen[rt].si_code, seen[rt].si_value.sival_ptr);

    pid_t pid = fork();
    if (pid == 0)
        _exit(0x1ab);
    while (waitpid(pid, NULL, 0) < 0)
        ;
    CHECK(seen[SIGCHLD].si_code == CLD_EXITED && seen[SIGCHLD].si_pid == pid &&
              seen[SIGCHLD].si_status == 0xab,
          "child: code %d status %#x", seen[SIGCHLD].si_code, seen[SIGCHLD].si_status);
    pid = fork();
    if (pid == 0) {
        raise(SIGKILL);
        _exit(0);
    }
    while (waitpid(pid, NULL, 0) < 0)
        ;
    CHECK(seen[SIGCHLD].si_code == CLD_KILLED && seen[SIGCHLD].si_status == SIGKILL,
          "killed: code %d status %d", seen[SIGCHLD].si_code, seen[SIGCHLD].si_status);

    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#ifdef __riscv
    asm volatile(".option push\n.option norvc\nsb zero, 12(%0)\n.option pop" ::"r"(page) : "memory");
#else
    asm volatile(".byte 0xc6, 0x80, 12, 0, 0, 0, 0" ::"a"(page) : "memory");
#endif
    CHECK(seen[SIGSEGV].si_code == SEGV_ACCERR && seen[SIGSEGV].si_addr == page + 12,
          "fault: code %d address %p", seen[SIGSEGV].si_code, seen[SIGSEGV].si_addr);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR2), "the mask in the context was not taken");
    return bad;
}
