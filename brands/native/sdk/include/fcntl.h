/*
 * fcntl.h - opening and controlling files (sys/fcntl.h of illumos).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _FCNTL_H
#define _FCNTL_H

#include <sys/types.h>

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_ACCMODE 3
#define O_NDELAY 0x04
#define O_APPEND 0x08
#define O_SYNC 0x10
#define O_DSYNC 0x40
#define O_NONBLOCK 0x80
#define O_CREAT 0x100
#define O_TRUNC 0x200
#define O_EXCL 0x400
#define O_NOCTTY 0x800
#define O_LARGEFILE 0x2000
#define O_RSYNC 0x8000
#define O_NOFOLLOW 0x20000
#define O_CLOEXEC 0x800000
#define O_DIRECTORY 0x1000000

#define AT_FDCWD ((int)0xffd19553)
#define AT_SYMLINK_NOFOLLOW 0x1000
#define AT_SYMLINK_FOLLOW 0x2000
#define AT_REMOVEDIR 0x1
#define AT_EACCESS 0x4

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_SETLK 6
#define F_SETLKW 7
#define F_DUP2FD 9
#define F_FREESP 11
#define F_GETLK 14
#define F_GETOWN 23
#define F_SETOWN 24
#define F_DUP2FD_CLOEXEC 36
#define F_DUPFD_CLOEXEC 37
#define F_BADFD 46
#define F_OFD_GETLK 47
#define F_OFD_SETLK 48
#define F_OFD_SETLKW 49
#define F_FLOCK 53
#define F_FLOCKW 54
#define FD_CLOEXEC 1
#define F_RDLCK 1
#define F_WRLCK 2
#define F_UNLCK 3

struct flock {
	short l_type, l_whence;
	off_t l_start, l_len; /* len 0: to the end, however far */
	int l_sysid;
	pid_t l_pid;
	long l_pad[4];
};
#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif

int open(const char *path, int flags, ...);
int openat(int fd, const char *path, int flags, ...);
int creat(const char *path, mode_t mode);
int fcntl(int fd, int cmd, ...);

#endif
