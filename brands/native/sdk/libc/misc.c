/*
 * misc.c - parts of paths, the locale, a failed assertion.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <libgen.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *basename(char *path)
{
	size_t n = path ? strlen(path) : 0;

	if (n == 0)
		return ".";
	while (n > 1 && path[n - 1] == '/')
		path[--n] = 0;
	char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

char *dirname(char *path)
{
	size_t n = path ? strlen(path) : 0;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = 0;
	char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash)
		return ".";
	while (slash > path && slash[-1] == '/')
		slash--;
	if (slash == path)
		return "/";
	*slash = 0;
	return path;
}

char *setlocale(int category, const char *locale)
{
	(void)category;
	if (locale && *locale && strcmp(locale, "C") != 0 && strcmp(locale, "POSIX") != 0)
		return NULL;
	return "C";
}

void __assert_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "Assertion failed: %s, file %s, line %d\n", what, file, line);
	abort();
}
