/* Stores of the kernel into user memory break copy-on-write as user stores do. */
#include "case.h"

static struct {
    char rd[4096], fds[4096], cwd[4096];
} m __attribute__((aligned(4096)));

static int clean(int c)
{
    for (unsigned i = 0; i < sizeof m; i++)
        if (((char *)&m)[i] != c)
            return 0;
    return 1;
}

int main(void)
{
    int p[2], q[2], st = 0;
    char c;
    alarm(20);
    memset(&m, 'P', sizeof m);
    if (pipe(p) || pipe(q))
        return 2;
    pid_t pid = fork();
    if (pid == 0) {
        write(p[1], "XXXXXXXX", 8);
        if (read(p[0], m.rd + 100, 8) != 8 || pipe((int *)m.fds) || !getcwd(m.cwd, 4096))
            _exit(1);
        _exit(m.rd[100] == 'X' ? 0 : 2);
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0, "child saw status 0x%x", st);
    CHECK(clean('P'), "kernel stores for the child landed in the parent's pages");
    pid = fork();
    if (pid == 0) {
        read(q[0], &c, 1);
        _exit(!clean('P'));
    }
    write(p[1], "YYYYYYYY", 8);
    read(p[0], m.rd + 8, 8);
    write(q[1], "g", 1);
    waitpid(pid, &st, 0);
    CHECK(st == 0, "kernel store for the parent landed in the child's page");
    return bad;
}
