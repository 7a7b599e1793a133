/*
 * strtod.c - text to double, correctly rounded.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "libc.h"

#define MAX_DIGITS 800 /* more can't change the result but by being there */

struct digits {
	char digit[MAX_DIGITS];
	int n;
	int point; /* digits before the point; may be negative or beyond n */
	int sticky; /* some that are not 0 were dropped */
};

static void add(struct digits *g, int digit, int behind_point)
{
	if (g->n == 0 && digit == 0) {
		g->point -= behind_point;
		return;
	}
	if (g->n < MAX_DIGITS)
		g->digit[g->n++] = digit;
	else
		g->sticky |= digit != 0;
	g->point += !behind_point;
}

/* Digits, a point, more digits; NULL if there is none. */
static const char *mantissa(const char *s, struct digits *g)
{
	int seen = 0;

	for (; isdigit((unsigned char)*s); s++, seen = 1)
		add(g, *s - '0', 0);
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s); s++, seen = 1)
			add(g, *s - '0', 1);
	return seen ? s : NULL;
}

static const char *exponent(const char *s, struct digits *g)
{
	const char *e = s + 1;
	int neg = *e == '-', exp = 0;

	if ((*s | 32) != 'e')
		return s;
	if (*e == '-' || *e == '+')
		e++;
	if (!isdigit((unsigned char)*e))
		return s;
	for (; isdigit((unsigned char)*e); e++)
		if (exp < 100000)
			exp = exp * 10 + (*e - '0');
	g->point += neg ? -exp : exp;
	return e;
}

static double value(struct digits *g)
{
	static const uint32_t power[] = {100000000, 10000000, 1000000, 100000, 10000,
					 1000, 100, 10, 1};
	struct decimal d;
	double v;

	if (g->n == 0)
		return 0;
	if (g->point > 310) {
		errno = ERANGE;
		return __builtin_inf();
	}
	if (g->point < -330) {
		errno = ERANGE;
		return 0;
	}
	memset(&d, 0, sizeof d);
	for (int i = 0; i < g->n; i++) {
		int at = DEC_INT * 9 - g->point + i;

		if (at < (DEC_INT + DEC_FRAC) * 9)
			d.w[at / 9] += g->digit[i] * power[at % 9];
	}
	v = __dec_to_double(&d, g->sticky);
	if (v - v != 0 || v < 0x1p-1022)
		errno = ERANGE;
	return v;
}

static double named(const char **s)
{
	double v = 0;

	if (strncasecmp(*s, "inf", 3) == 0) {
		*s += strncasecmp(*s, "infinity", 8) == 0 ? 8 : 3;
		v = __builtin_inf();
	} else if (strncasecmp(*s, "nan", 3) == 0) {
		*s += 3;
		v = __builtin_nan("");
	}
	return v;
}

double strtod(const char *restrict s, char **restrict end)
{
	struct digits g = {.n = 0};
	const char *at = s, *after;
	double v;

	while (isspace((unsigned char)*at))
		at++;
	int neg = *at == '-';

	if (*at == '-' || *at == '+')
		at++;
	after = mantissa(at, &g);
	if (after) {
		after = exponent(after, &g);
		v = value(&g);
	} else {
		after = at;
		v = named(&after);
	}
	if (end)
		*end = (char *)(after == at ? s : after);
	return neg ? -v : v;
}

float strtof(const char *restrict s, char **restrict end)
{
	return (float)strtod(s, end);
}

double atof(const char *s)
{
	return strtod(s, NULL);
}
