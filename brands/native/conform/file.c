/*
 * file - descriptors, paths, attributes, record locks: the system calls on files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

static struct nstat sb;
static char buf[4096];

static int make(const char *path, const char *text)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	write(fd, text, strlen(text));
	return fd;
}

static void opening(void)
{
	int fd = make("f", "0123456789");

	KTAP(FAILS(open("f", O_RDWR | O_CREAT | O_EXCL, 0), EEXIST),
	     "O_EXCL of a file that is there is EEXIST", "open(2)");
	KTAP(FAILS(open("f", O_ACCMODE, 0), EINVAL), "two access modes are EINVAL", "open(2)");
	KTAP(FAILS(open("f", O_RDONLY | O_XATTR, 0), EINVAL),
	     "O_XATTR without extended attributes is EINVAL", "open(2)");
	KTAP(FAILS(open("none", O_RDONLY, 0), ENOENT), "no file is ENOENT", "open(2)");
	KTAP(FAILS(open(".", O_WRONLY, 0), EISDIR), "a directory for writing is EISDIR",
	     "open(2)");
	symlink("f", "l");
	KTAP(FAILS(open("l", O_RDONLY | O_NOFOLLOW, 0), ELOOP),
	     "O_NOFOLLOW of a link is ELOOP", "open(2)");
	KTAP(FAILS(open("f/x", O_RDONLY, 0), ENOTDIR), "a file as directory is ENOTDIR",
	     "open(2)");
	syscall(N_link, "f", "f2");
	KTAP(FAILS(open("f", O_RDONLY | O_NOLINKS, 0), EMLINK),
	     "O_NOLINKS of a file with two names is EMLINK", "open(2)");
	unlink("f2");
	int again = open("f", O_RDONLY | O_NOLINKS, 0);
	KTAP(again >= 0, "O_NOLINKS of a file with one name opens it", "open(2)");
	close(again);
	close(fd);
}

static void seeking(void)
{
	int fd = open("f", O_RDWR, 0);

	KTAP_EQ(lseek(fd, -3, SEEK_END), 7, "SEEK_END counts from the end", "lseek(2)");
	KTAP(read(fd, buf, 10) == 3 && memcmp(buf, "789", 3) == 0,
	     "a read up to the end is short", "read(2)");
	KTAP_EQ(read(fd, buf, 10), 0, "and 0 at the end", "read(2)");
	KTAP(FAILS(lseek(fd, -1, SEEK_SET), EINVAL), "a negative offset is EINVAL", "lseek(2)");
	KTAP(syscall(N_pread, fd, buf, 2, 4) == 2 && memcmp(buf, "45", 2) == 0,
	     "pread reads at its offset", "pread(2)");
	KTAP_EQ(lseek(fd, 0, SEEK_CUR), 10, "and leaves the other as it is", "pread(2)");
	KTAP_EQ(syscall(N_pwrite, fd, "ab", 2, 12), 2, "pwrite past the end", "pwrite(2)");
	KTAP(syscall(N_pread, fd, buf, 4, 10) == 4 && memcmp(buf, "\0\0ab", 4) == 0,
	     "leaves a hole of zeros", "lseek(2)");
	KTAP(FAILS(syscall(N_pread, fd, buf, 1, -1L), EINVAL),
	     "pread at a negative offset is EINVAL", "pread(2)");
	struct niovec iov[2] = {{"xy", 2}, {"z", 1}};
	KTAP_EQ(syscall(N_pwritev, fd, iov, 2, 0), 3, "pwritev takes all pieces",
		"pwritev(2)");
	struct niovec in[2] = {{buf, 1}, {buf + 100, 2}};
	KTAP(syscall(N_preadv, fd, in, 2, 0) == 3 && buf[0] == 'x' && buf[100] == 'y',
	     "preadv fills one after the other", "preadv(2)");
	KTAP(FAILS(syscall(N_readv, fd, in, 0), EINVAL), "no pieces are EINVAL", "readv(2)");
	KTAP(FAILS(syscall(N_writev, fd, in, 1025), EINVAL), "above IOV_MAX is EINVAL",
	     "writev(2)");
	KTAP(FAILS(read(fd, (void *)8, 1), EFAULT), "read to no memory is EFAULT", "read(2)");
	close(fd);
	fd = open("f", O_WRONLY | O_APPEND, 0);
	KTAP(write(fd, "!", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 15, "O_APPEND writes at the end",
	     "write(2)");
	KTAP(FAILS(read(fd, buf, 1), EBADF), "O_WRONLY does not read", "read(2)");
	close(fd);
}

static void descriptors(void)
{
	int fd = open("f", O_RDWR | O_APPEND, 0);

	KTAP_EQ(fcntl(fd, F_GETFL, 0), O_RDWR | O_APPEND, "F_GETFL gives the mode and flags",
		"fcntl(2)");
	fcntl(fd, F_SETFL, O_NONBLOCK | O_NDELAY | O_WRONLY);
	KTAP_EQ(fcntl(fd, F_GETFL, 0), O_RDWR | O_NONBLOCK,
		"F_SETFL leaves the access mode; O_NONBLOCK wins", "fcntl(2)");
	KTAP_EQ(fcntl(fd, F_DUPFD, 40), 40, "F_DUPFD gives the lowest from there",
		"fcntl(2)");
	KTAP_EQ(fcntl(fd, F_DUPFD, 40), 41, "and the next one if that is taken", "fcntl(2)");
	KTAP(FAILS(fcntl(fd, F_DUPFD, -1), EINVAL), "F_DUPFD below 0 is EINVAL", "fcntl(2)");
	KTAP(fcntl(fd, F_DUPFD_CLOEXEC, 50) == 50 && fcntl(50, F_GETFD, 0) == FD_CLOEXEC,
	     "F_DUPFD_CLOEXEC sets FD_CLOEXEC", "fcntl(2)");
	KTAP(fcntl(fd, F_DUP2FD, 50) == 50 && fcntl(50, F_GETFD, 0) == 0,
	     "F_DUP2FD to one that is open clears it", "fcntl(2)");
	KTAP_EQ(fcntl(fd, F_DUP2FD, fd), fd, "F_DUP2FD of itself", "fcntl(2)");
	KTAP(FAILS(fcntl(fd, F_DUP2FD_CLOEXEC, fd), EINVAL), "F_DUP2FD_CLOEXEC of itself is EINVAL",
	     "fcntl(2)");
	KTAP(FAILS(fcntl(99, F_GETFL, 0), EBADF), "no descriptor is EBADF", "fcntl(2)");
	KTAP(FAILS(fcntl(fd, 999, 0), EINVAL), "an unknown command is EINVAL", "fcntl(2)");
	lseek(40, 5, SEEK_SET);
	KTAP_EQ(lseek(fd, 0, SEEK_CUR), 5, "duplicates share the offset", "dup(2)");
	for (int i = 40; i <= 50; i++)
		close(i);
	struct nflock fl = {.l_start = 4};
	KTAP(fcntl(fd, F_FREESP, (long)&fl) == 0 && nstat("f", &sb) == 0 && sb.st_size == 4,
	     "F_FREESP with l_len 0 truncates", "fcntl(2)");
	close(fd);
	fd = open("f", O_RDONLY, 0);
	KTAP(FAILS(fcntl(fd, F_FREESP, (long)&fl), EBADF), "F_FREESP needs a file to write",
	     "fcntl(2)");
	close(fd);
}

static int lock(int fd, int cmd, int type, long start, long len)
{
	struct nflock fl = {.l_type = type, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, (long)&fl);
}

static void locking(void)
{
	int status = 0, fd = make("lk", "0123456789"), pid;
	int ends[2];

	KTAP_EQ(lock(fd, F_SETLK, F_WRLCK, 2, 3), 0, "F_SETLK of a free range", "fcntl(2)");
	pid = fork();
	if (pid == 0) {
		struct nflock fl = {.l_type = F_RDLCK, .l_start = 0, .l_len = 0};
		int ok = 0;
		ok |= FAILS(lock(fd, F_SETLK, F_RDLCK, 4, 1), EAGAIN) ? 1 : 0;
		fcntl(fd, F_GETLK, (long)&fl);
		ok |= fl.l_type == F_WRLCK && fl.l_pid == getppid() ? 2 : 0;
		ok |= fl.l_start == 2 && fl.l_len == 3 && fl.l_whence == 0 ? 4 : 0;
		ok |= lock(fd, F_SETLK, F_WRLCK, 5, 5) == 0 ? 8 : 0;
		_exit(ok);
	}
	waitpid(pid, &status, 0);
	status = WEXITSTATUS(status);
	KTAP(status & 1, "a locked range is EAGAIN for a child: locks are not inherited",
	     "fcntl(2)");
	KTAP(status & 2, "F_GETLK tells the kind and the owner", "fcntl(2)");
	KTAP(status & 4, "and the range from the start of the file", "fcntl(2)");
	KTAP(status & 8, "the rest is free", "fcntl(2)");
	KTAP_EQ(lock(fd, F_SETLK, F_WRLCK, 5, 5), 0, "locks end with their process",
		"fcntl(2)");
	lock(fd, F_SETLK, F_UNLCK, 0, 0);
	pipe(ends);
	pid = fork();
	if (pid == 0) {
		lock(fd, F_SETLK, F_WRLCK, 0, 1);
		write(ends[1], "a", 1);
		msleep(50);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 9, 1) == 0 ? 0 : errno);
	}
	read(ends[0], buf, 1);
	lock(fd, F_SETLK, F_WRLCK, 9, 1);
	msleep(100);
	KTAP(FAILS(lock(fd, F_SETLKW, F_WRLCK, 0, 1), EDEADLK), "waiting for each other is EDEADLK",
	     "fcntl(2)");
	close(dup(fd));
	waitpid(pid, &status, 0);
	KTAP_EQ(status, 0, "any close of the file drops the locks, which wakes a waiter",
		"fcntl(2)");
	KTAP(FAILS(lock(fd, F_SETLK, 9, 0, 0), EINVAL), "an unknown l_type is EINVAL",
	     "fcntl(2)");
	int ro = open("lk", O_RDONLY, 0);
	KTAP(FAILS(lock(ro, F_SETLK, F_WRLCK, 0, 0), EBADF), "a write lock needs a file to write",
	     "fcntl(2)");
	KTAP_EQ(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0, "an open file locks all of it",
		"fcntl(2)");
	KTAP(FAILS(lock(ro, F_OFD_SETLK, F_RDLCK, 0, 0), EAGAIN),
	     "and another open of the same process is locked out", "fcntl(2)");
	KTAP(FAILS(lock(fd, F_OFD_SETLK, F_WRLCK, 1, 1), EINVAL), "a part of it is EINVAL",
	     "fcntl(2)");
	close(ro);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void attributes(void)
{
	int fd = make("a", "xyz");
	struct timespec t[2] = {{1000, 5}, {0, -2}};
	struct nstatvfs vfs;

	syscall(N_fstat, fd, &sb);
	KTAP(sb.st_mode == (S_IFREG | 0644) && sb.st_size == 3 && sb.st_nlink == 1,
	     "stat: mode, size and links", "stat(2)");
	KTAP(strcmp(sb.st_fstype, "tmpfs") == 0, "st_fstype names the file system", "stat(2)");
	long mtime = sb.st_mtim.tv_sec;
	KTAP_EQ(syscall(N_utimesys, 1, AT_FDCWD, "a", t, 0), 0, "utimensat", "utimensat(2)");
	nstat("a", &sb);
	KTAP(sb.st_atim.tv_sec == 1000 && sb.st_atim.tv_nsec == 5, "sets a time to the nanosecond",
	     "utimensat(2)");
	KTAP_EQ(sb.st_mtim.tv_sec, mtime, "UTIME_OMIT leaves one", "utimensat(2)");
	t[0].tv_nsec = 1000000000;
	KTAP(FAILS(syscall(N_utimesys, 0, fd, t), EINVAL), "a second of nanoseconds is EINVAL",
	     "futimens(2)");
	KTAP(syscall(N_fchmod, fd, 04711) == 0 && nstat("a", &sb) == 0 &&
		     sb.st_mode == (S_IFREG | 04711),
	     "fchmod", "chmod(2)");
	KTAP(FAILS(syscall(N_fchmodat, AT_FDCWD, "a", 0, 1), EINVAL),
	     "an unknown flag of fchmodat is EINVAL", "fchmodat(2)");
	KTAP(syscall(N_fchown, fd, 12, -1) == 0 && syscall(N_fstat, fd, &sb) == 0 &&
		     sb.st_uid == 12 && sb.st_gid == 0,
	     "fchown: -1 leaves an id", "chown(2)");
	KTAP_EQ(syscall(N_faccessat, AT_FDCWD, "a", 4, AT_EACCESS), 0, "faccessat",
		"faccessat(2)");
	KTAP(FAILS(syscall(N_access, "a", 040), EINVAL), "an unknown mode is EINVAL",
	     "access(2)");
	KTAP(syscall(N_statvfs, ".", &vfs) == 0 && strcmp(vfs.f_basetype, "tmpfs") == 0 &&
		     vfs.f_namemax == 255,
	     "statvfs", "statvfs(2)");
	KTAP(syscall(N_pathconf, ".", 4) == 255, "_PC_NAME_MAX", "pathconf(2)");
	KTAP(FAILS(syscall(N_fpathconf, fd, 3), EINVAL), "_PC_MAX_INPUT of a file is EINVAL",
	     "pathconf(2)");
	KTAP(syscall(N_fdsync, fd, 0x10) == 0 && FAILS(syscall(N_fdsync, fd, 0), EINVAL),
	     "fdsync by its flag", "fsync(3C)");
	close(fd);
}

static void names(void)
{
	int d = open(".", O_RDONLY | O_DIRECTORY, 0);
	long was = syscall(N_umask, 027);

	KTAP_EQ(syscall(N_mkdirat, d, "dir", 0777), 0, "mkdirat", "mkdirat(2)");
	nstat("dir", &sb);
	KTAP_EQ(sb.st_mode, S_IFDIR | 0750, "the mask takes bits away", "umask(2)");
	KTAP_EQ(syscall(N_umask, was), 027, "umask gives the old mask", "umask(2)");
	KTAP_EQ(syscall(N_mknodat, d, "dir/fifo", S_IFIFO | 0600, 0), 0, "mknodat of a FIFO",
		"mknodat(2)");
	KTAP(FAILS(rmdir("dir"), EEXIST), "rmdir of one that is not empty is EEXIST", "rmdir(2)");
	KTAP(FAILS(unlink("dir"), EPERM), "unlink of a directory is EPERM", "unlink(2)");
	KTAP(FAILS(syscall(N_unlinkat, d, "dir/fifo", AT_REMOVEDIR), ENOTDIR),
	     "AT_REMOVEDIR of a file is ENOTDIR", "unlinkat(2)");
	KTAP(syscall(N_unlinkat, d, "dir/fifo", 0) == 0 &&
		     syscall(N_unlinkat, d, "dir", AT_REMOVEDIR) == 0,
	     "unlinkat removes both", "unlinkat(2)");
	syscall(N_symlink, "../../tmp", "up");
	KTAP(syscall(N_readlink, "up", buf, 3) == 3 && memcmp(buf, "../", 3) == 0,
	     "readlink cuts at the size", "readlink(2)");
	KTAP(FAILS(syscall(N_readlink, "f", buf, 9), EINVAL), "readlink of a file is EINVAL",
	     "readlink(2)");
	KTAP(syscall(N_lstat, "up", &sb) == 0 && (sb.st_mode & S_IFMT) == S_IFLNK &&
		     sb.st_size == 9,
	     "lstat tells of the link", "lstat(2)");
	KTAP(syscall(N_resolvepath, "up/conf/../conf/f", buf, 99) == 1 && buf[0] == 'f',
	     "resolvepath of a relative path is relative", "resolvepath(2)");
	KTAP(syscall(N_resolvepath, "/tmp/conf/up", buf, 99) == 4 && !memcmp(buf, "/tmp", 4),
	     "and of an absolute one absolute", "resolvepath(2)");
	KTAP(FAILS(syscall(N_fstatat, d, "", &sb, 0), ENOENT), "an empty path is ENOENT",
	     "stat(2)");
	int f = open("f", O_RDONLY, 0);
	KTAP(FAILS(syscall(N_fstatat, f, "x", &sb, 0), ENOTDIR),
	     "a file as directory descriptor is ENOTDIR", "fstatat(2)");
	KTAP_EQ(syscall(N_fstatat, f, "/tmp", &sb, 0), 0, "but not with an absolute path",
		"fstatat(2)");
	syscall(N_renameat, d, "f", d, "g");
	KTAP(nstat("f", &sb) == -1 && nstat("g", &sb) == 0, "renameat", "renameat(2)");
	memset(buf, 'n', 300);
	buf[300] = 0;
	KTAP(FAILS(nstat(buf, &sb), ENAMETOOLONG), "a name of 300 bytes is ENAMETOOLONG",
	     "stat(2)");
	int big = 0, entries = 0;
	for (long n; (n = syscall(N_getdents, d, buf, 200)) > 0; big += n > 200)
		for (char *p = buf; p < buf + n; p += ((struct ndirent *)p)->d_reclen)
			entries++;
	KTAP(entries == 7 && !big, "getdents gives each entry once", "getdents(2)");
	lseek(d, 0, SEEK_SET);
	KTAP(syscall(N_getdents, d, buf, 200) > 0 && strcmp(((struct ndirent *)buf)->d_name, ".") == 0,
	     "lseek to 0 begins again", "getdents(2)");
	lseek(d, 0, SEEK_SET);
	KTAP(FAILS(syscall(N_getdents, d, buf, 1), EINVAL), "no room for an entry is EINVAL",
	     "getdents(2)");
	close(f);
	close(d);
}

static void pipes(void)
{
	int e[2];

	pipe(e);
	KTAP(FAILS(lseek(e[0], 0, SEEK_SET), ESPIPE), "a pipe has no offset", "lseek(2)");
	fcntl(e[0], F_SETFL, O_NONBLOCK);
	KTAP(FAILS(read(e[0], buf, 1), EAGAIN), "O_NONBLOCK read of an empty pipe is EAGAIN",
	     "read(2)");
	fcntl(e[0], F_SETFL, O_NDELAY);
	KTAP_EQ(read(e[0], buf, 1), 0, "O_NDELAY read of an empty pipe is 0", "read(2)");
	write(e[1], "abc", 3);
	int n = 0;
	KTAP(syscall(N_ioctl, e[0], 0x4004667f, &n) == 0 && n == 3, "FIONREAD of a pipe",
	     "filio(4I)");
	close(e[0]);
	signal(SIGPIPE, SIG_IGN);
	KTAP(FAILS(write(e[1], "x", 1), EPIPE), "a pipe without a reader is EPIPE", "write(2)");
	signal(SIGPIPE, SIG_DFL);
	close(e[1]);
	KTAP(FAILS(syscall(42, e, 0x40000000), EINVAL), "an unknown flag of pipe is EINVAL",
	     "pipe(2)");
	syscall(N_mknod, "ff", S_IFIFO | 0600, 0);
	KTAP(FAILS(open("ff", O_WRONLY | O_NONBLOCK, 0), ENXIO),
	     "O_NONBLOCK open of a FIFO that nobody reads is ENXIO", "open(2)");
	int r = open("ff", O_RDONLY | O_NONBLOCK, 0), w = open("ff", O_WRONLY, 0);
	KTAP(write(w, "hi", 2) == 2 && read(r, buf, 9) == 2, "bytes go through a FIFO",
	     "mknod(2)");
	close(w);
	KTAP_EQ(read(r, buf, 9), 0, "and end with the last writer", "read(2)");
	close(r);
}

int main(void)
{
	ktap_start("file");
	mkdir("/tmp/conf", 0755);
	chdir("/tmp/conf");
	opening();
	seeking();
	descriptors();
	locking();
	attributes();
	names();
	pipes();
	return ktap_end();
}
