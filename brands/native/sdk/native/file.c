/*
 * file.c - system calls on descriptors.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t read(int fd, void *buf, size_t n)
{
	return syscall(SYS_read, fd, buf, n);
}

ssize_t write(int fd, const void *buf, size_t n)
{
	return syscall(SYS_write, fd, buf, n);
}

ssize_t pread(int fd, void *buf, size_t n, off_t off)
{
	return syscall(SYS_pread, fd, buf, n, off);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t off)
{
	return syscall(SYS_pwrite, fd, buf, n, off);
}

ssize_t readv(int fd, const struct iovec *iov, int n)
{
	return syscall(SYS_readv, fd, iov, n);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	return syscall(SYS_writev, fd, iov, n);
}

int close(int fd)
{
	return syscall(SYS_close, fd);
}

off_t lseek(int fd, off_t off, int whence)
{
	return syscall(SYS_lseek, fd, off, whence);
}

int fcntl(int fd, int cmd, ...)
{
	va_list ap;

	va_start(ap, cmd);
	long arg = va_arg(ap, long);
	va_end(ap);
	return syscall(SYS_fcntl, fd, cmd, arg);
}

int ioctl(int fd, int request, ...)
{
	va_list ap;

	va_start(ap, request);
	long arg = va_arg(ap, long);
	va_end(ap);
	return syscall(SYS_ioctl, fd, request, arg);
}

int dup(int fd)
{
	return fcntl(fd, F_DUPFD, 0);
}

int dup2(int fd, int to)
{
	return fcntl(fd, F_DUP2FD, to);
}

int dup3(int fd, int to, int flags)
{
	if (flags & ~O_CLOEXEC || fd == to) {
		errno = EINVAL;
		return -1;
	}
	return fcntl(fd, flags ? F_DUP2FD_CLOEXEC : F_DUP2FD, to);
}

int pipe2(int fd[2], int flags)
{
	return syscall(SYS_pipe, fd, flags);
}

int pipe(int fd[2])
{
	return pipe2(fd, 0);
}

int getdents(int fd, struct dirent *buf, size_t n)
{
	return syscall(SYS_getdents, fd, buf, n);
}

int fchdir(int fd)
{
	return syscall(SYS_fchdir, fd);
}

/* A file is cut or grown through F_FREESP: free from the new end to infinity. */
int ftruncate(int fd, off_t size)
{
	struct flock fl = {.l_whence = SEEK_SET, .l_start = size};

	if (size < 0) {
		errno = EINVAL;
		return -1;
	}
	return fcntl(fd, F_FREESP, &fl);
}

int truncate(const char *path, off_t size)
{
	int fd = open(path, O_WRONLY), r, saved;

	if (fd == -1)
		return -1;
	r = ftruncate(fd, size);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

int fdsync(int fd, int flag)
{
	return syscall(SYS_fdsync, fd, flag);
}

int fsync(int fd)
{
	return fdsync(fd, O_SYNC);
}

int fdatasync(int fd)
{
	return fdsync(fd, O_DSYNC);
}

int lockf(int fd, int op, off_t size)
{
	struct flock fl = {.l_whence = SEEK_CUR, .l_len = size, .l_type = F_WRLCK};

	switch (op) {
	case F_ULOCK:
		fl.l_type = F_UNLCK;
		return fcntl(fd, F_SETLK, &fl);
	case F_LOCK:
		return fcntl(fd, F_SETLKW, &fl);
	case F_TLOCK:
		return fcntl(fd, F_SETLK, &fl);
	case F_TEST:
		if (fcntl(fd, F_GETLK, &fl) == -1)
			return -1;
		if (fl.l_type == F_UNLCK || fl.l_pid == getpid())
			return 0;
		errno = EAGAIN;
		return -1;
	default:
		errno = EINVAL;
		return -1;
	}
}

/* Locks of the open file (F_FLOCK), from its start to infinity. */
int flock(int fd, int op)
{
	struct flock fl = {.l_whence = SEEK_SET};
	int wait = !(op & LOCK_NB), r;

	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		fl.l_type = F_RDLCK;
		break;
	case LOCK_EX:
		fl.l_type = F_WRLCK;
		break;
	case LOCK_UN:
		fl.l_type = F_UNLCK;
		break;
	default:
		errno = EINVAL;
		return -1;
	}
	r = fcntl(fd, wait ? F_FLOCKW : F_FLOCK, &fl);
	if (r == -1 && errno == EACCES)
		errno = EWOULDBLOCK;
	return r;
}
