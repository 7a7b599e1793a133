/*
 * signal - handlers, masks, queues and interrupted calls, as signal(7) has them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lib.h"

#define SIGRTMIN 34

static volatile int count, depth, deepest, order[4];
static volatile uint64_t mask_inside;
static volatile unsigned long sp_inside;

static void counts(int sig)
{
	uint64_t set = 0;

	if (count < 4)
		order[count] = sig;
	count++;
	sigprocmask(SIG_BLOCK, NULL, &set);
	mask_inside = set;
	sp_inside = (unsigned long)&set;
}

static void nests(int sig)
{
	if (++depth > deepest)
		deepest = depth;
	if (count++ == 0)
		raise(sig);
	depth--;
}

static void handlers(void)
{
	uint64_t none = 0, all = ~UINT64_C(0), set = 0;

	sigaction(SIGUSR1, counts, 0, SIGBIT(SIGUSR2));
	raise(SIGUSR1);
	KTAP_EQ(count, 1, "a handler runs", "sigaction(2)");
	KTAP(mask_inside == (SIGBIT(SIGUSR1) | SIGBIT(SIGUSR2)), "with sa_mask and the signal blocked", "sigaction(2)");
	sigprocmask(SIG_BLOCK, NULL, &set);
	KTAP(set == 0, "the mask is put back", "sigreturn(2)");
	count = 0;
	sigaction(SIGUSR1, nests, 0, 0);
	raise(SIGUSR1);
	KTAP(count == 2 && deepest == 1, "its own signal waits for a handler's end", "sigaction(2)");
	count = deepest = 0;
	sigaction(SIGUSR1, nests, SA_NODEFER, 0);
	raise(SIGUSR1);
	KTAP_EQ(deepest, 2, "SA_NODEFER lets it in", "sigaction(2)");
	sigaction(SIGUSR1, counts, SA_RESETHAND, 0);
	raise(SIGUSR1);
	KTAP(sighandler(SIGUSR1) == SIG_DFL, "SA_RESETHAND: once only", "sigaction(2)");
	KTAP(fails(sigaction(SIGKILL, counts, 0, 0), EINVAL), "SIGKILL has no handler", "sigaction(2)");
	KTAP(fails(sigaction(65, counts, 0, 0), EINVAL), "there is no signal 65", "sigaction(2)");
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigprocmask(SIG_SETMASK, &none, &set);
	KTAP(!(set & (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))), "SIGKILL and SIGSTOP are not blocked", "sigprocmask(2)");
	KTAP(fails(syscall(SYS_rt_sigprocmask, 0, &set, NULL, 4), EINVAL), "a set has 8 bytes", "rt_sigprocmask(2)");
}

static void queues(void)
{
	uint64_t block = SIGBIT(SIGUSR1) | SIGBIT(SIGRTMIN) | SIGBIT(SIGRTMIN + 1), set = 0, none = 0;
	int k[32] = {0};

	count = 0;
	signal(SIGUSR1, counts);
	sigaction(SIGRTMIN, counts, 0, ~UINT64_C(0));
	sigaction(SIGRTMIN + 1, counts, 0, ~UINT64_C(0));
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	raise(SIGUSR1);
	sigpending(&set);
	KTAP(set == SIGBIT(SIGUSR1), "a blocked signal is pending", "sigpending(2)");
	sigprocmask(SIG_SETMASK, &none, NULL);
	KTAP_EQ(count, 1, "twice is once for a standard signal", "signal(7)");
	count = 0;
	sigprocmask(SIG_BLOCK, &block, NULL);
	k[2] = -1; /* si_code SI_QUEUE */
	syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN + 1, k);
	syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, k);
	syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, k);
	sigprocmask(SIG_SETMASK, &none, NULL);
	KTAP_EQ(count, 3, "realtime signals are queued", "signal(7)");
	KTAP(order[0] == SIGRTMIN && order[2] == SIGRTMIN + 1, "the lowest first", "signal(7)");
}

static void kills(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			msleep(1000000);
	KTAP_EQ(kill(pid, 0), 0, "signal 0 asks", "kill(2)");
	KTAP(fails(kill(pid, 65), EINVAL), "signal 65: EINVAL", "kill(2)");
	kill(pid, SIGINT);
	KTAP_EQ(exit_of(pid), -SIGINT, "SIGINT ends by default", "signal(7)");
	KTAP(fails(kill(pid, 0), ESRCH), "nobody there: ESRCH", "kill(2)");
	KTAP(fails(syscall(SYS_tgkill, getpid(), pid, 0), ESRCH), "no such thread: ESRCH", "tgkill(2)");
	KTAP(fails(syscall(SYS_tgkill, -1, getpid(), 0), EINVAL), "no such group: EINVAL", "tgkill(2)");
}

/* A child that sends the parent a signal while that reads from a pipe. */
static long read_under(int sig, int flags)
{
	int fds[2];
	char c;

	sigaction(sig, counts, flags, 0);
	pipe(fds);
	pid_t pid = fork();
	if (pid == 0) {
		msleep(5);
		kill(getppid(), sig);
		msleep(5);
		write(fds[1], "x", 1);
		_exit(0);
	}
	long r = read(fds[0], &c, 1);
	int e = errno;
	exit_of(pid);
	close(fds[0]);
	close(fds[1]);
	return r == -1 ? -e : r;
}

static void interrupted(void)
{
	static char room[16384];
	struct sigaltstack ss = {room, sizeof room, 0}, small = {room, 64, 0};
	struct timespec hour = {3600, 0};

	count = 0;
	KTAP_EQ(read_under(SIGUSR1, 0), -EINTR, "a handler ends read with EINTR", "signal(7)");
	KTAP_EQ(read_under(SIGUSR1, SA_RESTART), 1, "SA_RESTART restarts it", "signal(7)");
	KTAP_EQ(count, 2, "the handler ran both times", "signal(7)");
	signal(SIGALRM, counts);
	alarm(1);
	KTAP(fails(nanosleep(&hour), EINTR), "nanosleep ends with EINTR all the same", "signal(7)");
	KTAP(fails(sigaltstack(&small, NULL), ENOMEM), "an alternate stack too small: ENOMEM", "sigaltstack(2)");
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR2, counts, SA_ONSTACK, 0);
	raise(SIGUSR2);
	KTAP(sp_inside >= (unsigned long)room && sp_inside < (unsigned long)room + sizeof room,
	     "SA_ONSTACK runs on it", "sigaltstack(2)");
}

int main(void)
{
	ktap_start("signal");
	handlers();
	queues();
	kills();
	interrupted();
	return ktap_end();
}
