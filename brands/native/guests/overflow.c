/*
 * overflow - recurse until the stack ends: SIGSEGV, which kills, or which a handler on
 * an alternate stack catches; and a handler whose own stack is no memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static char alt[16384];
static volatile int enough; /* never set */

static int __attribute__((noinline)) deeper(volatile char *above)
{
	volatile char room[4000];

	room[0] = above[0] + 1;
	return enough ? 0 : deeper(room) + room[0];
}

static void on_segv(int sig)
{
	printf("overflow: handler got signal %d\n", sig);
	_exit(21);
}

static int run(int how)
{
	struct sigaltstack ss = {alt, sizeof alt, 0};
	volatile char c = 0;

	if (how == 2) {
		ss.ss_sp = (void *)0x3000000000;
		ss.ss_size = 65536;
	}
	if (how) {
		sigaltstack(&ss, NULL);
		sigaction(SIGSEGV, on_segv, SA_ONSTACK, 0);
	}
	return deeper(&c);
}

int main(void)
{
	static const char *names[] = {"no handler", "alternate stack", "bad stack"};
	int bad = 0;

	for (int how = 0; how < 3; how++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			_exit(run(how));
		waitpid(pid, &status, 0);
		printf("overflow: %s: status 0x%x\n", names[how], status & ~0x80);
		if (how == 1)
			bad += !WIFEXITED(status) || WEXITSTATUS(status) != 21;
		else
			bad += !WIFSIGNALED(status) || (WTERMSIG(status) & 0x7f) != SIGSEGV;
	}
	return bad;
}
