/*
 * printf.c - formatted output.  Each call is one write(2), so lines of several
 * processes never mix.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

struct out {
	char *buf;
	size_t size;
	size_t n; /* what it would have been, as C says */
};

static void put(struct out *o, char c)
{
	if (o->n + 1 < o->size)
		o->buf[o->n] = c;
	o->n++;
}

static void put_str(struct out *o, const char *s, int width)
{
	size_t len = strlen(s);

	while (width-- > (int)len)
		put(o, ' ');
	while (*s)
		put(o, *s++);
}

static void put_num(struct out *o, uint64_t v, int base, int neg, int width, int zero)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	width -= n + neg;
	while (!zero && width-- > 0)
		put(o, ' ');
	if (neg)
		put(o, '-');
	while (zero && width-- > 0)
		put(o, '0');
	while (n)
		put(o, digits[--n]);
}

static void put_signed(struct out *o, int64_t v, int width, int zero)
{
	put_num(o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, width, zero);
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {buf, size, 0};

	for (; *fmt; fmt++) {
		int width = 0, zero = 0, is_long = 0;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt++;
		zero = *fmt == '0';
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (*fmt - '0');
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			is_long = 1;
		switch (*fmt) {
		case 'd':
			put_signed(&o, is_long ? va_arg(ap, long) : va_arg(ap, int), width, zero);
			break;
		case 'u':
			put_num(&o, is_long ? va_arg(ap, unsigned long) : va_arg(ap, unsigned),
				10, 0, width, zero);
			break;
		case 'x':
			put_num(&o, is_long ? va_arg(ap, unsigned long) : va_arg(ap, unsigned),
				16, 0, width, zero);
			break;
		case 'p':
			put_str(&o, "0x", 0);
			put_num(&o, (uintptr_t)va_arg(ap, void *), 16, 0, 0, 0);
			break;
		case 's':
			put_str(&o, va_arg(ap, const char *), width);
			break;
		case 'c':
			put(&o, va_arg(ap, int));
			break;
		default:
			put(&o, *fmt);
		}
	}
	if (size)
		buf[o.n < size ? o.n : size - 1] = 0;
	return o.n;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

static int vdprintf(int fd, const char *fmt, va_list ap)
{
	char line[1024];
	int n = vsnprintf(line, sizeof line, fmt, ap);

	return write(fd, line, n < (int)sizeof line ? n : (int)sizeof line - 1);
}

int dprintf(int fd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vdprintf(fd, fmt, ap);
	va_end(ap);
	return n;
}

int printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vdprintf(1, fmt, ap);
	va_end(ap);
	return n;
}
