/*
 * execloop N - exec itself N times, keeping pid and descriptors, then exit.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;
	char left[24], pid[24];

	if (argc > 2 && atol(argv[2]) != getpid()) {
		printf("execloop: pid %d, was %s\n", getpid(), argv[2]);
		return 1;
	}
	if (n == 0) {
		printf("execloop: done\n");
		return 0;
	}
	snprintf(left, sizeof left, "%ld", n - 1);
	snprintf(pid, sizeof pid, "%d", getpid());
	char *av[] = {argv[0], left, pid, NULL};
	execve(argv[0], av, environ);
	printf("execloop: execve: errno %d\n", errno);
	return 1;
}
