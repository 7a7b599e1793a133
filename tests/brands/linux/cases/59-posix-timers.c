/*
 * timer_create: one signal for each expiration, overruns while it is blocked, a thread's
 * signal, none with SIGEV_NONE, nothing in a child, and no timer after it is deleted.
 */
#include "check.h"

static volatile int hits, value;
static void h(int s, siginfo_t *si, void *u)
{
    (void)s, (void)u;
    hits++;
    value = si->si_code == SI_TIMER ? si->si_value.sival_int : -1;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO};
    struct sigevent se = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec it = {{0, 10000000}, {0, 10000000}}, off = {{0, 0}, {0, 0}}, was;
    timer_t t, quiet;
    sigset_t set;
    int st;
    alarm(20);
    sigaction(SIGUSR1, &sa, NULL);
    se.sigev_value.sival_int = 77;
    CHECK(timer_create(CLOCK_MONOTONIC, &se, &t) == 0, "timer_create errno %d", errno);
    timer_settime(t, 0, &it, NULL);
    while (hits < 3)
        pause();
    CHECK(value == 77, "value %d", value);
    pid_t pid = fork();
    if (pid == 0) {
        hits = 0;
        usleep(30000);
        _exit(hits || timer_gettime(t, &was) == 0);
    }
    while (waitpid(pid, &st, 0) < 0)
        ;
    CHECK(st == 0, "the child has the timer: %#x", st);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct timespec d = {0, 55000000};
    nanosleep(&d, NULL);
    hits = 0;
    timer_gettime(t, &was);
    CHECK(was.it_interval.tv_nsec == 10000000 && was.it_value.tv_nsec > 0, "setting");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(hits == 1, "%d signals for blocked expirations", hits);
    timer_settime(t, 0, &off, NULL);
    hits = 0;
    CHECK(timer_delete(t) == 0 && timer_gettime(t, &was) == -1 && errno == EINVAL, "delete");
    se.sigev_notify = SIGEV_NONE;
    timer_create(CLOCK_REALTIME, &se, &quiet);
    it.it_interval.tv_nsec = 0;
    timer_settime(quiet, 0, &it, NULL);
    usleep(5000);
    timer_gettime(quiet, &was);
    CHECK(was.it_value.tv_nsec > 0 && was.it_value.tv_nsec <= 10000000, "left: %ld",
          was.it_value.tv_nsec);
    usleep(20000);
    timer_gettime(quiet, &was);
    CHECK(was.it_value.tv_nsec == 0 && hits == 0, "SIGEV_NONE");
    return bad;
}
