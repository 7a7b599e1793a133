/* forkfail.c - fork until it fails; then everything must be as it was. */
#include "user.h"

static int fill(void)
{
	int n;

	for (n = 0; n < 1000; n++) {
		int pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			exit(0);
	}
	return n;
}

int main(void)
{
	int first, second, left;

	cite("kernel/proc.c");
	first = fill();
	check(first > 10 && first < 64, "fork fails before 64 processes are there");
	for (left = first; left > 0; left--)
		if (wait(0) < 0)
			break;
	check_eq(left, 0, "every child can be waited for");
	check_eq(wait(0), -1, "and there is none more");
	second = fill();
	check_eq(second, first, "the next time just as many");
	while (wait(0) > 0)
		;
	return done();
}
