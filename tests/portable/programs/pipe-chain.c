/* Five processes in a row, each one changes what goes through. */
#include "portable.h"

#define N 5

static void filter(int in, int out, int stage)
{
	char c;

	while (read(in, &c, 1) == 1) {
		if (c >= 'a' && c <= 'z')
			c = 'a' + (c - 'a' + stage) % 26;
		tell(out, c);
	}
	_exit(stage);
}

int main(void)
{
	int first[2], in, status;
	pid_t pids[N];

	if (pipe(first) == -1)
		return 1;
	in = first[0];
	for (int i = 0; i < N; i++) {
		int next[2];

		if (pipe(next) == -1)
			return 1;
		pids[i] = fork();
		if (pids[i] == 0) {
			close(first[1]);
			close(next[0]);
			filter(in, next[1], i + 1);
		}
		close(in);
		close(next[1]);
		in = next[0];
	}
	const char text[] = "the quick brown fox jumps over the lazy dog";

	for (const char *s = text; *s; s++)
		tell(first[1], *s);
	close(first[1]);
	char buf[100];
	ssize_t n = 0, got;

	while ((got = read(in, buf + n, sizeof buf - n)) > 0)
		n += got;
	say("%.*s\n", (int)n, buf);
	for (int i = 0; i < N; i++) {
		status = reap(pids[i]);
		say_status("stage", status);
	}
	/* Much more than a pipe holds. */
	int big[2];
	unsigned sum = 0;

	if (pipe(big) == -1)
		return 1;
	pid_t pid = fork();

	if (pid == 0) {
		char block[3000];

		for (int i = 0; i < 100; i++) {
			memset(block, i, sizeof block);
			if (write(big[1], block, sizeof block) != sizeof block)
				_exit(1);
		}
		_exit(0);
	}
	close(big[1]);
	n = 0;
	while ((got = read(big[0], buf, sizeof buf)) > 0) {
		for (int i = 0; i < got; i++)
			sum = sum * 31 + (unsigned char)buf[i];
		n += got;
	}
	say("%zd bytes, sum %u\n", n, sum);
	say_status("writer", reap(pid));
	return 0;
}
