/* corectl: patterns and contents are shared by fork until somebody sets his own. */
#include "case.h"

#define CORECTL 151
enum { SET_OPTIONS = 1, GET_OPTIONS, SET_GLOBAL_PATH, GET_GLOBAL_PATH, SET_PATH, GET_PATH };
enum { SET_CONTENT = 9, GET_CONTENT, SET_DEFAULT_PATH };

static const char *path(void)
{
    static char buf[100];
    return syscall(CORECTL, GET_PATH, buf, 100, getpid()) ? "error" : buf;
}

static int dumps(int sig, const char *file)
{
    int st = 0;
    pid_t pid = fork();
    if (pid == 0) {
        kill(getpid(), sig);
        _exit(0);
    }
    waitpid(pid, &st, 0);
    int fd = open(file, 1, 0);
    if (fd >= 0)
        close(fd);
    unlink(file);
    return (st & 0x80 ? 1 : 0) + (fd >= 0 ? 2 : 0);
}

int main(void)
{
    unsigned long content = 1, limit[2] = {0, -3};
    int st = 0;
    CHECK(strcmp(path(), "core") == 0, "default path %s", path());
    CHECK(dumps(SIGABRT, "core") == 3, "no core by default");
    CHECK(dumps(SIGTERM, "core") == 0, "a core of SIGTERM");
    uint64_t all[2] = {~SIGBIT(SIGABRT), ~UINT64_C(0)}, none[2] = {0, 0};
    syscall(SYS_sigprocmask, SIG_SETMASK, all, 0); /* more than 64 signals */
    CHECK(dumps(SIGABRT, "core") == 3, "a core with all signals blocked");
    syscall(SYS_sigprocmask, SIG_SETMASK, none, 0);
    CHECK(syscall(CORECTL, SET_PATH, "/tmp.%f.%z", 20, getpid()) == 0, "SET %d", errno);
    CHECK(dumps(SIGABRT, "/tmp.case.z") == 3, "the child's is not the parent's");
    pid_t pid = fork();
    if (pid == 0) {
        int same = strcmp(path(), "/tmp.%f.%z");
        syscall(CORECTL, SET_PATH, "mine", 20, 0);
        _exit(same || strcmp(path(), "mine"));
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0 && strcmp(path(), "/tmp.%f.%z") == 0, "changed by the child: %s", path());
    CHECK(syscall(CORECTL, SET_CONTENT, &content, getpid()) == 0, "content");
    content = 0;
    CHECK(syscall(CORECTL, GET_CONTENT, &content, 0) == 0 && content == 1, "%lx", content);
    content = 1UL << 40;
    CHECK(syscall(CORECTL, SET_CONTENT, &content, 0) == -1 && errno == EINVAL, "bad content");
    CHECK(syscall(CORECTL, GET_PATH, &content, 3, 0) == -1 && errno == E2BIG, "E2BIG");
    CHECK(syscall(CORECTL, GET_PATH, &content, 3, 12345) == -1 && errno == ESRCH, "ESRCH");
    CHECK(syscall(CORECTL, SET_GLOBAL_PATH, "here", 20) == -1 && errno == EINVAL, "relative");
    CHECK(syscall(CORECTL, SET_GLOBAL_PATH, "/all.%f", 20) == 0, "global path %d", errno);
    CHECK(syscall(CORECTL, GET_OPTIONS) == 2, "options");
    CHECK(syscall(CORECTL, SET_OPTIONS, 1) == 0 && dumps(SIGABRT, "/all.case") == 3, "global");
    CHECK(dumps(SIGABRT, "/tmp.case.z") == 1, "the process' own, though it is off");
    unlink("/all.case");
    syscall(SYS_setrlimit, 4, limit);
    CHECK(dumps(SIGABRT, "/all.case") == 0, "a core over its limit");
    return bad;
}
