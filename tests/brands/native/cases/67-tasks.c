/* tasksys: a new task in a project, inherited over fork; a final one is left by nobody. */
#include "case.h"

static long task(long code, long a, long b)
{
    return syscall(70, code, a, b);
}

int main(void)
{
    int st = 0;
    alarm(20);
    long first = task(1, 0, 0), second;
    CHECK(first >= 0 && task(2, 0, 0) >= 0, "task %ld", first);
    second = task(0, 77, 0);
    CHECK(second > 0 && second != first, "settaskid: %ld errno %d", second, errno);
    CHECK(task(1, 0, 0) == second && task(2, 0, 0) == 77, "project %ld", task(2, 0, 0));
    pid_t pid = fork();
    if (pid == 0)
        _exit(task(1, 0, 0) != second || task(2, 0, 0) != 77);
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "the child is in another task");
    CHECK(task(0, 77, 2) == -1 && errno == EINVAL, "flag: errno %d", errno);
    CHECK(task(9, 0, 0) == -1 && errno == EINVAL, "code: errno %d", errno);
    CHECK(task(0, 78, 1) > 0, "final: errno %d", errno);
    CHECK(task(0, 77, 0) == -1 && errno == EACCES, "left a final task: errno %d", errno);
    return bad;
}
