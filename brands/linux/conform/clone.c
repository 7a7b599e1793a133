/*
 * clone - what the flags of clone(2) share.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lib.h"

static char stack[4][16384] __attribute__((aligned(16)));
#define TOP(n) (stack[n] + sizeof stack[n])

static long chdir_tmp(void *arg)
{
	(void)arg;
	return chdir("/tmp") != 0;
}

static long close_it(void *arg)
{
	return close(*(int *)arg) != 0;
}

static long store(void *arg)
{
	*(volatile int *)arg = 9;
	return 0;
}

static long parent_of(void *arg)
{
	(void)arg;
	return getppid() & 0xff;
}

static int ids[3];

static long thread(void *arg)
{
	(void)arg;
	ids[0] = getpid();
	ids[1] = syscall(SYS_gettid);
	return 0;
}

static void shares(void)
{
	int fd = open("/", O_RDONLY, 0);
	char cwd[64];
	static int word;

	exit_of(clone_on(CLONE_FS | SIGCHLD, TOP(0), chdir_tmp, NULL, NULL, NULL));
	getcwd(cwd, sizeof cwd);
	KTAP(strcmp(cwd, "/tmp") == 0, "CLONE_FS shares the working directory", "clone(2)");
	chdir("/");
	exit_of(clone_on(SIGCHLD, TOP(0), chdir_tmp, NULL, NULL, NULL));
	getcwd(cwd, sizeof cwd);
	KTAP(strcmp(cwd, "/") == 0, "without it each has its own", "clone(2)");
	exit_of(clone_on(SIGCHLD, TOP(0), close_it, &fd, NULL, NULL));
	KTAP(fcntl(fd, F_GETFD, 0) == 0, "descriptors are a copy", "clone(2)");
	exit_of(clone_on(CLONE_FILES | SIGCHLD, TOP(0), close_it, &fd, NULL, NULL));
	KTAP(fails(fcntl(fd, F_GETFD, 0), EBADF), "CLONE_FILES shares them", "clone(2)");
	exit_of(clone_on(SIGCHLD, TOP(0), store, &word, NULL, NULL));
	KTAP_EQ(word, 0, "memory is a copy", "clone(2)");
	exit_of(clone_on(CLONE_VM | SIGCHLD, TOP(0), store, &word, NULL, NULL));
	KTAP_EQ(word, 9, "CLONE_VM shares it", "clone(2)");
}

static void parents(void)
{
	pid_t pid = clone_on(SIGCHLD, TOP(0), parent_of, NULL, NULL, NULL);

	KTAP_EQ(exit_of(pid), getpid() & 0xff, "the parent is the caller", "clone(2)");
	pid_t mine = fork();
	if (mine == 0) {
		pid = clone_on(CLONE_PARENT | SIGCHLD, TOP(0), parent_of, NULL, NULL, NULL);
		_exit(fails(waitpid(pid, NULL, 0), ECHILD));
	}
	int first, second;
	pid = waitpid(-1, &first, 0);
	waitpid(-1, &second, 0);
	int as_sibling = WEXITSTATUS(pid == mine ? second : first);
	KTAP_EQ(WEXITSTATUS(pid == mine ? first : second), 1,
		"a child of CLONE_PARENT is none of the caller's", "clone(2)");
	KTAP_EQ(as_sibling, getpid() & 0xff, "but its sibling", "clone(2)");
	pid = clone_on(0, TOP(0), parent_of, NULL, NULL, NULL);
	KTAP(fails(waitpid(pid, NULL, 0), ECHILD),
	     "without an exit signal wait does not see it", "wait(2)");
	KTAP_EQ(waitpid(pid, NULL, WCLONE), pid, "__WCLONE does", "wait(2)");
	signal(SIGUSR1, SIG_IGN);
	pid = clone_on(SIGUSR1, TOP(0), parent_of, NULL, NULL, NULL);
	KTAP_EQ(waitpid(pid, NULL, WALL), pid, "and __WALL sees all", "wait(2)");
}

static void tids(void)
{
	static volatile int tid[2];
	pid_t pid;

	pid = clone_on(CLONE_PARENT_SETTID | SIGCHLD, TOP(0), parent_of, NULL, (int *)&tid[0], NULL);
	KTAP_EQ(tid[0], pid, "CLONE_PARENT_SETTID stores the id in the parent", "clone(2)");
	exit_of(pid);
	pid = clone_on(CLONE_VM | CLONE_CHILD_SETTID | SIGCHLD, TOP(0), parent_of, NULL, NULL, (int *)&tid[1]);
	exit_of(pid);
	KTAP_EQ(tid[1], pid, "CLONE_CHILD_SETTID in the child's memory", "clone(2)");
	tid[1] = -1;
	exit_of(clone_on(CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, TOP(0), parent_of, NULL, NULL, (int *)&tid[1]));
	KTAP_EQ(tid[1], 0, "CLONE_CHILD_CLEARTID clears it at the end", "set_tid_address(2)");
}

static void threads(void)
{
	static volatile int left = 1;
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	long tid = clone_on(flags | CLONE_CHILD_CLEARTID, TOP(1), thread, NULL, NULL, (int *)&left);

	while (left)
		syscall(SYS_futex, &left, 0, 1, NULL);
	KTAP_EQ(ids[0], getpid(), "a thread has its process' pid", "clone(2)");
	KTAP_EQ(ids[1], tid, "and an id of its own", "gettid(2)");
	KTAP(fails(waitpid(-1, NULL, WALL), ECHILD), "nobody waits for a thread", "clone(2)");
	KTAP_EQ(syscall(SYS_gettid), getpid(), "the first thread's id is the pid", "gettid(2)");
}

static void refused(void)
{
	KTAP(fails(syscall(SYS_clone, CLONE_THREAD | CLONE_VM, TOP(2), 0, 0, 0), EINVAL),
	     "CLONE_THREAD without CLONE_SIGHAND is EINVAL", "clone(2)");
	KTAP(fails(syscall(SYS_clone, CLONE_SIGHAND, TOP(2), 0, 0, 0), EINVAL),
	     "CLONE_SIGHAND without CLONE_VM is EINVAL", "clone(2)");
	KTAP(fails(syscall(SYS_clone3, NULL, 8L), EINVAL),
	     "clone3 with too small a structure is EINVAL", "clone(2)");
	KTAP(fails(syscall(SYS_clone3, 8L, 88L), EFAULT),
	     "clone3 with a bad address is EFAULT", "clone(2)");
	KTAP(fails(waitpid(-1, NULL, WALL), ECHILD), "and there is no child of these", "wait(2)");
}

int main(void)
{
	ktap_start("clone");
	shares();
	parents();
	tids();
	threads();
	refused();
	return ktap_end();
}
