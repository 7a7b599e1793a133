/*
 * stdlib.c - searching, sorting, arithmetic, pseudo-random numbers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

typedef int compare(const void *, const void *);

int abs(int n)
{
	return n < 0 ? -n : n;
}

long labs(long n)
{
	return n < 0 ? -n : n;
}

div_t div(int n, int d)
{
	return (div_t){n / d, n % d};
}

ldiv_t ldiv(long n, long d)
{
	return (ldiv_t){n / d, n % d};
}

void *bsearch(const void *key, const void *base, size_t n, size_t size, compare *cmp)
{
	const char *at = base;

	while (n) {
		const char *mid = at + n / 2 * size;
		int d = cmp(key, mid);

		if (d == 0)
			return (void *)mid;
		if (d > 0) {
			at = mid + size;
			n--;
		}
		n /= 2;
	}
	return NULL;
}

static void swap(char *a, char *b, size_t size)
{
	while (size--) {
		char c = *a;

		*a++ = *b;
		*b++ = c;
	}
}

/* Let element i sink in the heap of n. */
static void sink(char *base, size_t i, size_t n, size_t size, compare *cmp)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && cmp(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (cmp(base + i * size, base + child * size) >= 0)
			return;
		swap(base + i * size, base + child * size, size);
		i = child;
	}
}

/* Heapsort: in place, never worse than n log n. */
void qsort(void *base, size_t n, size_t size, compare *cmp)
{
	for (size_t i = n / 2; i-- > 0;)
		sink(base, i, n, size, cmp);
	while (n > 1) {
		n--;
		swap(base, (char *)base + n * size, size);
		sink(base, 0, n, size, cmp);
	}
}

/* xorshift32; 0 would stay 0 */
int rand_r(unsigned *seed)
{
	unsigned x = *seed ? *seed : 0x9e3779b9u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*seed = x;
	return x & RAND_MAX;
}

static unsigned seed = 1;

int rand(void)
{
	return rand_r(&seed);
}

void srand(unsigned s)
{
	seed = s;
}

long random(void)
{
	return rand();
}

void srandom(unsigned s)
{
	srand(s);
}
