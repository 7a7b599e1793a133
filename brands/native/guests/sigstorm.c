/*
 * sigstorm N - four children send N signals each to their parent, which handles them
 * while it forks, waits, blocks, unblocks, stops and continues the children.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

#define KIDS 4

static volatile long handled, nested, depth;

static void on_usr(int sig)
{
	(void)sig;
	handled++;
	if (depth++)
		nested++;
	if (depth < 8 && handled % 16 == 0)
		raise(SIGUSR2);
	depth--;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1000;
	uint64_t set = SIGBIT(SIGUSR1);
	pid_t parent = getpid(), kid[KIDS];
	int left = KIDS, status;

	sigaction(SIGUSR1, on_usr, SA_NODEFER, 0);
	sigaction(SIGUSR2, on_usr, SA_RESTART, 0);
	for (int i = 0; i < KIDS; i++) {
		kid[i] = fork();
		if (kid[i] == 0) {
			for (long k = 0; k < n; k++)
				kill(parent, k & 1 ? SIGUSR1 : SIGUSR2);
			_exit(0);
		}
		if (kid[i] < 0)
			return 1;
	}
	for (long round = 0; left; round++) {
		sigprocmask(round & 1 ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
		kill(kid[round % KIDS], round & 1 ? SIGCONT : SIGSTOP);
		kill(kid[round % KIDS], SIGCONT);
		pid_t extra = fork();
		if (extra == 0)
			_exit(0);
		while (extra > 0 && waitpid(extra, &status, 0) == -1 && errno == EINTR)
			;
		while (waitpid(-1, &status, WNOHANG) > 0)
			left--;
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("sigstorm: %s\n", handled > 0 && depth == 0 ? "weathered" : "lost");
	return handled > 0 && depth == 0 ? 0 : 1;
}
