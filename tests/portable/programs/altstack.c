/* A stack of their own for handlers; a stack that overflows is survived. */
#include "portable.h"

static char *stack;
static volatile sig_atomic_t on_it, nested;
static sigjmp_buf back;

static int inside(const void *p)
{
	return (const char *)p >= stack && (const char *)p < stack + 65536;
}

static void inner(int sig)
{
	char here;

	(void)sig;
	nested = inside(&here);
}

static void outer(int sig)
{
	char here;
	stack_t now;

	(void)sig;
	on_it = inside(&here);
	sigaltstack(NULL, &now);
	say("in use: %d\n", (now.ss_flags & SS_ONSTACK) != 0);
	now.ss_flags = SS_DISABLE;
	say("while in use: %s\n", outcome(sigaltstack(&now, NULL)));
	raise(SIGUSR2);
}

static void overflow(int sig)
{
	char here;

	(void)sig;
	on_it = inside(&here);
	siglongjmp(back, 1);
}

static int recurse(int n)
{
	volatile char room[4096];

	room[0] = n;
	return recurse(n + 1) + room[0];
}

int main(void)
{
	stack_t ss = {.ss_size = 65536}, old;

	stack = ss.ss_sp = malloc(65536);
	sigaltstack(NULL, &old);
	say("none at first: %d\n", (old.ss_flags & SS_DISABLE) != 0);
	say("set: %s\n", outcome(sigaltstack(&ss, NULL)));
	catch(SIGUSR1, outer, SA_ONSTACK);
	catch(SIGUSR2, inner, SA_ONSTACK);
	raise(SIGUSR1);
	say("on it %d, nested %d\n", (int)on_it, (int)nested);
	catch(SIGUSR2, inner, 0);
	raise(SIGUSR2);
	say("without SA_ONSTACK %d\n", (int)nested);
	catch(SIGSEGV, overflow, SA_ONSTACK);
	on_it = 0;
	if (sigsetjmp(back, 1) == 0)
		say("%d\n", recurse(0));
	say("overflow caught, on it %d\n", (int)on_it);
	pid_t pid = fork();

	if (pid == 0) {
		sigaltstack(NULL, &old);
		_exit(old.ss_sp == stack && !(old.ss_flags & SS_DISABLE) ? 0 : 1);
	}
	say_status("a child has it too", reap(pid));
	ss.ss_size = 100;
	say("too small: %s\n", outcome(sigaltstack(&ss, NULL)));
	ss.ss_size = 65536;
	ss.ss_flags = 0x77;
	say("bad flags: %s\n", outcome(sigaltstack(&ss, NULL)));
	ss.ss_flags = SS_DISABLE;
	say("off: %s\n", outcome(sigaltstack(&ss, NULL)));
	sigaltstack(NULL, &old);
	say("none: %d\n", (old.ss_flags & SS_DISABLE) != 0);
	return 0;
}
