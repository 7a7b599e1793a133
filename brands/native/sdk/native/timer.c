/*
 * timer.c - POSIX timers, and what else clocks can do.
 *
 * SPDX-License-Identifier: MIT
 */
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

int clock_getres(clockid_t clock, struct timespec *ts)
{
	return syscall(SYS_clock_getres, clock, ts);
}

int clock_settime(clockid_t clock, const struct timespec *ts)
{
	return syscall(SYS_clock_settime, clock, ts);
}

int timer_create(clockid_t clock, struct sigevent *restrict ev, timer_t *restrict timer)
{
	return syscall(SYS_timer_create, clock, ev, timer);
}

int timer_delete(timer_t timer)
{
	return syscall(SYS_timer_delete, timer);
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *restrict value,
		  struct itimerspec *restrict old)
{
	return syscall(SYS_timer_settime, timer, flags, value, old);
}

int timer_gettime(timer_t timer, struct itimerspec *value)
{
	return syscall(SYS_timer_gettime, timer, value);
}

int timer_getoverrun(timer_t timer)
{
	return syscall(SYS_timer_getoverrun, timer);
}
