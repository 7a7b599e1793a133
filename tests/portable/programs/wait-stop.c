/* Stopped and continued children are reported when it is asked for. */
#include "portable.h"

int main(void)
{
	static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN};
	int status, fds[2];

	if (pipe(fds) == -1)
		return 1;
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, getppid()); /* not orphaned: its parent is in the session */
		for (;;)
			switch (hear(fds[0])) {
			case 's':
				raise(SIGSTOP);
				break;
			case 'q':
				_exit(3);
			}
	}
	for (int i = 0; i < COUNT(stops); i++) {
		kill(pid, i ? SIGSTOP : stops[i]);
		say("stopped: %d\n", waitpid(pid, &status, WUNTRACED) == pid);
		say_status("it", status);
		say("told once: %d\n", waitpid(pid, &status, WUNTRACED | WNOHANG));
		kill(pid, SIGCONT);
		say("continued: %d\n", waitpid(pid, &status, WCONTINUED) == pid);
		say_status("it", status);
		say("told once: %d\n", waitpid(pid, &status, WCONTINUED | WNOHANG));
	}
	tell(fds[1], 's');
	say("by itself: %d\n", waitpid(pid, &status, WUNTRACED) == pid);
	say_status("it", status);
	/* What is sent to a stopped process waits, but for SIGKILL and SIGCONT. */
	tell(fds[1], 'q');
	pause_ms(20);
	say("stopped still: %d\n", waitpid(pid, &status, WNOHANG));
	kill(pid, SIGCONT);
	say_status("it", reap(pid));
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGTERM);
	pause_ms(20);
	say("SIGTERM waits: %d\n", waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	say_status("SIGKILL does not", reap(pid));
	return 0;
}
