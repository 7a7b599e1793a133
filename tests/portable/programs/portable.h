/*
 * portable.h - for programs that say the same wherever they run: POSIX only, no
 * process id, address or time in what they print.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifndef MAP_ANON
#define MAP_ANON 0x20 /* Linux hides it from pure POSIX; POSIX 2024 has it */
#endif

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Print at once, so that nothing is in a buffer when the program forks. */
static inline void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

static inline const char *error_name(int error)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{0, "ok"}, {EPERM, "EPERM"}, {ENOENT, "ENOENT"}, {ESRCH, "ESRCH"},
		{EINTR, "EINTR"}, {E2BIG, "E2BIG"}, {ENOEXEC, "ENOEXEC"}, {EBADF, "EBADF"},
		{ECHILD, "ECHILD"}, {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"},
		{EFAULT, "EFAULT"}, {EEXIST, "EEXIST"}, {ENOTDIR, "ENOTDIR"},
		{EISDIR, "EISDIR"}, {EINVAL, "EINVAL"}, {EMFILE, "EMFILE"}, {ESPIPE, "ESPIPE"},
		{EPIPE, "EPIPE"}, {ERANGE, "ERANGE"}, {ENAMETOOLONG, "ENAMETOOLONG"},
		{ENOSYS, "ENOSYS"}, {ENOTEMPTY, "ENOTEMPTY"}, {ELOOP, "ELOOP"},
		{EDEADLK, "EDEADLK"}, {ENXIO, "ENXIO"}, {EXDEV, "EXDEV"},
	};

	for (int i = 0; i < COUNT(names); i++)
		if (names[i].number == error)
			return names[i].name;
	return "another error";
}

static inline const char *signal_name(int sig)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{SIGHUP, "HUP"}, {SIGINT, "INT"}, {SIGQUIT, "QUIT"}, {SIGILL, "ILL"},
		{SIGABRT, "ABRT"}, {SIGFPE, "FPE"}, {SIGKILL, "KILL"}, {SIGBUS, "BUS"},
		{SIGSEGV, "SEGV"}, {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"}, {SIGTERM, "TERM"},
		{SIGUSR1, "USR1"}, {SIGUSR2, "USR2"}, {SIGCHLD, "CHLD"}, {SIGSTOP, "STOP"},
		{SIGTSTP, "TSTP"}, {SIGCONT, "CONT"}, {SIGURG, "URG"}, {SIGTTIN, "TTIN"},
	};

	for (int i = 0; i < COUNT(names); i++)
		if (names[i].number == sig)
			return names[i].name;
	return "another signal";
}

/* The outcome of a call that gives -1 when it fails. */
static inline const char *outcome(long result)
{
	return error_name(result == -1 ? errno : 0);
}

static inline void say_status(const char *what, int status)
{
	if (WIFEXITED(status))
		say("%s: exited %d\n", what, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("%s: killed by %s\n", what, signal_name(WTERMSIG(status)));
	else if (WIFSTOPPED(status))
		say("%s: stopped by %s\n", what, signal_name(WSTOPSIG(status)));
	else
		say("%s: continued %d\n", what, WIFCONTINUED(status) != 0);
}

static inline int reap(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return status;
}

static inline void catch(int sig, void (*handler)(int), int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&act.sa_mask);
	sigaction(sig, &act, NULL);
}

static inline void pause_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

/* Wait for a byte that somebody writes to a pipe. */
static inline char hear(int fd)
{
	char c = '?';

	while (read(fd, &c, 1) == -1 && errno == EINTR)
		;
	return c;
}

static inline void tell(int fd, char c)
{
	if (write(fd, &c, 1) != 1)
		say("nobody hears\n");
}
