/*
 * PARENT_SETTID and CHILD_SETTID store the child's id each in its own memory; gettid is
 * the pid; VFORK without VM waits but does not share; bad combinations are EINVAL.
 */
#include "check.h"

static int ptid, ctid;
static volatile int cell;

int main(void)
{
    int st = 0;
    alarm(20);
    unsigned long f = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    pid_t pid = raw_clone(f | SIGCHLD, NULL, &ptid, &ctid);
    if (pid == 0)
        _exit(!(ctid == getpid() && syscall(SYS_gettid) == getpid()));
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "child saw its tid as %d", ctid);
    CHECK(ptid == pid, "parent has %d, want %d", ptid, (int)pid);
    CHECK(ctid == 0, "CHILD_SETTID stored %d in the parent", ctid);

    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid = raw_clone(CLONE_VFORK | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        usleep(30000);
        cell = 1;
        _exit(5);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
    CHECK(ms >= 29, "VFORK did not wait: %ld ms", ms);
    CHECK(cell == 0, "VFORK without VM shared memory");
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 5, "status %#x", st);

    CHECK(raw_clone(CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL) == -1 && errno == EINVAL,
          "SIGHAND without VM: errno %d", errno);
    CHECK(raw_clone(CLONE_THREAD | CLONE_VM, NULL, NULL, NULL) == -1 && errno == EINVAL,
          "THREAD without SIGHAND: errno %d", errno);
    CHECK(raw_clone(CLONE_NEWNS | CLONE_FS | SIGCHLD, NULL, NULL, NULL) == -1 &&
              errno == EINVAL, "NEWNS with FS: errno %d", errno);
    struct { uint64_t w[11]; } args = {{0}};
    args.w[4] = SIGCHLD;
    pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(6);
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 6, "clone3: %#x", st);
    args.w[4] = 200;
    CHECK(syscall(SYS_clone3, &args, sizeof args) == -1 && errno == EINVAL, "signal 200");
    CHECK(syscall(SYS_clone3, &args, 8) == -1 && errno == EINVAL, "clone3 size 8");
    return bad;
}
