/*
 * error.c - errors and signals in words, those of illumos.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const errors[] = {
	[0] = "Error 0",
	[EPERM] = "Not owner",
	[ENOENT] = "No such file or directory",
	[ESRCH] = "No such process",
	[EINTR] = "Interrupted system call",
	[EIO] = "I/O error",
	[ENXIO] = "No such device or address",
	[E2BIG] = "Arg list too long",
	[ENOEXEC] = "Exec format error",
	[EBADF] = "Bad file number",
	[ECHILD] = "No child processes",
	[EAGAIN] = "Resource temporarily unavailable",
	[ENOMEM] = "Not enough space",
	[EACCES] = "Permission denied",
	[EFAULT] = "Bad address",
	[ENOTBLK] = "Block device required",
	[EBUSY] = "Device busy",
	[EEXIST] = "File exists",
	[EXDEV] = "Cross-device link",
	[ENODEV] = "No such device",
	[ENOTDIR] = "Not a directory",
	[EISDIR] = "Is a directory",
	[EINVAL] = "Invalid argument",
	[ENFILE] = "File table overflow",
	[EMFILE] = "Too many open files",
	[ENOTTY] = "Inappropriate ioctl for device",
	[ETXTBSY] = "Text file busy",
	[EFBIG] = "File too large",
	[ENOSPC] = "No space left on device",
	[ESPIPE] = "Illegal seek",
	[EROFS] = "Read-only file system",
	[EMLINK] = "Too many links",
	[EPIPE] = "Broken pipe",
	[EDOM] = "Argument out of domain",
	[ERANGE] = "Result too large",
	[ENOMSG] = "No message of desired type",
	[EIDRM] = "Identifier removed",
	[EDEADLK] = "Deadlock situation detected/avoided",
	[ENOLCK] = "No record locks available",
	[ECANCELED] = "Operation canceled",
	[ENOTSUP] = "Operation not supported",
	[EDQUOT] = "Disc quota exceeded",
	[EOWNERDEAD] = "Owner of the lock died",
	[ENOTRECOVERABLE] = "Lock is not recoverable",
	[ENODATA] = "No data available",
	[ETIME] = "Timer expired",
	[EPROTO] = "Protocol error",
	[EBADMSG] = "Not a data message",
	[ENAMETOOLONG] = "File name too long",
	[EOVERFLOW] = "Value too large for defined data type",
	[EILSEQ] = "Illegal byte sequence",
	[ENOSYS] = "Operation not applicable",
	[ELOOP] = "Number of symbolic links encountered during path n"
		"ame traversal exceeds MAXSYMLINKS",
	[ENOTEMPTY] = "Directory not empty",
	[EUSERS] = "Too many users",
	[ENOTSOCK] = "Socket operation on non-socket",
	[EMSGSIZE] = "Message too long",
	[EOPNOTSUPP] = "Operation not supported on transport endpoint",
	[EADDRINUSE] = "Address already in use",
	[ECONNREFUSED] = "Connection refused",
	[ECONNRESET] = "Connection reset by peer",
	[ENOTCONN] = "Transport endpoint is not connected",
	[ETIMEDOUT] = "Connection timed out",
	[EALREADY] = "Operation already in progress",
	[EINPROGRESS] = "Operation now in progress",
	[ESTALE] = "Stale NFS file handle",
};

/* name and text, by number */
static const struct {
	const char *name, *text;
} signals[] = {
	[SIGHUP] = {"HUP", "Hangup"},
	[SIGINT] = {"INT", "Interrupt"},
	[SIGQUIT] = {"QUIT", "Quit"},
	[SIGILL] = {"ILL", "Illegal Instruction"},
	[SIGTRAP] = {"TRAP", "Trace/Breakpoint Trap"},
	[SIGABRT] = {"ABRT", "Abort"},
	[SIGEMT] = {"EMT", "Emulation Trap"},
	[SIGFPE] = {"FPE", "Arithmetic Exception"},
	[SIGKILL] = {"KILL", "Killed"},
	[SIGBUS] = {"BUS", "Bus Error"},
	[SIGSEGV] = {"SEGV", "Segmentation Fault"},
	[SIGSYS] = {"SYS", "Bad System Call"},
	[SIGPIPE] = {"PIPE", "Broken Pipe"},
	[SIGALRM] = {"ALRM", "Alarm Clock"},
	[SIGTERM] = {"TERM", "Terminated"},
	[SIGUSR1] = {"USR1", "User Signal 1"},
	[SIGUSR2] = {"USR2", "User Signal 2"},
	[SIGCLD] = {"CLD", "Child Status Changed"},
	[SIGPWR] = {"PWR", "Power-Fail/Restart"},
	[SIGWINCH] = {"WINCH", "Window Size Change"},
	[SIGURG] = {"URG", "Urgent Socket Condition"},
	[SIGPOLL] = {"POLL", "Pollable Event"},
	[SIGSTOP] = {"STOP", "Stopped (signal)"},
	[SIGTSTP] = {"TSTP", "Stopped (user)"},
	[SIGCONT] = {"CONT", "Continued"},
	[SIGTTIN] = {"TTIN", "Stopped (tty input)"},
	[SIGTTOU] = {"TTOU", "Stopped (tty output)"},
	[SIGVTALRM] = {"VTALRM", "Virtual Timer Expired"},
	[SIGPROF] = {"PROF", "Profiling Timer Expired"},
	[SIGXCPU] = {"XCPU", "Cpu Limit Exceeded"},
	[SIGXFSZ] = {"XFSZ", "File Size Limit Exceeded"},
	[SIGWAITING] = {"WAITING", "No runnable lwp"},
	[SIGLWP] = {"LWP", "Inter-lwp signal"},
	[SIGFREEZE] = {"FREEZE", "Checkpoint Freeze"},
	[SIGTHAW] = {"THAW", "Checkpoint Thaw"},
	[SIGCANCEL] = {"CANCEL", "Thread Cancellation"},
	[SIGLOST] = {"LOST", "Resource Lost"},
	[SIGXRES] = {"XRES", "Resource Control Exceeded"},
};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int strerror_r(int error, char *buf, size_t size)
{
	if (error >= 0 && error < COUNT(errors) && errors[error])
		return strlcpy(buf, errors[error], size) < size ? 0 : ERANGE;
	snprintf(buf, size, "Unknown error");
	return EINVAL;
}

