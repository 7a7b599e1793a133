/*
 * fork - fork(2) and forkx(2): results, what the child has of its parent and what it
 * has not, flags, errors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lwpx.h"

#define N_umask 60
#define N_getitimer 157
#define N_setitimer 158
#define N_getrlimit 129

static volatile int hits, data = 1;
static int *shared;

static void handler(int sig)
{
	(void)sig;
	hits++;
}

static void results(void)
{
	long two = 77, one;
	pid_t me = getpid(), up = getppid(), pid;

	KTAP(up != me && up >= 0, "getppid is another process", "getpid(2)");
	one = forksys(FORKSYS_FORK1, 0, &two);
	if (two == 1)
		_exit(one == me && getppid() == me && getpid() != me ? 5 : 6);
	KTAP(one > 0 && one != me, "the parent gets the child's pid", "FORK-01");
	KTAP_EQ(two, 0, "and 0 as second result", "FORK-02");
	KTAP_EQ(reap(one), 5, "the child gets its parent's pid and 1", "FORK-02");
	pid = fork();
	if (pid == 0)
		_exit(7);
	KTAP_EQ(reap(pid), 7, "fork() is 0 in the child", "fork(2)");
	KTAP(fails(kill(pid, 0), ESRCH), "a reaped child's pid is nobody's", "kill(2)");
	KTAP(fails(syscall(SYS_forksys, 3, 0), EINVAL), "no subcode 3", "FORK-120");
	KTAP(fails(syscall(SYS_forksys, 0, 4), EINVAL), "no flag 4", "FORK-92");
	KTAP(fails(syscall(SYS_forksys, 1, -1), EINVAL), "nor all of them", "FORK-92");
	KTAP(fails(waitpid(-1, NULL, 0), ECHILD), "a refused fork makes nobody", "FORK-119");
}

static void memory(void)
{
	volatile int local = 3;
	pid_t pid;

	*shared = 0;
	data = 1;
	pid = fork();
	if (pid == 0) {
		int same = data == 1 && local == 3;
		data = 2;
		local = 4;
		*shared = 9;
		_exit(same && data == 2 && local == 4 ? 1 : 0);
	}
	KTAP_EQ(reap(pid), 1, "the child has the parent's memory", "FORK-25");
	KTAP(data == 1 && local == 3, "what it writes is its own", "FORK-25");
	KTAP_EQ(*shared, 9, "MAP_SHARED is shared", "FORK-25");
	pid = fork();
	if (pid == 0) {
		while (*shared == 9)
			sched_yield();
		_exit(data);
	}
	data = 8;
	*shared = 10;
	KTAP_EQ(reap(pid), 1, "nor does it see what the parent writes", "FORK-25");
}

static void files(void)
{
	int p[2], fd = open("/tmp/conform-fork", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char c = 0;
	pid_t pid;

	write(fd, "abcdef", 6);
	lseek(fd, 0, SEEK_SET);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		read(fd, &c, 1);
		_exit(c == 'a' && fcntl(fd, F_GETFD, 0) == FD_CLOEXEC);
	}
	KTAP_EQ(reap(pid), 1, "descriptor flags are inherited", "FORK-11");
	read(fd, &c, 1);
	KTAP_EQ(c, 'b', "offsets are shared", "FORK-11");
	pipe(p);
	pid = fork();
	if (pid == 0) {
		close(p[1]);
		close(fd);
		_exit(read(p[0], &c, 1) == 1 && c == 'z');
	}
	KTAP_EQ(write(p[1], "z", 1), 1, "a close in the child closes nothing here", "FORK-12");
	KTAP_EQ(reap(pid), 1, "and it reads what came", "pipe(2)");
	KTAP_EQ(lseek(fd, 0, SEEK_CUR), 2, "the file is still open", "FORK-12");
	close(fd);
	close(p[0]);
	close(p[1]);
	unlink("/tmp/conform-fork");
	syscall(N_umask, 027);
	mkdir("/tmp/conform-dir", 0700);
	pid = fork();
	if (pid == 0)
		_exit(syscall(N_umask, 0) == 027 && chdir("/tmp/conform-dir") == 0);
	KTAP_EQ(reap(pid), 1, "umask is inherited", "FORK-15");
	KTAP_EQ(syscall(N_umask, 022), 027, "and the child's is its own", "umask(2)");
	char here[64];
	KTAP(getcwd(here, sizeof here) && strcmp(here, "/tmp/conform-dir"),
	     "chdir of the child does not move the parent", "FORK-14");
	rmdir("/tmp/conform-dir");
}

static void signals(void)
{
	uint64_t block = SIGBIT(SIGUSR2), now = 0;
	struct { long interval[2], value[2]; } timer = {{0, 0}, {100, 0}}, left;
	pid_t pid;

	signal(SIGUSR1, handler);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_BLOCK, &block, NULL);
	kill(getpid(), SIGUSR2);
	syscall(N_setitimer, 0, &timer, NULL);
	pid = fork();
	if (pid == 0) {
		int ok = sighandler(SIGUSR1) == handler && sighandler(SIGHUP) == SIG_IGN;
		sigprocmask(SIG_BLOCK, NULL, &now);
		ok |= (now == block) << 1;
		sigpending(&now);
		ok |= (now == 0) << 2;
		syscall(N_getitimer, 0, &left);
		ok |= (left.value[0] == 0 && left.value[1] == 0) << 3;
		raise(SIGUSR1);
		_exit(ok | (hits == 1) << 4);
	}
	int st = reap(pid);
	KTAP(st & 1, "dispositions are inherited", "FORK-16");
	KTAP(st & 2, "the mask is inherited", "FORK-16");
	KTAP(st & 4, "pending signals are not", "FORK-16");
	KTAP(st & 8, "timers are not", "FORK-17");
	KTAP(st & 16, "a handler runs in the child", "sigaction(2)");
	sigpending(&now);
	KTAP_EQ(now, block, "here the signal is still pending", "FORK-16");
	KTAP_EQ(hits, 0, "and the handler has not run", "FORK-16");
	signal(SIGUSR2, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	timer.value[0] = 0;
	syscall(N_setitimer, 0, &timer, NULL);
}

static void ids(void)
{
	pid_t pid, group = getpgrp();

	pid = fork();
	if (pid == 0)
		_exit(getpgrp() == group);
	KTAP_EQ(reap(pid), 1, "the child is in the group", "FORK-09");
	pid = fork();
	if (pid == 0)
		_exit(setsid() == getpid() && getpgrp() == getpid());
	KTAP_EQ(reap(pid), 1, "a child leads no group, so it can setsid", "FORK-05");
	pid = fork();
	if (pid == 0) {
		pid_t grand = fork();
		if (grand == 0) {
			while (getppid() == *shared)
				sched_yield();
			_exit(0);
		}
		*shared = getpid();
		_exit(0);
	}
	KTAP_EQ(reap(pid), 0, "a child may die before its own", "FORK-90");
	KTAP(fails(waitpid(-1, NULL, WNOHANG), ECHILD), "its child is not ours", "FORK-90");
}

static void flags(void)
{
	struct waitinfo info;
	pid_t pid;

	hits = 0;
	signal(SIGCHLD, handler);
	pid = fork();
	if (pid == 0)
		_exit(0);
	while (!hits) /* else the reaping could discard it */
		sched_yield();
	KTAP_EQ(reap(pid), 0, "a plain child", "fork(2)");
	KTAP_EQ(hits, 1, "has its end told by SIGCLD", "FORK-83");
	pid = forkx(FORK_NOSIGCHLD);
	if (pid == 0)
		_exit(3);
	KTAP_EQ(reap(pid), 3, "FORK_NOSIGCHLD: it is waited for", "FORK-84");
	KTAP_EQ(hits, 1, "and no signal comes", "FORK-84");
	pid = forkx(FORK_WAITPID | FORK_NOSIGCHLD);
	if (pid == 0)
		_exit(4);
	KTAP_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0, "FORK_WAITPID: by pid", "FORK-85");
	KTAP(fails(waitid(P_ALL, 0, &info, WEXITED), ECHILD), "not by P_ALL", "FORK-85");
	KTAP(fails(waitid(P_PGID, getpgrp(), &info, WEXITED), ECHILD), "nor P_PGID", "FORK-85");
	KTAP_EQ(reap(pid), 4, "by its pid it is reaped", "FORK-85");
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0)
		_exit(1);
	KTAP(fails(waitpid(pid, NULL, 0), ECHILD), "ignored: no zombie stays", "FORK-86");
	pid = forkx(FORK_WAITPID);
	if (pid == 0)
		_exit(2);
	KTAP_EQ(reap(pid), 2, "but with FORK_WAITPID", "FORK-85");
	signal(SIGCHLD, SIG_DFL);
}

static void many(void)
{
	pid_t pid[20];
	int sum = 0, distinct = 1;

	for (int i = 0; i < 20; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(i);
		for (int j = 0; j < i; j++)
			distinct &= pid[i] != pid[j];
	}
	KTAP(distinct, "pids in use are not given again", "FORK-05");
	for (int i = 0; i < 20; i++)
		sum += reap(pid[i]) == i;
	KTAP_EQ(sum, 20, "each child is its own", "FORK-72");
	KTAP(fails(waitpid(-1, NULL, 0), ECHILD), "and that was all", "FORK-39");
}

int main(void)
{
	alarm(600);
	ktap_start("fork");
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
	results();
	memory();
	files();
	signals();
	ids();
	flags();
	many();
	return ktap_end();
}
