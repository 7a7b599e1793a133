/*
 * CLONE_VM alone: memory is shared while both run, handlers and descriptors are not;
 * a futex at the child tid tells of the end; with SIGHAND handlers are shared, too.
 */
#include "check.h"

static char stack[4][65536] __attribute__((aligned(16)));
static volatile int cell, tid;
static void h(int s) { (void)s; }

static int plain(void *arg)
{
    cell = *(int *)arg + 1;
    while (cell != 100)
        usleep(1000);
    signal(SIGUSR1, SIG_IGN);
    close(1);
    return 6;
}

static int quick(void *arg)
{
    (void)arg;
    signal(SIGUSR1, SIG_IGN);
    return 0;
}

static void *handler_of(int sig)
{
    struct sigaction sa;
    sigaction(sig, NULL, &sa);
    return (void *)sa.sa_handler;
}

int main(void)
{
    int st = 0, v = 41;
    alarm(20);
    signal(SIGUSR1, h);
    pid_t pid = clone(plain, stack[0] + 65536, CLONE_VM | SIGCHLD, &v);
    CHECK(pid > 0, "clone(VM) errno %d", errno);
    while (cell != 42)
        usleep(1000);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 1;
    void *old = sbrk(8192);
    cell = 100;
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 6, "status %#x", st);
    CHECK(handler_of(SIGUSR1) == (void *)h, "handlers are shared without SIGHAND");
    CHECK(fcntl(1, F_GETFD) == 0, "descriptors are shared without FILES");
    CHECK(p[0] == 1 && sbrk(0) == (char *)old + 8192, "memory after the child's end");

    tid = 1;
    pid = clone(quick, stack[1] + 65536, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL,
                NULL, &tid);
    while (tid)
        syscall(SYS_futex, &tid, 0, 1, NULL, NULL, 0);
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "cleartid: %#x", st);
    pid = clone(quick, stack[2] + 65536, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "sighand: %#x", st);
    CHECK(handler_of(SIGUSR1) == (void *)SIG_IGN, "SIGHAND: handlers are not shared");
    pid = clone(quick, stack[3] + 65536, CLONE_VM | CLONE_VFORK | CLONE_PARENT, NULL);
    CHECK(pid > 0, "clone(VM, VFORK, PARENT) errno %d", errno);
    return bad;
}
