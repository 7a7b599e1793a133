/* A child has copies of all memory, but for what is mapped as shared. */
#include "portable.h"

static int global = 1;
static char zero[5000];

int main(void)
{
	int local = 2, *heap = malloc(sizeof *heap);
	int *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
	int *own = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	*heap = 3;
	shared[0] = 4;
	own[1500] = 5;
	pid_t pid = fork();

	if (pid == 0) {
		say("child sees %d %d %d %d %d %d\n", global, local, *heap, shared[0], own[1500],
		    zero[4999]);
		global = local = *heap = shared[0] = own[1500] = 9;
		zero[4999] = 9;
		shared[2000] = 7;
		say("child wrote %d %d %d\n", global, *heap, own[1500]);
		exit(0);
	}
	say_status("child", reap(pid));
	say("parent sees %d %d %d %d %d %d, %d\n", global, local, *heap, shared[0], own[1500],
	    zero[4999], shared[2000]);
	/* Grandchildren see what their parent had when it forked. */
	for (int i = 0; i < 3; i++) {
		global = 10 + i;
		pid = fork();
		if (pid == 0) {
			global += 100;
			pid_t grand = fork();

			if (grand == 0)
				exit(global - 100);
			int status = reap(grand);

			exit(WEXITSTATUS(status) == 10 + i ? i : 99);
		}
		say_status("generation", reap(pid));
	}
	say("global %d\n", global);
	return 0;
}
