/*
 * echo [-n] [WORD...] - the words, and a newline.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int newline = !(argc > 1 && strcmp(argv[1], "-n") == 0);

	for (int i = 2 - newline; i < argc; i++)
		printf("%s%s", argv[i], i + 1 < argc ? " " : "");
	if (newline)
		putchar('\n');
	return 0;
}
