/*
 * membomb [MIB] - a child touches up to MIB mebibytes (1024); the memory cap of the zone
 * has to stop it, and this program has to be able to tell.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	long mib = argc > 1 ? atol(argv[1]) : 1024;
	volatile long *touched = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANON, -1, 0);
	int status = 0;

	pid_t pid = fork();
	if (pid == 0) {
		for (long i = 0; i < mib; i++) {
			char *mem = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANON, -1, 0);
			if (mem == MAP_FAILED)
				_exit(errno);
			for (long k = 0; k < 1 << 20; k += 4096)
				mem[k] = 1;
			*touched = i + 1;
		}
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status))
		printf("membomb: killed by signal %d after %ld MiB\n", WTERMSIG(status),
		       *touched);
	else if (WEXITSTATUS(status))
		printf("membomb: errno %d after %ld MiB\n", WEXITSTATUS(status), *touched);
	else
		printf("membomb: nothing stopped it at %ld MiB\n", *touched);
	return *touched == mib;
}
