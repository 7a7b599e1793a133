/*
 * signal - dispositions, masks, queues, sending to sets, alternate stacks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

#define SI_USER 0
#define SI_QUEUE (-2)
#define SIGCONT_ SIGCONT
#define SIGXFSZ 31
#define SIGRTMIN 42
#define SIGRTMAX 74
#define P_PPID 1
#define P_MYID (-1)
#define POP_DIFF 0
#define POP_AND 1

struct info {
	int signo, code, err, pad, pid, pad2, uid, pad3;
	uint64_t value;
	char rest[216];
};

struct procset {
	int op, ltype, lid, rtype, rid;
};

struct kaction {
	int flags, pad;
	void *handler;
	uint64_t mask[2];
};

static struct info info;
static struct timespec zero;
static volatile int caught, depth, deepest;
static char stack[8192];
static volatile uintptr_t where;

static void on_signal(int sig)
{
	caught = sig;
}

static void on_nested(int sig)
{
	if (++depth > deepest)
		deepest = depth;
	if (caught++ == 0)
		kill(getpid(), sig);
	depth--;
}

static void on_stack(int sig)
{
	where = (uintptr_t)&sig;
}

static int queue(int pid, int sig, uint64_t value)
{
	return syscall(190, pid, sig, value, SI_QUEUE, 0);
}

static int sigset_wait(uint64_t lo, uint64_t hi, struct timespec *ts)
{
	uint64_t set[2] = {lo, hi};

	return syscall(N_sigtimedwait, set, &info, ts);
}

static void actions(void)
{
	struct kaction a = {0};

	KTAP(sighandler(SIGUSR1) == SIG_DFL, "a signal begins with SIG_DFL", "signal(3C)");
	sigaction(SIGUSR1, on_signal, SA_RESETHAND, 0);
	kill(getpid(), SIGUSR1);
	KTAP_EQ(caught, SIGUSR1, "a handler runs before kill returns", "kill(2)");
	KTAP(sighandler(SIGUSR1) == SIG_DFL, "SA_RESETHAND: once", "sigaction(2)");
	KTAP(FAILS(syscall(98, SIGKILL, &a, NULL), EINVAL), "SIGKILL can't be caught",
	     "sigaction(2)");
	KTAP(FAILS(syscall(98, 0, NULL, NULL), EINVAL), "0 is no signal", "sigaction(2)");
	KTAP(FAILS(syscall(98, 75, NULL, NULL), EINVAL), "nor is 75", "sigaction(2)");
	KTAP(FAILS(syscall(98, SIGUSR1, (void *)8, NULL), EFAULT), "no memory is EFAULT",
	     "sigaction(2)");
	caught = 0;
	sigaction(SIGUSR1, on_nested, 0, 0);
	kill(getpid(), SIGUSR1);
	KTAP_EQ(deepest, 1, "a signal is blocked in its own handler", "sigaction(2)");
	deepest = caught = 0;
	sigaction(SIGUSR1, on_nested, SA_NODEFER, 0);
	kill(getpid(), SIGUSR1);
	KTAP_EQ(deepest, 2, "but not with SA_NODEFER", "sigaction(2)");
	signal(SIGUSR1, SIG_IGN);
	int parent = getpid();
	if (fork() == 0) {
		msleep(5);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	struct timespec ts = {0, 20000000};
	KTAP_EQ(nanosleep(&ts), 0, "an ignored signal does not end a wait", "sigaction(2)");
	waitpid(-1, NULL, 0);
}

static void masks(void)
{
	uint64_t usr2 = SIGBIT(SIGUSR2), all = ~UINT64_C(0), old = 0, pend = 0;
	uint64_t fill[2] = {0, 0};

	sigaction(SIGUSR2, on_signal, 0, 0);
	caught = 0;
	sigprocmask(SIG_BLOCK, &usr2, NULL);
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGUSR2);
	sigpending(&pend);
	KTAP(caught == 0 && pend & usr2, "a blocked signal is pending", "sigpending(2)");
	sigprocmask(SIG_UNBLOCK, &usr2, NULL);
	KTAP_EQ(caught, SIGUSR2, "and comes when it is unblocked", "sigprocmask(2)");
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigprocmask(SIG_BLOCK, NULL, &old);
	KTAP(!(old & (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))) && old & usr2,
	     "SIGKILL and SIGSTOP can't be blocked", "sigprocmask(2)");
	old = 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	KTAP(FAILS(sigprocmask(7, &old, NULL), EINVAL), "an unknown how is EINVAL",
	     "sigprocmask(2)");
	KTAP(syscall(99, 2, fill) == 0 && fill[0] == ~UINT64_C(0) && fill[1] == (1 << 10) - 1,
	     "sigfillset has signals 1 to 74", "sigfillset(3C)");
	caught = 0;
	alarm(1);
	sigaction(SIGALRM, on_signal, SA_RESTART, 0);
	KTAP(FAILS(sigsuspend(0), EINTR) && caught == SIGALRM, "sigsuspend ends by a handler",
	     "sigsuspend(2)");
}

static void queues(void)
{
	uint64_t rt = SIGBIT(SIGRTMIN), both = rt | SIGBIT(SIGUSR2);

	sigprocmask(SIG_BLOCK, &both, NULL);
	for (int i = 1; i <= 3; i++)
		queue(getpid(), SIGRTMIN, i);
	queue(getpid(), SIGUSR2, 9);
	KTAP_EQ(sigset_wait(both, 0, &zero), SIGUSR2, "the lowest number comes first",
		"sigwaitinfo(3C)");
	KTAP(info.code == SI_QUEUE && info.value == 9 && info.pid == getpid(),
	     "with code, value and sender", "sigqueue(3C)");
	int order = 0;
	for (int i = 1; i <= 3; i++)
		order += sigset_wait(both, 0, &zero) == SIGRTMIN && info.value == (uint64_t)i;
	KTAP_EQ(order, 3, "real-time signals queue in order", "sigqueue(3C)");
	KTAP(FAILS(sigset_wait(both, 0, &zero), EAGAIN), "none left is EAGAIN",
	     "sigtimedwait(3C)");
	struct timespec bad = {-1, 0};
	KTAP(FAILS(sigset_wait(both, 0, &bad), EINVAL), "a negative time is EINVAL",
	     "sigtimedwait(3C)");
	KTAP(FAILS(queue(getpid(), 75, 0), EINVAL), "sigqueue of no signal is EINVAL",
	     "sigqueue(3C)");
	KTAP(FAILS(queue(29999, SIGUSR1, 0), ESRCH), "to nobody is ESRCH", "sigqueue(3C)");
	kill(getpid(), SIGUSR2);
	sigset_wait(both, 0, &zero);
	KTAP(info.code == SI_USER && info.pid == getpid(), "kill is SI_USER", "siginfo.h(3HEAD)");
	sigprocmask(SIG_UNBLOCK, &both, NULL);
	int n = 0;
	sigprocmask(SIG_BLOCK, &rt, NULL);
	while (n < 100000 && queue(getpid(), SIGRTMIN, n) == 0)
		n++;
	KTAP(n > 0 && n < 100000 && errno == EAGAIN, "process.max-sigqueue-size is EAGAIN",
	     "sigqueue(3C)");
	while (sigset_wait(rt, 0, &zero) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &rt, NULL);
}

static int sleeper(void)
{
	int pid = fork();

	if (pid == 0)
		for (;;)
			msleep(100000);
	return pid;
}

static int send_set(int op, int lt, int lid, int rt, int rid, int sig)
{
	struct procset ps = {op, lt, lid, rt, rid};

	return syscall(N_sigsendsys, &ps, sig);
}

static void sets(void)
{
	int a = sleeper(), b = sleeper(), status = 0;

	KTAP_EQ(send_set(POP_AND, P_PID, a, P_ALL, P_MYID, 0), 0, "signal 0 asks only",
		"sigsend(2)");
	KTAP(FAILS(send_set(POP_AND, P_PID, 29999, P_ALL, P_MYID, 0), ESRCH),
	     "an empty set is ESRCH", "sigsend(2)");
	KTAP(FAILS(send_set(9, P_PID, a, P_ALL, P_MYID, 0), EINVAL),
	     "an unknown operation is EINVAL", "sigsendset(2)");
	KTAP(FAILS(send_set(POP_AND, 99, a, P_ALL, P_MYID, 0), EINVAL),
	     "an unknown type is EINVAL", "sigsend(2)");
	KTAP_EQ(send_set(POP_AND, P_PPID, getpid(), P_PID, b, SIGTERM), 0,
		"my children and this one", "sigsendset(2)");
	KTAP(waitpid(b, &status, 0) == b && WTERMSIG(status) == SIGTERM, "it got the signal",
	     "sigsendset(2)");
	KTAP_EQ(waitpid(a, &status, WNOHANG), 0, "the other did not", "sigsendset(2)");
	b = sleeper();
	KTAP_EQ(send_set(POP_DIFF, P_PGID, P_MYID, P_PID, getpid(), SIGTERM), 0,
		"my group without me", "sigsendset(2)");
	KTAP(waitpid(a, NULL, 0) == a && waitpid(b, NULL, 0) == b, "both children got it",
	     "sigsendset(2)");
	KTAP(FAILS(syscall(N_sigsendsys, (void *)8, 0), EFAULT), "no memory is EFAULT",
	     "sigsend(2)");
	a = sleeper();
	kill(a, SIGSTOP);
	waitpid(a, &status, WUNTRACED);
	KTAP(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "SIGSTOP stops", "kill(2)");
	kill(a, SIGTERM);
	kill(a, SIGCONT);
	waitpid(a, &status, 0);
	KTAP(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM,
	     "a stopped process takes its signals when it goes on", "kill(2)");
}

static void stacks(void)
{
	struct sigaltstack ss = {stack, sizeof stack, 0}, old;

	ss.ss_size = 100;
	KTAP(FAILS(sigaltstack(&ss, NULL), ENOMEM), "below MINSIGSTKSZ is ENOMEM",
	     "sigaltstack(2)");
	ss.ss_size = sizeof stack;
	KTAP_EQ(sigaltstack(&ss, NULL), 0, "sigaltstack", "sigaltstack(2)");
	sigaction(SIGUSR1, on_stack, SA_ONSTACK, 0);
	kill(getpid(), SIGUSR1);
	KTAP(where > (uintptr_t)stack && where < (uintptr_t)stack + sizeof stack,
	     "SA_ONSTACK runs there", "sigaltstack(2)");
	sigaction(SIGUSR1, on_stack, 0, 0);
	kill(getpid(), SIGUSR1);
	KTAP(where < (uintptr_t)stack || where > (uintptr_t)stack + sizeof stack,
	     "and only with it", "sigaltstack(2)");
	ss.ss_flags = SS_DISABLE;
	KTAP(sigaltstack(&ss, &old) == 0 && old.ss_sp == stack && old.ss_flags == 0,
	     "the old stack is told", "sigaltstack(2)");
	ss.ss_flags = 0x40;
	KTAP(FAILS(sigaltstack(&ss, NULL), EINVAL), "unknown flags are EINVAL", "sigaltstack(2)");
}

static void faults(void)
{
	int status = 0, pid;

	pid = fork();
	if (pid == 0) {
		*(volatile int *)(uintptr_t)zero.tv_sec = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	KTAP(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a wild store is SIGSEGV",
	     "signal.h(3HEAD)");
	pid = fork();
	if (pid == 0) {
		syscall(213);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	KTAP(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	     "a system call that is none is SIGSYS", "signal.h(3HEAD)");
	signal(SIGSYS, SIG_IGN);
	KTAP(FAILS(syscall(213), ENOSYS), "and ENOSYS if that is survived", "Intro(2)");
	KTAP(FAILS(syscall(100000), ENOSYS), "as beyond the table", "Intro(2)");
	signal(SIGSYS, SIG_DFL);
	KTAP(FAILS(syscall(185, "/", 0, 0, 0), ENOSYS), "one that is only absent is ENOSYS alone",
	     "Intro(2)");
}

int main(void)
{
	ktap_start("signal");
	actions();
	masks();
	queues();
	sets();
	stacks();
	faults();
	return ktap_end();
}
