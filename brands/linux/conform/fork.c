/*
 * fork - what a child of fork(2) and vfork(2) has of its parent, and what not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lib.h"

static int private = 1;
static void on_signal(int sig) { (void)sig; }

enum { PPID = 1, GROUP = 2, MASK = 4, HANDLER = 8, PENDING = 16, ALARM = 32, COPY = 64 };

/* What a child sees, as bits of what is right. */
static int look(pid_t parent, pid_t group)
{
	uint64_t set = 0;
	int ok = 0;

	ok |= getppid() == parent ? PPID : 0;
	ok |= getpgrp() == group ? GROUP : 0;
	sigprocmask(SIG_BLOCK, NULL, &set);
	ok |= set == SIGBIT(SIGUSR1) ? MASK : 0;
	ok |= sighandler(SIGUSR2) == on_signal && sighandler(SIGHUP) == SIG_IGN ? HANDLER : 0;
	sigpending(&set);
	ok |= set == 0 ? PENDING : 0;
	ok |= alarm(0) == 0 ? ALARM : 0;
	ok |= private == 2 ? COPY : 0;
	return ok;
}

static void inherits(void)
{
	uint64_t block = SIGBIT(SIGUSR1);
	int saw;

	signal(SIGUSR2, on_signal);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &block, NULL);
	kill(getpid(), SIGUSR1);
	alarm(100);
	private = 2;
	pid_t parent = getpid(), group = getpgrp(), pid = fork();
	if (pid == 0) {
		saw = look(parent, group);
		private = 3;
		_exit(saw);
	}
	KTAP(pid > 0 && pid != parent, "the parent gets another pid than its own", "fork(2)");
	saw = exit_of(pid);
	KTAP(saw & PPID, "the child's parent is who forked", "fork(2)");
	KTAP(saw & GROUP, "the child is in the group", "fork(2)");
	KTAP(saw & MASK, "the signal mask is inherited", "sigprocmask(2)");
	KTAP(saw & HANDLER, "handlers and ignored signals are inherited", "signal(7)");
	KTAP(saw & PENDING, "pending signals are not", "fork(2)");
	KTAP(saw & ALARM, "nor is the alarm", "fork(2)");
	KTAP(saw & COPY, "memory is a copy", "fork(2)");
	KTAP_EQ(private, 2, "which the child changes for itself", "fork(2)");
	KTAP(alarm(0) > 0, "the parent's alarm goes on", "alarm(2)");
	block = 0;
	signal(SIGUSR1, SIG_IGN);
	sigprocmask(SIG_SETMASK, &block, NULL);
}

static void files(void)
{
	char c = 0, cwd[64] = "";
	int fd = open("/tmp/fork", O_RDWR | O_CREAT | O_TRUNC, 0600);
	volatile int *word = shared();

	write(fd, "abcd", 4);
	lseek(fd, 0, SEEK_SET);
	pid_t pid = fork();
	if (pid == 0) {
		read(fd, &c, 1);
		close(fd);
		chdir("/tmp");
		*word = 5;
		_exit(0);
	}
	exit_of(pid);
	KTAP_EQ(lseek(fd, 0, SEEK_CUR), 1, "the offset of a file is shared", "fork(2)");
	KTAP_EQ(read(fd, &c, 1), 1, "a descriptor stays when the child closes its own", "fork(2)");
	getcwd(cwd, sizeof cwd);
	KTAP(strcmp(cwd, "/") == 0, "so does the working directory", "clone(2)");
	KTAP_EQ(*word, 5, "MAP_SHARED memory is shared", "mmap(2)");
	close(fd);
	unlink("/tmp/fork");
}

static void lent(void)
{
	static volatile int seen;
	pid_t pid = vfork();

	if (pid == 0) {
		seen = 7;
		_exit(3);
	}
	KTAP_EQ(seen, 7, "vfork lends the memory, and the parent waits", "vfork(2)");
	KTAP_EQ(exit_of(pid), 3, "the child of vfork is waited for", "vfork(2)");
	pid = vfork();
	if (pid == 0) {
		execve("/nowhere", (char *[]){"x", NULL}, environ);
		_exit(errno);
	}
	KTAP_EQ(exit_of(pid), ENOENT, "an exec that fails leaves the child of vfork", "vfork(2)");
}

int main(void)
{
	ktap_start("fork");
	inherits();
	files();
	lent();
	return ktap_end();
}
