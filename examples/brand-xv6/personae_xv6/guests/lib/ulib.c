/* ulib.c - start, strings, output and checks.  SPDX-License-Identifier: MIT */
#include "user.h"

int main(int argc, char **argv);

void start(int argc, char **argv)
{
	exit(main(argc, argv));
}

uint strlen(const char *s)
{
	uint n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (uchar)*a - (uchar)*b;
}

void *memset(void *p, int c, uint n)
{
	char *at = p;

	while (n--)
		*at++ = c;
	return p;
}

void *memcpy(void *to, const void *from, uint n)
{
	char *t = to;
	const char *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void puts(const char *s)
{
	write(1, s, strlen(s));
}

void putn(long n)
{
	char text[24];
	char *at = text + sizeof(text) - 1;
	unsigned long u = n < 0 ? -(unsigned long)n : (unsigned long)n;

	*at = 0;
	do
		*--at = '0' + u % 10;
	while (u /= 10);
	if (n < 0)
		*--at = '-';
	puts(at);
}

static int checks, failed;
static const char *cited = "xv6-riscv";

void cite(const char *file)
{
	cited = file;
}

void check(int ok, const char *what)
{
	if (!checks)
		puts("KTAP version 1\n");
	checks++;
	failed += !ok;
	puts(ok ? "ok " : "not ok ");
	putn(checks);
	puts(" ");
	puts(what);
	puts(" # ");
	puts(cited);
	puts("\n");
}

void check_eq(long got, long want, const char *what)
{
	check(got == want, what);
	if (got != want) {
		puts("# got ");
		putn(got);
		puts(", want ");
		putn(want);
		puts("\n");
	}
}

int done(void)
{
	puts("1..");
	putn(checks);
	puts("\n");
	return failed != 0;
}
