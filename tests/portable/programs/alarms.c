/* Alarms and interval timers. */
#include "portable.h"

#include <sys/time.h>

static volatile sig_atomic_t alarms;

static void count(int sig)
{
	alarms += sig == SIGALRM;
}

static void set(long first_ms, long again_ms)
{
	struct itimerval it = {{again_ms / 1000, again_ms % 1000 * 1000},
			       {first_ms / 1000, first_ms % 1000 * 1000}};

	setitimer(ITIMER_REAL, &it, NULL);
}

int main(void)
{
	struct itimerval it, bad = {{0, 0}, {0, 1000000}};

	catch(SIGALRM, count, 0);
	say("alarm %u\n", alarm(100));
	unsigned left = alarm(0);

	say("left %d, none %u\n", left > 95 && left <= 100, alarm(0));
	set(10, 0);
	say("pause %s", outcome(pause()));
	say(", alarms %d\n", (int)alarms);
	getitimer(ITIMER_REAL, &it);
	say("once: %ld %ld\n", (long)it.it_value.tv_sec, (long)it.it_value.tv_usec);
	alarms = 0;
	set(10, 10);
	while (alarms < 5)
		pause();
	set(0, 0);
	say("five times: %d\n", (int)alarms);
	alarms = 0;
	set(20000, 0);
	getitimer(ITIMER_REAL, &it);
	say("to come: %d\n", it.it_value.tv_sec >= 18 && it.it_value.tv_sec <= 20);
	pid_t pid = fork();

	if (pid == 0) {
		getitimer(ITIMER_REAL, &it); /* a child has no timers */
		_exit(it.it_value.tv_sec == 0 && it.it_value.tv_usec == 0 ? 0 : 1);
	}
	say_status("child", reap(pid));
	set(0, 0);
	say("bad: %s\n", outcome(setitimer(ITIMER_REAL, &bad, NULL)));
	pid = fork();
	if (pid == 0) {
		catch(SIGALRM, SIG_DFL, 0);
		set(5, 0);
		for (;;)
			pause();
	}
	say_status("not caught", reap(pid));
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	pause_ms(25);
	clock_gettime(CLOCK_MONOTONIC, &b);
	long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;

	say("slept long enough %d, time() goes %d\n", ms >= 25, time(NULL) > 0);
	struct timespec no = {0, 1000000000};

	say("no time: %s\n", outcome(nanosleep(&no, NULL)));
	return 0;
}
