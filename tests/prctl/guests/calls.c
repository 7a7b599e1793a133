/* calls WHAT: things that a controller looks at. */
#include "tiny.h"

static volatile int caught;

static void handler(int sig)
{
	caught += sig;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "fork";
	int status = 0;

	if (strcmp(what, "fork") == 0 || strcmp(what, "vfork") == 0) {
		pid_t pid = what[0] == 'v' ? vfork() : fork();
		if (pid == 0)
			_exit(5);
		waitpid(pid, &status, 0);
		return WEXITSTATUS(status);
	}
	if (strcmp(what, "signal") == 0) {
		signal(SIGUSR1, handler);
		kill(getpid(), SIGUSR1);
		return caught;
	}
	if (strcmp(what, "fault") == 0) {
		*(volatile long *)8 = 1;
		return 3;
	}
	if (strcmp(what, "write") == 0)
		return write(1, "hello\n", 6) == 6 ? 0 : 1;
	for (;;)
		getpid();
}
