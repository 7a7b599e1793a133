/* Calls that a handler interrupts: again with SA_RESTART, EINTR without. */
#include "portable.h"

static volatile sig_atomic_t caught;

static void count(int sig)
{
	(void)sig;
	caught++;
}

/* A child that signals its parent, then writes, then ends. */
static pid_t helper(int fd)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		pause_ms(30);
		kill(parent, SIGUSR1);
		pause_ms(30);
		tell(fd, 'x');
		_exit(4);
	}
	return pid;
}

static void run(const char *what, int flags)
{
	int fds[2], status;
	char c;

	if (pipe(fds) == -1)
		return;
	catch(SIGUSR1, count, flags);
	caught = 0;
	pid_t pid = helper(fds[1]);
	ssize_t n = read(fds[0], &c, 1);

	say("%s read: %s, handler %d\n", what, outcome(n), (int)caught);
	while (waitpid(pid, &status, 0) == -1)
		;
	caught = 0;
	pid = helper(fds[1]);
	pid_t got = waitpid(pid, &status, 0);

	say("%s waitpid: %s, handler %d\n", what, outcome(got), (int)caught);
	if (got == -1)
		status = reap(pid);
	say_status("child", status);
	caught = 0;
	pid = helper(fds[1]);
	struct timespec ts = {1, 0}, left = {0, 0};
	int r = nanosleep(&ts, &left);

	say("%s nanosleep: %s, handler %d, some is left %d\n", what, outcome(r), (int)caught,
	    left.tv_sec == 0 && left.tv_nsec > 500000000);
	reap(pid);
	caught = 0;
	pid = helper(fds[1]);
	say("%s pause: %s", what, outcome(pause()));
	say(", handler %d\n", (int)caught);
	reap(pid);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	run("restart", SA_RESTART);
	run("plain", 0);
	return 0;
}
