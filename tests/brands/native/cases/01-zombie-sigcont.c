/* A zombie that is sent SIGCONT stays reapable. */
#include "case.h"

int main(void)
{
    struct waitinfo w;
    int st = 0;
    alarm(20);
    pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    CHECK(waitid(P_PID, pid, &w, WEXITED | WNOWAIT) == 0, "WNOWAIT: errno %d", errno);
    CHECK(kill(pid, SIGCONT) == 0, "SIGCONT to a zombie: errno %d", errno);
    CHECK(waitpid(pid, &st, 0) == pid, "zombie vanished, errno %d", errno);
    CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 3, "status is 0x%x", st);
    return bad;
}
