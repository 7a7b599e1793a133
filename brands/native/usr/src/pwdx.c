/*
 * pwdx PID... - working directories of processes (pwdx(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: pwdx PID...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		char path[64], cwd[1024];
		ssize_t n;

		snprintf(path, sizeof path, "/proc/%s/path/cwd", argv[i]);
		n = readlink(path, cwd, sizeof cwd - 1);
		if (n == -1) {
			fprintf(stderr, "pwdx: cannot examine %s: %s\n", argv[i], strerror(errno));
			failed = 1;
			continue;
		}
		cwd[n] = 0;
		printf("%s:\t%s\n", argv[i], cwd);
	}
	return failed;
}
