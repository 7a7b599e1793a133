/* A tree of processes: each node adds up its children. */
#include "portable.h"

static int node(int depth, int width)
{
	int sum = 1;

	if (depth == 0)
		return sum;
	for (int i = 0; i < width; i++) {
		int fds[2], value = 0;

		if (pipe(fds) == -1)
			_exit(99);
		pid_t pid = fork();

		if (pid == 0) {
			close(fds[0]);
			value = node(depth - 1, width);
			if (write(fds[1], &value, sizeof value) != sizeof value)
				_exit(98);
			_exit(depth);
		}
		close(fds[1]);
		if (read(fds[0], &value, sizeof value) != sizeof value)
			value = -1000;
		close(fds[0]);
		int status = reap(pid);

		if (!WIFEXITED(status) || WEXITSTATUS(status) != depth)
			value = -1000;
		sum += value;
	}
	return sum;
}

/* A line of processes, each the parent of the next. */
static int line(int n)
{
	if (n == 0)
		return 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(line(n - 1));
	int status = reap(pid);

	return WEXITSTATUS(status) + 1;
}

int main(void)
{
	say("binary, 5 deep: %d\n", node(5, 2));
	say("ternary, 3 deep: %d\n", node(3, 3));
	say("a line of 20: %d\n", line(20));
	/* Many in a row: each number comes back. */
	int wrong = 0;

	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i);
		wrong += WEXITSTATUS(reap(pid)) != i;
	}
	say("100 in a row, wrong %d\n", wrong);
	/* Many at once. */
	int fds[2], up = 0;

	if (pipe(fds) == -1)
		return 1;
	for (int i = 0; i < 30; i++)
		if (fork() == 0) {
			close(fds[1]);
			hear(fds[0]); /* the end of the pipe lets all go */
			_exit(1);
		}
	close(fds[1]);
	for (int status; wait(&status) > 0;)
		up += WEXITSTATUS(status);
	say("30 at once: %d\n", up);
	return 0;
}
