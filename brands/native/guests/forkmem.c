/*
 * forkmem MIB [N] - touch MIB mebibytes, then fork N times (30); each child stores
 * into one of the pages and exits.  For measuring that a fork costs the same whatever
 * the size of the process.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? atol(argv[1]) : 1) << 20;
	long n = argc > 2 ? atol(argv[2]) : 30;
	char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	if (mem == MAP_FAILED) {
		printf("forkmem: mmap: errno %d\n", errno);
		return 1;
	}
	for (size_t i = 0; i < size; i += 4096)
		mem[i] = i >> 12;
	printf("forkmem: %ld MiB touched\n", (long)(size >> 20));
	for (long i = 0; i < n; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			mem[(size_t)i * 4096 % size] = 99;
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
			printf("forkmem: cycle %ld: pid %d errno %d\n", i, pid, errno);
			return 1;
		}
	}
	for (size_t i = 0; i < size; i += 4096)
		if (mem[i] != (char)(i >> 12)) {
			printf("forkmem: page %ld has changed\n", (long)(i >> 12));
			return 1;
		}
	printf("forkmem: %ld forks ok\n", n);
	return 0;
}
