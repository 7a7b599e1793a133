/* Children of a parent that ignores SIGCHLD leave nothing behind. */
#include "portable.h"

static volatile sig_atomic_t caught;

static void count(int sig)
{
	caught += sig == SIGCHLD;
}

static pid_t start(int ms, int code)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause_ms(ms);
		_exit(code);
	}
	return pid;
}

int main(void)
{
	int status;

	catch(SIGCHLD, SIG_IGN, 0);
	start(0, 1);
	start(20, 2);
	/* wait comes back when the last one is gone, and knows nothing of it */
	say("ignored: %s\n", outcome(wait(&status)));
	catch(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
	start(5, 3);
	say("SA_NOCLDWAIT: %s\n", outcome(wait(&status)));
	catch(SIGCHLD, SIG_DFL, 0);
	start(0, 4);
	say("default: %d", wait(&status) > 0);
	say_status("", status);
	catch(SIGCHLD, count, SA_RESTART);
	for (int i = 0; i < 3; i++) {
		pid_t pid = start(0, i);

		/* A wait may take the signal along with the child (POSIX): it comes first. */
		while (caught <= i)
			pause_ms(1);
		say_status("caught", reap(pid));
	}
	say("SIGCHLD %d times\n", (int)caught);
	/* Stops are told too, unless they are not wanted. */
	caught = 0;
	pid_t pid = start(2000, 0);

	kill(pid, SIGSTOP);
	while (caught < 1)
		pause_ms(1);
	waitpid(pid, &status, WUNTRACED);
	catch(SIGCHLD, count, SA_RESTART | SA_NOCLDSTOP);
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	pause_ms(5);
	say("with SA_NOCLDSTOP %d\n", caught <= 2);
	int before = caught;

	kill(pid, SIGKILL);
	while (caught <= before)
		pause_ms(1);
	say_status("end", reap(pid));
	say("told %d\n", caught - before);
	return 0;
}
