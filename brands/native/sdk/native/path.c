/*
 * path.c - system calls on paths.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

int openat(int fd, const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	int mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	return syscall(SYS_openat, fd, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	int mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* ---- attributes ---- */

int fstatat(int fd, const char *restrict path, struct stat *restrict st, int flag)
{
	return syscall(SYS_fstatat, fd, path, st, flag);
}

int stat(const char *restrict path, struct stat *restrict st)
{
	return fstatat(AT_FDCWD, path, st, 0);
}

int lstat(const char *restrict path, struct stat *restrict st)
{
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *st)
{
	return syscall(SYS_fstat, fd, st);
}

int access(const char *path, int mode)
{
	return syscall(SYS_access, path, mode);
}

int faccessat(int fd, const char *path, int mode, int flag)
{
	return syscall(SYS_faccessat, fd, path, mode, flag);
}

int chmod(const char *path, mode_t mode)
{
	return syscall(SYS_chmod, path, mode);
}

int fchmod(int fd, mode_t mode)
{
	return fchmodat(fd, NULL, mode, 0);
}

int fchmodat(int fd, const char *path, mode_t mode, int flag)
{
	return syscall(SYS_fchmodat, fd, path, mode, flag);
}

int chown(const char *path, uid_t uid, gid_t gid)
{
	return syscall(SYS_chown, path, uid, gid);
}

int fchownat(int fd, const char *path, uid_t uid, gid_t gid, int flag)
{
	return syscall(SYS_fchownat, fd, path, uid, gid, flag);
}

int lchown(const char *path, uid_t uid, gid_t gid)
{
	return fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
	return fchownat(fd, NULL, uid, gid, 0);
}

int utimensat(int fd, const char *path, const struct timespec times[2], int flag)
{
	return syscall(SYS_utimesys, 1, fd, path, times, flag);
}

int futimens(int fd, const struct timespec times[2])
{
	return syscall(SYS_utimesys, 0, fd, times);
}

int utimes(const char *path, const struct timeval tv[2])
{
	struct timespec ts[2];

	for (int i = 0; tv && i < 2; i++)
		ts[i] = (struct timespec){tv[i].tv_sec, tv[i].tv_usec * 1000};
	return utimensat(AT_FDCWD, path, tv ? ts : NULL, 0);
}

mode_t umask(mode_t mask)
{
	return syscall(SYS_umask, mask);
}

/* ---- names ---- */

int mkdir(const char *path, mode_t mode)
{
	return syscall(SYS_mkdir, path, mode);
}

int mkdirat(int fd, const char *path, mode_t mode)
{
	return syscall(SYS_mkdirat, fd, path, mode);
}

int mknod(const char *path, mode_t mode, dev_t dev)
{
	return syscall(SYS_mknod, path, mode, dev);
}

int mknodat(int fd, const char *path, mode_t mode, dev_t dev)
{
	return syscall(SYS_mknodat, fd, path, mode, dev);
}

int mkfifo(const char *path, mode_t mode)
{
	return mknod(path, (mode & 07777) | S_IFIFO, 0);
}

int mkfifoat(int fd, const char *path, mode_t mode)
{
	return mknodat(fd, path, (mode & 07777) | S_IFIFO, 0);
}

int rmdir(const char *path)
{
	return syscall(SYS_rmdir, path);
}

int unlink(const char *path)
{
	return syscall(SYS_unlink, path);
}

int unlinkat(int fd, const char *path, int flag)
{
	return syscall(SYS_unlinkat, fd, path, flag);
}

int remove(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return rmdir(path);
	return unlink(path);
}

int link(const char *from, const char *to)
{
	return syscall(SYS_link, from, to);
}

int linkat(int fd, const char *from, int tofd, const char *to, int flag)
{
	return syscall(SYS_linkat, fd, from, tofd, to, flag);
}

int symlinkat(const char *target, int fd, const char *path)
{
	return syscall(SYS_symlinkat, target, fd, path);
}

int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

ssize_t readlinkat(int fd, const char *restrict path, char *restrict buf, size_t n)
{
	return syscall(SYS_readlinkat, fd, path, buf, n);
}

ssize_t readlink(const char *restrict path, char *restrict buf, size_t n)
{
	return readlinkat(AT_FDCWD, path, buf, n);
}

int rename(const char *from, const char *to)
{
	return syscall(SYS_rename, from, to);
}

int renameat(int fd, const char *from, int tofd, const char *to)
{
	return syscall(SYS_renameat, fd, from, tofd, to);
}

int chdir(const char *path)
{
	return syscall(SYS_chdir, path);
}

int chroot(const char *path)
{
	return syscall(SYS_chroot, path);
}

void sync(void)
{
	syscall(SYS_sync);
}

char *getcwd(char *buf, size_t size)
{
	char *own = NULL;

	if (!buf) {
		if (size == 0)
			size = 1024;
		buf = own = malloc(size);
		if (!buf)
			return NULL;
	}
	if (syscall(SYS_getcwd, buf, size) != -1)
		return buf;
	free(own);
	return NULL;
}
