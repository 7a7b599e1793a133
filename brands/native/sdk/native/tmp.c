/*
 * tmp.c - files of chance names, and the real path of a file.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES 100

int getentropy(void *buf, size_t n)
{
	if (n > 256) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_getrandom, buf, n, 0) == (long)n ? 0 : -1;
}

/* Put chance letters for the six X at the end. */
static int fill(char *template)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t n = strlen(template);
	unsigned char chance[6];

	if (n < 6 || getentropy(chance, sizeof chance) == -1)
		return -1;
	for (int i = 0; i < 6; i++)
		template[n - 6 + i] = letters[chance[i] % 64];
	return 0;
}

static int bad(const char *template)
{
	size_t n = strlen(template);

	if (n >= 6 && strcmp(template + n - 6, "XXXXXX") == 0)
		return 0;
	errno = EINVAL;
	return 1;
}

int mkostemp(char *template, int flags)
{
	if (bad(template))
		return -1;
	for (int i = 0; i < TRIES && fill(template) == 0; i++) {
		int fd = open(template, O_RDWR | O_CREAT | O_EXCL | flags, 0600);

		if (fd != -1 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int mkstemp(char *template)
{
	return mkostemp(template, 0);
}

char *mkdtemp(char *template)
{
	if (bad(template))
		return NULL;
	for (int i = 0; i < TRIES && fill(template) == 0; i++) {
		if (mkdir(template, 0700) == 0)
			return template;
		if (errno != EEXIST)
			break;
	}
	return NULL;
}

FILE *tmpfile(void)
{
	char name[] = "/tmp/tmpXXXXXX";
	int fd = mkstemp(name);

	if (fd == -1)
		return NULL;
	unlink(name);
	return fdopen(fd, "w+");
}

/* ---- real paths ---- */

/* Take the last name off. */
static void up(char *path)
{
	char *slash = strrchr(path, '/');

	*slash = 0;
}

/* Replace what is left to do by a link's target and the rest of it. */
static int follow(const char *link, char *rest, char *done)
{
	char target[PATH_MAX], after[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof target - 1);

	if (n == -1)
		return -1;
	target[n] = 0;
	if (*target == '/')
		*done = 0;
	else
		up(done);
	strlcpy(after, rest, sizeof after);
	if (snprintf(rest, PATH_MAX, "%s/%s", target, after) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

char *realpath(const char *restrict path, char *restrict resolved)
{
	char rest[PATH_MAX], done[PATH_MAX] = "", *at = rest, name[PATH_MAX];
	struct stat st;
	int links = 0;

	if (*path == 0) {
		errno = ENOENT;
		return NULL;
	}
	if (*path != '/' && !getcwd(done, sizeof done))
		return NULL;
	if (strcmp(done, "/") == 0)
		*done = 0;
	if (strlcpy(rest, path, sizeof rest) >= sizeof rest) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	while (*(at += strspn(at, "/"))) {
		size_t n = strcspn(at, "/");

		memcpy(name, at, n);
		name[n] = 0;
		at += n;
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			if (*done)
				up(done);
			continue;
		}
		if (strlen(done) + n + 2 > sizeof done) {
			errno = ENAMETOOLONG;
			return NULL;
		}
		strcat(strcat(done, "/"), name);
		if (lstat(done, &st) == -1)
			return NULL;
		if (S_ISLNK(st.st_mode)) {
			if (++links > 20) {
				errno = ELOOP;
				return NULL;
			}
			memmove(rest, at, strlen(at) + 1);
			char link[PATH_MAX];

			strcpy(link, done);
			if (follow(link, rest, done) == -1)
				return NULL;
			at = rest;
		}
	}
	if (!*done)
		strcpy(done, "/");
	return resolved ? strcpy(resolved, done) : strdup(done);
}