char *strerror(int error)
{
	static __thread char text[96];

	strerror_r(error, text, sizeof text);
	return text;
}

void perror(const char *s)
{
	int error = errno;

	fprintf(stderr, "%s%s%s\n", s ? s : "", s && *s ? ": " : "", strerror(error));
	errno = error;
}

char *strsignal(int sig)
{
	static __thread char text[32];

	if (sig > 0 && sig < COUNT(signals))
		return (char *)signals[sig].text;
	if (sig < SIGRTMIN || sig > SIGRTMAX)
		return NULL;
	snprintf(text, sizeof text, "Real Time Signal %d", sig - SIGRTMIN);
	return text;
}

void psignal(int sig, const char *s)
{
	const char *text = strsignal(sig);

	fprintf(stderr, "%s%s%s\n", s ? s : "", s && *s ? ": " : "",
		text ? text : "Unknown signal");
}

int sig2str(int sig, char *name)
{
	if (sig == 0)
		strlcpy(name, "EXIT", SIG2STR_MAX);
	else if (sig > 0 && sig < COUNT(signals))
		strlcpy(name, signals[sig].name, SIG2STR_MAX);
	else if (sig >= SIGRTMIN && sig <= SIGRTMAX)
		snprintf(name, SIG2STR_MAX, sig == SIGRTMIN ? "RTMIN" : "RTMIN+%d",
			 sig - SIGRTMIN);
	else
		return -1;
	return 0;
}

/* A name without SIG, or a number. */
int str2sig(const char *name, int *sig)
{
	static const struct {
		const char *name;
		int sig;
	} others[] = {{"EXIT", 0}, {"CHLD", SIGCHLD}, {"IOT", SIGIOT}, {"IO", SIGIO}};
	char *end;
	long n = strtol(name, &end, 10);

	if (*name && !*end && n >= 0 && n < NSIG) {
		*sig = n;
		return 0;
	}
	for (int i = 1; i < COUNT(signals); i++)
		if (strcmp(name, signals[i].name) == 0) {
			*sig = i;
			return 0;
		}
	for (int i = 0; i < COUNT(others); i++)
		if (strcmp(name, others[i].name) == 0) {
			*sig = others[i].sig;
			return 0;
		}
	if (strncmp(name, "RTMIN", 5) == 0) {
		n = name[5] ? strtol(name + 5, &end, 10) : 0;
		if ((!name[5] || !*end) && n >= 0 && n <= SIGRTMAX - SIGRTMIN) {
			*sig = SIGRTMIN + n;
			return 0;
		}
	}
	return -1;
}
