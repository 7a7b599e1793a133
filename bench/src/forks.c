/* forks N [MiB]: fork, exit and wait N times, with so much memory touched before */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 1000;
    size_t len = (size_t)(argc > 2 ? atol(argv[2]) : 0) << 20;
    char *p = malloc(len + 1);

    memset(p, 1, len + 1);
    for (long i = 0; i < n; i++) {
        int status;
        pid_t pid = fork();

        if (pid < 0)
            return 1;
        if (pid == 0)
            _exit(0);
        if (waitpid(pid, &status, 0) != pid || status != 0)
            return 2;
    }
    return p[len] != 1;
}
