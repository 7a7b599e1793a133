/* exec keeps what is ignored and blocked and pending; what was caught is default. */
#include "portable.h"

static void handler(int sig)
{
	(void)sig;
}

static const char *disposition(int sig)
{
	struct sigaction act;

	sigaction(sig, NULL, &act);
	return act.sa_handler == SIG_DFL ? "default" : act.sa_handler == SIG_IGN ? "ignored"
								       : "caught";
}

static void show(const char *who)
{
	static const int sigs[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD};
	sigset_t mask, pending;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigpending(&pending);
	for (int i = 0; i < COUNT(sigs); i++)
		say("%s %s: %s%s%s\n", who, signal_name(sigs[i]), disposition(sigs[i]),
		    sigismember(&mask, sigs[i]) ? ", blocked" : "",
		    sigismember(&pending, sigs[i]) ? ", pending" : "");
}

int main(int argc, char **argv)
{
	sigset_t set;

	(void)argv;
	if (argc > 1) {
		show("second");
		sigemptyset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL); /* USR2 is pending: this is the end */
		say("still there\n");
		return 1;
	}
	catch(SIGHUP, handler, 0);
	catch(SIGUSR1, SIG_IGN, 0);
	catch(SIGUSR2, handler, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	show("first");
	pid_t pid = fork();

	if (pid == 0) {
		show("child"); /* nothing is pending for it */
		raise(SIGUSR2);
		execl(argv[0], "second", "x", (char *)NULL);
		_exit(1);
	}
	say_status("child", reap(pid));
	show("first");
	return 0;
}
