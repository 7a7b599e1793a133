/*
 * zoneadm list [-vp] - the zones that are seen from here (zoneadm(8)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zone.h>

static const char *status_name(zone_status_t status)
{
	switch (status) {
	case ZONE_IS_READY:
		return "ready";
	case ZONE_IS_BOOTING:
	case ZONE_IS_RUNNING:
		return "running";
	case ZONE_IS_SHUTTING_DOWN:
	case ZONE_IS_EMPTY:
		return "shutting_down";
	case ZONE_IS_DOWN:
	case ZONE_IS_DYING:
	case ZONE_IS_DEAD:
		return "down";
	default:
		return "installed";
	}
}

static void show(zoneid_t id, int verbose, int parsable)
{
	char name[ZONENAME_MAX] = "?", root[1024] = "-", brand[32] = "-";
	zone_status_t status = ZONE_IS_RUNNING;

	zone_getattr(id, ZONE_ATTR_NAME, name, sizeof name);
	zone_getattr(id, ZONE_ATTR_ROOT, root, sizeof root);
	zone_getattr(id, ZONE_ATTR_BRAND, brand, sizeof brand);
	zone_getattr(id, ZONE_ATTR_STATUS, &status, sizeof status);
	if (parsable)
		printf("%d:%s:%s:%s::%s:shared\n", id, name, status_name(status), root, brand);
	else if (verbose)
		printf("%4d %-16s %-10s %-30s %-8s %-6s\n", id, name, status_name(status), root,
		       brand, "shared");
	else
		printf("%s\n", name);
}

int main(int argc, char **argv)
{
	int c, verbose = 0, parsable = 0;
	zoneid_t ids[256];
	unsigned n = 256;

	if (argc < 2 || strcmp(argv[1], "list") != 0) {
		fprintf(stderr, "usage: zoneadm list [-cipv]\n");
		return 2;
	}
	while ((c = getopt(argc - 1, argv + 1, "cipv")) != -1)
		if (c == 'v')
			verbose = 1;
		else if (c == 'p')
			parsable = 1;
		else if (c == '?')
			return 2;
	if (verbose && parsable) {
		fprintf(stderr, "zoneadm: -p and -v exclude each other\n");
		return 2;
	}
	if (zone_list(ids, &n) == -1) {
		perror("zoneadm: list");
		return 1;
	}
	if (verbose)
		printf("%4s %-16s %-10s %-30s %-8s %-6s\n", "ID", "NAME", "STATUS", "PATH", "BRAND",
		       "IP");
	for (unsigned i = 0; i < n && i < 256; i++)
		show(ids[i], verbose, parsable);
	return 0;
}
