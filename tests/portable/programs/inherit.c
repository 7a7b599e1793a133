/* What else a child takes over: folder, mask, limits, ids, environment. */
#include "portable.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit rl, now;
	char cwd[64];
	int fds[2], last = -1;

	if (chdir("/tmp") == -1 || pipe(fds) == -1)
		return 1;
	umask(037);
	setenv("INHERIT", "yes", 1);
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = 20;
	say("limit %s\n", outcome(setrlimit(RLIMIT_NOFILE, &rl)));
	pid_t pid = fork();

	if (pid == 0) {
		mode_t mask = umask(0);

		say("child: %s %o %s\n", getcwd(cwd, sizeof cwd), (unsigned)mask,
		    getenv("INHERIT"));
		getrlimit(RLIMIT_NOFILE, &now);
		say("limit %ld, ids %d %d\n", (long)now.rlim_cur,
		    getuid() == geteuid(), getgid() == getegid());
		for (;;) {
			int fd = dup(0);

			if (fd == -1)
				break;
			last = fd;
		}
		say("last descriptor %d, then %s\n", last, error_name(errno));
		say("pipe: %s\n", outcome(pipe(fds)));
		say("above: %s\n", outcome(fcntl(0, F_DUPFD, 20)));
		rl.rlim_cur = rl.rlim_max + 1;
		say("soft over hard: %s\n",
		    rl.rlim_max == RLIM_INFINITY ? "EINVAL" : outcome(setrlimit(RLIMIT_NOFILE, &rl)));
		setenv("INHERIT", "changed", 1);
		if (chdir("/") == -1)
			_exit(1);
		_exit(9);
	}
	say_status("child", reap(pid));
	say("parent: %s %o %s\n", getcwd(cwd, sizeof cwd), (unsigned)umask(0), getenv("INHERIT"));
	int fd = open("/", O_RDONLY);

	say("descriptors are there: %d\n", fd >= 0);
	say("no such limit: %s\n", outcome(getrlimit(99, &now)));
	getrlimit(RLIMIT_CORE, &rl);
	rl.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &rl);
	pid = fork();
	if (pid == 0)
		abort();
	int status = reap(pid);

	say_status("no core file", status);
	pid = fork();
	if (pid == 0) {
		getrlimit(RLIMIT_FSIZE, &rl);
		rl.rlim_cur = 100;
		setrlimit(RLIMIT_FSIZE, &rl);
		FILE *f = tmpfile();

		signal(SIGXFSZ, SIG_IGN);
		ssize_t n = write(fileno(f), cwd, 64);
		ssize_t m = write(fileno(f), cwd, 64), k = write(fileno(f), cwd, 1);

		say("file size: %zd %zd, then %d\n", n, m, k == -1 && errno == EFBIG);
		_exit(0);
	}
	say_status("limited", reap(pid));
	return 0;
}
