/*
 * clock.c - clocks, timers, sleeping.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#define NANOSEC 1000000000L

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	return syscall(SYS_clock_gettime, clock, ts);
}

static long long ns(clockid_t clock)
{
	struct timespec ts = {0, 0};

	clock_gettime(clock, &ts);
	return ts.tv_sec * NANOSEC + ts.tv_nsec;
}

hrtime_t gethrtime(void)
{
	return ns(CLOCK_MONOTONIC);
}

hrtime_t gethrvtime(void)
{
	return ns(CLOCK_THREAD_CPUTIME_ID);
}

time_t time(time_t *t)
{
	time_t now = syscall(SYS_time);

	if (t)
		*t = now;
	return now;
}

clock_t clock(void)
{
	return ns(CLOCK_PROCESS_CPUTIME_ID) / (NANOSEC / CLOCKS_PER_SEC);
}

clock_t times(struct tms *buf)
{
	return syscall(SYS_times, buf);
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	(void)tz; /* as gettimeofday(3C) says: it is ignored */
	return syscall(SYS_gettimeofday, tv);
}

int getitimer(int which, struct itimerval *value)
{
	return syscall(SYS_getitimer, which, value);
}

int setitimer(int which, const struct itimerval *restrict value,
	      struct itimerval *restrict old)
{
	return syscall(SYS_setitimer, which, value, old);
}

unsigned alarm(unsigned seconds)
{
	return syscall(SYS_alarm, seconds);
}

int pause(void)
{
	return syscall(SYS_pause);
}

int nanosleep(const struct timespec *req, struct timespec *rem)
{
	return syscall(SYS_nanosleep, req, rem);
}

/* Answers the error, as POSIX has it. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *req,
		    struct timespec *rem)
{
	struct timespec now, left = *req;
	int saved = errno, error = 0;

	if (flags & TIMER_ABSTIME) {
		if (clock_gettime(clock, &now) == -1)
			error = errno;
		left.tv_sec -= now.tv_sec;
		left.tv_nsec -= now.tv_nsec;
		if (left.tv_nsec < 0) {
			left.tv_nsec += NANOSEC;
			left.tv_sec--;
		}
		rem = NULL;
	}
	if (!error && left.tv_sec >= 0 && nanosleep(&left, rem) == -1)
		error = errno;
	errno = saved;
	return error;
}

unsigned sleep(unsigned seconds)
{
	struct timespec ts = {seconds, 0}, left = {0, 0};

	if (nanosleep(&ts, &left) == -1)
		return left.tv_sec + (left.tv_nsec >= NANOSEC / 2);
	return 0;
}

int usleep(useconds_t us)
{
	struct timespec ts = {us / 1000000, us % 1000000 * 1000};

	return nanosleep(&ts, NULL);
}

/* ---- waiting for files ---- */

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask)
{
	return syscall(SYS_pollsys, fds, n, timeout, mask);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec ts = {timeout / 1000, timeout % 1000 * 1000000L};

	return ppoll(fds, n, timeout < 0 ? NULL : &ts, NULL);
}

static short wanted(int fd, const fd_set *rd, const fd_set *wr, const fd_set *ex)
{
	return (rd && FD_ISSET(fd, rd) ? POLLIN : 0) |
	       (wr && FD_ISSET(fd, wr) ? POLLOUT : 0) |
	       (ex && FD_ISSET(fd, ex) ? POLLPRI : 0);
}

int select(int n, fd_set *restrict rd, fd_set *restrict wr, fd_set *restrict ex,
	   struct timeval *restrict timeout)
{
	struct pollfd fds[FD_SETSIZE];
	struct timespec ts;
	int count = 0, ready = 0;

	if (n < 0 || n > FD_SETSIZE) {
		errno = EINVAL;
		return -1;
	}
	for (int fd = 0; fd < n; fd++) {
		short events = wanted(fd, rd, wr, ex);

		if (events)
			fds[count++] = (struct pollfd){fd, events, 0};
	}
	if (timeout)
		ts = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
	if (ppoll(fds, count, timeout ? &ts : NULL, NULL) == -1)
		return -1;
	for (int i = 0; i < count; i++) {
		int fd = fds[i].fd, got = fds[i].revents;

		if (got & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
		if (rd && FD_ISSET(fd, rd)) {
			if (got & (POLLIN | POLLHUP | POLLERR))
				ready++;
			else
				FD_CLR(fd, rd);
		}
		if (wr && FD_ISSET(fd, wr)) {
			if (got & (POLLOUT | POLLERR))
				ready++;
			else
				FD_CLR(fd, wr);
		}
		if (ex && FD_ISSET(fd, ex)) {
			if (got & POLLPRI)
				ready++;
			else
				FD_CLR(fd, ex);
		}
	}
	return ready;
}
