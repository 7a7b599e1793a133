/*
 * exec - execve(2): what a new program keeps of the process, what it loses, errors.  It
 * runs itself again, with what to look at as arguments.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lwpx.h"

static char *self;
static volatile int hits;

static void handler(int sig)
{
	(void)sig;
	hits++;
}

static void ends(void)
{
	lwp_end();
}

static void spin(void)
{
	for (;;)
		sched_yield();
}

/* exit status of the program run again with these arguments */
static int again(const char *what, const char *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		char *const argv[] = {self, (char *)what, (char *)arg, NULL};
		char *const envp[] = {"COLOUR=red", NULL};
		execve(self, argv, envp);
		_exit(100);
	}
	return reap(pid);
}

static int error_of(const char *path, char *const argv[])
{
	execve(path, argv, argv + 1);
	return errno;
}

static int make(const char *path, const char *text, int mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	write(fd, text, strlen(text));
	return close(fd);
}

/* what the new program finds; the answer is its status */
static int look(int argc, char **argv)
{
	const char *what = argv[1];
	uint64_t set = 0;

	if (strcmp(what, "args") == 0)
		return argc == 3 && strcmp(argv[2], "two words") == 0 && argv[3] == NULL;
	if (strcmp(what, "env") == 0)
		return strcmp(environ[0], "COLOUR=red") == 0 && environ[1] == NULL;
	if (strcmp(what, "fd") == 0)
		return fcntl(atol(argv[2]), F_GETFD, 0) == 0;
	if (strcmp(what, "pid") == 0)
		return getpid() == atol(argv[2]);
	if (strcmp(what, "lwp") == 0)
		return syscall(N_lwp_self) == 1 && !lwp_exists(2) && lwp_start(ends, 0) == 2;
	if (strcmp(what, "caught") == 0)
		return sighandler(SIGUSR1) == SIG_DFL;
	if (strcmp(what, "ignored") == 0)
		return sighandler(SIGHUP) == SIG_IGN;
	if (strcmp(what, "mask") == 0)
		return sigprocmask(SIG_BLOCK, NULL, &set) == 0 && set == SIGBIT(SIGUSR2);
	if (strcmp(what, "pending") == 0)
		return sigpending(&set) == 0 && set == SIGBIT(SIGUSR2);
	if (strcmp(what, "memory") == 0)
		return hits == 0;
	if (strcmp(what, "script") == 0)
		return argc == 4 && strcmp(argv[3], "word") == 0;
	if (strcmp(what, "child") == 0)
		return waitpid(atol(argv[2]), NULL, 0) == atol(argv[2]);
	return 99;
}

static void keeps(void)
{
	uint64_t block = SIGBIT(SIGUSR2), none = 0;
	char number[24];
	int fd = open("/tmp/conform-exec", O_RDWR | O_CREAT, 0600), st;
	pid_t pid;

	KTAP_EQ(again("args", "two words"), 1, "arguments arrive as they are", "exec(2)");
	KTAP_EQ(again("env", NULL), 1, "and the environment", "exec(2)");
	snprintf(number, sizeof number, "%d", fd);
	KTAP_EQ(again("fd", number), 1, "descriptors stay open", "exec(2)");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	KTAP_EQ(again("fd", number), 0, "but with FD_CLOEXEC", "exec(2)");
	KTAP_EQ(fcntl(fd, F_GETFD, 0), FD_CLOEXEC, "the parent's is open", "FORK-12");
	close(fd);
	unlink("/tmp/conform-exec");
	hits = 1;
	KTAP_EQ(again("memory", NULL), 1, "memory is new", "exec(2)");
	signal(SIGUSR1, handler);
	signal(SIGHUP, SIG_IGN);
	KTAP_EQ(again("caught", NULL), 1, "caught signals are default", "exec(2)");
	KTAP_EQ(again("ignored", NULL), 1, "ignored ones stay ignored", "exec(2)");
	sigprocmask(SIG_BLOCK, &block, NULL);
	KTAP_EQ(again("mask", NULL), 1, "the mask stays", "exec(2)");
	pid = fork();
	if (pid == 0) {
		char *const argv[] = {self, "pending", NULL};
		kill(getpid(), SIGUSR2);
		execve(self, argv, argv + 2);
	}
	KTAP_EQ(reap(pid), 1, "so do pending signals", "exec(2)");
	sigprocmask(SIG_SETMASK, &none, NULL);
	pid = fork();
	if (pid == 0) {
		char *const argv[] = {self, "pid", number, NULL};
		snprintf(number, sizeof number, "%d", getpid());
		execve(self, argv, argv + 3);
	}
	KTAP_EQ(reap(pid), 1, "the pid stays", "exec(2)");
	pid = fork();
	if (pid == 0) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		char *const argv[] = {self, "child", number, NULL};
		snprintf(number, sizeof number, "%d", child);
		execve(self, argv, argv + 3);
	}
	KTAP_EQ(reap(pid), 1, "children stay children", "exec(2)");
	pid = fork();
	if (pid == 0) {
		char *const argv[] = {self, "lwp", NULL};
		lwp_start(spin, 0);
		lwp_start(spin, 0);
		execve(self, argv, argv + 2);
	}
	st = reap(pid);
	KTAP_EQ(st, 1, "one lwp is left, and it is number 1", "exec(2)");
}

