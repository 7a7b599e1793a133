/*
 * exec.c - the family of exec.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libc.h"

#define DEFAULT_PATH "/usr/bin:/bin"
#define MAX_PATH 1024

int execve(const char *path, char *const argv[], char *const envp[])
{
	return syscall(SYS_execve, path, argv, envp);
}

int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

/*
 * Try a file in each folder of PATH, or as it stands if it has a slash.  `try` returns
 * only if it failed; the error is what counts most: EACCES before ENOENT.
 */
int __exec_path(const char *file, int (*try)(const char *path, void *arg), void *arg)
{
	const char *path = getenv("PATH");
	char full[MAX_PATH];
	int error = ENOENT;

	if (strchr(file, '/'))
		return try(file, arg);
	if (!*file) {
		errno = ENOENT;
		return -1;
	}
	for (path = path ? path : DEFAULT_PATH;; path++) {
		size_t n = strcspn(path, ":"), len = strlen(file);

		if (n + len + 2 <= sizeof full) {
			memcpy(full, path, n);
			full[n] = '/';
			strcpy(full + n + (n > 0), file);
			try(full, arg);
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
				return -1;
			if (errno == EACCES)
				error = EACCES;
		}
		path += n;
		if (!*path)
			break;
	}
	errno = error;
	return -1;
}

/* A file that is no program is a script of sh's (execvp(2)). */
static int run_script(const char *path, char *const argv[])
{
	int n = 0;

	while (argv[n])
		n++;
	char *args[n + 2];

	args[0] = "sh";
	args[1] = (char *)path;
	for (int i = 1; i <= n; i++)
		args[i + 1] = argv[i];
	if (n == 0)
		args[2] = NULL;
	return execve("/bin/sh", args, environ);
}

static int try_exec(const char *path, void *arg)
{
	char *const *argv = arg;

	execve(path, argv, environ);
	return errno == ENOEXEC ? run_script(path, argv) : -1;
}

int execvp(const char *file, char *const argv[])
{
	return __exec_path(file, try_exec, (void *)argv);
}

/* The arguments of the l-forms as a vector on the stack. */
#define COLLECT(argv, arg, after) \
	va_list ap; \
	int n = 1; \
	va_start(ap, arg); \
	while (va_arg(ap, char *)) \
		n++; \
	va_end(ap); \
	char *argv[n + 1]; \
	argv[0] = (char *)arg; \
	va_start(ap, arg); \
	for (int i = 1; i <= n; i++) \
		argv[i] = va_arg(ap, char *); \
	after; \
	va_end(ap)

int execl(const char *path, const char *arg, ...)
{
	COLLECT(argv, arg, );
	return execve(path, argv, environ);
}

int execlp(const char *file, const char *arg, ...)
{
	COLLECT(argv, arg, );
	return execvp(file, argv);
}

int execle(const char *path, const char *arg, ...)
{
	COLLECT(argv, arg, char *const *envp = va_arg(ap, char **));
	return execve(path, argv, envp);
}
