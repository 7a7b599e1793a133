/*
 * peer - the init of a zone that looks for others: which processes it can signal,
 * which shared segments it finds.  A child of it waits for a signal from outside.
 * What it saw is in /saw, the child's number in /ready.
 */
#include "tiny.h"

#ifdef TINY_NATIVE
#define SHMGET(key, size, flag) syscall(52, 3L, (long)(key), (long)(size), (long)(flag))
#define SHMAT(id) syscall(52, 0L, (long)(id), 0L, 0L)
#define GETPGID(pid) syscall(39, 4L, (long)(pid))
#else
#define SHMGET(key, size, flag) syscall(194, (long)(key), (long)(size), (long)(flag))
#define SHMAT(id) syscall(196, (long)(id), 0L, 0L)
#define GETPGID(pid) syscall(155, (long)(pid))
#endif
#define KEY 0x70656572

static volatile int caught;

static void on_usr1(int sig)
{
	caught = sig;
}

static void put(const char *name, const char *text)
{
	int fd = open("/new", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	write(fd, text, strlen(text));
	close(fd);
	rename("/new", name);
}

int main(void)
{
	char text[256];
	int st = -1, seen = 0, foreign = 0, groups = 0, segs = 0;
	pid_t child = fork();

	if (child == 0) {
		sigaction(SIGUSR1, on_usr1, 0, 0);
		while (!caught)
			msleep(1);
		_exit(caught == SIGUSR1 ? 42 : 43);
	}
	long own = SHMGET(KEY, 4096, 01000 | 02000 | 0600); /* IPC_CREAT | IPC_EXCL */
	msleep(5); /* the others have come up */
	for (int pid = 2; pid < 400; pid++) {
		if (pid == getppid()) /* a native zone knows its zsched */
			continue;
		if (kill(pid, 0) == 0) {
			seen++;
			foreign += pid != child && pid != getpid();
		} else if (errno != ESRCH)
			foreign += 1000;
		if (pid != child && pid != getpid() && GETPGID(pid) != -1)
			groups++;
	}
	for (long id = 0; id < 64; id++)
		if (id != own && SHMAT(id) != -1)
			segs++;
	snprintf(text, sizeof(text), "%d", child);
	put("/ready", text);
	waitpid(child, &st, 0);
	snprintf(text, sizeof(text), "foreign %d groups %d key %d segments %d child %d",
		 foreign, groups, own >= 0, segs, WEXITSTATUS(st));
	put("/saw", text);
	while (1)
		msleep(1000000);
}
