/*
 * RLIMIT_NPROC makes fork EAGAIN for a user, not for root; with RLIMIT_CORE 0 a fault
 * leaves no core flag; RLIMIT_NOFILE is EMFILE; RLIMIT_FSIZE is SIGXFSZ and EFBIG.
 */
#include "check.h"

int main(void)
{
    int st = 0;
    struct rlimit rl = {3, 3}, zero = {0, 0}, nine = {9, 9}, small = {10, 10};
    alarm(20);
    if (getuid() == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            if (setuid(12345))
                _exit(50);
            setrlimit(RLIMIT_NPROC, &rl);
            int n = 0;
            for (; n < 10; n++) {
                pid_t k = fork();
                if (k == 0) {
                    pause();
                    _exit(0);
                }
                if (k < 0)
                    break;
            }
            int e = errno;
            kill(-1, SIGKILL);
            while (wait(NULL) > 0)
                ;
            _exit(e == EAGAIN ? n : 60);
        }
        waitpid(pid, &st, 0);
        CHECK(WEXITSTATUS(st) == 2, "NPROC 3: %d children, status %#x", WEXITSTATUS(st), st);
    }
    setrlimit(RLIMIT_CORE, &zero);
    pid_t pid = fork();
    if (pid == 0) {
        *(volatile int *)0 = 1;
        _exit(1);
    }
    waitpid(pid, &st, 0);
    CHECK(st == SIGSEGV, "status of a fault is %#x", st);
    pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_NOFILE, &nine);
        int d, last = -1;
        while ((d = dup(1)) >= 0)
            last = d;
        _exit(errno == EMFILE && last == 8 ? 0 : 1);
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0, "NOFILE: %#x", st);
    char name[] = "/tmp/limXXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_FSIZE, &small);
        if (write(fd, "0123456789abcdef", 16) != 10)
            _exit(1);
        signal(SIGXFSZ, SIG_IGN);
        if (write(fd, "x", 1) != -1 || errno != EFBIG)
            _exit(2);
        signal(SIGXFSZ, SIG_DFL);
        (void)!write(fd, "x", 1);
        _exit(3);
    }
    waitpid(pid, &st, 0);
    CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGXFSZ, "FSIZE: %#x", st);
    struct rusage ru;
    pid = fork();
    if (pid == 0) {
        for (volatile int i = 0; i < 30000000; i++)
            ;
        _exit(0);
    }
    CHECK(wait4(pid, &st, 0, &ru) == pid, "wait4 errno %d", errno);
    CHECK(ru.ru_utime.tv_sec || ru.ru_utime.tv_usec, "a busy child used no time");
    getrusage(RUSAGE_CHILDREN, &ru);
    CHECK(ru.ru_utime.tv_sec || ru.ru_utime.tv_usec, "children used no time");
    return bad;
}
