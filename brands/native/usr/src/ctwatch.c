/*
 * ctwatch [-r] [-n COUNT] CONTRACT|process - print events of contracts (ctwatch(1)).
 * Without -r, reliable, those of a contract that is gone before they are read are lost.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <libcontract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *event_name(unsigned type)
{
	static const char *const names[] = {"empty", "fork", "exit", "core", "signal", "hwerr"};

	for (int i = 0; i < 6; i++)
		if (type == 1u << i)
			return names[i];
	return "?";
}

static void print(ct_evthdl_t ev)
{
	unsigned flags = ct_event_get_flags(ev);
	pid_t pid;
	int n;

	printf("%-8d %-8lu %-4s %-3s %-6s", (int)ct_event_get_ctid(ev), ct_event_get_evid(ev),
	       flags & CTE_INFO ? "info" : "crit", flags & CTE_ACK ? "yes" : "no",
	       event_name(ct_event_get_type(ev)));
	if (ct_pr_event_get_pid(ev, &pid) == 0)
		printf(" process %d", (int)pid);
	if (ct_event_get_type(ev) == CT_PR_EV_FORK && ct_pr_event_get_ppid(ev, &pid) == 0)
		printf(" child of %d", (int)pid);
	if (ct_pr_event_get_exitstatus(ev, &n) == 0)
		printf(" status %#x", (unsigned)n);
	if (ct_pr_event_get_signal(ev, &n) == 0)
		printf(" signal %d", n);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int c, count = -1, reliable = 0, fd, error = 0;
	char path[64];
	ct_evthdl_t ev;

	while ((c = getopt(argc, argv, "n:r")) != -1)
		if (c == 'n')
			count = atoi(optarg);
		else if (c == 'r')
			reliable = 1;
		else
			return 2;
	if (optind + 1 != argc) {
		fprintf(stderr, "usage: ctwatch [-r] [-n COUNT] CONTRACT|process\n");
		return 2;
	}
	if (atoi(argv[optind]))
		snprintf(path, sizeof path, CTFS_ROOT "/all/%d/events", atoi(argv[optind]));
	else
		snprintf(path, sizeof path, CTFS_ROOT "/%s/bundle", argv[optind]);
	fd = open(path, O_RDONLY);
	if (fd == -1) {
		fprintf(stderr, "ctwatch: %s: %s\n", argv[optind], strerror(errno));
		return 1;
	}
	if (reliable && (error = ct_event_reliable(fd)) != 0) {
		fprintf(stderr, "ctwatch: reliable events: %s\n", strerror(error));
		return 1;
	}
	printf("CTID     EVID     CRIT ACK CTYPE  SUMMARY\n");
	while (count-- && (error = ct_event_read(fd, &ev)) == 0) {
		print(ev);
		ct_event_free(ev);
	}
	return error != 0;
}
