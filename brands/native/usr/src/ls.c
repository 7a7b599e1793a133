/*
 * ls [-aldi1] [FILE...] - what is in folders, and about files.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int all, itself, inodes, details;

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void mode_text(mode_t mode, char *text)
{
	static const char letters[] = "rwxrwxrwx";
	const char *kinds = "-dlpcbsD";
	static const mode_t types[] = {S_IFREG, S_IFDIR,  S_IFLNK,  S_IFIFO,
				       S_IFCHR, S_IFBLK, S_IFSOCK, S_IFDOOR};

	text[0] = '?';
	for (int i = 0; i < 8; i++)
		if ((mode & S_IFMT) == types[i])
			text[0] = kinds[i];
	for (int i = 0; i < 9; i++)
		text[i + 1] = mode & (0400 >> i) ? letters[i] : '-';
	if (mode & S_ISUID)
		text[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & S_IXGRP ? 's' : 'l';
	if (mode & S_ISVTX)
		text[9] = mode & S_IXOTH ? 't' : 'T';
	text[10] = 0;
}

static void long_line(const char *path, const struct stat *st)
{
	char mode[12], when[32], target[1024];
	struct tm tm;
	ssize_t n;

	mode_text(st->st_mode, mode);
	gmtime_r(&st->st_mtime, &tm);
	strftime(when, sizeof when, "%b %e %Y %H:%M", &tm);
	printf("%s %3u %-8u %-8u ", mode, st->st_nlink, st->st_uid, st->st_gid);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf("%4u,%4u", major(st->st_rdev), minor(st->st_rdev));
	else
		printf("%9ld", (long)st->st_size);
	printf(" %s ", when);
	n = S_ISLNK(st->st_mode) ? readlink(path, target, sizeof target - 1) : -1;
	target[n > 0 ? n : 0] = 0;
	const char *slash = strrchr(path, '/');

	printf("%s%s%s\n", itself || !slash || !slash[1] ? path : slash + 1,
	       n > 0 ? " -> " : "", target);
}

static int show(const char *path, const char *name)
{
	struct stat st;

	if ((details || inodes) && lstat(path, &st) == -1) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 2;
	}
	if (inodes)
		printf("%8lu ", st.st_ino);
	if (details)
		long_line(path, &st);
	else
		printf("%s\n", name);
	return 0;
}

static int folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char **names = NULL, full[2048];
	int n = 0, failed = 0;

	if (!d) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 2;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' && !all)
			continue;
		names = realloc(names, (n + 1) * sizeof *names);
		names[n++] = strdup(e->d_name);
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof *names, by_name);
	for (int i = 0; i < n; i++) {
		snprintf(full, sizeof full, "%s/%s", strcmp(path, "/") ? path : "", names[i]);
		failed |= show(full, names[i]);
		free(names[i]);
	}
	free(names);
	return failed;
}

int main(int argc, char **argv)
{
	struct stat st;
	int c, failed = 0, many;

	while ((c = getopt(argc, argv, "aldi1")) != -1)
		switch (c) {
		case 'a':
			all = 1;
			break;
		case 'l':
			details = 1;
			break;
		case 'd':
			itself = 1;
			break;
		case 'i':
			inodes = 1;
			break;
		case '1':
			break; /* one a line is what there is */
		default:
			return 2;
		}
	many = argc - optind > 1;
	if (optind == argc)
		return itself ? show(".", ".") : folder(".");
	for (int i = optind; i < argc; i++) {
		/* a link to a folder is followed, unless it is the link that is asked about */
		if ((details || itself || stat(argv[i], &st) == -1) && lstat(argv[i], &st) == -1) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			failed = 2;
		} else if (S_ISDIR(st.st_mode) && !itself) {
			if (many)
				printf("%s%s:\n", i > optind ? "\n" : "", argv[i]);
			failed |= folder(argv[i]);
		} else {
			failed |= show(argv[i], argv[i]);
		}
	}
	return failed;
}
