/*
 * forktest N - N times fork, exit and wait; each child's id and status is checked.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;
	volatile long seen = 0;

	for (long i = 0; i < n; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			seen = i + 1; /* in the child's copy only */
			_exit(i & 0x7f);
		}
		if (pid < 0) {
			printf("forktest: cycle %ld: fork: errno %d\n", i, errno);
			return 1;
		}
		pid_t got = waitpid(pid, &status, 0);
		if (got != pid || !WIFEXITED(status) || WEXITSTATUS(status) != (i & 0x7f)) {
			printf("forktest: cycle %ld: wait gave %d status 0x%x errno %d\n", i,
			       got, status, errno);
			return 1;
		}
		if (seen != 0) {
			printf("forktest: cycle %ld: a child's store reached the parent\n", i);
			return 1;
		}
	}
	if (waitpid(-1, NULL, 0) != -1 || errno != ECHILD) {
		printf("forktest: a child is left over\n");
		return 1;
	}
	printf("forktest: %ld cycles ok\n", n);
	return 0;
}
