/* orphans.c - zombies and orphans: init adopts what a parent leaves behind. */
#include "user.h"

int main(void)
{
	int fds[2], status;
	char c;

	cite("kernel/proc.c");
	pipe(fds);
	if (fork() == 0) {
		for (int i = 0; i < 3; i++)
			if (fork() == 0) {
				sleep(i);
				write(fds[1], "x", 1);
				exit(0);
			}
		exit(8);
	}
	close(fds[1]);
	wait(&status);
	check_eq(status, 8, "the parent of three ends before them");
	check_eq(wait(0), -1, "they are not ours");
	for (int i = 0; i < 3; i++)
		check_eq(read(fds[0], &c, 1), 1, "an orphan goes on");
	check_eq(read(fds[0], &c, 1), 0, "until the last has ended");
	return done();
}
