/* Processor sets: with the privilege of the global zone; on one CPU there is nothing to give. */
#include "case.h"

enum { CREATE, DESTROY, ASSIGN, INFO, BIND, LOADAVG, LIST };
#define PSET 207

static long pset(int code, long a1, long a2, long a3, long a4)
{
    return syscall(PSET, code, a1, a2, a3, a4);
}

int main(void)
{
    int set = -1, old = -9, kind = 0, cpus[8] = {-1}, got[8];
    unsigned n = 8;
    int ncpus = syscall(137, 12);

    if (pset(CREATE, (long)&set, 0, 0, 0) == -1) {
        CHECK(errno == EPERM, "create: %d", errno);
        CHECK(pset(ASSIGN, -2, 0, (long)&old, 0) == 0 && old == -1, "PS_QUERY: %d", errno);
        CHECK(pset(INFO, -1, (long)&kind, (long)&n, (long)cpus) == 0, "info: %d", errno);
        CHECK((int)n == ncpus && cpus[0] == 0 && kind == 1, "%d CPUs", (int)n);
        CHECK(pset(BIND, -2, 8, -1, (long)&old) == 0 && old == -1, "bind query %d", errno);
        CHECK(pset(BIND, -1, 0, getpid(), 0) == -1 && errno == EPERM, "bind %d", errno);
        return bad;
    }
    CHECK(pset(BIND, set, 0, getpid(), 0) == -1 && errno == EINVAL, "empty: %d", errno);
    if (ncpus == 1) {
        CHECK(pset(ASSIGN, set, 0, 0, 0) == -1 && errno == 16, "the last CPU: %d", errno);
    } else {
        CHECK(pset(ASSIGN, set, 2, (long)&old, 0) == 0 && old == -1, "assign: %d", errno);
        CHECK(pset(INFO, set, (long)&kind, (long)&n, (long)cpus) == 0, "info: %d", errno);
        CHECK(n == 1 && cpus[0] == 2 && kind == 2, "CPUs of the set: %d", (int)n);
        CHECK(pset(BIND, set, 0, getpid(), (long)&old) == 0 && old == -1, "bind %d", errno);
        for (int i = 0; i < 20; i++)
            syscall(SYS_yield);
        CHECK(pset(ASSIGN, -1, 2, 0, 0) == -1 && errno == 16, "in use: %d", errno);
        int pid = fork(), st = 0;
        if (pid == 0)
            _exit(pset(BIND, -2, 0, getpid(), (long)&old) || old != set);
        waitpid(pid, &st, 0);
        CHECK(st == 0, "a child is bound alike");
    }
    n = 8;
    CHECK(pset(LIST, (long)got, (long)&n, 0, 0) == 0 && n == 1 && got[0] == set, "list");
    CHECK(pset(DESTROY, set, 0, 0, 0) == 0, "destroy: %d", errno);
    CHECK(pset(DESTROY, set, 0, 0, 0) == -1 && errno == EINVAL, "again: %d", errno);
    CHECK(pset(BIND, -2, 0, getpid(), (long)&old) == 0 && old == -1, "unbound: %d", old);
    CHECK(pset(5, 0, 0, 0, 0) == -1 && errno == EINVAL, "load: %d", errno);
    return bad;
}
