/*
 * sys.c - the library's calls in terms of the native brand's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

/* struct sigaction and sigset_t of illumos, LP64 */
struct ksigset {
	uint32_t bits[4];
};

struct ksigaction {
	int flags;
	int pad;
	void *handler;
	struct ksigset mask;
};

/* the part of the 256-byte siginfo that waitid() fills */
struct ksiginfo {
	int signo, code, err, pad;
	int pid, pad2;
	long utime;
	int status, pad3;
	long stime;
	char rest[208];
};

void sigacthandler(void);
sighandler_t siguhandler[NSIG]; /* read by stubs.S */

static struct ksigset kset(uint64_t set)
{
	return (struct ksigset){{(uint32_t)set, (uint32_t)(set >> 32), 0, 0}};
}

static uint64_t uset(const struct ksigset *set)
{
	return set->bits[0] | (uint64_t)set->bits[1] << 32;
}

void _exit(int status)
{
	for (;;)
		syscall(SYS_exit, status);
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

int fcntl(int fd, int cmd, long arg)
{
	return syscall(SYS_fcntl, fd, cmd, arg);
}

int dup(int fd)
{
	return fcntl(fd, F_DUPFD, 0);
}

int pipe(int fds[2])
{
	return syscall(SYS_pipe, fds, 0);
}

int unlink(const char *path)
{
	return syscall(SYS_unlink, path);
}

int mkdir(const char *path, int mode)
{
	return syscall(SYS_mkdir, path, mode);
}

int rmdir(const char *path)
{
	return syscall(SYS_rmdir, path);
}

int symlink(const char *target, const char *path)
{
	return syscall(SYS_symlinkat, target, AT_FDCWD, path);
}

int rename(const char *from, const char *to)
{
	return syscall(SYS_rename, from, to);
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
	long ppid = -1;

	syscall_rval2(SYS_getpid, 0, &ppid);
	return ppid;
}

int getuid(void)
{
	return syscall(SYS_getuid);
}

pid_t getpgrp(void)
{
	return syscall(SYS_pgrpsys, 0);
}

pid_t setsid(void)
{
	return syscall(SYS_pgrpsys, 3);
}

int setpgid(pid_t pid, pid_t pgid)
{
	return syscall(SYS_pgrpsys, 5, pid, pgid);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	return syscall(SYS_execve, path, argv, envp);
}

int waitid(int idtype, pid_t id, struct waitinfo *info, int options)
{
	struct ksiginfo k;
	int r = syscall(SYS_waitid, idtype, id, &k, options);

	if (r == 0 && info)
		*info = (struct waitinfo){k.signo, k.code, k.pid, k.status};
	return r;
}

static int wstat(const struct waitinfo *w)
{
	switch (w->code) {
	case CLD_EXITED:
		return (w->status & 0xff) << 8;
	case CLD_KILLED:
		return w->status & 0x7f;
	case 3: /* CLD_DUMPED */
		return (w->status & 0x7f) | 0x80;
	case 6: /* CLD_CONTINUED */
		return 0xffff;
	default:
		return (w->status & 0xff) << 8 | 0x7f;
	}
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	struct waitinfo w;
	int idtype = pid > 0 ? P_PID : pid == -1 ? P_ALL : P_PGID;
	pid_t id = pid > 0 ? pid : pid == -1 ? 0 : pid == 0 ? getpgrp() : -pid;

	if (waitid(idtype, id, &w, options | WEXITED) == -1)
		return -1;
	if (w.pid == 0)
		return 0;
	if (status)
		*status = wstat(&w);
	return w.pid;
}

int kill(pid_t pid, int sig)
{
	return syscall(SYS_kill, pid, sig);
}

int sigaction(int sig, sighandler_t handler, int flags, uint64_t mask)
{
	struct ksigaction act = {.flags = flags, .handler = handler, .mask = kset(mask)};

	if (handler != SIG_DFL && handler != SIG_IGN) {
		siguhandler[sig] = handler;
		act.handler = sigacthandler;
	}
	return syscall(SYS_sigaction, sig, &act, NULL);
}

sighandler_t sighandler(int sig)
{
	struct ksigaction old;

	if (syscall(SYS_sigaction, sig, NULL, &old) == -1)
		return SIG_ERR;
	if (old.handler == (void *)sigacthandler)
		return siguhandler[sig];
	return (sighandler_t)old.handler;
}

sighandler_t signal(int sig, sighandler_t handler)
{
	sighandler_t was = sighandler(sig);

	return sigaction(sig, handler, SA_RESTART, 0) == -1 ? SIG_ERR : was;
}

int sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
	struct ksigset k = kset(set ? *set : 0), o;
	int r = syscall(SYS_sigprocmask, how, set ? &k : NULL, old ? &o : NULL);

	if (r == 0 && old)
		*old = uset(&o);
	return r;
}

int sigpending(uint64_t *set)
{
	struct ksigset k;
	int r = syscall(SYS_sigpending, 1, &k);

	if (r == 0)
		*set = uset(&k);
	return r;
}

int sigsuspend(uint64_t mask)
{
	struct ksigset k = kset(mask);

	return syscall(SYS_sigsuspend, &k);
}

int sigaltstack(const struct sigaltstack *ss, struct sigaltstack *old)
{
	return syscall(SYS_sigaltstack, ss, old);
}

unsigned alarm(unsigned seconds)
{
	return syscall(SYS_alarm, seconds);
}

int nanosleep(const struct timespec *req)
{
	return syscall(SYS_nanosleep, req, NULL);
}

int sched_yield(void)
{
	return syscall(SYS_yield);
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
