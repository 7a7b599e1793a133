/*
 * time - clocks, sleeping, interval timers and POSIX timers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

#define CLOCK_VIRTUAL 1
#define CLOCK_THREAD 2
#define CLOCK_REALTIME 3
#define CLOCK_HIGHRES 4
#define CLOCK_PROCESS 5
#define SIGEV_NONE 1
#define SIGEV_SIGNAL 2
#define SIGEV_PORT 4
#define SI_TIMER (-3)

struct itimerspec {
	struct timespec interval, value;
};

struct itimerval {
	long isec, iusec, sec, usec;
};

struct sigevent {
	int notify, signo;
	void *value;
	void *fn, *attr;
	int pad, pad2;
};

struct port_event {
	int events;
	uint16_t source, pad;
	uint64_t object, user;
};

static volatile int caught;

static void on_signal(int sig)
{
	caught += sig == SIGALRM || sig == SIGUSR1;
}

static volatile int cpus[2];

static void on_cpu(int sig)
{
	cpus[sig - 28]++;
}

static int64_t clock(int id)
{
	struct timespec ts = {-1, 0};

	if (syscall(N_clock_gettime, id, &ts) == -1)
		return -1;
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void spin(long n)
{
	for (volatile long i = 0; i < n; i++)
		;
}

static void clocks(void)
{
	struct timespec ts, left = {0, 0};
	int64_t t = clock(CLOCK_HIGHRES), cpu = clock(CLOCK_PROCESS), w;
	long tv[2], tms[4];

	KTAP(clock(CLOCK_REALTIME) / 1000000000 == syscall(N_time), "time is CLOCK_REALTIME",
	     "time(2)");
	syscall(N_gettimeofday, tv);
	w = clock(CLOCK_REALTIME) / 1000 - (tv[0] * 1000000 + tv[1]);
	KTAP(w >= 0 && w < 1000, "and so is gettimeofday", "gettimeofday(3C)");
	KTAP_EQ(clock(99), -1, "an unknown clock is EINVAL", "clock_gettime(3C)");
	KTAP(syscall(N_clock_getres, CLOCK_HIGHRES, &ts) == 0 && ts.tv_sec == 0 && ts.tv_nsec >= 1,
	     "clock_getres", "clock_getres(3C)");
	msleep(20);
	w = clock(CLOCK_HIGHRES) - t;
	KTAP(w >= 20000000 && w < 30000000, "CLOCK_HIGHRES goes on in a sleep",
	     "clock_gettime(3C)");
	KTAP(clock(CLOCK_PROCESS) - cpu < 1000000, "CPU time does not", "clock_gettime(3C)");
	cpu = clock(CLOCK_PROCESS);
	t = clock(CLOCK_THREAD);
	spin(100000);
	KTAP(clock(CLOCK_PROCESS) - cpu > 100000 && clock(CLOCK_THREAD) - t > 100000,
	     "CPU time counts a loop", "clock_gettime(3C)");
	KTAP(clock(CLOCK_VIRTUAL) <= clock(CLOCK_PROCESS), "user time is part of it",
	     "clock_gettime(3C)");
	KTAP(syscall(N_times, tms) > 0 && tms[0] >= 0, "times", "times(2)");
	KTAP(FAILS(syscall(N_clock_settime, CLOCK_HIGHRES, &ts), EINVAL),
	     "CLOCK_HIGHRES can't be set", "clock_settime(3C)");
	KTAP(FAILS(syscall(N_stime, 5), EPERM), "stime needs the privilege sys_time", "stime(2)");
	ts = (struct timespec){0, 1000000000};
	KTAP(FAILS(nanosleep(&ts), EINVAL), "a second of nanoseconds is EINVAL", "nanosleep(3C)");
	sigaction(SIGALRM, on_signal, SA_RESTART, 0);
	struct itimerval it = {0, 0, 0, 10000};
	syscall(N_setitimer, 0, &it, NULL);
	ts = (struct timespec){1, 0};
	KTAP(FAILS(syscall(199, &ts, &left), EINTR) && caught == 1,
	     "a signal ends a sleep, SA_RESTART or not", "nanosleep(3C)");
	KTAP(left.tv_sec == 0 && left.tv_nsec >= 990000000,
	     "and what was left is told", "nanosleep(3C)");
}

static void itimers(void)
{
	struct itimerval it = {0, 5000, 0, 5000}, old = {0, 0, 0, 0};

	caught = 0;
	syscall(N_setitimer, 0, &it, NULL);
	syscall(N_getitimer, 0, &old);
	KTAP(old.iusec == 5000 && old.sec == 0 && old.usec > 4000 && old.usec <= 5000,
	     "getitimer tells interval and rest", "getitimer(2)");
	for (int i = 0; i < 3; i++)
		syscall(29); /* pause */
	it = (struct itimerval){0, 0, 0, 0};
	KTAP(syscall(N_setitimer, 0, &it, &old) == 0 && caught == 3 && old.iusec == 5000,
	     "ITIMER_REAL comes again and again", "setitimer(2)");
	msleep(20);
	KTAP_EQ(caught, 3, "until it is stopped", "setitimer(2)");
	it.iusec = 1000000;
	KTAP(FAILS(syscall(N_setitimer, 0, &it, NULL), EINVAL), "a million microseconds are EINVAL",
	     "setitimer(2)");
	KTAP(FAILS(syscall(N_getitimer, 9, &old), EINVAL), "an unknown timer is EINVAL",
	     "getitimer(2)");
	int64_t cpu = clock(CLOCK_VIRTUAL), at;
	sigaction(28, on_cpu, 0, 0); /* SIGVTALRM */
	sigaction(29, on_cpu, 0, 0); /* SIGPROF */
	it = (struct itimerval){0, 0, 0, 2000};
	syscall(N_setitimer, 1, &it, NULL);
	msleep(20);
	KTAP_EQ(cpus[0], 0, "ITIMER_VIRTUAL does not count a sleep", "setitimer(2)");
	while (!cpus[0] && clock(CLOCK_VIRTUAL) < cpu + 20000000)
		spin(1000);
	at = clock(CLOCK_VIRTUAL) - cpu;
	KTAP(cpus[0] == 1 && at >= 2000000 && at < 13000000,
	     "but the time in user mode, to the clock tick",
	     "setitimer(2)");
	it = (struct itimerval){0, 1000, 0, 1000};
	cpu = clock(CLOCK_PROCESS);
	syscall(N_setitimer, 2, &it, NULL);
	while (cpus[1] < 5 && clock(CLOCK_PROCESS) < cpu + 20000000)
		spin(1000);
	at = clock(CLOCK_PROCESS) - cpu;
	it = (struct itimerval){0, 0, 0, 0};
	KTAP(syscall(N_setitimer, 2, &it, &old) == 0 && old.iusec == 1000 && old.usec <= 1000,
	     "getitimer knows of it", "getitimer(2)");
	KTAP(cpus[1] == 5 && at >= 5000000 && at < 6000000,
	     "ITIMER_PROF counts system calls, too, again and again", "setitimer(2)");
	alarm(100);
	KTAP_EQ(alarm(0), 100, "alarm tells what was left of the last", "alarm(2)");
}

