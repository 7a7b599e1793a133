/*
 * sysinfo.c - sysinfo(2) and statvfs(2).
 *
 * SPDX-License-Identifier: MIT
 */
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/systeminfo.h>

int sysinfo(int command, char *buf, long count)
{
	return syscall(SYS_systeminfo, command, buf, count);
}

int statvfs(const char *restrict path, struct statvfs *restrict buf)
{
	return syscall(SYS_statvfs, path, buf);
}

int fstatvfs(int fd, struct statvfs *buf)
{
	return syscall(SYS_fstatvfs, fd, buf);
}
