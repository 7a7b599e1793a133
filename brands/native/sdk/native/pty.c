/*
 * pty.c - pseudo terminals: posix_openpt(3C), grantpt(3C), unlockpt(3C), ptsname(3C).
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define I_STR 0x5308
#define UNLKPT 0x5002
#define OWNERPT 0x5005

static int ptm(int fd, int cmd, void *data, int size)
{
	struct {
		int cmd, timout, len;
		void *dp;
	} str = {cmd, 0, size, data};

	return syscall(SYS_ioctl, fd, I_STR, &str);
}

int posix_openpt(int flags)
{
	return open("/dev/ptmx", flags);
}

int grantpt(int fd)
{
	struct {
		uid_t uid;
		gid_t gid;
	} own = {getuid(), getgid()};

	return ptm(fd, OWNERPT, &own, sizeof own);
}

int unlockpt(int fd)
{
	return ptm(fd, UNLKPT, NULL, 0);
}

char *ptsname(int fd)
{
	static char name[32];
	struct stat sb;

	if (ptm(fd, 0x5001, NULL, 0) == -1 || fstat(fd, &sb) == -1) /* ISPTM */
		return NULL;
	snprintf(name, sizeof name, "/dev/pts/%u", (unsigned)(sb.st_rdev & 0xffffffff));
	return name;
}
