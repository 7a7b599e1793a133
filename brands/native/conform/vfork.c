/*
 * vfork - vfork(2) and vforkx(2): the child has the parent's memory and the parent waits;
 * signals, siblings, ends of all kinds.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lwpx.h"

static volatile int seen, hits, stop;
static volatile long count;
static char *volatile page;
static char *self;
static char *const none[] = {NULL};

static void handler(int sig)
{
	(void)sig;
	hits++;
}

static void spin(void)
{
	while (!stop) {
		count++;
		sched_yield();
	}
	lwp_end();
}

static void sharing(void)
{
	volatile int local = 1;
	pid_t me = getpid(), pid = vfork();

	if (pid == 0) {
		seen = getppid() == me ? 1 : 2;
		local = 5;
		_exit(3);
	}
	KTAP(pid > 0, "the parent gets the pid", "FORK-53");
	KTAP_EQ(seen, 1, "the child ran before the parent, in its memory", "FORK-52");
	KTAP_EQ(local, 5, "on its stack", "FORK-54");
	KTAP_EQ(reap(pid), 3, "and is waited for", "vfork(2)");
	pid = vfork();
	if (pid == 0) {
		char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
		*p = 'v';
		page = p;
		_exit(0);
	}
	reap(pid);
	KTAP_EQ(*page, 'v', "what it maps stays mapped", "FORK-54");
	pid = vfork();
	if (pid == 0) {
		close(0);
		_exit(fcntl(0, F_GETFD, 0) == -1);
	}
	KTAP_EQ(reap(pid), 1, "a descriptor it closes", "FORK-11");
	KTAP(fcntl(0, F_GETFD, 0) != -1, "is open here", "FORK-12");
}

static void endings(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve("/bin/nothing", none, none);
		seen = errno;
		msleep(2);
		seen = 99;
		_exit(8);
	}
	KTAP_EQ(seen, 99, "a failed exec does not release the parent", "FORK-59");
	KTAP_EQ(reap(pid), 8, "the end does", "FORK-53");
	pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	KTAP_EQ(reap(pid), 1000 + SIGKILL, "so does a signal that kills it", "FORK-59");
	pid = vfork();
	if (pid == 0)
		_exit(0xffff0000);
	KTAP(pid > 0 && fails(waitpid(pid, NULL, 0), ECHILD),
	     "status 0xffff0000: it evaporates", "FORK-66");
	pid = vfork();
	if (pid == 0) {
		pid_t grand = vfork();
		if (grand == 0)
			_exit(4);
		seen = reap(grand);
		_exit(5);
	}
	KTAP(reap(pid) == 5 && seen == 4, "a vfork within a vfork", "FORK-52");
	pid = vfork();
	if (pid == 0) {
		pid_t grand = fork();
		if (grand == 0)
			_exit(6);
		seen = reap(grand);
		_exit(5);
	}
	KTAP(reap(pid) == 5 && seen == 6, "a fork within a vfork", "FORK-52");
}

static void execs(void)
{
	int p[2];
	char c = 'x';
	pid_t pid;

	pipe(p);
	fcntl(p[1], F_SETFD, FD_CLOEXEC);
	pid = vfork();
	if (pid == 0) {
		char *const argv[] = {self, "again", NULL};
		seen = 40;
		execve(self, argv, none);
		_exit(1);
	}
	seen++;
	close(p[1]);
	KTAP_EQ(seen, 41, "exec releases the parent", "FORK-53");
	KTAP_EQ(read(p[0], &c, 1), 0, "close-on-exec closed the pipe", "exec(2)");
	KTAP_EQ(reap(pid), 7, "the new program runs", "exec(2)");
	KTAP_EQ(seen, 41, "in memory of its own", "FORK-53");
	close(p[0]);
}

static void signals(void)
{
	pid_t me = getpid(), pid;

	signal(SIGUSR1, handler);
	signal(SIGHUP, SIG_IGN);
	pid = vfork();
	if (pid == 0) {
		seen = (sighandler(SIGUSR1) == SIG_DFL) | (sighandler(SIGHUP) == SIG_IGN) << 1;
		_exit(0);
	}
	reap(pid);
	KTAP(seen & 1, "caught signals are default in the child", "FORK-55");
	KTAP(seen & 2, "ignored ones are ignored", "FORK-55");
	KTAP(sighandler(SIGUSR1) == handler, "the parent has its handler", "FORK-55");
	hits = 0;
	pid = vfork();
	if (pid == 0) {
		kill(me, SIGUSR1);
		msleep(3);
		seen = hits;
		_exit(0);
	}
	KTAP_EQ(seen, 0, "a signal does not wake the parent", "FORK-57");
	KTAP_EQ(hits, 1, "it is delivered afterwards", "FORK-57");
	reap(pid);
	pid = fork();
	if (pid == 0) {
		pid_t parent = getpid();
		if (vfork() == 0) {
			kill(parent, SIGKILL);
			msleep(5);
			_exit(0);
		}
		_exit(1); /* not reached: SIGKILL came first */
	}
	KTAP_EQ(reap(pid), 1000 + SIGKILL, "SIGKILL waits as well", "FORK-57");
}

static void siblings(void)
{
	static volatile long early, late;
	int tid = lwp_start(spin, 0);
	pid_t pid;
	long was;

	while (count < 3)
		sched_yield();
	pid = vfork();
	if (pid == 0) {
		early = count;
		msleep(10);
		late = count;
		_exit(0);
	}
	KTAP_EQ(late, early, "siblings stand while the memory is lent", "FORK-56");
	KTAP_EQ(reap(pid), 0, "the child ends", "vfork(2)");
	for (was = count; count == was;)
		sched_yield();
	KTAP(count > was, "then they go on", "FORK-56");
	pid = vfork();
	if (pid == 0)
		_exit(lwp_exists(tid));
	KTAP_EQ(reap(pid), 0, "the child has none of them", "vfork(2)");
	syscall(N_lwp_suspend, tid);
	pid = vfork();
	if (pid == 0)
		_exit(0);
	reap(pid);
	was = count;
	msleep(5);
	KTAP_EQ(count, was, "a suspended one stays so", "FORK-56");
	KTAP(fails(syscall(SYS_forksys, FORKSYS_VFORK, 4), EINVAL), "bad flags", "FORK-92");
	syscall(N_lwp_continue, tid);
	for (was = count; count == was;)
		sched_yield();
	KTAP(count > was, "lwp_continue starts it", "lwp_continue(2)");
	stop = 1;
	KTAP_EQ(lwp_join(tid), tid, "and it ends", "lwp_wait(2)");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return seen == 0 ? 7 : 1;
	self = argv[0];
	alarm(600);
	ktap_start("vfork");
	sharing();
	endings();
	execs();
	signals();
	siblings();
	return ktap_end();
}
