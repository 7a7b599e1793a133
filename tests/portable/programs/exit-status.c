/* What a parent learns of the way a child ended. */
#include "portable.h"

static int child(void (*what)(int), int arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		what(arg);
		_exit(98);
	}
	return reap(pid);
}

static void do_exit(int n)
{
	exit(n);
}

static void do_quick(int n)
{
	_exit(n);
}

static void do_raise(int n)
{
	raise(n);
}

static void do_kill(int n)
{
	kill(getpid(), n);
	pause();
}

static void do_abort(int n)
{
	(void)n;
	abort();
}

static void do_crash(int n)
{
	volatile int *nowhere = NULL;

	*nowhere = n;
}

int main(void)
{
	static const int codes[] = {0, 1, 42, 127, 128, 255, 256, 257, -1};
	static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM, SIGUSR1,
				     SIGUSR2, SIGALRM, SIGPIPE};
	static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG};

	for (int i = 0; i < COUNT(codes); i++) {
		say_status("exit", child(do_exit, codes[i]));
		say_status("_exit", child(do_quick, codes[i]));
	}
	for (int i = 0; i < COUNT(deadly); i++) {
		say_status("raise", child(do_raise, deadly[i]));
		say_status("kill", child(do_kill, deadly[i]));
	}
	for (int i = 0; i < COUNT(harmless); i++)
		say_status("ignored", child(do_raise, harmless[i]));
	say_status("abort", child(do_abort, 0));
	say_status("crash", child(do_crash, 1));
	return 7;
}
