/*
 * env.c - the environment.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **own; /* the vector, once it is of our making */

static char **find(const char *name, size_t len)
{
	for (char **e = environ; e && *e; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return e;
	return NULL;
}

char *getenv(const char *name)
{
	size_t len = strlen(name);
	char **e = find(name, len);

	return e ? *e + len + 1 : NULL;
}

static int bad(const char *name)
{
	if (name && *name && !strchr(name, '='))
		return 0;
	errno = EINVAL;
	return 1;
}

/* The text becomes part of the environment. */
int putenv(char *setting)
{
	const char *equals = strchr(setting, '=');
	size_t n = 0;

	if (!equals)
		return unsetenv(setting);
	char **e = find(setting, equals - setting);

	if (e) {
		*e = setting;
		return 0;
	}
	while (environ && environ[n])
		n++;
	char **grown = realloc(own, (n + 2) * sizeof *grown);

	if (!grown)
		return -1;
	if (environ != own && n)
		memcpy(grown, environ, n * sizeof *grown);
	grown[n] = setting;
	grown[n + 1] = NULL;
	environ = own = grown;
	return 0;
}

int setenv(const char *name, const char *value, int overwrite)
{
	size_t len, size;
	char *setting;

	if (bad(name))
		return -1;
	len = strlen(name);
	if (!overwrite && find(name, len))
		return 0;
	size = len + strlen(value) + 2;
	setting = malloc(size);
	if (!setting)
		return -1;
	strlcpy(setting, name, size);
	strlcat(setting, "=", size);
	strlcat(setting, value, size);
	return putenv(setting);
}

int unsetenv(const char *name)
{
	char **e;

	if (bad(name))
		return -1;
	while ((e = find(name, strlen(name))))
		do
			e[0] = e[1];
		while (*e++);
	return 0;
}

int clearenv(void)
{
	environ = NULL;
	free(own);
	own = NULL;
	return 0;
}
