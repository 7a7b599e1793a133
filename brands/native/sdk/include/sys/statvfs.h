/*
 * sys/statvfs.h - sizes of a file system.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_STATVFS_H
#define _SYS_STATVFS_H

#include <sys/types.h>

typedef struct statvfs {
	unsigned long f_bsize, f_frsize;
	unsigned long f_blocks, f_bfree, f_bavail;
	unsigned long f_files, f_ffree, f_favail;
	unsigned long f_fsid;
	char f_basetype[16];
	unsigned long f_flag, f_namemax;
	char f_fstr[32];
} statvfs_t;

#define ST_RDONLY 0x1
#define ST_NOSUID 0x2
#define ST_NOTRUNC 0x4

int statvfs(const char *restrict path, struct statvfs *restrict buf);
int fstatvfs(int fd, struct statvfs *buf);

#endif
