/*
 * forkstep [fork|vfork] [ROUNDS] - fork or vfork ROUNDS times (2) and print what
 * came of each: the errno, or the status of the child.  The status of the program is
 * the number of failures.  Made for tests that let one step of a fork fail.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	int is_vfork = argc > 1 && strcmp(argv[1], "vfork") == 0;
	const char *name = is_vfork ? "vfork" : "fork";
	volatile long rounds = argc > 2 ? atol(argv[2]) : 2;
	volatile int failed = 0;

	for (volatile long i = 1; i <= rounds; i++) {
		int status = -1;
		pid_t pid = is_vfork ? vfork() : fork();

		if (pid == 0)
			_exit(40 + (i & 7));
		if (pid < 0) {
			printf("%s %ld: errno %d\n", name, i, errno);
			failed++;
		} else if (waitpid(pid, &status, 0) == pid) {
			printf("%s %ld: child exited with %d\n", name, i, WEXITSTATUS(status));
		} else {
			printf("%s %ld: wait: errno %d\n", name, i, errno);
			return 100;
		}
	}
	return failed;
}
