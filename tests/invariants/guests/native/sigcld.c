/*
 * FORK-83: one SIGCLD for each death: two children that die while it is blocked are told
 * one after the other.  FORK-84: FORK_NOSIGCHLD silences the end of a child, not its stop.
 * FORK-85: FORK_WAITPID outlives an ignored SIGCLD, and a wait for all blocks or is ECHILD.
 */
#include "../case.h"

static volatile int hits, codes[8], pids[8], stats[8];

struct ksiginfo {
    int signo, code, errnum, pad, pid, uid, status;
};

static void h(int s)
{
    (void)s;
    hits++;
}

static void info(int s, struct ksiginfo *si)
{
    (void)s;
    if (hits < 8) {
        codes[hits] = si->code;
        pids[hits] = si->pid;
    }
    hits++;
}

int main(void)
{
    uint64_t set = SIGBIT(SIGCHLD), none = 0;
    int st, pid[3];
    struct waitinfo w;
    alarm(60);

    sigaction(SIGCHLD, (sighandler_t)info, SA_SIGINFO | SA_RESTART, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 3; i++)
        if ((pid[i] = fork()) == 0)
            _exit(i);
    msleep(20);
    sigprocmask(SIG_SETMASK, &none, NULL);
    msleep(5);
    CHECK(hits == 3, "%d signals for three deaths", hits);
    for (int i = 0; i < 3; i++) {
        int known = 0;
        for (int j = 0; j < 3; j++)
            known += pids[j] == pid[i] && codes[j] == CLD_EXITED;
        CHECK(known == 1, "child %d was told %d times", pid[i], known);
        CHECK(waitpid(pid[i], &st, 0) == pid[i] && WEXITSTATUS(st) == i, "status 0x%x", st);
    }

    signal(SIGCHLD, h);
    hits = 0;
    pid_t quiet = forkx(FORK_NOSIGCHLD);
    if (quiet == 0) {
        raise(SIGSTOP);
        _exit(3);
    }
    while (waitid(P_PID, quiet, &w, WUNTRACED) != 0)
        ;
    CHECK(hits == 1, "%d signals for a stop", hits);
    kill(quiet, SIGCONT);
    while (waitid(P_PID, quiet, &w, WCONTINUED) != 0)
        ;
    CHECK(hits == 2, "%d signals for stop and continue", hits);
    while (waitpid(quiet, &st, 0) != quiet)
        ;
    CHECK(hits == 2 && WEXITSTATUS(st) == 3, "%d signals after the end, 0x%x", hits, st);

    signal(SIGCHLD, SIG_IGN);
    pid_t only = forkx(FORK_WAITPID);
    if (only == 0) {
        msleep(5);
        _exit(5);
    }
    CHECK(waitid(P_ALL, 0, &w, WEXITED | WNOHANG) == 0 && w.signo == 0, "running: %d", errno);
    msleep(20);
    CHECK(waitid(P_ALL, 0, &w, WEXITED | WNOHANG) == -1 && errno == ECHILD, "all: %d", errno);
    CHECK(waitid(P_PGID, getpgrp(), &w, WEXITED | WNOHANG) == -1, "group: %d", w.pid);
    CHECK(waitpid(only, &st, 0) == only && WEXITSTATUS(st) == 5, "pid: 0x%x %d", st, errno);
    CHECK(waitpid(only, &st, 0) == -1 && errno == ECHILD, "twice: %d", errno);
    return bad;
}
