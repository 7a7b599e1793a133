/* tree.c - fork, wait, exit, getpid: a tree of processes and their statuses. */
#include "user.h"

static int tree(int depth)
{
	int sum = 1;
	int status;

	if (depth == 0)
		return 1;
	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			exit(tree(depth - 1));
	for (int i = 0; i < 2; i++) {
		if (wait(&status) < 0)
			exit(-2);
		sum += status;
	}
	return sum;
}

int main(void)
{
	int pid, got, status = 77;
	int shared = 1;

	cite("kernel/proc.c");
	check_eq(wait(&status), -1, "wait without children");
	check_eq(status, 77, "and the status is left alone");
	pid = fork();
	if (pid == 0) {
		shared = 2;
		exit(-5);
	}
	check(pid > 0, "fork returns the child's id");
	got = wait(&status);
	check_eq(got, pid, "wait returns the child's id");
	check_eq(status, -5, "all 32 bits of the status come through");
	check_eq(shared, 1, "memory is not shared");
	pid = fork();
	if (pid == 0)
		exit(getpid() & 0x7fffffff);
	wait(&status);
	check_eq(status, pid, "the child's getpid is what fork returned");
	pid = fork();
	if (pid == 0)
		exit(3);
	check_eq(wait((int *)0x7fffffff000), -1, "a status that can't be stored");
	check_eq(wait(&status), pid, "leaves the child to the next wait");
	check_eq(status, 3, "with its status");
	if (fork() == 0)
		exit(0);
	check(wait(0) > 0, "wait(0) wants no status");
	check_eq(tree(4), 31, "a tree of 31 processes, each counted once");
	check_eq(nosuchcall(), -1, "a call that nobody has is -1");
	return done();
}
