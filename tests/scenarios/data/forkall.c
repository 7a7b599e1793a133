/*
 * forkall WHAT N - with two more lwps asleep: do WHAT (forkall, fork1, lwp_create) N
 * times and print what came of each.  A child says how many lwps it has by its status.
 */
#include "tiny.h"

#define SYS_lwp_park 77
#define SYS_lwp_create 159
#define SYS_lwp_exit 160
#define SYS_lwp_kill 163
#define SYS_lwp_wait 167

struct kucontext {
	uint64_t flags, link, mask[2], sp, size, sflags, pc, x[31], f[32];
	uint64_t fcsr;
};

static char stacks[64][2048] __attribute__((aligned(16)));

static void sleeper(void)
{
	syscall(SYS_lwp_park, 0, NULL, 0);
	for (;;)
		syscall(SYS_lwp_exit);
}

static int start(void)
{
	static struct kucontext uc;
	static int used;

	syscall(SYS_context, 0, &uc);
	uc.pc = (uint64_t)sleeper;
	uc.x[1] = (uint64_t)stacks[++used];
	return syscall(SYS_lwp_create, &uc, 0, NULL);
}

static int lwps(void)
{
	int n = 0;

	for (int tid = 1; tid < 40; tid++)
		n += syscall(SYS_lwp_kill, tid, 0) == 0;
	return n;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "forkall";
	long n = argc > 2 ? atol(argv[2]) : 2;
	int kind = strcmp(what, "forkall") == 0;

	start();
	start();
	msleep(1);
	for (long i = 1; i <= n; i++) {
		long two = 0, pid;
		int st = 0, tid;

		if (strcmp(what, "lwp_create") == 0) {
			tid = start();
			if (tid < 0) {
				printf("%s %ld: errno %d\n", what, i, errno);
				continue;
			}
			printf("%s %ld: lwp %d\n", what, i, tid);
			syscall(SYS_lwp_park, 1, tid);
			syscall(SYS_lwp_wait, tid, NULL);
			continue;
		}
		pid = syscall_rval2(SYS_forksys, kind, &two);
		if (two == 1)
			_exit(lwps());
		if (pid < 0)
			printf("%s %ld: errno %d\n", what, i, errno);
		else if (waitpid(pid, &st, 0) == pid)
			printf("%s %ld: child had %d lwps\n", what, i, WEXITSTATUS(st));
	}
	return 0;
}
