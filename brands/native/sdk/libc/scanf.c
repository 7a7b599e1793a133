/*
 * scanf.c - formatted input: d i u o x c s [ n p and floating point.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "libc.h"

#define WORD 512 /* longest number that is read */

struct scan {
	FILE *f;
	size_t taken; /* characters so far */
	int failed; /* of input: EOF before anything */
};

static int next(struct scan *in)
{
	int c = __fget(in->f);

	if (c == EOF)
		in->failed = 1;
	else
		in->taken++;
	return c;
}

static void back(struct scan *in, int c)
{
	if (c == EOF)
		return;
	ungetc(c, in->f);
	in->taken--;
}

static void skip_space(struct scan *in)
{
	int c;

	while (isspace(c = next(in)))
		;
	back(in, c);
	in->failed = 0;
}

struct conversion {
	int suppress;
	int width; /* 0: none */
	char length;
	char conv;
	char set[256]; /* of %[: which characters belong */
};

static const char *parse_set(const char *fmt, char *set)
{
	int negate = *fmt == '^';

	fmt += negate;
	memset(set, negate, 256);
	do {
		unsigned char from = *fmt++, to = from;

		if (!from)
			return fmt - 1;
		if (*fmt == '-' && fmt[1] != ']' && fmt[1]) {
			to = fmt[1];
			fmt += 2;
		}
		for (int c = from; c <= to; c++)
			set[c] = !negate;
	} while (*fmt && *fmt != ']');
	return fmt + (*fmt == ']');
}

static const char *parse(const char *fmt, struct conversion *c)
{
	c->suppress = *fmt == '*';
	fmt += c->suppress;
	for (c->width = 0; isdigit((unsigned char)*fmt); fmt++)
		c->width = c->width * 10 + (*fmt - '0');
	for (c->length = 0; *fmt && strchr("hlLjzt", *fmt); fmt++)
		c->length = *fmt == 'h' ? (c->length == 'h' ? 'H' : 'h') : 'l';
	c->conv = *fmt ? *fmt++ : 0;
	if (c->conv == '[')
		fmt = parse_set(fmt, c->set);
	return fmt;
}

static int belongs(const struct conversion *c, int ch)
{
	return c->conv == 's' ? !isspace(ch) : c->conv == '[' ? c->set[ch] : 1;
}

/* %c %s %[; the number of characters */
static int text(struct scan *in, const struct conversion *c, char *to)
{
	int max = c->width ? c->width : c->conv == 'c' ? 1 : -1, n = 0, ch;

	while (n != max && (ch = next(in)) != EOF) {
		if (!belongs(c, ch)) {
			back(in, ch);
			break;
		}
		n++;
		if (to)
			*to++ = ch;
	}
	if (to && c->conv != 'c')
		*to = 0;
	return c->conv == 'c' && n != max ? 0 : n;
}

/* Whether a character can go on a number that is read so far. */
static int goes_on(const char *word, int n, int ch, int base, int real)
{
	char last = n ? word[n - 1] | 32 : 0;

	if (ch == '-' || ch == '+')
		return n == 0 || (real && last == 'e');
	if (real)
		return isdigit(ch) || (ch == '.' && !memchr(word, '.', n)) ||
		       ((ch | 32) == 'e' && n && !memchr(word, 'e', n)) ||
		       (isalpha(ch) && strchr("infaty", ch | 32) && !isdigit(last));
	if ((ch | 32) == 'x')
		return (base == 0 || base == 16) && last == '0' && n <= 2;
	return base == 16 || (base == 0 && n > 1 && (memchr(word, 'x', n) != NULL))
		? isxdigit(ch) : base == 8 ? isdigit(ch) && ch < '8' : isdigit(ch);
}

static int base_of(char conv)
{
	switch (conv) {
	case 'd':
	case 'u':
		return 10;
	case 'o':
		return 8;
	case 'x':
	case 'X':
	case 'p':
		return 16;
	default:
		return 0;
	}
}

static void store(const struct conversion *c, void *to, long v)
{
	char length = c->conv == 'p' ? 'l' : c->length;

	if (length == 'l')
		*(long *)to = v;
	else if (length == 'h')
		*(short *)to = v;
	else if (length == 'H')
		*(char *)to = v;
	else
		*(int *)to = v;
}

/* A number; 0 when there is none. */
static int number(struct scan *in, const struct conversion *c, void *to)
{
	char word[WORD], *end;
	int base = base_of(c->conv), n = 0, ch = EOF;
	int real = strchr("fFeEgG", c->conv) != NULL;
	int max = c->width && c->width < WORD - 1 ? c->width : WORD - 1;

	while (n < max && (ch = next(in)) != EOF) {
		if (!goes_on(word, n, ch, base, real)) {
			back(in, ch);
			break;
		}
		word[n++] = ch;
	}
	word[n] = 0;
	if (real) {
		double v = strtod(word, &end);

		if (end != word && to && c->length == 'l')
			*(double *)to = v;
		else if (end != word && to)
			*(float *)to = v;
	} else {
		long v = c->conv == 'd' || c->conv == 'i'
				 ? strtol(word, &end, base)
				 : (long)strtoul(word, &end, base);

		if (end != word && to)
			store(c, to, v);
	}
	return end != word;
}

static int convert(struct scan *in, const struct conversion *c, void *to)
{
	if (c->conv != 'c' && c->conv != '[')
		skip_space(in);
	if (c->conv == 'c' || c->conv == 's' || c->conv == '[')
		return text(in, c, to) > 0;
	return number(in, c, to);
}

/* One character of the format that is no conversion. */
static int literal(struct scan *in, int want)
{
	int c;

	if (isspace(want)) {
		skip_space(in);
		return 1;
	}
	c = next(in);
	if (c == want)
		return 1;
	back(in, c);
	return 0;
}

int vfscanf(FILE *restrict f, const char *restrict fmt, va_list args)
{
	struct scan in = {f, 0, 0};
	struct conversion c;
	int done = 0;
	va_list ap;

	va_copy(ap, args);
	mutex_lock(&f->lock);
	while (*fmt) {
		if (*fmt != '%' || fmt[1] == '%') {
			if (*fmt == '%')
				fmt++;
			if (!literal(&in, (unsigned char)*fmt++))
				break;
			continue;
		}
		fmt = parse(fmt + 1, &c);
		void *to = c.suppress ? NULL : va_arg(ap, void *);

		if (c.conv == 'n') {
			store(&c, to, in.taken);
			continue;
		}
		if (!convert(&in, &c, to))
			break;
		done += !c.suppress;
		in.failed = 0;
	}
	mutex_unlock(&f->lock);
	va_end(ap);
	return done == 0 && in.failed ? EOF : done;
}

int vsscanf(const char *restrict s, const char *restrict fmt, va_list ap)
{
	unsigned char *text = (unsigned char *)s;
	FILE f = {.fd = -1, .flags = F_READ | F_STRING, .buf = text, .pos = text,
		  .end = text + strlen(s), .lock = RECURSIVEMUTEX};

	return vfscanf(&f, fmt, ap);
}

int vscanf(const char *restrict fmt, va_list ap)
{
	return vfscanf(stdin, fmt, ap);
}

int scanf(const char *restrict fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vfscanf(stdin, fmt, ap);
	va_end(ap);
	return n;
}

int fscanf(FILE *restrict f, const char *restrict fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vfscanf(f, fmt, ap);
	va_end(ap);
	return n;
}

int sscanf(const char *restrict s, const char *restrict fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsscanf(s, fmt, ap);
	va_end(ap);
	return n;
}
