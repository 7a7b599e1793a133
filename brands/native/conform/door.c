/*
 * door - calls through doors: arguments, results, descriptors, limits, and what becomes
 * of a call when one side goes: door_create(3C), door_call(3C), door_return(3C).
 *
 * SPDX-License-Identifier: MIT
 */
#include "ktap.h"
#include <door.h>

#define ENOBUFS 132
#define ENOTSUP 48
#define ENFILE 23
#define SIGCANCEL 36

static char buf[65536], big[40000];
static door_info_t info;
static volatile int told, cancelled;

static int fails(long r, int want)
{
	return r == -1 && errno == want;
}

/* what the server does is said by the first byte of the argument */
static void server(void *cookie, char *argp, size_t size, door_desc_t *dp, unsigned n)
{
	char out[64], byte = 0;
	door_desc_t desc[1];
	ucred_t *uc = (ucred_t *)out;
	static char uspace[512];
	int fds[2];

	if (argp == DOOR_UNREF_DATA) {
		told++;
		return;
	}
	switch (size ? *argp : 0) {
	case 'e': /* echo, with a step of one */
		for (size_t i = 0; i < size; i++)
			argp[i]++;
		door_return(argp, size, NULL, 0);
		break;
	case 's': /* the sum of all bytes */
		*(long *)out = 0;
		for (size_t i = 0; i < size; i++)
			*(long *)out += argp[i];
		door_return(out, 8, NULL, 0);
		break;
	case 'b': /* more than the caller has room for */
		for (size_t i = 0; i < sizeof(big); i++)
			big[i] = i % 100;
		door_return(big, sizeof(big), NULL, 0);
		break;
	case 'c': /* the cookie */
		door_return((char *)&cookie, sizeof(cookie), NULL, 0);
		break;
	case 'w': /* write to the descriptor that came along */
		write(dp[0].d_data.d_desc.d_descriptor, "through", 7);
		close(dp[0].d_data.d_desc.d_descriptor);
		*(int *)out = n;
		door_return(out, 4, NULL, 0);
		break;
	case 'p': /* a pipe's reading end, with a byte in it */
		pipe(fds);
		write(fds[1], "x", 1);
		close(fds[1]);
		desc[0].d_attributes = DOOR_DESCRIPTOR | DOOR_RELEASE;
		desc[0].d_data.d_desc.d_descriptor = fds[0];
		door_return(&byte, 0, desc, 1);
		break;
	case 'u': /* who calls */
		uc = (ucred_t *)uspace;
		door_sysucred(uc);
		door_return((char *)&uc->uc_pid, 4, NULL, 0);
		break;
	case 'd': /* wait for ever */
		for (;;)
			msleep(1000);
	case 'l': /* this server lwp ends */
		for (;;)
			syscall(SYS_lwp_exit);
	case 'x':
		_exit(7);
	}
	door_return(NULL, 0, NULL, 0);
}

static int call(int did, const char *data, size_t size, door_arg_t *a)
{
	*a = (door_arg_t){(char *)data, size, NULL, 0, buf, sizeof(buf)};
	return door_call(did, a);
}

