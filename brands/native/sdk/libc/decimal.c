/*
 * decimal.c - doubles as decimal numbers with all their digits.
 *
 * A double is an integer times a power of two, so its decimal expansion ends.  Here
 * it is an array of base 10^9 words around a fixed point; doubling and halving are
 * exact, and both directions of the conversion are made of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libc.h"

#include <string.h>

#define BASE 1000000000u
#define WORDS (DEC_INT + DEC_FRAC)
#define STEP 29 /* bits that a word of digits can be shifted by and stay in 64 bits */
#define HALF 9 /* 2^9 divides 10^9 */

void __dec_double(struct decimal *d, int times)
{
	while (times > 0) {
		int n = times < STEP ? times : STEP;
		uint64_t carry = 0;

		for (int i = WORDS - 1; i >= 0; i--) {
			carry += (uint64_t)d->w[i] << n;
			d->w[i] = carry % BASE;
			carry /= BASE;
		}
		times -= n;
	}
}

/* What falls off the end is told in *sticky. */
void __dec_halve(struct decimal *d, int times, int *sticky)
{
	while (times > 0) {
		int n = times < HALF ? times : HALF;
		uint32_t carry = 0;

		for (int i = 0; i < WORDS; i++) {
			uint32_t w = d->w[i];

			d->w[i] = (w >> n) + carry;
			carry = (w & ((1u << n) - 1)) * (BASE >> n);
		}
		*sticky |= carry != 0;
		times -= n;
	}
}

/* A finite double, without its sign. */
void __dec_from_double(struct decimal *d, double v)
{
	union {
		double d;
		uint64_t u;
	} bits = {v};
	int exp = bits.u >> 52 & 0x7ff, lost = 0;
	uint64_t m = bits.u & ((UINT64_C(1) << 52) - 1);

	if (exp)
		m |= UINT64_C(1) << 52;
	else
		exp = 1;
	exp -= 1075;
	memset(d, 0, sizeof *d);
	d->w[DEC_INT - 1] = m % BASE;
	d->w[DEC_INT - 2] = m / BASE % BASE;
	if (exp > 0)
		__dec_double(d, exp);
	else
		__dec_halve(d, -exp, &lost);
}

static int integer_words(const struct decimal *d)
{
	int i = 0;

	while (i < DEC_INT && d->w[i] == 0)
		i++;
	return DEC_INT - i;
}

static int is_zero(const struct decimal *d, int from)
{
	for (int i = from; i < WORDS; i++)
		if (d->w[i])
			return 0;
	return 1;
}

/* The integer part, when it has no more than two words. */
static uint64_t integer(const struct decimal *d)
{
	return (uint64_t)d->w[DEC_INT - 2] * BASE + d->w[DEC_INT - 1];
}

static double build(uint64_t m, int exp)
{
	union {
		uint64_t u;
		double d;
	} bits;

	if (exp > 971)
		return __builtin_inf();
	if (m < UINT64_C(1) << 52) /* below the smallest normal number */
		bits.u = m;
	else
		bits.u = (uint64_t)(exp + 1075) << 52 | (m & ((UINT64_C(1) << 52) - 1));
	return bits.d;
}

/* The nearest double, ties to even; sticky: there is more behind the last digit. */
double __dec_to_double(struct decimal *d, int sticky)
{
	int exp = 0;

	if (is_zero(d, 0) && !sticky)
		return 0;
	/* Bring the integer part to 53 bits: m * 2^exp */
	while (integer_words(d) > 2 || integer(d) >= UINT64_C(1) << 53) {
		int n = integer_words(d) > 3 ? HALF : 1;

		__dec_halve(d, n, &sticky);
		exp += n;
	}
	while (integer(d) < UINT64_C(1) << 52 && exp > -1074) {
		int n = integer(d) < UINT64_C(1) << 23 ? STEP : 1;

		if (n > exp + 1074)
			n = exp + 1074;
		__dec_double(d, n);
		exp -= n;
	}
	uint64_t m = integer(d);
	uint32_t first = d->w[DEC_INT];
	int rest = sticky || !is_zero(d, DEC_INT + 1);

	if (first > BASE / 2 || (first == BASE / 2 && (rest || (m & 1))))
		m++;
	if (m == UINT64_C(1) << 53) {
		m >>= 1;
		exp++;
	}
	return build(m, exp);
}
