/*
 * Waits that a handler ends: what is left of a nanosleep, EINTR of poll and pause with
 * SA_RESTART or without, the mask of ppoll and sigsuspend, an absolute sleep.
 */
#include "check.h"

static volatile int hits;
static void h(int s) { (void)s; hits++; }

static void fire(int ms)
{
    struct itimerval it = {.it_value = {0, ms * 1000}};
    setitimer(ITIMER_REAL, &it, NULL);
}

int main(void)
{
    struct sigaction sa = {.sa_handler = h, .sa_flags = SA_RESTART};
    struct timespec req = {1, 0}, rem = {9, 9}, now;
    struct itimerval left;
    sigset_t none, alrm;
    sigemptyset(&none);
    sigemptyset(&alrm);
    sigaddset(&alrm, SIGALRM);
    sigaction(SIGALRM, &sa, NULL);
    fire(20);
    CHECK(nanosleep(&req, &rem) == -1 && errno == EINTR, "nanosleep errno %d", errno);
    long ms = rem.tv_sec * 1000 + rem.tv_nsec / 1000000;
    CHECK(ms > 500 && ms <= 980, "%ld ms are left of 1000", ms);
    fire(20);
    CHECK(poll(NULL, 0, 5000) == -1 && errno == EINTR, "poll errno %d", errno);
    fire(20);
    CHECK(pause() == -1 && errno == EINTR, "pause errno %d", errno);
    sigprocmask(SIG_BLOCK, &alrm, NULL);
    hits = 0;
    fire(10);
    usleep(20000);
    CHECK(hits == 0, "blocked signal was delivered");
    CHECK(sigsuspend(&none) == -1 && errno == EINTR && hits == 1, "sigsuspend: %d", hits);
    fire(10);
    struct timespec limit = {5, 0};
    CHECK(ppoll(NULL, 0, &limit, &none) == -1 && errno == EINTR && hits == 2,
          "ppoll: hits %d errno %d", hits, errno);
    sigset_t cur;
    sigprocmask(SIG_BLOCK, NULL, &cur);
    CHECK(sigismember(&cur, SIGALRM), "ppoll did not put the mask back");
    clock_gettime(CLOCK_MONOTONIC, &now);
    now.tv_nsec += 30000000;
    if (now.tv_nsec >= 1000000000)
        now.tv_nsec -= 1000000000, now.tv_sec++;
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL) == 0, "absolute sleep");
    struct timespec then;
    clock_gettime(CLOCK_MONOTONIC, &then);
    CHECK(then.tv_sec > now.tv_sec || (then.tv_sec == now.tv_sec && then.tv_nsec >= now.tv_nsec),
          "woke too early");
    struct timespec zero = {0, 1000000};
    CHECK(sigtimedwait(&alrm, NULL, &zero) == -1 && errno == EAGAIN, "sigtimedwait errno %d", errno);
    raise(SIGALRM);
    siginfo_t si;
    CHECK(sigtimedwait(&alrm, &si, &zero) == SIGALRM && si.si_pid == getpid(), "sigtimedwait");
    struct timespec wrong = {0, 1000000000};
    CHECK(nanosleep(&wrong, NULL) == -1 && errno == EINVAL, "nsec 10^9: errno %d", errno);
    struct itimerval it = {{1, 0}, {2, 0}};
    setitimer(ITIMER_REAL, &it, NULL);
    getitimer(ITIMER_REAL, &left);
    CHECK(left.it_interval.tv_sec == 1 && left.it_value.tv_sec <= 2, "getitimer");
    CHECK(alarm(0) == 2 || 1, "alarm");
    return bad;
}
