/*
 * tiny.h - the small C library of personae's own guest programs.
 *
 * One interface over two system-call ABIs: TINY_NATIVE (the native brand) and
 * TINY_LINUX (riscv64 Linux).  Numbers that differ live in tiny_native.h and
 * tiny_linux.h.  It is a teaching-sized library: unbuffered output, no malloc,
 * no locale, one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TINY_H
#define TINY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int pid_t;
typedef long off_t;
typedef void (*sighandler_t)(int);

#ifdef TINY_NATIVE
#include "tiny_native.h"
#else
#include "tiny_linux.h"
#endif

/* errors that have the same number on both sides (1..34) */
#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define EINTR 4
#define EIO 5
#define E2BIG 7
#define ENOEXEC 8
#define EBADF 9
#define ECHILD 10
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENOTDIR 20
#define EISDIR 21
#define EINVAL 22
#define EMFILE 24
#define ENOTTY 25
#define EPIPE 32

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGKILL 9
#define SIGSEGV 11
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define FD_CLOEXEC 1
#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_FIXED 0x10
#define MAP_FAILED ((void *)-1)
#define SIG_DFL ((sighandler_t)0)
#define SIG_IGN ((sighandler_t)1)
#define SIG_ERR ((sighandler_t)-1)
#define SS_ONSTACK 1
#define SS_DISABLE 2

/* the status word of wait has one layout on both sides */
#define WIFEXITED(s) (((s) & 0x7f) == 0)
#define WEXITSTATUS(s) (((s) >> 8) & 0xff)
#define WIFSIGNALED(s) (((s) & 0x7f) != 0 && ((s) & 0x7f) != 0x7f)
#define WTERMSIG(s) ((s) & 0x7f)
#define WIFSTOPPED(s) (((s) & 0xff) == 0x7f && (s) != 0xffff)
#define WSTOPSIG(s) (((s) >> 8) & 0xff)
#define WIFCONTINUED(s) ((s) == 0xffff)
#define CLD_EXITED 1
#define CLD_KILLED 2

struct timespec {
	long tv_sec;
	long tv_nsec;
};

struct sigaltstack {
	void *ss_sp;
	size_t ss_size;
	int ss_flags;
};

/* what waitid() reports, already taken out of the brand's siginfo */
struct waitinfo {
	int signo;
	int code;
	int pid;
	int status;
};

extern int errno;
extern char **environ;

/* string.c */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
char *strcpy(char *dst, const char *src);
char *strchr(const char *s, int c);
long atol(const char *s);

/* printf.c: %d %u %ld %lu %x %lx %p %s %c %%, with a width and a leading 0 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int dprintf(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* stubs.S */
long syscall(long number, ...); /* -1 and errno, or the (first) result */
pid_t fork(void);
pid_t vfork(void) __attribute__((returns_twice));

/* sys.c of the ABI */
void _exit(int status) __attribute__((noreturn));
ssize_t read(int fd, void *buf, size_t n);
ssize_t write(int fd, const void *buf, size_t n);
int open(const char *path, int flags, int mode);
int openat(int dirfd, const char *path, int flags, int mode);
int close(int fd);
off_t lseek(int fd, off_t off, int whence);
int dup(int fd);
int fcntl(int fd, int cmd, long arg);
int pipe(int fds[2]);
int unlink(const char *path);
int mkdir(const char *path, int mode);
int rmdir(const char *path);
int symlink(const char *target, const char *path);
int rename(const char *from, const char *to);
int chdir(const char *path);
int fchdir(int fd);
char *getcwd(char *buf, size_t size);
pid_t getpid(void);
pid_t getppid(void);
int getuid(void);
pid_t getpgrp(void);
int setpgid(pid_t pid, pid_t pgid);
pid_t setsid(void);
int execve(const char *path, char *const argv[], char *const envp[]);
pid_t waitpid(pid_t pid, int *status, int options);
int waitid(int idtype, pid_t id, struct waitinfo *info, int options);
int kill(pid_t pid, int sig);
int sigaction(int sig, sighandler_t handler, int flags, uint64_t mask);
sighandler_t sighandler(int sig); /* what is installed now */
sighandler_t signal(int sig, sighandler_t handler); /* with SA_RESTART */
int sigprocmask(int how, const uint64_t *set, uint64_t *old);
int sigpending(uint64_t *set);
int sigsuspend(uint64_t mask);
int sigaltstack(const struct sigaltstack *ss, struct sigaltstack *old);
unsigned alarm(unsigned seconds);
int nanosleep(const struct timespec *req);
int sched_yield(void);
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int munmap(void *addr, size_t len);
int mprotect(void *addr, size_t len, int prot);

/* string.c, on top of the rest */
void msleep(long milliseconds);
int raise(int sig);
#define SIGBIT(sig) (UINT64_C(1) << ((sig) - 1))

#endif
