/* Handlers: their masks, flags, nesting. */
#include "portable.h"

static volatile sig_atomic_t depth, deepest, calls, order[8], n;

static void nest(int sig)
{
	calls++;
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (calls < 4)
		raise(sig);
	depth--;
}

static void note(int sig)
{
	if (n < 8)
		order[n++] = sig;
	if (sig == SIGUSR1)
		raise(SIGUSR2);
	if (n < 8)
		order[n++] = -sig;
}

static void show_order(const char *what)
{
	say("%s:", what);
	for (int i = 0; i < n; i++)
		say(" %s%s", order[i] < 0 ? "-" : "+",
		    signal_name(order[i] < 0 ? -order[i] : order[i]));
	say("\n");
	n = 0;
}

static void run(const char *what, int flags)
{
	depth = deepest = calls = 0;
	catch(SIGUSR1, nest, flags);
	raise(SIGUSR1);
	say("%s: %d calls, %d deep\n", what, (int)calls, (int)deepest);
}

int main(void)
{
	struct sigaction act = {.sa_handler = note}, old;
	sigset_t mask;

	run("plain", 0);
	run("SA_NODEFER", SA_NODEFER);
	catch(SIGUSR2, note, 0);
	sigemptyset(&act.sa_mask);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	show_order("nested");
	sigaddset(&act.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &act, &old);
	say("old: handler %d, mask empty %d\n", old.sa_handler == note,
	    !sigismember(&old.sa_mask, SIGUSR2));
	raise(SIGUSR1);
	show_order("held by sa_mask");
	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("mask after: %d %d\n", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2));
	catch(SIGUSR2, note, SA_RESETHAND);
	raise(SIGUSR2);
	show_order("SA_RESETHAND");
	sigaction(SIGUSR2, NULL, &old);
	say("now default: %d\n", old.sa_handler == SIG_DFL);
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGUSR2);
		_exit(0);
	}
	say_status("second time", reap(pid));
	say("SIGKILL: %s", outcome(sigaction(SIGKILL, &act, NULL)));
	say(" SIGSTOP: %s", outcome(sigaction(SIGSTOP, &act, NULL)));
	say(" 0: %s", outcome(sigaction(0, &act, NULL)));
	say(" 1000: %s\n", outcome(sigaction(1000, &act, NULL)));
	pid = fork();
	if (pid == 0) {
		raise(SIGUSR1);
		show_order("a child has the handlers");
		_exit(0);
	}
	say_status("child", reap(pid));
	return 0;
}
