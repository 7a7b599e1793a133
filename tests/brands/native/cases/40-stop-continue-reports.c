/* Each stop and each continue is reported once, and the end last. */
#include "case.h"

int main(void)
{
    int st = 0;
    alarm(20);
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            msleep(1000000);
    for (int i = 0; i < 3; i++) {
        kill(pid, SIGSTOP);
        CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st), "no stop: 0x%x", st);
        CHECK(WSTOPSIG(st) == SIGSTOP, "stopped by %d", WSTOPSIG(st));
        CHECK(waitpid(pid, &st, WUNTRACED | WNOHANG) == 0, "stop reported twice");
        kill(pid, SIGCONT);
        CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st), "no cont: 0x%x", st);
        CHECK(waitpid(pid, &st, WCONTINUED | WNOHANG) == 0, "continue reported twice");
    }
    kill(pid, SIGTERM);
    CHECK(waitpid(pid, &st, WUNTRACED | WCONTINUED) == pid, "wait: errno %d", errno);
    CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM, "status 0x%x", st);
    return bad;
}
