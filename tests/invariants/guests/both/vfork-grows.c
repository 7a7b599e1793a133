/*
 * FORK-54: what a vfork child maps, and how far it grows the stack, is the parent's.
 * FORK-59: a child that dies by a signal lets the parent go.
 */
#include "../case.h"

static char *volatile area;

static int deep(int n)
{
    volatile char room[4096];
    room[0] = (char)n;
    return n ? deep(n - 1) + room[0] - (char)n : 0;
}

int main(void)
{
    int st;
    alarm(60);
    for (int i = 0; i < 3; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
            area[4096] = 'x';
            _exit(deep(100));
        }
        CHECK(waitpid(pid, &st, 0) == pid && st == 0, "round %d: 0x%x", i, st);
        CHECK(area != MAP_FAILED && area[4096] == 'x', "what the child mapped is not here");
        CHECK(deep(90) == 0, "the stack");
        CHECK(munmap(area, 8192) == 0, "munmap %d", errno);
    }
    pid_t pid = vfork();
    if (pid == 0) {
        *(volatile int *)8 = 1;
        _exit(1);
    }
    CHECK(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV, "0x%x", st);
    return bad;
}
