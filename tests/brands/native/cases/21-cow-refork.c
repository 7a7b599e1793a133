/* A page that is copy-on-write already is forked again before anyone writes it. */
#include "case.h"

static char page[3 * 4096];

static int level(int depth)
{
    int st = 0;
    for (unsigned i = 0; i < sizeof page; i++)
        if (page[i] != 'p')
            return 1;
    pid_t pid = depth < 4 ? fork() : -2;
    if (pid == 0)
        _exit(level(depth + 1));
    memset(page, 'a' + depth, sizeof page);
    if (pid > 0 && (waitpid(pid, &st, 0) != pid || st != 0))
        return 2;
    for (unsigned i = 0; i < sizeof page; i++)
        if (page[i] != 'a' + depth)
            return 3;
    return 0;
}

int main(void)
{
    int st = 0;
    alarm(20);
    memset(page, 'p', sizeof page);
    pid_t pid = fork();
    if (pid == 0)
        _exit(level(0));
    waitpid(pid, &st, 0);
    CHECK(WIFEXITED(st), "child killed by signal %d", WTERMSIG(st));
    CHECK(WEXITSTATUS(st) == 0, "generation check failed, code %d", WEXITSTATUS(st));
    CHECK(page[0] == 'p' && page[8192] == 'p', "grandchild stores reached the parent");
    return bad;
}
