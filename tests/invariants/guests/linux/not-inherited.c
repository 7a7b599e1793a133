/* FORK-17: record locks, interval and POSIX timers, SEM_UNDO: the child has none of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int bad;
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
}

int main(void)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    struct itimerval it = {{5, 0}, {5, 0}};
    struct itimerspec spec = {{0, 0}, {5, 0}}, now;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct sembuf up = {0, 3, SEM_UNDO};
    timer_t timer;
    int st = 0;
    alarm(60);
    signal(SIGALRM, h);
    int fd = open("/tmp/locked", O_RDWR | O_CREAT, 0600);
    int sem = semget(IPC_PRIVATE, 1, 0600);
    CHECK(fd >= 0 && fcntl(fd, F_SETLK, &fl) == 0, "lock: %d", errno);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0, "setitimer: %d", errno);
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0, "timer_create: %d", errno);
    CHECK(timer_settime(timer, 0, &spec, NULL) == 0, "timer_settime: %d", errno);
    CHECK(sem >= 0 && semop(sem, &up, 1) == 0, "semop: %d", errno);
    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        int code = 0;
        if (fcntl(fd, F_GETLK, &fl) != 0 || fl.l_type != F_WRLCK || fl.l_pid != me)
            code |= 1; /* it must be the parent's */
        fl.l_type = F_WRLCK;
        if (fcntl(fd, F_SETLK, &fl) == 0)
            code |= 2;
        if (getitimer(ITIMER_REAL, &it) != 0 || it.it_value.tv_sec || it.it_value.tv_usec)
            code |= 4;
        if (timer_gettime(timer, &now) == 0)
            code |= 8;
        _exit(code);
    }
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "child: %#x", st);
    CHECK(semctl(sem, 0, GETVAL) == 3, "the child's end undid what was the parent's");
    CHECK(timer_gettime(timer, &now) == 0 && now.it_value.tv_sec > 0, "the timer is lost");
    CHECK(getitimer(ITIMER_REAL, &it) == 0 && it.it_value.tv_sec > 0, "the alarm is lost");
    fl.l_type = F_WRLCK;
    pid = fork();
    if (pid == 0)
        _exit(fcntl(fd, F_SETLK, &fl) != -1);
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "the lock is lost: %#x", st);
    semctl(sem, 0, IPC_RMID);
    return bad;
}
