/*
 * format.c - the engine of printf: a format and its arguments into a sink.
 *
 * The flags, widths, precisions and lengths of C; no %n, no positions.  Floating
 * point is in fmtdouble.c, and only there when something refers to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <string.h>

#include "libc.h"

#pragma weak __format_double

static void put_n(struct sink *to, char c, long n)
{
	char run[16];

	memset(run, c, sizeof run);
	for (; n > 0; n -= sizeof run) {
		size_t part = n < (long)sizeof run ? (size_t)n : sizeof run;

		to->put(to, run, part);
		to->total += part;
	}
}

static void put_s(struct sink *to, const char *s, size_t n)
{
	to->put(to, s, n);
	to->total += n;
}

/* A number or text in its field: prefix, zeros, digits, padded as asked. */
void __put_field(struct sink *to, const struct spec *sp, const char *prefix,
		 size_t zeros, const char *digits, size_t n)
{
	long pad = sp->width - (long)(strlen(prefix) + zeros + n);

	if (!sp->left && !sp->zero)
		put_n(to, ' ', pad);
	put_s(to, prefix, strlen(prefix));
	if (!sp->left && sp->zero)
		put_n(to, '0', pad);
	put_n(to, '0', zeros);
	put_s(to, digits, n);
	if (sp->left)
		put_n(to, ' ', pad);
}

static void put_unsigned(struct sink *to, struct spec *sp, const char *sign, uint64_t v)
{
	char digits[24], *at = digits + sizeof digits;
	int upper = sp->conv == 'X';
	unsigned base = sp->conv == 'o' ? 8 : sp->conv == 'x' || upper ? 16 : 10;
	uint64_t rest = v;

	for (; rest; rest /= base)
		*--at = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[rest % base];
	long n = digits + sizeof digits - at;
	long zeros = (sp->prec < 0 ? 1 : sp->prec) - n;

	if (sp->prec >= 0)
		sp->zero = 0;
	if (sp->alt && base == 8 && zeros <= 0)
		zeros = 1;
	if (sp->alt && base == 16 && v)
		sign = upper ? "0X" : "0x";
	__put_field(to, sp, sign, zeros > 0 ? zeros : 0, at, n);
}

static void put_signed(struct sink *to, struct spec *sp, int64_t v)
{
	const char *sign = v < 0 ? "-" : sp->plus ? "+" : sp->space ? " " : "";

	put_unsigned(to, sp, sign, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static void put_text(struct sink *to, struct spec *sp, const char *s)
{
	if (!s)
		s = "(null)";
	sp->zero = 0;
	__put_field(to, sp, "", 0, s, sp->prec >= 0 ? strnlen(s, sp->prec) : strlen(s));
}

static const char *parse_flags(const char *fmt, struct spec *sp)
{
	for (;; fmt++)
		switch (*fmt) {
		case '-':
			sp->left = 1;
			break;
		case '+':
			sp->plus = 1;
			break;
		case ' ':
			sp->space = 1;
			break;
		case '#':
			sp->alt = 1;
			break;
		case '0':
			sp->zero = 1;
			break;
		default:
			return fmt;
		}
}

static const char *number(const char *fmt, int *n)
{
	for (*n = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
		*n = *n * 10 + (*fmt - '0');
	return fmt;
}

static const char *parse_width(const char *fmt, struct spec *sp, va_list *ap)
{
	if (*fmt == '*') {
		sp->width = va_arg(*ap, int);
		if (sp->width < 0) {
			sp->left = 1;
			sp->width = -sp->width;
		}
		fmt++;
	} else
		fmt = number(fmt, &sp->width);
	if (*fmt != '.')
		return fmt;
	if (*++fmt != '*')
		return number(fmt, &sp->prec);
	sp->prec = va_arg(*ap, int);
	if (sp->prec < 0)
		sp->prec = -1;
	return fmt + 1;
}

/* The length of the argument as a letter: h twice is H, ll, j, z and t are l. */
static const char *parse_length(const char *fmt, char *length)
{
	*length = 0;
	for (;; fmt++)
		switch (*fmt) {
		case 'h':
			*length = *length == 'h' ? 'H' : 'h';
			break;
		case 'l':
		case 'j':
		case 'z':
		case 't':
			*length = 'l';
			break;
		case 'L':
			*length = 'L';
			break;
		default:
			return fmt;
		}
}

static int64_t signed_arg(char length, va_list *ap)
{
	if (length == 'l')
		return va_arg(*ap, long);
	int v = va_arg(*ap, int);

	return length == 'h' ? (short)v : length == 'H' ? (signed char)v : v;
}

static uint64_t unsigned_arg(char length, va_list *ap)
{
	if (length == 'l')
		return va_arg(*ap, unsigned long);
	unsigned v = va_arg(*ap, unsigned);

	return length == 'h' ? (unsigned short)v : length == 'H' ? (unsigned char)v : v;
}

static void convert(struct sink *to, struct spec *sp, char length, va_list *ap)
{
	char c;

	switch (sp->conv) {
	case 'd':
	case 'i':
		put_signed(to, sp, signed_arg(length, ap));
		break;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		put_unsigned(to, sp, "", unsigned_arg(length, ap));
		break;
	case 'p':
		sp->conv = 'x';
		put_unsigned(to, sp, "0x", (uintptr_t)va_arg(*ap, void *));
		break;
	case 's':
		put_text(to, sp, va_arg(*ap, const char *));
		break;
	case 'c':
		c = va_arg(*ap, int);
		sp->zero = 0;
		__put_field(to, sp, "", 0, &c, 1);
		break;
	case '%':
		put_s(to, "%", 1);
		break;
	default:
		if (__format_double && sp->conv && strchr("fFeEgG", sp->conv))
			__format_double(to, sp, va_arg(*ap, double));
		else
			put_s(to, &sp->conv, sp->conv != 0);
	}
}

/* The number of characters, as C says. */
int __format(struct sink *to, const char *fmt, va_list args)
{
	va_list ap;
	char length;

	va_copy(ap, args);
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");
		struct spec sp = {.prec = -1};

		if (plain) {
			put_s(to, fmt, plain);
			fmt += plain;
			continue;
		}
		fmt = parse_flags(fmt + 1, &sp);
		fmt = parse_width(fmt, &sp, &ap);
		fmt = parse_length(fmt, &length);
		sp.conv = *fmt;
		if (*fmt)
			fmt++;
		convert(to, &sp, length, &ap);
	}
	va_end(ap);
	return to->total;
}
