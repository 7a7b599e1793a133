/* Waiting for any child: each comes once, and then there are none. */
#include "portable.h"

#define N 12

int main(void)
{
	int seen[N] = {0}, status, sum = 0, fds[2];
	pid_t pids[N];

	say("no child: %s\n", outcome(wait(&status)));
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(i + 1);
	}
	for (int i = 0; i < N; i++) {
		pid_t pid = wait(&status);

		for (int j = 0; j < N; j++)
			if (pids[j] == pid && WEXITSTATUS(status) == j + 1)
				seen[j]++;
		sum += WEXITSTATUS(status);
	}
	for (int i = 0; i < N; i++)
		say("%d", seen[i]);
	say(" sum %d, then %s\n", sum, outcome(wait(&status)));
	/* One that is running is not there yet. */
	if (pipe(fds) == -1)
		return 1;
	pid_t pid = fork();

	if (pid == 0) {
		hear(fds[0]);
		_exit(5);
	}
	say("running: %d\n", waitpid(pid, &status, WNOHANG));
	say("any: %d\n", waitpid(-1, &status, WNOHANG));
	tell(fds[1], 'g');
	say("comes: %d\n", waitpid(pid, &status, 0) == pid);
	say_status("it", status);
	say("again: %s\n", outcome(waitpid(pid, &status, 0)));
	say("of another: %s\n", outcome(waitpid(getpid(), &status, 0)));
	say("bad options: %s\n", outcome(waitpid(-1, &status, 0x4000)));
	/* Waiting for one leaves the others. */
	pid_t a = fork();

	if (a == 0)
		_exit(1);
	pid_t b = fork();

	if (b == 0)
		_exit(2);
	say_status("b first", reap(b));
	say_status("then a", reap(a));
	return 0;
}
