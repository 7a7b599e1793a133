/*
 * sys.c - the library's calls in terms of riscv64 Linux's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

/* riscv64 has no sa_restorer: the kernel returns through its vDSO or a trampoline */
struct ksigaction {
	void *handler;
	unsigned long flags;
	uint64_t mask;
};

struct ksiginfo {
	int signo, err, code, pad;
	int pid, uid, status;
	char rest[100];
};

struct kstack {
	void *sp;
	int flags;
	size_t size;
};

struct itimerval {
	long interval_sec, interval_usec, value_sec, value_usec;
};

void _exit(int status)
{
	for (;;)
		syscall(SYS_exit_group, status);
}

ssize_t read(int fd, void *buf, size_t n)
{
	return syscall(SYS_read, fd, buf, n);
}

ssize_t write(int fd, const void *buf, size_t n)
{
	return syscall(SYS_write, fd, buf, n);
}

int openat(int dirfd, const char *path, int flags, int mode)
{
	return syscall(SYS_openat, dirfd, path, flags, mode);
}

int open(const char *path, int flags, int mode)
{
	return openat(AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
	return syscall(SYS_close, fd);
}

off_t lseek(int fd, off_t off, int whence)
{
	return syscall(SYS_lseek, fd, off, whence);
}

int dup(int fd)
{
	return syscall(SYS_dup, fd);
}

int fcntl(int fd, int cmd, long arg)
{
	return syscall(SYS_fcntl, fd, cmd, arg);
}

int pipe(int fds[2])
{
	return syscall(SYS_pipe2, fds, 0);
}

int unlink(const char *path)
{
	return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int mkdir(const char *path, int mode)
{
	return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int rmdir(const char *path)
{
	return syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

int symlink(const char *target, const char *path)
{
	return syscall(SYS_symlinkat, target, AT_FDCWD, path);
}

int rename(const char *from, const char *to)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int chdir(const char *path)
{
	return syscall(SYS_chdir, path);
}

int fchdir(int fd)
{
	return syscall(SYS_fchdir, fd);
}

char *getcwd(char *buf, size_t size)
{
	return syscall(SYS_getcwd, buf, size) == -1 ? NULL : buf;
}

pid_t getpid(void)
{
	return syscall(SYS_getpid);
}

pid_t getppid(void)
{
	return syscall(SYS_getppid);
}

int getuid(void)
{
	return syscall(SYS_getuid);
}

pid_t getpgrp(void)
{
	return syscall(SYS_getpgid, 0);
}

pid_t setsid(void)
{
	return syscall(SYS_setsid);
}

int setpgid(pid_t pid, pid_t pgid)
{
	return syscall(SYS_setpgid, pid, pgid);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	return syscall(SYS_execve, path, argv, envp);
}

int waitid(int idtype, pid_t id, struct waitinfo *info, int options)
{
	struct ksiginfo k;

	k.signo = k.pid = 0;
	int r = syscall(SYS_waitid, idtype, id, &k, options, NULL);

	if (r == 0 && info)
		*info = (struct waitinfo){k.signo, k.code, k.pid, k.status};
	return r;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return syscall(SYS_wait4, pid, status, options, NULL);
}

int kill(pid_t pid, int sig)
{
	return syscall(SYS_kill, pid, sig);
}

int sigaction(int sig, sighandler_t handler, int flags, uint64_t mask)
{
	struct ksigaction act = {(void *)handler, (unsigned)flags, mask};

	return syscall(SYS_rt_sigaction, sig, &act, NULL, 8);
}

sighandler_t sighandler(int sig)
{
	struct ksigaction old;

	if (syscall(SYS_rt_sigaction, sig, NULL, &old, 8) == -1)
		return SIG_ERR;
	return (sighandler_t)old.handler;
}

sighandler_t signal(int sig, sighandler_t handler)
{
	sighandler_t was = sighandler(sig);

	return sigaction(sig, handler, SA_RESTART, 0) == -1 ? SIG_ERR : was;
}

int sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
	return syscall(SYS_rt_sigprocmask, how, set, old, 8);
}

int sigpending(uint64_t *set)
{
	return syscall(SYS_rt_sigpending, set, 8);
}

int sigsuspend(uint64_t mask)
{
	return syscall(SYS_rt_sigsuspend, &mask, 8);
}

int sigaltstack(const struct sigaltstack *ss, struct sigaltstack *old)
{
	struct kstack k, o;

	if (ss)
		k = (struct kstack){ss->ss_sp, ss->ss_flags, ss->ss_size};
	int r = syscall(SYS_sigaltstack, ss ? &k : NULL, old ? &o : NULL);

	if (r == 0 && old)
		*old = (struct sigaltstack){o.sp, o.size, o.flags};
	return r;
}

unsigned alarm(unsigned seconds)
{
	struct itimerval it = {0, 0, seconds, 0}, old;

	if (syscall(SYS_setitimer, 0, &it, &old) == -1)
		return 0;
	/* like Linux: rounded, but what is still to come is never 0 */
	if (old.value_sec == 0 && old.value_usec)
		return 1;
	return old.value_sec + (old.value_usec >= 500000);
}

int nanosleep(const struct timespec *req)
{
	return syscall(SYS_nanosleep, req, NULL);
}

int sched_yield(void)
{
	return syscall(SYS_sched_yield);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, off);
}

int munmap(void *addr, size_t len)
{
	return syscall(SYS_munmap, addr, len);
}

int mprotect(void *addr, size_t len, int prot)
{
	return syscall(SYS_mprotect, addr, len, prot);
}
