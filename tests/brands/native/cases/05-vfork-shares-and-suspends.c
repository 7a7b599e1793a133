/* vfork: the parent runs after the child's exit only, and sees the child's stores. */
#include "case.h"

static volatile int stage;

int main(void)
{
    int st = 0;
    alarm(20);
    pid_t pid = vfork();
    if (pid == 0) {
        msleep(50);
        stage = 1;
        _exit(5);
    }
    CHECK(stage == 1, "parent resumed early or store not shared (stage %d)", stage);
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 5, "status 0x%x", st);
    return bad;
}
