/*
 * FORK-84, FORK-89: exit signal 0: no signal at the end, but one for a stop; visible to
 * __WALL and __WCLONE.  FORK-88: the others; status with the numbers of Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad;
static volatile int hits;
#define CHECK(ok, ...)                         \
    do {                                       \
        if (!(ok)) {                           \
            dprintf(1, "wrong: " __VA_ARGS__); \
            dprintf(1, "\n");                  \
            bad = 1;                           \
        }                                      \
    } while (0)

static void h(int s)
{
    (void)s;
    hits++;
}

int main(void)
{
    int st = 0;
    alarm(60);
    signal(SIGCHLD, h);
    pid_t quiet = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (quiet == 0) {
        raise(SIGSTOP);
        _exit(3);
    }
    while (waitpid(quiet, &st, WUNTRACED | __WALL) != quiet)
        ;
    CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP, "stop: %#x", st);
    CHECK(hits == 1, "%d signals for a stop", hits);
    kill(quiet, SIGCONT);
    while (waitpid(quiet, &st, __WCLONE) != quiet)
        ;
    CHECK(WEXITSTATUS(st) == 3, "end: %#x", st);
    CHECK(hits == 2, "%d signals for stop, continue and end", hits);

    for (int sig = 1; sig < 32; sig++) {
        if (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH ||
            sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
            continue;
        pid_t plain = fork();
        if (plain == 0) {
            signal(sig, SIG_DFL);
            raise(sig);
            _exit(99);
        }
        CHECK(waitpid(plain, &st, __WCLONE) == -1 && errno == ECHILD, "__WCLONE: %d", errno);
        CHECK(waitpid(plain, &st, 0) == plain && WIFSIGNALED(st), "%d: %#x", sig, st);
        CHECK(WTERMSIG(st) == sig, "%d is reported as %d", sig, WTERMSIG(st));
    }
    signal(SIGUSR1, SIG_IGN);
    pid_t other = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
    if (other == 0)
        _exit(4);
    CHECK(waitpid(-1, &st, 0) == -1 && errno == ECHILD, "plain wait: %d", errno);
    CHECK(waitpid(-1, &st, __WALL) == other && WEXITSTATUS(st) == 4, "__WALL: %#x", st);
    return bad;
}
