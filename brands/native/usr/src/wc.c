/*
 * wc [-lwc] [FILE...] - lines, words and bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct counts {
	long n[3];
};
static int show[3];

static struct counts count(FILE *f)
{
	struct counts c = {{0, 0, 0}};
	int byte, in_word = 0;

	while ((byte = getc(f)) != EOF) {
		c.n[2]++;
		c.n[0] += byte == '\n';
		c.n[1] += !isspace(byte) && !in_word;
		in_word = !isspace(byte);
	}
	return c;
}

static void print(const struct counts *c, const char *name)
{
	for (int i = 0; i < 3; i++)
		if (show[i])
			printf(" %7ld", c->n[i]);
	printf("%s%s\n", *name ? " " : "", name);
}

int main(int argc, char **argv)
{
	struct counts total = {{0, 0, 0}};
	int c, failed = 0, many;

	while ((c = getopt(argc, argv, "lwc")) != -1)
		if (c == '?')
			return 2;
		else
			show[strchr("lwc", c) - "lwc"] = 1;
	if (!show[0] && !show[1] && !show[2])
		show[0] = show[1] = show[2] = 1;
	many = argc - optind > 1;
	if (optind == argc) {
		total = count(stdin);
		print(&total, "");
	}
	for (int i = optind; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");

		if (!f) {
			fprintf(stderr, "wc: %s: %s\n", argv[i], strerror(errno));
			failed = 1;
			continue;
		}
		struct counts one = count(f);

		fclose(f);
		for (int j = 0; j < 3; j++)
			total.n[j] += one.n[j];
		print(&one, argv[i]);
	}
	if (many)
		print(&total, "total");
	return failed;
}
