/* forksys: raw results, subcodes, flags (fork(2) of illumos; FORK-84, FORK-85). */
#include "case.h"

static volatile int chld;
static void h(int s)
{
    (void)s;
    chld++;
}

int main(void)
{
    long ppid = 0;
    int st = 0;
    struct waitinfo w;
    alarm(20);
    signal(SIGCHLD, h);
    CHECK(syscall(SYS_forksys, 3, 0) == -1 && errno == EINVAL, "subcode 3: %d", errno);
    CHECK(syscall(SYS_forksys, 0, 4) == -1 && errno == EINVAL, "flag 4: %d", errno);
    CHECK(syscall_rval2(SYS_getpid, 0, &ppid) == getpid() && ppid == getppid(), "getpid");

    /* the raw convention: (child, 0) here, (parent, 1) there */
    pid_t me = getpid();
    long two = 77, one = syscall_rval2(SYS_forksys, FORKSYS_FORK1, &two);
    if (two == 1)
        _exit(one == me ? 0 : 1);
    CHECK(two == 0, "rval2 in the parent is %ld", two);
    CHECK(waitpid(one, &st, 0) == one && st == 0, "child saw another parent: 0x%x", st);
    CHECK(chld == 1, "%d SIGCLD for a plain fork", chld);

    one = syscall_rval2(SYS_forksys, FORKSYS_FORKALL, &two);
    if (two == 1)
        _exit(9);
    CHECK(waitpid(one, &st, 0) == one && WEXITSTATUS(st) == 9, "forkall: 0x%x", st);

    chld = 0;
    pid_t pid = forkx(FORK_NOSIGCHLD);
    if (pid == 0)
        _exit(4);
    msleep(10);
    CHECK(waitpid(-1, &st, 0) == pid && WEXITSTATUS(st) == 4, "NOSIGCHLD: 0x%x", st);
    CHECK(chld == 0, "SIGCLD with FORK_NOSIGCHLD");

    pid = forkx(FORK_WAITPID | FORK_NOSIGCHLD);
    if (pid == 0)
        _exit(6);
    msleep(10);
    CHECK(waitid(P_ALL, 0, &w, WEXITED | WNOHANG) == -1 && errno == ECHILD,
          "WAITPID child seen by P_ALL: errno %d", errno);
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 6, "WAITPID: 0x%x", st);

    /* posix_spawn's child that never was: no zombie, no SIGCLD */
    pid = vfork();
    if (pid == 0)
        _exit(0xffff0000);
    CHECK(pid > 0 && waitpid(pid, &st, 0) == -1 && errno == ECHILD, "evaporate: %d", errno);
    CHECK(chld == 0, "SIGCLD of an evaporated child");
    return bad;
}