/* a process that serves a door, and the caller's descriptor of it, by way of /proc */
static pid_t serve(unsigned attributes, int *did)
{
	int fds[2], theirs;
	char path[40];
	pid_t pid;

	pipe(fds);
	pid = fork();
	if (pid == 0) {
		theirs = door_create(server, (void *)0x1234, attributes);
		write(fds[1], &theirs, sizeof(theirs));
		for (;;)
			msleep(3600000);
	}
	read(fds[0], &theirs, sizeof(theirs));
	close(fds[0]);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, theirs);
	*did = open(path, O_RDONLY, 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void making(void)
{
	int did;
	size_t value;
	long st[16];

	KTAP(fails(door_create(server, NULL, 0x1000), EINVAL), "unknown attributes",
	     "door_create(3C)");
	KTAP(fails(door_create(server, NULL, DOOR_UNREF | DOOR_UNREF_MULTI), EINVAL),
	     "both kinds of unref", "door_create(3C)");
	did = door_create(server, (void *)5, 0);
	KTAP(did >= 0, "door_create", "door_create(3C)");
	KTAP_EQ(fcntl(did, F_GETFD, 0), FD_CLOEXEC, "it closes on exec", "door_create(3C)");
	KTAP(syscall(28 /* fstat */, did, st) == 0 && (((int *)st)[4] & 0xf000) == 0xd000,
	     "its file type is S_IFDOOR", "stat(2)");
	KTAP_EQ(door_info(did, &info), 0, "door_info", "door_info(3C)");
	KTAP_EQ(info.di_target, getpid(), "di_target is the server", "door_info(3C)");
	KTAP(info.di_data == 5 && info.di_proc == (door_ptr_t)server, "di_data and di_proc",
	     "door_info(3C)");
	KTAP_EQ(info.di_attributes & (DOOR_LOCAL | DOOR_REVOKED), DOOR_LOCAL, "it is local",
		"door_info(3C)");
	KTAP(fails(door_info(1, &info), EBADF), "a descriptor of something else",
	     "door_info(3C)");
	KTAP(fails(door_info(DOOR_QUERY, &info), EBADF), "DOOR_QUERY: bound to no door",
	     "door_info(3C)");
	KTAP(fails(door_bind(did), EINVAL), "only private doors are bound", "door_bind(3C)");
	KTAP(fails(door_unbind(), EBADF), "nothing to unbind", "door_unbind(3C)");
	KTAP(door_getparam(did, DOOR_PARAM_DESC_MAX, &value) == 0 && value == 0x7fffffff,
	     "DOOR_PARAM_DESC_MAX", "door_getparam(3C)");
	KTAP(fails(door_getparam(did, 9, &value), EINVAL), "no parameter 9",
	     "door_getparam(3C)");
	door_setparam(did, DOOR_PARAM_DATA_MAX, 100);
	KTAP(fails(door_setparam(did, DOOR_PARAM_DATA_MIN, 101), EINVAL),
	     "a minimum above the maximum", "door_setparam(3C)");
	KTAP_EQ(door_revoke(did), 0, "door_revoke", "door_revoke(3C)");
	KTAP(fails(door_info(did, &info), EBADF), "it closes the descriptor",
	     "door_revoke(3C)");
}

static void calling(void)
{
	int did, fds[2];
	pid_t pid = serve(0, &did);
	door_arg_t a;
	door_desc_t desc;
	char byte = 0;
	long sum = 0;

	KTAP(did >= 0, "a door is opened by a path of /proc", "proc(5)");
	KTAP(call(did, "eabc", 4, &a) == 0 && a.data_size == 4 && !memcmp(a.data_ptr, "fbcd", 4),
	     "argument and result", "door_call(3C)");
	KTAP(a.rbuf == buf && a.data_ptr == buf, "the result is in rbuf", "door_call(3C)");
	KTAP(call(did, "c", 1, &a) == 0 && *(long *)a.data_ptr == 0x1234, "the cookie",
	     "door_create(3C)");
	KTAP(call(did, NULL, 0, &a) == 0 && a.data_size == 0, "no argument, no result",
	     "door_call(3C)");
	KTAP_EQ(door_call(did, NULL), 0, "no door_arg_t at all", "door_call(3C)");
	for (size_t i = 0; i < sizeof(big); i++) {
		big[i] = i ? 1 : 's';
		sum += big[i];
	}
	KTAP(call(did, big, sizeof(big), &a) == 0 && *(long *)a.data_ptr == sum,
	     "40000 bytes of argument", "door_call(3C)");
	a = (door_arg_t){"b", 1, NULL, 0, buf, 100};
	KTAP(door_call(did, &a) == 0 && a.data_size == sizeof(big) && a.data_ptr[39999] == 99,
	     "a result of 40000 bytes for 100", "door_call(3C)");
	KTAP(a.rbuf != buf && a.rbuf == a.data_ptr && a.rsize >= sizeof(big),
	     "is in memory of its own", "door_call(3C)");
	KTAP_EQ(munmap(a.rbuf, a.rsize), 0, "which can be unmapped", "door_call(3C)");
	KTAP(call(did, "u", 1, &a) == 0 && *(int *)a.data_ptr == getpid(),
	     "the server knows who calls", "door_ucred(3C)");

	pipe(fds);
	desc.d_attributes = DOOR_DESCRIPTOR | DOOR_RELEASE;
	desc.d_data.d_desc.d_descriptor = fds[1];
	a = (door_arg_t){"w", 1, &desc, 1, buf, sizeof(buf)};
	KTAP(door_call(did, &a) == 0 && *(int *)a.data_ptr == 1, "a descriptor goes along",
	     "door_call(3C)");
	KTAP(read(fds[0], buf, 10) == 7 && !memcmp(buf, "through", 7),
	     "and is used on the other side", "door_call(3C)");
	KTAP(fails(fcntl(fds[1], F_GETFD, 0), EBADF), "DOOR_RELEASE: the caller's is closed",
	     "door_call(3C)");
	KTAP_EQ(read(fds[0], buf, 10), 0, "so the pipe has no writer now", "door_call(3C)");
	close(fds[0]);
	KTAP(call(did, "p", 1, &a) == 0 && a.desc_num == 1, "a descriptor comes back",
	     "door_return(3C)");
	fds[0] = a.desc_ptr[0].d_data.d_desc.d_descriptor;
	KTAP(read(fds[0], &byte, 1) == 1 && byte == 'x', "and can be read", "door_return(3C)");
	close(fds[0]);
	desc.d_attributes = 0;
	a = (door_arg_t){"w", 1, &desc, 1, buf, sizeof(buf)};
	KTAP(fails(door_call(did, &a), EINVAL), "a descriptor without DOOR_DESCRIPTOR",
	     "door_call(3C)");
	desc = (door_desc_t){.d_attributes = DOOR_DESCRIPTOR, .d_data.d_desc = {99, 0}};
	KTAP(fails(door_call(did, &a), EBADF), "a descriptor that is not open",
	     "door_call(3C)");
	KTAP(fails(door_call(did, (door_arg_t *)8), EFAULT), "a bad pointer", "door_call(3C)");
	KTAP(fails(call(1, "e", 1, &a), EBADF), "a call of something else", "door_call(3C)");
	KTAP(fails(door_revoke(did), EPERM), "another's door is not revoked",
	     "door_revoke(3C)");
	KTAP(fails(door_setparam(did, DOOR_PARAM_DATA_MAX, 1), EPERM), "nor its limits set",
	     "door_setparam(3C)");
	close(did);
	end(pid);
}

static void limits(void)
{
	int did = door_create(server, NULL, DOOR_REFUSE_DESC), more;
	door_desc_t desc = {.d_attributes = DOOR_DESCRIPTOR, .d_data.d_desc = {1, 0}};
	door_arg_t a = {"w", 1, &desc, 1, buf, sizeof(buf)};

	KTAP(fails(door_call(did, &a), ENOTSUP), "DOOR_REFUSE_DESC", "door_create(3C)");
	KTAP(fails(door_setparam(did, DOOR_PARAM_DESC_MAX, 2), ENOTSUP),
	     "then there are none to allow", "door_setparam(3C)");
	door_setparam(did, DOOR_PARAM_DATA_MAX, 4);
	door_setparam(did, DOOR_PARAM_DATA_MIN, 2);
	KTAP(fails(call(did, "eabcd", 5, &a), ENOBUFS), "above DATA_MAX", "door_call(3C)");
	KTAP(fails(call(did, "e", 1, &a), ENOBUFS), "below DATA_MIN", "door_call(3C)");
	KTAP_EQ(call(did, "eab", 3, &a), 0, "a call within a process", "door_call(3C)");
	more = door_create(server, NULL, 0);
	door_setparam(more, DOOR_PARAM_DESC_MAX, 0);
	a = (door_arg_t){"w", 1, &desc, 1, buf, sizeof(buf)};
	KTAP(fails(door_call(more, &a), ENFILE), "above DESC_MAX", "door_call(3C)");
	close(more);
	door_revoke(did);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void on_cancel(int sig)
{
	(void)sig;
	cancelled++;
}

static void endings(void)
{
	int did, private, status;
	pid_t pid = serve(0, &did), caller;
	door_arg_t a;

	signal(SIGALRM, on_alarm);
	alarm(1);
	KTAP(fails(call(did, "d", 1, &a), EINTR), "a signal ends a call", "door_call(3C)");
	KTAP_EQ(call(did, "eab", 3, &a), 0, "another server lwp is there", "door_server_create(3C)");
	KTAP(fails(call(did, "l", 1, &a), EINTR), "the server lwp ends: EINTR",
	     "door_call(3C)");
	caller = fork();
	if (caller == 0)
		_exit(call(did, "eab", 3, &a) == 0 ? 0 : 1);
	waitpid(caller, &status, 0);
	KTAP_EQ(status, 0, "a forked child calls through its parent's descriptor", "fork(2)");
	caller = fork();
	if (caller == 0)
		_exit(call(did, "d", 1, &a));
	msleep(5);
	end(caller);
	KTAP_EQ(call(did, "eab", 3, &a), 0, "a caller was killed: the server goes on",
		"door_call(3C)");
	KTAP(fails(call(did, "x", 1, &a), EINTR), "the server process ends: EINTR",
	     "door_call(3C)");
	waitpid(pid, NULL, 0);
	KTAP(fails(call(did, "e", 1, &a), EBADF), "then its door is revoked", "door_call(3C)");
	KTAP(door_info(did, &info) == 0 && info.di_target == -1 &&
		     info.di_attributes & DOOR_REVOKED,
	     "which door_info tells", "door_info(3C)");
	close(did);

	private = door_create(server, NULL, DOOR_PRIVATE);
	alarm(1);
	KTAP(fails(call(private, "e", 1, &a), EINTR), "nobody serves a private door as yet",
	     "door_create(3C)");
	door_server_start(private);
	KTAP_EQ(call(private, "e", 1, &a), 0, "a lwp that is bound to it does",
		"door_bind(3C)");
	pid = fork();
	if (pid == 0) {
		door_info(private, &info);
		if (info.di_attributes & DOOR_LOCAL || info.di_target != getppid())
			_exit(1);
		if (!fails(door_bind(private), EINVAL))
			_exit(2);
		_exit(call(private, "e", 1, &a) == 0 ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	KTAP_EQ(WEXITSTATUS(status), 0, "a child of the server is a client like others",
		"fork(2)");
	signal(SIGCANCEL, on_cancel);
	alarm(1);
	call(private, "d", 1, &a);
	msleep(2000);
	KTAP_EQ(cancelled, 1, "the caller goes: SIGCANCEL to the server lwp", "door_call(3C)");
	door_revoke(private);
	private = door_create(server, NULL, DOOR_PRIVATE | DOOR_NO_CANCEL);
	door_server_start(private);
	alarm(1);
	call(private, "d", 1, &a);
	msleep(2000);
	KTAP_EQ(cancelled, 1, "DOOR_NO_CANCEL: not", "door_create(3C)");
	door_revoke(private);
}

static void unreferenced(void)
{
	int did = door_create(server, NULL, DOOR_UNREF), copy, multi;

	door_info(did, &info);
	KTAP(info.di_attributes & DOOR_IS_UNREF, "only one descriptor: DOOR_IS_UNREF",
	     "door_info(3C)");
	copy = dup(did);
	door_info(did, &info);
	KTAP(!(info.di_attributes & DOOR_IS_UNREF), "two: not", "door_info(3C)");
	close(copy);
	msleep(2);
	KTAP_EQ(told, 1, "down to one: the server is told", "door_create(3C)");
	copy = dup(did);
	close(copy);
	msleep(2);
	KTAP_EQ(told, 1, "DOOR_UNREF: once", "door_create(3C)");
	multi = door_create(server, NULL, DOOR_UNREF_MULTI);
	for (int i = 0; i < 3; i++) {
		close(dup(multi));
		msleep(2);
	}
	KTAP_EQ(told, 4, "DOOR_UNREF_MULTI: every time", "door_create(3C)");
	if (fork() == 0)
		_exit(0);
	waitpid(-1, NULL, 0);
	msleep(2);
	KTAP_EQ(told, 5, "a child that ends has closed its descriptors, too",
		"door_create(3C)");
	close(did);
	close(multi);
}

int main(void)
{
	ktap_start("door");
	making();
	calling();
	limits();
	endings();
	unreferenced();
	return ktap_end();
}
