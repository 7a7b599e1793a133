/*
 * escape HOSTFILE - try to reach a file of the host by every trick with dots and
 * symbolic links.  HOSTFILE is an absolute path that exists outside the zone and not
 * inside.  The status is the number of tricks that worked.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static const char *host;
static int escaped;

static void try_open(const char *trick, int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY, 0);

	if (fd >= 0) {
		printf("escape: %s: opened %s\n", trick, path);
		escaped++;
		close(fd);
	}
}

static void try_link(const char *trick, const char *target)
{
	unlink("/tmp/esc/link");
	if (symlink(target, "/tmp/esc/link") != 0) {
		printf("escape: %s: symlink: errno %d\n", trick, errno);
		return;
	}
	char path[1024];

	if (strcmp(target, host) == 0)
		try_open(trick, AT_FDCWD, "/tmp/esc/link");
	snprintf(path, sizeof path, "/tmp/esc/link%s", host);
	try_open(trick, AT_FDCWD, path);
	snprintf(path, sizeof path, "/tmp/esc/link/..%s", host);
	try_open(trick, AT_FDCWD, path);
}

int main(int argc, char **argv)
{
	static char dots[1024], path[1024];

	if (argc < 2)
		return 100;
	host = argv[1];
	mkdir("/tmp", 0777);
	mkdir("/tmp/esc", 0777);
	mkdir("/tmp/esc/in", 0777);
	for (int i = 0; i < 40; i++)
		strcpy(dots + strlen(dots), "/..");
	try_open("plain", AT_FDCWD, host);
	snprintf(path, sizeof path, "%s%s", dots, host);
	try_open("dots from the root", AT_FDCWD, path);
	snprintf(path, sizeof path, "/tmp/esc/in%s%s", dots, host);
	try_open("dots from a folder", AT_FDCWD, path);
	if (chdir("/tmp/esc/in") != 0) {
		printf("escape: chdir: errno %d\n", errno);
		return 100;
	}
	snprintf(path, sizeof path, "%s%s", dots + 1, host);
	try_open("dots from here", AT_FDCWD, path);
	int root = openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);
	try_open("dots from a descriptor", root, path);

	try_link("link to the file", host);
	try_link("link to the root", "/");
	snprintf(path, sizeof path, "%s/", dots + 1);
	try_link("link with dots", path);
	try_link("link to the root of a process", "/proc/self/root");
	try_link("link to a parent's root", "/proc/1/root");
	snprintf(path, sizeof path, "/proc/self/root/..%s", host);
	try_open("above the root of a process", AT_FDCWD, path);
	snprintf(path, sizeof path, "/proc/self/cwd%s%s", dots, host);
	try_open("above the cwd of a process", AT_FDCWD, path);
	snprintf(path, sizeof path, "/proc/self/fd/%d/..%s", root, host);
	try_open("above a descriptor", AT_FDCWD, path);

	/* stand in a folder that is moved away, then go up */
	mkdir("/tmp/esc/in/deep", 0777);
	chdir("/tmp/esc/in/deep");
	rename("/tmp/esc/in/deep", "/tmp/esc/moved");
	snprintf(path, sizeof path, "%s%s", dots + 1, host);
	try_open("from a moved folder", AT_FDCWD, path);
	rmdir("/tmp/esc/moved");
	try_open("from a removed folder", AT_FDCWD, path);
	fchdir(root);
	try_open("after fchdir", AT_FDCWD, path);
	printf("escape: %d tricks worked\n", escaped);
	return escaped;
}