static void timers(void)
{
	struct sigevent ev = {SIGEV_SIGNAL, SIGUSR1, (void *)0x77, NULL, NULL, 0, 0};
	struct itimerspec its = {{0, 0}, {0, 10000000}}, was;
	int id = -1, id2 = -1;
	uint64_t usr1[2] = {SIGBIT(SIGUSR1), 0};
	struct {
		int signo, code, err, pad, pid, pad2, uid, pad3;
		uint64_t value;
		char rest[256];
	} info;
	struct timespec ts = {1, 0};

	KTAP(FAILS(syscall(N_timer_create, CLOCK_VIRTUAL, &ev, &id), EINVAL),
	     "no timers on CPU clocks", "timer_create(3C)");
	ev.signo = 99;
	KTAP(FAILS(syscall(N_timer_create, CLOCK_REALTIME, &ev, &id), EINVAL),
	     "an unknown signal is EINVAL", "timer_create(3C)");
	ev.signo = SIGUSR1;
	KTAP_EQ(syscall(N_timer_create, CLOCK_HIGHRES, &ev, &id), 0, "timer_create",
		"timer_create(3C)");
	sigprocmask(SIG_BLOCK, usr1, NULL);
	syscall(N_timer_settime, id, 0, &its, NULL);
	KTAP(syscall(N_timer_gettime, id, &was) == 0 && was.value.tv_nsec > 9000000 &&
		     was.value.tv_nsec <= 10000000,
	     "timer_gettime tells the rest", "timer_gettime(3C)");
	KTAP_EQ(syscall(N_sigtimedwait, usr1, &info, &ts), SIGUSR1, "the timer sends its signal",
		"timer_settime(3C)");
	KTAP(info.code == SI_TIMER && info.value == 0x77, "with SI_TIMER and its value",
	     "siginfo.h(3HEAD)");
	its.interval.tv_nsec = 2000000;
	its.value.tv_nsec = 2000000;
	syscall(N_timer_settime, id, 0, &its, NULL);
	msleep(11);
	syscall(N_sigtimedwait, usr1, &info, &ts);
	KTAP_EQ(syscall(N_timer_getoverrun, id), 0, "the first signal has no overrun",
		"timer_getoverrun(3C)");
	syscall(N_sigtimedwait, usr1, &info, &ts);
	KTAP_EQ(syscall(N_timer_getoverrun, id), 4,
		"the next one stands for those that came while one was pending",
		"timer_getoverrun(3C)");
	its = (struct itimerspec){{0, 0}, {0, 0}};
	KTAP(syscall(N_timer_settime, id, 0, &its, &was) == 0 && was.interval.tv_nsec == 2000000,
	     "value 0 stops it and tells the old setting", "timer_settime(3C)");
	int64_t at = clock(CLOCK_HIGHRES) + 5000000;
	its.value = (struct timespec){at / 1000000000, at % 1000000000};
	syscall(N_timer_settime, id, 1, &its, NULL);
	KTAP(syscall(N_sigtimedwait, usr1, &info, &ts) == SIGUSR1 && clock(CLOCK_HIGHRES) >= at,
	     "TIMER_ABSTIME is a time of the clock", "timer_settime(3C)");
	if (fork() == 0)
		_exit(FAILS(syscall(N_timer_gettime, id, &was), EINVAL) ? 0 : 1);
	int status = -1;
	waitpid(-1, &status, 0);
	KTAP_EQ(status, 0, "a child inherits no timers", "timer_create(3C)");
	ev.notify = SIGEV_NONE;
	syscall(N_timer_create, CLOCK_REALTIME, &ev, &id2);
	KTAP(id2 != id && syscall(N_timer_delete, id2) == 0 &&
		     FAILS(syscall(N_timer_delete, id2), EINVAL),
	     "timer_delete", "timer_delete(3C)");

	int port = syscall(N_port, 0x100);
	struct {
		int port, pad;
		void *user;
	} notify = {port, 0, (void *)0x99};
	struct port_event pe;
	ev = (struct sigevent){SIGEV_PORT, 0, &notify, NULL, NULL, 0, 0};
	KTAP_EQ(syscall(N_timer_create, CLOCK_HIGHRES, &ev, &id2), 0, "SIGEV_PORT",
		"timer_create(3C)");
	its = (struct itimerspec){{0, 3000000}, {0, 3000000}};
	syscall(N_timer_settime, id2, 0, &its, NULL);
	KTAP(syscall(N_port, 5, port, &pe, 0, 0, 0) == 0 && pe.source == 2 &&
		     pe.object == (uint64_t)id2 && pe.user == 0x99 && pe.events == 1,
	     "its event comes to the port", "port_create(3C)");
	msleep(10);
	KTAP(syscall(N_port, 5, port, &pe, 0, 0, 0) == 0 && pe.events == 3,
	     "portev_events counts expirations", "port_create(3C)");
	close(port);
	msleep(10);
	KTAP_EQ(syscall(N_timer_delete, id2), 0, "a timer outlives its port", "timer_delete(3C)");
}

int main(void)
{
	ktap_start("time");
	clocks();
	itimers();
	timers();
	return ktap_end();
}
