/*
 * newtask [-F] [-p PROJECT] [COMMAND...] - run a command in a new task (newtask(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/task.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int c, final = TASK_NORMAL, verbose = 0;
	projid_t project = getprojid();

	while ((c = getopt(argc, argv, "Fvp:")) != -1)
		switch (c) {
		case 'F':
			final = TASK_FINAL;
			break;
		case 'v':
			verbose = 1;
			break;
		case 'p':
			project = atoi(optarg);
			break;
		default:
			return 2;
		}
	taskid_t task = settaskid(project, final);

	if (task == -1) {
		fprintf(stderr, "newtask: settaskid: %s\n", strerror(errno));
		return 1;
	}
	if (verbose)
		fprintf(stderr, "%d\n", (int)task);
	if (optind == argc) {
		execl("/bin/sh", "sh", (char *)NULL);
		perror("newtask: /bin/sh");
		return 127;
	}
	execvp(argv[optind], argv + optind);
	fprintf(stderr, "newtask: %s: %s\n", argv[optind], strerror(errno));
	return 127;
}
