/*
 * fmtdouble.c - %f, %e and %g, rounded exactly, halves to even.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "libc.h"

#define DIGITS ((DEC_INT + DEC_FRAC) * 9)
#define ROOM (DIGITS + 16)

/* All digits of a decimal as text; the point is after DEC_INT * 9 of them. */
static void to_text(const struct decimal *d, char *text)
{
	for (int i = 0; i < DEC_INT + DEC_FRAC; i++) {
		uint32_t w = d->w[i];

		for (int j = 8; j >= 0; j--, w /= 10)
			text[i * 9 + j] = '0' + w % 10;
	}
}

/* Round so that digits from `keep` on are 0; carries stay within the text. */
static void round_at(char *text, int keep)
{
	int up = 0;

	if (keep >= DIGITS)
		return;
	if (text[keep] > '5')
		up = 1;
	else if (text[keep] == '5') {
		up = keep > 0 && (text[keep - 1] & 1);
		for (int i = keep + 1; i < DIGITS; i++)
			up |= text[i] != '0';
	}
	memset(text + keep, '0', DIGITS - keep);
	while (up && --keep >= 0) {
		up = text[keep] == '9';
		text[keep] = up ? '0' : text[keep] + 1;
	}
}

static int first_digit(const char *text)
{
	int i = 0;

	while (i < DIGITS && text[i] == '0')
		i++;
	return i;
}

/* Digits from..., followed by zeros where the text has no more. */
static char *copy(char *out, const char *text, int from, int n)
{
	for (int i = 0; i < n; i++)
		*out++ = from + i < DIGITS ? text[from + i] : '0';
	return out;
}

static char *fixed(char *out, const char *text, int prec, int alt)
{
	int point = DEC_INT * 9, from = first_digit(text);

	if (from >= point)
		from = point - 1;
	out = copy(out, text, from, point - from);
	if (prec || alt)
		*out++ = '.';
	return copy(out, text, point, prec);
}

static char *scientific(char *out, const char *text, int prec, int alt, char letter)
{
	int from = first_digit(text), exp = 0;

	if (from < DIGITS)
		exp = DEC_INT * 9 - 1 - from;
	else
		from = 0;
	*out++ = text[from];
	if (prec || alt)
		*out++ = '.';
	out = copy(out, text, from + 1, prec);
	*out++ = letter;
	*out++ = exp < 0 ? '-' : '+';
	if (exp < 0)
		exp = -exp;
	if (exp >= 100)
		*out++ = '0' + exp / 100;
	*out++ = '0' + exp / 10 % 10;
	*out++ = '0' + exp % 10;
	return out;
}

/* %g: drop the zeros at the end of the fraction, before an exponent too. */
static char *trim(char *start, char *end, int has_exp)
{
	char *stop = end;

	while (has_exp && *--stop != 'e' && *stop != 'E')
		;
	char *cut = stop;

	if (!memchr(start, '.', stop - start))
		return end;
	while (cut[-1] == '0')
		cut--;
	if (cut[-1] == '.')
		cut--;
	memmove(cut, stop, end - stop);
	return cut + (end - stop);
}

static char *general(char *out, char *text, const struct spec *sp, int prec, char letter)
{
	char *start = out;

	if (prec == 0)
		prec = 1;
	round_at(text, first_digit(text) + prec);
	int from = first_digit(text);
	int exp = from < DIGITS ? DEC_INT * 9 - 1 - from : 0;
	int has_exp = exp < -4 || exp >= prec;

	if (has_exp)
		out = scientific(out, text, prec - 1, sp->alt, letter);
	else
		out = fixed(out, text, prec - 1 - exp, sp->alt);
	return sp->alt ? out : trim(start, out, has_exp);
}

void __format_double(struct sink *to, const struct spec *given, double v)
{
	struct decimal d;
	struct spec sp = *given;
	char text[DIGITS], buf[ROOM], *out = buf;
	int neg = __builtin_signbit(v) != 0;
	const char *sign = neg ? "-" : sp.plus ? "+" : sp.space ? " " : "";
	int upper = sp.conv >= 'A' && sp.conv <= 'Z';
	int prec = sp.prec < 0 ? 6 : sp.prec;

	if (v != v || v - v != 0) {
		const char *name = v != v ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");

		sp.zero = 0;
		__put_field(to, &sp, sign, 0, name, 3);
		return;
	}
	if (prec > DEC_FRAC * 9)
		prec = DEC_FRAC * 9;
	__dec_from_double(&d, v);
	to_text(&d, text);
	switch (sp.conv | 32) {
	case 'f':
		round_at(text, DEC_INT * 9 + prec);
		out = fixed(out, text, prec, sp.alt);
		break;
	case 'e':
		round_at(text, first_digit(text) + prec + 1);
		out = scientific(out, text, prec, sp.alt, sp.conv);
		break;
	default:
		out = general(out, text, &sp, prec, upper ? 'E' : 'e');
	}
	__put_field(to, &sp, sign, 0, buf, out - buf);
}
