/*
 * strtol.c - text to integers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

static int digit_of(int c)
{
	return isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : 99;
}

/* The magnitude; *over: it is more than an unsigned long holds. */
static unsigned long magnitude(const char *s, char **end, int base, int *neg, int *over)
{
	const char *at = s;
	unsigned long n = 0;
	int any = 0;

	*over = 0;
	while (isspace((unsigned char)*at))
		at++;
	*neg = *at == '-';
	if (*at == '-' || *at == '+')
		at++;
	if ((base == 0 || base == 16) && *at == '0' && (at[1] | 32) == 'x' &&
	    isxdigit((unsigned char)at[2])) {
		at += 2;
		base = 16;
	}
	if (base == 0)
		base = *at == '0' ? 8 : 10;
	for (; digit_of((unsigned char)*at) < base; at++, any = 1) {
		unsigned long digit = digit_of((unsigned char)*at);

		if (__builtin_mul_overflow(n, (unsigned long)base, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			*over = 1;
	}
	if (end)
		*end = (char *)(any ? at : s);
	return n;
}

static int bad_base(const char *s, char **end, int base)
{
	if (base == 0 || (base >= 2 && base <= 36))
		return 0;
	if (end)
		*end = (char *)s;
	errno = EINVAL;
	return 1;
}

long strtol(const char *restrict s, char **restrict end, int base)
{
	int neg, over;

	if (bad_base(s, end, base))
		return 0;
	unsigned long n = magnitude(s, end, base, &neg, &over);

	if (over || n > (unsigned long)LONG_MAX + neg) {
		errno = ERANGE;
		return neg ? LONG_MIN : LONG_MAX;
	}
	return neg ? -n : n;
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
	int neg, over;

	if (bad_base(s, end, base))
		return 0;
	unsigned long n = magnitude(s, end, base, &neg, &over);

	if (over) {
		errno = ERANGE;
		return ULONG_MAX;
	}
	return neg ? -n : n;
}

long long strtoll(const char *restrict s, char **restrict end, int base)
{
	return strtol(s, end, base);
}

unsigned long long strtoull(const char *restrict s, char **restrict end, int base)
{
	return strtoul(s, end, base);
}

intmax_t strtoimax(const char *s, char **end, int base)
{
	return strtol(s, end, base);
}

uintmax_t strtoumax(const char *s, char **end, int base)
{
	return strtoul(s, end, base);
}

int atoi(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

long atol(const char *s)
{
	return strtol(s, NULL, 10);
}

long long atoll(const char *s)
{
	return strtol(s, NULL, 10);
}