static void group_changes(void)
{
	int p[2];
	char c;
	pid_t pid;

	pipe(p);
	pid = fork();
	if (pid == 0) {
		char *const argv[] = {self, "sleep", NULL};
		fcntl(p[1], F_SETFD, FD_CLOEXEC);
		execve(self, argv, argv + 2);
	}
	close(p[1]);
	read(p[0], &c, 1); /* end of file: it has done the exec */
	KTAP(fails(setpgid(pid, pid), EACCES), "setpgid of a child that did an exec",
	     "setpgid(2)");
	kill(pid, SIGKILL);
	reap(pid);
	close(p[0]);
}

static void errors(void)
{
	char *const argv[] = {"x", NULL};
	char line[300];

	KTAP_EQ(error_of("/bin/nothing", argv), ENOENT, "no such file", "exec(2)");
	KTAP_EQ(error_of("", argv), ENOENT, "an empty path", "exec(2)");
	KTAP_EQ(error_of("/tmp", argv), EACCES, "a directory", "exec(2)");
	make("/tmp/conform-exec", "garbage", 0700);
	KTAP_EQ(error_of("/tmp/conform-exec", argv), ENOEXEC, "not a program", "exec(2)");
	KTAP_EQ(error_of("/tmp/conform-exec/x", argv), ENOTDIR, "below a file", "exec(2)");
	unlink("/tmp/conform-exec");
	make("/tmp/conform-exec", "garbage", 0600);
	KTAP_EQ(error_of("/tmp/conform-exec", argv), EACCES, "no x bit, even for root", "exec(2)");
	unlink("/tmp/conform-exec");
	KTAP_EQ(error_of((char *)8, argv), EFAULT, "a bad path", "exec(2)");
	KTAP(fails(syscall(SYS_execve, self, 8L, 0L), EFAULT), "bad arguments", "exec(2)");
	symlink("/tmp/conform-loop", "/tmp/conform-loop");
	KTAP_EQ(error_of("/tmp/conform-loop", argv), ELOOP, "links without end", "exec(2)");
	unlink("/tmp/conform-loop");
	memset(line, 'a', sizeof line);
	line[0] = '/';
	line[sizeof line - 1] = 0;
	KTAP_EQ(error_of(line, argv), ENAMETOOLONG, "a name of 298 bytes", "exec(2)");
	KTAP(hits == 1 && sighandler(SIGUSR1) == handler, "a failed exec changes nothing",
	     "exec(2)");
	snprintf(line, sizeof line, "#!%s script\n", self);
	make("/tmp/conform-script", line, 0700);
	pid_t pid = fork();
	if (pid == 0) {
		char *const args[] = {"x", "word", NULL};
		execve("/tmp/conform-script", args, args + 2);
	}
	KTAP_EQ(reap(pid), 1, "a script's first line names its interpreter", "exec(2)");
	make("/tmp/conform-script", "#!/bin/nothing\n", 0700);
	KTAP_EQ(error_of("/tmp/conform-script", argv), ENOENT, "which has to be there", "exec(2)");
	unlink("/tmp/conform-script");
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "sleep") == 0)
		for (;;)
			msleep(100000);
	if (argc > 1)
		return look(argc, argv);
	self = argv[0];
	alarm(600);
	ktap_start("exec");
	keeps();
	group_changes();
	errors();
	return ktap_end();
}
