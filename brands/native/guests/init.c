/*
 * init - first process of a zone: start the command given as arguments, if any,
 * then adopt and reap until SIGTERM, which ends the zone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static volatile int stopping;

static void on_term(int sig)
{
	stopping = sig;
}

static void on_child(int sig)
{
	(void)sig; /* only to end sigsuspend */
}

static void start(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		uint64_t none = 0;

		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		execve(argv[0], argv, environ);
		printf("init: %s: errno %d\n", argv[0], errno);
		_exit(127);
	}
	if (pid < 0)
		printf("init: fork: errno %d\n", errno);
	else
		printf("init: started %s as process %d\n", argv[0], pid);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFEXITED(status))
			printf("init: process %d exited with %d\n", pid, WEXITSTATUS(status));
		else
			printf("init: process %d was ended by signal %d\n", pid,
			       WTERMSIG(status));
	}
}

int main(int argc, char **argv)
{
	uint64_t block = SIGBIT(SIGTERM) | SIGBIT(SIGCHLD);

	/* blocked outside sigsuspend, so that nothing is missed between two looks */
	sigprocmask(SIG_BLOCK, &block, NULL);
	sigaction(SIGTERM, on_term, 0, 0);
	sigaction(SIGCHLD, on_child, 0, 0);
	printf("init: %s zone is up, process %d\n", BRAND_NAME, getpid());
	if (argc > 1)
		start(argv + 1);
	while (!stopping) {
		sigsuspend(0);
		reap();
	}
	printf("init: going down\n");
	kill(-1, SIGTERM);
	msleep(100);
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}
