/*
 * prstat [-cZ] [INTERVAL [COUNT]] - statistics of processes (prstat(8)).
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
static int count, room;

static int collect(psinfo_t *p, void *arg)
{
	(void)arg;
	if (p->pr_nlwp == 0)
		return 0;
	if (count == room)
		procs = realloc(procs, (room += 32) * sizeof *procs);
	procs[count++] = *p;
	return 0;
}

static int by_cpu(const void *a, const void *b)
{
	const psinfo_t *x = a, *y = b;

	if (x->pr_pctcpu != y->pr_pctcpu)
		return y->pr_pctcpu - x->pr_pctcpu;
	return x->pr_pid - y->pr_pid;
}

/* A size in KiB with its unit. */
static const char *size(size_t kib, char *text)
{
	if (kib < 10000)
		snprintf(text, 16, "%zuK", kib);
	else if (kib < 10000 * 1024L)
		snprintf(text, 16, "%zuM", kib / 1024);
	else
		snprintf(text, 16, "%zuG", kib / 1024 / 1024);
	return text;
}

static const char *state(const psinfo_t *p, char *text)
{
	static const struct {
		char letter;
		const char *name;
	} names[] = {{'S', "sleep"}, {'R', "run"}, {'Z', "zombie"}, {'T', "stop"}, {'W', "wait"}};

	if (p->pr_lwp.pr_sname == 'O') {
		snprintf(text, 16, "cpu%d", p->pr_lwp.pr_onpro);
		return text;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].letter == p->pr_lwp.pr_sname)
			return names[i].name;
	return "?";
}

static void line(const psinfo_t *p)
{
	char a[16], b[16], c[16], process[40];
	long secs = p->pr_time.tv_sec;

	snprintf(process, sizeof process, "%s/%d", p->pr_fname, p->pr_nlwp);
	printf("%6d %-8u %5s %5s %-6s %3d %4d %3ld:%2.2ld:%2.2ld %3.1f%% %s\n", p->pr_pid,
	       p->pr_euid, size(p->pr_size, a), size(p->pr_rssize, b), state(p, c),
	       p->pr_lwp.pr_pri, p->pr_lwp.pr_nice - 20, secs / 3600, secs / 60 % 60, secs % 60,
	       p->pr_pctcpu * 100.0 / 0x8000, process);
}

static void zone_lines(void)
{
	printf("ZONEID    NPROC  SWAP   RSS MEMORY      TIME  CPU ZONE\n");
	for (int i = 0; i < count; i++) {
		psinfo_t sum = procs[i];
		int n = 1, seen = 0;
		char a[16], b[16], name[ZONENAME_MAX] = "?";

		for (int j = 0; j < i; j++)
			seen |= procs[j].pr_zoneid == sum.pr_zoneid;
		if (seen)
			continue;
		for (int j = i + 1; j < count; j++) {
			if (procs[j].pr_zoneid != sum.pr_zoneid)
				continue;
			n++;
			sum.pr_size += procs[j].pr_size;
			sum.pr_rssize += procs[j].pr_rssize;
			sum.pr_time.tv_sec += procs[j].pr_time.tv_sec;
			sum.pr_pctcpu += procs[j].pr_pctcpu;
			sum.pr_pctmem += procs[j].pr_pctmem;
		}
		long secs = sum.pr_time.tv_sec;

		zone_getattr(sum.pr_zoneid, ZONE_ATTR_NAME, name, sizeof name);
		printf("%6d %8d %5s %5s %5.1f%% %3ld:%2.2ld:%2.2ld %3.1f%% %s\n", sum.pr_zoneid, n,
		       size(sum.pr_size, a), size(sum.pr_rssize, b),
		       sum.pr_pctmem * 100.0 / 0x8000, secs / 3600, secs / 60 % 60, secs % 60,
		       sum.pr_pctcpu * 100.0 / 0x8000, name);
	}
}

static void report(int zones)
{
	int lwps = 0;

	count = 0;
	proc_walk(collect, NULL);
	if (count)
		qsort(procs, count, sizeof *procs, by_cpu);
	printf("   PID USERNAME  SIZE   RSS STATE  PRI NICE      TIME  CPU PROCESS/NLWP\n");
	for (int i = 0; i < count; i++) {
		line(&procs[i]);
		lwps += procs[i].pr_nlwp;
	}
	if (zones)
		zone_lines();
	printf("Total: %d processes, %d lwps\n", count, lwps);
}

int main(int argc, char **argv)
{
	int c, zones = 0, clear = 1;

	while ((c = getopt(argc, argv, "cZ")) != -1)
		if (c == 'Z')
			zones = 1;
		else if (c == 'c')
			clear = 0;
		else
			return 2;
	int interval = optind < argc ? atoi(argv[optind]) : 5;
	int times = optind + 1 < argc ? atoi(argv[optind + 1]) : -1;

	if (interval <= 0 || times == 0) {
		fprintf(stderr, "usage: prstat [-cZ] [INTERVAL [COUNT]]\n");
		return 2;
	}
	for (int i = 0; times < 0 || i < times; i++) {
		if (i)
			sleep(interval);
		if (clear && isatty(1))
			printf("\033[H\033[J");
		report(zones);
		fflush(stdout);
	}
	return 0;
}
