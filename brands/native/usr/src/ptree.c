/*
 * ptree [-a] [-z ZONE] [PID...] - trees of processes, two spaces a level (ptree(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <libproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zone.h>

static psinfo_t *procs;
static int count, zone = -1;

static int collect(psinfo_t *p, void *arg)
{
	(void)arg;
	if (zone != -1 && p->pr_zoneid != zone)
		return 0;
	procs = realloc(procs, (count + 1) * sizeof *procs);
	procs[count++] = *p;
	return 0;
}

static psinfo_t *find(pid_t pid)
{
	for (int i = 0; i < count; i++)
		if (procs[i].pr_pid == pid)
			return &procs[i];
	return NULL;
}

static void print(const psinfo_t *p, int level)
{
	printf("%*s%-5d %s\n", level * 2, "", p->pr_pid,
	       p->pr_nlwp ? p->pr_psargs : "<defunct>");
}

static void below(const psinfo_t *p, int level)
{
	print(p, level);
	for (int i = 0; i < count; i++)
		if (procs[i].pr_ppid == p->pr_pid && procs[i].pr_pid != p->pr_pid)
			below(&procs[i], level + 1);
}

/* Its ancestors, then itself and what is below it. */
static void around(const psinfo_t *p)
{
	const psinfo_t *line[64];
	int n = 0;

	for (const psinfo_t *up = find(p->pr_ppid); up && n < 64 && up != p;) {
		const psinfo_t *next = up->pr_ppid == up->pr_pid ? NULL : find(up->pr_ppid);

		line[n++] = up;
		up = next;
	}
	for (int i = n - 1; i >= 0; i--)
		print(line[i], n - 1 - i);
	below(p, n);
}

int main(int argc, char **argv)
{
	int c, failed = 0;

	while ((c = getopt(argc, argv, "az:")) != -1)
		if (c == 'z') {
			zone = getzoneidbyname(optarg);
			if (zone == -1) {
				fprintf(stderr, "ptree: %s: no such zone\n", optarg);
				return 1;
			}
		} else if (c == '?') {
			return 2;
		}
	if (proc_walk(collect, NULL) == -1) {
		perror("ptree: /proc");
		return 1;
	}
	for (int i = optind; i < argc; i++) {
		const psinfo_t *p = find(atoi(argv[i]));

		if (p)
			around(p);
		else
			failed = fprintf(stderr, "ptree: %s: no such process\n", argv[i]) > 0;
	}
	for (int i = 0; optind == argc && i < count; i++)
		if (!find(procs[i].pr_ppid) || procs[i].pr_ppid == procs[i].pr_pid)
			below(&procs[i], 0);
	return failed;
}
