/* pipes N: a byte to a child and back, N times */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int pass(int from, int to, long n, int first)
{
    char c = 'x';

    for (long i = 0; i < n; i++) {
        if (first && write(to, &c, 1) != 1)
            return 1;
        if (read(from, &c, 1) != 1)
            return 2;
        if (!first && write(to, &c, 1) != 1)
            return 3;
    }
    return 0;
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 1000;
    int there[2], back[2], status;
    pid_t pid;

    if (pipe(there) || pipe(back) || (pid = fork()) < 0)
        return 4;
    if (pid == 0)
        _exit(pass(there[0], back[1], n, 0));
    status = pass(back[0], there[1], n, 1);
    if (status)
        return status;
    return waitpid(pid, &status, 0) != pid || status != 0;
}
