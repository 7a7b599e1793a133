/*
 * vforktest N - N times vfork; every second child execs this program again, the
 * others store into the parent's memory and exit.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;
	volatile long cell = -1;

	if (argc > 2) /* the program of an exec: exit with the status it was given */
		return atol(argv[2]);
	for (volatile long i = 0; i < n; i++) {
		char number[8];
		char *av[] = {argv[0], "0", number, NULL};
		int status = -1;

		snprintf(number, sizeof number, "%ld", i & 0x7f);
		pid_t pid = vfork();
		if (pid == 0) {
			cell = i;
			if (i & 1)
				execve(argv[0], av, environ);
			_exit(i & 1 ? 127 : i & 0x7f);
		}
		if (pid < 0) {
			printf("vforktest: cycle %ld: vfork: errno %d\n", i, errno);
			return 1;
		}
		if (cell != i) {
			printf("vforktest: cycle %ld: the child's store is not here\n", i);
			return 1;
		}
		pid_t got = waitpid(pid, &status, 0);
		if (got != pid || !WIFEXITED(status) || WEXITSTATUS(status) != (i & 0x7f)) {
			printf("vforktest: cycle %ld: wait gave %d status 0x%x errno %d\n", i,
			       got, status, errno);
			return 1;
		}
	}
	printf("vforktest: %ld cycles ok\n", n);
	return 0;
}
