/*
 * pargs [-e] PID... - arguments, or with -e the environment, of processes (pargs(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <libproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A string of another process, cut at the buffer's size. */
static void text(struct ps_prochandle *p, uintptr_t addr, char *buf, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && Pread(p, buf + n, 1, addr + n) == 1 && buf[n])
		n++;
	buf[n] = 0;
}

static void vector(struct ps_prochandle *p, uintptr_t at, int max, const char *name)
{
	char buf[1024];
	uintptr_t word;

	for (int i = 0; (max < 0 || i < max); i++, at += sizeof word) {
		if (Pread(p, &word, sizeof word, at) != sizeof word || !word)
			break;
		text(p, word, buf, sizeof buf);
		printf("%s[%d]: %s\n", name, i, buf);
	}
}

int main(int argc, char **argv)
{
	int c, failed = 0, environment = 0;

	while ((c = getopt(argc, argv, "e")) != -1)
		if (c == 'e')
			environment = 1;
		else
			return 2;
	if (optind == argc) {
		fprintf(stderr, "usage: pargs [-e] PID...\n");
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		int error;
		struct ps_prochandle *p = Pgrab(atoi(argv[i]), PGRAB_RDONLY, &error);

		if (!p) {
			fprintf(stderr, "pargs: cannot examine %s: %s\n", argv[i], strerror(error));
			failed = 1;
			continue;
		}
		const psinfo_t *info = Ppsinfo(p);

		printf("%d:\t%s\n", info->pr_pid, info->pr_psargs);
		if (environment)
			vector(p, info->pr_envp, -1, "envp");
		else
			vector(p, info->pr_argv, info->pr_argc, "argv");
		Pfree(p);
	}
	return failed;
}
