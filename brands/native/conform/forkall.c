/*
 * forkall - forkallx(2): every lwp goes on in both processes.  Eight of them wait or run
 * when it comes: two in read, two in lwp_park, and one each in nanosleep, poll, a wait
 * for a lwp, and user mode.  Who waits has its call ended by EINTR, here and there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lwpx.h"

enum { READ1, READ2, PARK1, PARK2, SLEEP, POLL, JOIN, RUN, WORKERS };

static const char *const names[WORKERS] = {
	"read", "another read", "lwp_park", "another lwp_park",
	"nanosleep", "poll", "lwp_wait", "user mode",
};
static volatile int ready[WORKERS], woken[WORKERS], done[WORKERS], next, stop;
static volatile long count;
static volatile uint64_t masks[WORKERS];
static int tids[WORKERS], target, ended, wire[2];

struct pollfd {
	int fd;
	short events, revents;
};

/* the call that this worker waits in, once: 0 if it was interrupted, 1 if it is over */
static int waits(int me)
{
	struct timespec hour = {3600, 0};
	struct pollfd pfd = {wire[0], 1, 0};
	char c;
	long r;

	switch (me) {
	case READ1:
	case READ2:
		r = syscall(SYS_read, wire[0], &c, 1L);
		break;
	case PARK1:
	case PARK2:
		r = syscall(N_lwp_park, 0, NULL, 0);
		break;
	case SLEEP:
		r = syscall(SYS_nanosleep, &hour, NULL);
		break;
	case POLL:
		r = syscall(N_pollsys, &pfd, 1L, NULL, NULL);
		break;
	default:
		r = syscall(N_lwp_wait, target, NULL);
	}
	return r == -1 && errno == EINTR ? 0 : 1;
}

static void worker(void)
{
	int me = next++;
	uint64_t block = SIGBIT(SIGUSR2) << (me & 1);

	sigprocmask(SIG_BLOCK, &block, NULL);
	ready[me] = 1;
	if (me == RUN)
		while (!stop)
			count++;
	else
		while (!stop && waits(me) == 0)
			woken[me]++;
	block = 0;
	sigprocmask(SIG_BLOCK, NULL, &block);
	masks[me] = block;
	done[me] = 1;
	lwp_end();
}

static void ends(void)
{
	lwp_end();
}

static void suspended(void)
{
	while (!stop)
		sched_yield();
	lwp_end();
}

static int moves(void)
{
	long was = count;

	msleep(5);
	return count != was;
}

/* bits of what is as it should be, after the forkall */
static int looks(int *bad)
{
	int bits = 0;

	msleep(5);
	*bad = -1;
	for (int i = 0; i < RUN; i++)
		if (woken[i] != 1)
			*bad = i;
	bits |= (*bad == -1) << 0;
	for (int i = 0; i < WORKERS; i++)
		bits |= (!lwp_exists(tids[i]) || done[i]) << 1;
	bits |= moves() << 2;
	bits |= (lwp_join(ended) == ended && lwp_join(ended) == -ESRCH) << 3;
	return bits;
}

/* let everybody end */
static int finish(void)
{
	int left = 0;

	stop = 1;
	write(wire[1], "abcd", 4);
	syscall(N_lwp_park, 1, tids[PARK1]);
	syscall(N_lwp_park, 1, tids[PARK2]);
	syscall(N_lwp_continue, target);
	for (int i = SLEEP; i < RUN; i++)
		syscall(N_lwp_kill, tids[i], SIGUSR1);
	for (int i = 0; i < WORKERS; i++) {
		uint64_t want = SIGBIT(SIGUSR2) << (i & 1);
		int r = lwp_join(tids[i]);
		left += r != tids[i] || masks[i] != want;
	}
	return left;
}

static void handler(int sig)
{
	(void)sig;
}

static int child(void)
{
	int bad, bits = looks(&bad);

	bits |= (lwp_start(ends, 0) == tids[RUN] + 1) << 4;
	bits |= (finish() == 0) << 5;
	return bits;
}

static void start(void)
{
	ended = lwp_start(ends, 0);
	target = lwp_start(suspended, LWP_SUSPENDED);
	for (int i = 0; i < WORKERS; i++) {
		tids[i] = lwp_start(worker, 0);
		while (!ready[i])
			sched_yield();
	}
	msleep(5);
}

int main(void)
{
	long two = 0, pid;
	int bad = -1, bits, st;

	alarm(600);
	ktap_start("forkall");
	signal(SIGUSR1, handler);
	pipe(wire);
	start();
	KTAP_EQ(tids[RUN], 11, "ten lwps beside the first", "_lwp_create(2)");
	for (int i = 0; i < RUN; i++)
		KTAP_EQ(woken[i], 0, names[i], "FORK-49");
	pid = forksys(FORKSYS_FORKALL, 0, &two);
	if (two == 1)
		_exit(child());
	KTAP(pid > 0, "forkall with eight lwps that wait or run", "forkallx(2)");
	bits = looks(&bad);
	KTAP_EQ(bad, -1, "each wait ended once, by EINTR", "FORK-49");
	KTAP(!(bits & 2), "all lwps are still there", "FORK-35");
	KTAP(bits & 4, "the one in user mode runs", "FORK-35");
	KTAP(bits & 8, "one that had ended can be waited for", "FORK-42");
	st = reap(pid);
	KTAP(st & 1, "child: each wait ended once, by EINTR", "FORK-49");
	KTAP(!(st & 2), "child: it has all the lwps, by the same numbers", "FORK-42");
	KTAP(st & 4, "child: the one in user mode runs", "FORK-49");
	KTAP(st & 8, "child: one that had ended can be waited for", "FORK-42");
	KTAP(st & 16, "child: the next lwp has the next number", "FORK-42");
	KTAP(st & 32, "child: all end, each with its own mask", "FORK-43");
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < WORKERS; i++)
			if (lwp_exists(tids[i]))
				_exit(1);
		_exit(lwp_join(ended) == -ESRCH && lwp_start(ends, 0) == tids[RUN] + 1 ? 0 : 2);
	}
	KTAP_EQ(reap(pid), 0, "fork takes none of them along", "FORK-41");
	for (int i = 0; i < RUN; i++)
		KTAP_EQ(woken[i], 1, names[i], "FORK-46");
	KTAP_EQ(finish(), 0, "here they end as well", "FORK-35");
	return ktap_end();
}
