/*
 * cat [-u] [FILE...] - what is in the files; - is the standard input.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int copy(int fd, const char *name)
{
	static char buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) > 0)
		for (ssize_t done = 0, part; done < n; done += part) {
			part = write(1, buf + done, n - done);
			if (part == -1) {
				perror("cat: write");
				return 1;
			}
		}
	if (n == -1)
		fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
	return n != 0;
}

int main(int argc, char **argv)
{
	int i = argc > 1 && strcmp(argv[1], "-u") == 0 ? 2 : 1, failed = 0;

	if (i == argc)
		return copy(0, "standard input");
	for (; i < argc; i++) {
		int fd = strcmp(argv[i], "-") == 0 ? 0 : open(argv[i], O_RDONLY);

		if (fd == -1) {
			fprintf(stderr, "cat: cannot open %s: %s\n", argv[i], strerror(errno));
			failed = 2;
			continue;
		}
		failed |= copy(fd, argv[i]);
		if (fd)
			close(fd);
	}
	return failed;
}
