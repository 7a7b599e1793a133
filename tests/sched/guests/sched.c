/* What scheduling looks like from inside, for both brands: one word says what to do. */
#include "tiny.h"

static void say(const char *s)
{
    write(1, s, strlen(s));
}

static void spin(long n)
{
    for (volatile long i = 0; i < n; i++)
        ;
}

/* A fork: who speaks first? */
static int order(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        say("c");
        _exit(0);
    }
    say("p");
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

/* FORK-72: the child is gone before its parent is back. */
static int gone(void)
{
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(i);
        int status;
        if (pid <= 0 || waitpid(pid, &status, 0) != pid || status >> 8 != i)
            return 1;
    }
    return 0;
}

/* A byte to and fro: how many turns, and no more switches than turns. */
static int pingpong(long turns)
{
    int there[2], back[2];
    char c = 'x';
    pipe(there);
    pipe(back);
    pid_t pid = fork();
    if (pid == 0) {
        for (long i = 0; i < turns; i++) {
            if (read(there[0], &c, 1) != 1)
                _exit(1);
            write(back[1], &c, 1);
        }
        _exit(0);
    }
    for (long i = 0; i < turns; i++) {
        write(there[1], &c, 1);
        if (read(back[0], &c, 1) != 1)
            return 1;
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

/* Children that burn for ever; the parent waits. */
static int burn(long children)
{
    for (long i = 0; i < children; i++)
        if (fork() == 0)
            for (;;)
                ;
    waitpid(-1, NULL, 0);
    return 0;
}

/* Work, sleep, work: mixed load for runs that have to repeat. */
static int mixed(void)
{
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int j = 0; j < 5; j++) {
                spin(20000 * (i + 1));
                if (i & 1)
                    msleep(3);
                else
                    sched_yield();
                say(i & 1 ? "s" : "y");
            }
            _exit(0);
        }
    for (int i = 0; i < 4; i++)
        waitpid(-1, NULL, 0);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? atol(argv[2]) : 0;
    if (!strcmp(what, "order"))
        return order();
    if (!strcmp(what, "gone"))
        return gone();
    if (!strcmp(what, "pingpong"))
        return pingpong(n);
    if (!strcmp(what, "burn"))
        return burn(n);
    if (!strcmp(what, "mixed"))
        return mixed();
    if (!strcmp(what, "spin"))
        return spin(n), 0;
    return 2;
}
