/* Processes through libproc: look, stop, read and change memory, trace a call, go on. */
#include <libproc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int turn = 1, cell = 41;

static int count(psinfo_t *p, void *arg)
{
	(void)p;
	++*(int *)arg;
	return 0;
}

int main(void)
{
	int error = 0, n = 0, value = 0, status;
	pid_t pid = fork();

	if (pid == 0) {
		while (turn)
			getppid();
		_exit(cell);
	}
	proc_walk(count, &n);
	printf("%d\n", n); /* zsched, this one, the child */
	struct ps_prochandle *p = Pgrab(pid, 0, &error);

	printf("%d %d\n", p != NULL, error);
	printf("%d %d\n", Pgetpid(p) == pid, (Pstatus(p)->pr_lwp.pr_flags & PR_STOPPED) != 0);
	printf("%d\n", Ppsinfo(p)->pr_ppid == getpid());
	printf("%d ", (int)Pread(p, &value, sizeof value, (uintptr_t)&cell));
	printf("%d\n", value);
	value = 43;
	printf("%d\n", (int)Pwrite(p, &value, sizeof value, (uintptr_t)&cell));
	printf("%d\n", Psysentry(p, SYS_getpid, 1));
	printf("%d\n", Psetrun(p, 0, 0));
	printf("%d ", Pwait(p, 0));
	const pstatus_t *s = Pstatus(p);

	printf("%d %d\n", s->pr_lwp.pr_why == PR_SYSENTRY, s->pr_lwp.pr_what == SYS_getpid);
	value = 0;
	Pwrite(p, &value, sizeof value, (uintptr_t)&turn);
	Prelease(p, PRELEASE_CLEAR);
	waitpid(pid, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
	printf("%d", Pgrab(pid, 0, &error) == NULL);
	printf(" %d\n", error);
	return 0;
}
