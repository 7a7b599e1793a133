/* Blocked signals wait; once, however often they came; and are not inherited. */
#include "portable.h"

static volatile sig_atomic_t usr1, usr2;

static void count(int sig)
{
	if (sig == SIGUSR1)
		usr1++;
	else
		usr2++;
}

static void pending(const char *who)
{
	sigset_t set;

	sigpending(&set);
	say("%s: USR1 %d USR2 %d\n", who, sigismember(&set, SIGUSR1),
	    sigismember(&set, SIGUSR2));
}

int main(void)
{
	sigset_t set, old, all;

	catch(SIGUSR1, count, 0);
	catch(SIGUSR2, count, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	say("before: %d\n", sigismember(&old, SIGUSR1));
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	kill(getpid(), SIGUSR2);
	pending("parent");
	say("handlers ran: %d %d\n", (int)usr1, (int)usr2);
	pid_t pid = fork();

	if (pid == 0) {
		pending("child");
		sigprocmask(SIG_BLOCK, NULL, &old);
		say("child's mask: %d %d\n", sigismember(&old, SIGUSR1),
		    sigismember(&old, SIGUSR2));
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		say("child's handlers ran: %d %d\n", (int)usr1, (int)usr2);
		_exit(0);
	}
	say_status("child", reap(pid));
	sigdelset(&set, SIGUSR2);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("USR1 unblocked: %d %d\n", (int)usr1, (int)usr2);
	pending("rest");
	catch(SIGUSR2, SIG_IGN, 0); /* ignoring takes away what is pending */
	pending("ignored");
	catch(SIGUSR2, count, 0);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	say("nothing came: %d\n", (int)usr2);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigprocmask(SIG_SETMASK, NULL, &old);
	say("KILL %d STOP %d TERM %d\n", sigismember(&old, SIGKILL), sigismember(&old, SIGSTOP),
	    sigismember(&old, SIGTERM));
	say("how: %s\n", outcome(sigprocmask(77, &set, NULL)));
	pid = fork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	say_status("KILL is never blocked", reap(pid));
	return 0;
}
