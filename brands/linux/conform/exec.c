/*
 * exec - what execve(2) keeps, what it drops, and how it fails.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lib.h"

static char *self;
static void on_signal(int sig) { (void)sig; }

/* The second life: each bit of the status is something that is right. */
static int second(int argc, char **argv)
{
	uint64_t set = 0;
	int ok = 0;

	ok |= argc == 4 && strcmp(argv[3], "last word") == 0;
	ok |= (environ[0] && strcmp(environ[0], "A=b") == 0 && !environ[1]) << 1;
	ok |= (getpid() == atol(argv[2])) << 2;
	ok |= (fcntl(10, F_GETFD, 0) == 0 && fails(fcntl(11, F_GETFD, 0), EBADF)) << 3;
	ok |= (sighandler(SIGUSR1) == SIG_DFL && sighandler(SIGUSR2) == SIG_IGN) << 4;
	sigprocmask(SIG_BLOCK, NULL, &set);
	ok |= (set == SIGBIT(SIGHUP)) << 5;
	sigpending(&set);
	ok |= (set == SIGBIT(SIGHUP)) << 6;
	return ok;
}

static int run_second(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		uint64_t block = SIGBIT(SIGHUP);
		char me[16];

		fcntl(1, F_DUPFD, 10);
		fcntl(1, F_DUPFD, 11);
		fcntl(11, F_SETFD, FD_CLOEXEC);
		signal(SIGUSR1, on_signal);
		signal(SIGUSR2, SIG_IGN);
		sigprocmask(SIG_BLOCK, &block, NULL);
		kill(getpid(), SIGHUP);
		snprintf(me, sizeof me, "%d", getpid());
		char *argv[] = {self, "second", me, "last word", NULL};
		char *envp[] = {"A=b", NULL};
		execve(self, argv, envp);
		_exit(0);
	}
	return exit_of(pid);
}

static void file(const char *path, const char *text, int mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	write(fd, text, strlen(text));
	close(fd);
}

static int try(const char *path)
{
	char *argv[] = {"x", NULL};

	execve(path, argv, environ);
	return errno;
}

static void failures(void)
{
	char *argv[] = {"x", NULL};

	file("/tmp/plain", "no program\n", 0755);
	file("/tmp/closed", "#!/nowhere\n", 0644);
	file("/tmp/lost", "#!/nowhere\n", 0755);
	KTAP_EQ(try("/tmp/plain"), ENOEXEC, "no program: ENOEXEC", "execve(2)");
	KTAP_EQ(try("/tmp/closed"), EACCES, "not executable: EACCES", "execve(2)");
	KTAP_EQ(try("/tmp/lost"), ENOENT, "no interpreter: ENOENT", "execve(2)");
	KTAP_EQ(try("/tmp/none"), ENOENT, "no file: ENOENT", "execve(2)");
	KTAP_EQ(try("/tmp/plain/x"), ENOTDIR, "below a file: ENOTDIR", "execve(2)");
	KTAP_EQ(try("/tmp"), EACCES, "a directory: EACCES", "execve(2)");
	KTAP_EQ(try(""), ENOENT, "an empty path: ENOENT", "execve(2)");
	KTAP(fails(syscall(SYS_execve, 8L, argv, environ), EFAULT), "a bad path: EFAULT", "execve(2)");
	KTAP(fails(syscall(SYS_execve, self, 8L, environ), EFAULT), "bad arguments: EFAULT", "execve(2)");
}

static void scripts(void)
{
	char text[64];
	pid_t pid;

	snprintf(text, sizeof text, "#!%s script\n", self);
	file("/tmp/script", text, 0755);
	pid = fork();
	if (pid == 0) {
		char *argv[] = {"ignored", "more", NULL};

		execve("/tmp/script", argv, environ);
		_exit(99);
	}
	KTAP_EQ(exit_of(pid), 42, "a script: interpreter, its argument, path, arguments", "execve(2)");
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && strcmp(argv[1], "second") == 0)
		return second(argc, argv);
	if (argc > 1 && strcmp(argv[1], "script") == 0)
		return argc == 4 && !strcmp(argv[2], "/tmp/script") && !strcmp(argv[3], "more") ? 42 : argc;
	ktap_start("exec");
	int saw = run_second();
	KTAP(saw & 1, "the arguments arrive", "execve(2)");
	KTAP(saw & 2, "the environment is what was given", "execve(2)");
	KTAP(saw & 4, "the pid stays", "execve(2)");
	KTAP(saw & 8, "descriptors stay, but for FD_CLOEXEC", "execve(2)");
	KTAP(saw & 16, "handlers become default, ignored stays ignored", "execve(2)");
	KTAP(saw & 32, "the signal mask stays", "execve(2)");
	KTAP(saw & 64, "pending signals stay", "execve(2)");
	failures();
	scripts();
	return ktap_end();
}
