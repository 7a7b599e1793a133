/* execs N PROGRAM: fork, exec PROGRAM and wait N times */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 1000;
    char *env[] = {"PATH=/bin", NULL};

    for (long i = 0; i < n; i++) {
        int status;
        pid_t pid = fork();

        if (pid < 0)
            return 1;
        if (pid == 0) {
            execve(argv[2], argv + 2, env);
            _exit(127);
        }
        if (waitpid(pid, &status, 0) != pid || status != 0)
            return 2;
    }
    return argc < 3;
}
