/*
 * kill [-SIGNAL | -s SIGNAL] PID... ; kill -l - send a signal, or name them all.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int list(void)
{
	char name[SIG2STR_MAX];

	for (int sig = 1; sig < NSIG; sig++)
		if (sig2str(sig, name) == 0)
			printf("%s%c", name, sig % 8 ? ' ' : '\n');
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	int sig = SIGTERM, failed = 0, i = 1;

	if (argc > 1 && strcmp(argv[1], "-l") == 0)
		return list();
	if (argc > 1 && argv[1][0] == '-' && argv[1][1] != '-') {
		const char *name = argv[i++] + 1;

		if (strcmp(name, "s") == 0 && i < argc)
			name = argv[i++];
		if (strncmp(name, "SIG", 3) == 0)
			name += 3;
		if (str2sig(name, &sig) == -1) {
			fprintf(stderr, "kill: %s: bad signal\n", name);
			return 2;
		}
	}
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	if (i == argc) {
		fprintf(stderr, "usage: kill [-SIGNAL | -s SIGNAL] PID...\n       kill -l\n");
		return 2;
	}
	for (; i < argc; i++) {
		char *end;
		long pid = strtol(argv[i], &end, 10);

		if (*end || end == argv[i] || kill(pid, sig) == -1) {
			fprintf(stderr, "kill: %s: %s\n", argv[i],
				*end ? "not a process id" : strerror(errno));
			failed = 1;
		}
	}
	return failed;
}
