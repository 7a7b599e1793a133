/*
 * time.h - clocks, calendar, sleeping.  Time in a machine is virtual.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _TIME_H
#define _TIME_H

#include <sys/types.h>

#ifndef _STRUCT_TIMESPEC
#define _STRUCT_TIMESPEC
struct timespec {
	time_t tv_sec;
	long tv_nsec;
};
typedef struct timespec timespec_t;
#endif
#ifndef _TIMESTRUC_T /* <sys/procfs.h> has it too */
#define _TIMESTRUC_T
typedef struct timespec timestruc_t;
#endif
struct itimerspec {
	struct timespec it_interval, it_value;
};
struct tm {
	int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
};

#define CLOCKS_PER_SEC 1000000
#define CLOCK_VIRTUAL 1
#define CLOCK_THREAD_CPUTIME_ID 2
#define CLOCK_REALTIME 3
#define CLOCK_MONOTONIC 4
#define CLOCK_PROCESS_CPUTIME_ID 5
#define CLOCK_HIGHRES CLOCK_MONOTONIC
#define CLOCK_PROF CLOCK_THREAD_CPUTIME_ID
#define TIMER_RELTIME 0
#define TIMER_ABSTIME 1

time_t time(time_t *t);
clock_t clock(void);
double difftime(time_t a, time_t b);
time_t mktime(struct tm *tm);
struct tm *gmtime(const time_t *t);
struct tm *gmtime_r(const time_t *restrict t, struct tm *restrict tm);
struct tm *localtime(const time_t *t);
struct tm *localtime_r(const time_t *restrict t, struct tm *restrict tm);
char *asctime(const struct tm *tm);
char *ctime(const time_t *t);
size_t strftime(char *restrict s, size_t max, const char *restrict fmt,
		const struct tm *restrict tm);
int nanosleep(const struct timespec *req, struct timespec *rem);
int clock_gettime(clockid_t clock, struct timespec *ts);
int clock_getres(clockid_t clock, struct timespec *ts);
int clock_settime(clockid_t clock, const struct timespec *ts);
struct sigevent; /* <signal.h> */
int timer_create(clockid_t clock, struct sigevent *restrict ev, timer_t *restrict timer);
int timer_delete(timer_t timer);
int timer_settime(timer_t timer, int flags, const struct itimerspec *restrict value,
		  struct itimerspec *restrict old);
int timer_gettime(timer_t timer, struct itimerspec *value);
int timer_getoverrun(timer_t timer);
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *req,
		    struct timespec *rem);

#endif
