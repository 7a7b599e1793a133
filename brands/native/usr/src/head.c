/*
 * head [-n N | -N] [FILE...] - the first lines.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void head(FILE *f, long lines)
{
	int c;

	while (lines > 0 && (c = getc(f)) != EOF) {
		putchar(c);
		lines -= c == '\n';
	}
	fflush(f); /* what was read too far is for others, if it can be given back */
}

int main(int argc, char **argv)
{
	long lines = 10;
	int i = 1, failed = 0;

	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		lines = atol(argv[2]);
		i = 3;
	} else if (argc > 1 && argv[1][0] == '-' && argv[1][1]) {
		lines = atol(argv[1] + (argv[1][1] == 'n' ? 2 : 1));
		i = 2;
	}
	if (lines <= 0) {
		fprintf(stderr, "usage: head [-n N | -N] [FILE...]\n");
		return 2;
	}
	if (i == argc)
		head(stdin, lines);
	for (int many = argc - i > 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");

		if (!f) {
			fprintf(stderr, "head: %s: %s\n", argv[i], strerror(errno));
			failed = 1;
			continue;
		}
		if (many)
			printf("==> %s <==\n", argv[i]);
		head(f, lines);
		fclose(f);
	}
	return failed;
}
