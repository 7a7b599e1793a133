/*
 * strdup.c - copies of strings on the heap, and strtok's memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

char *strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = 0;
	return copy;
}

char *strdup(const char *s)
{
	return strndup(s, strlen(s));
}

char *strtok(char *restrict s, const char *restrict delim)
{
	static __thread char *last;

	return strtok_r(s, delim, &last);
}
