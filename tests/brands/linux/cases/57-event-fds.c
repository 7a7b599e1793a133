/*
 * eventfd, timerfd, signalfd, pidfd, memfd and epoll: each tells epoll when it is ready,
 * blocks or says EAGAIN when it is not, and one-shot entries are told once.
 */
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static int ready(int ep, int ms)
{
    struct epoll_event ev[8];
    int n = epoll_wait(ep, ev, 8, ms);
    return n == 1 ? ev[0].data.fd : n ? -n : 0;
}

static void add(int ep, int fd, unsigned events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "add of %d: errno %d", fd, errno);
}

int main(void)
{
    uint64_t n = 0;
    int st, ep = epoll_create1(EPOLL_CLOEXEC);
    alarm(20);
    int ev = eventfd(0, EFD_NONBLOCK);
    CHECK(read(ev, &n, 8) == -1 && errno == EAGAIN, "eventfd 0: errno %d", errno);
    add(ep, ev, EPOLLIN);
    CHECK(ready(ep, 10) == 0, "empty eventfd is ready");
    n = 5;
    CHECK(write(ev, &n, 8) == 8 && ready(ep, 0) == ev, "eventfd is not ready");
    CHECK(read(ev, &n, 8) == 8 && n == 5, "eventfd has %d", (int)n);

    struct itimerspec it = {{0, 20000000}, {0, 10000000}};
    int tf = timerfd_create(CLOCK_MONOTONIC, 0);
    add(ep, tf, EPOLLIN);
    timerfd_settime(tf, 0, &it, NULL);
    CHECK(ready(ep, 1000) == tf, "timerfd did not expire");
    usleep(41000);
    CHECK(read(tf, &n, 8) == 8 && n == 3, "timerfd has expired %d times", (int)n);
    memset(&it, 0, sizeof it);
    timerfd_settime(tf, 0, &it, &it);
    CHECK(it.it_interval.tv_nsec == 20000000 && it.it_value.tv_nsec > 0, "old setting");
    CHECK(ready(ep, 30) == 0, "stopped timer expired");

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int sf = signalfd(-1, &set, 0);
    add(ep, sf, EPOLLIN);
    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        usleep(20000);
        kill(me, SIGUSR1);
        usleep(20000);
        _exit(4);
    }
    CHECK(ready(ep, 5000) == sf, "signalfd is not ready");
    struct signalfd_siginfo si;
    CHECK(read(sf, &si, sizeof si) == sizeof si && si.ssi_signo == SIGUSR1 &&
              si.ssi_pid == (unsigned)pid, "signalfd: signal %d", si.ssi_signo);
    int pf = syscall(SYS_pidfd_open, pid, 0);
    CHECK(pf >= 0, "pidfd_open errno %d", errno);
    add(ep, pf, EPOLLIN);
    CHECK(ready(ep, 5000) == pf, "pidfd is not ready at the end of the process");
    CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 4, "status %#x", st);
    close(pf);

    int p[2];
    (void)!pipe(p);
    add(ep, p[0], EPOLLIN | EPOLLONESHOT);
    (void)!write(p[1], "x", 1);
    CHECK(ready(ep, 0) == p[0] && ready(ep, 0) == 0, "one shot");
    struct epoll_event again = {.events = EPOLLIN, .data.fd = p[0]};
    CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &again) == 0 && ready(ep, 0) == p[0], "again");
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &again) == -1 && errno == EEXIST, "EEXIST");
    close(p[0]);
    CHECK(ready(ep, 0) == 0, "closed descriptor is still in the set");
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &again) == -1 && errno == EINVAL, "itself");
    int outer = epoll_create1(0);
    add(outer, ep, EPOLLIN);
    n = 1;
    (void)!write(ev, &n, 8);
    CHECK(ready(outer, 0) == ep, "nested set is not ready");
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, outer, &again) == -1 && errno == ELOOP, "loop %d", errno);
    int m = memfd_create("name", MFD_CLOEXEC);
    CHECK(m >= 0 && write(m, "abc", 3) == 3 && lseek(m, 0, SEEK_CUR) == 3, "memfd");
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, m, &again) == -1 && errno == EPERM, "file in a set");
    return bad;
}
