/*
 * ps [-efLZ] - processes: by default those of the terminal's user, -e all that are
 * seen, -f with parents and arguments, -L a line for each number of lwps, -Z the zone.
 *
 * SPDX-License-Identifier: MIT
 */
#include <libproc.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <zone.h>

static int every, full, lwps, zones;

static int one(psinfo_t *p, void *arg)
{
	const char *name = p->pr_nlwp == 0 ? "<defunct>" : full ? p->pr_psargs : p->pr_fname;
	long secs = p->pr_time.tv_sec;
	char zone[ZONENAME_MAX] = "-", start[16];
	time_t when = p->pr_start.tv_sec;
	struct tm tm;

	(void)arg;
	if (!every && p->pr_euid != geteuid())
		return 0;
	if (zones) {
		zone_getattr(p->pr_zoneid, ZONE_ATTR_NAME, zone, sizeof zone);
		printf("%-8s ", zone);
	}
	if (full) {
		gmtime_r(&when, &tm);
		strftime(start, sizeof start, "%H:%M:%S", &tm);
		printf("%8u %5d %5d ", p->pr_euid, p->pr_pid, p->pr_ppid);
		if (lwps)
			printf("%4d ", p->pr_nlwp);
		printf("%c %s %3ld:%02ld %s\n", p->pr_lwp.pr_sname ? p->pr_lwp.pr_sname : 'Z', start,
		       secs / 60, secs % 60, name);
		return 0;
	}
	printf("%6d ", p->pr_pid);
	if (lwps)
		printf("%4d ", p->pr_nlwp);
	printf("%3ld:%02ld %s\n", secs / 60, secs % 60, name);
	return 0;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "efLZ")) != -1)
		switch (c) {
		case 'e':
			every = 1;
			break;
		case 'f':
			full = 1;
			break;
		case 'L':
			lwps = 1;
			break;
		case 'Z':
			zones = 1;
			break;
		default:
			return 2;
		}
	fputs(zones ? "    ZONE " : "", stdout);
	fputs(full ? "     UID   PID  PPID " : "   PID ", stdout);
	fputs(lwps ? "NLWP " : "", stdout);
	fputs(full ? "S    STIME   TIME CMD\n" : "  TIME CMD\n", stdout);
	return proc_walk(one, NULL) == -1;
}
