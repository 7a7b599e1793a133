/*
 * prctl [-n NAME] - resource controls of the process that runs it (prctl(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <rctl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *only;

static const char *privilege(rctlblk_t *b)
{
	switch (rctlblk_get_privilege(b)) {
	case RCPRIV_BASIC:
		return "basic";
	case RCPRIV_PRIVILEGED:
		return "privileged";
	default:
		return "system";
	}
}

static void value(rctlblk_t *b)
{
	int sig;
	unsigned action = rctlblk_get_local_action(b, &sig);
	char name[24];

	snprintf(name, sizeof name, "signal=%d", sig);
	printf("        %-12s %20lu %-6s %s\n", privilege(b), rctlblk_get_value(b),
	       action & RCTL_LOCAL_MAXIMAL ? "max" : "-",
	       action & RCTL_LOCAL_SIGNAL ? name
	       : action & RCTL_LOCAL_DENY ? "deny"
					  : "none");
}

static int show(const char *name, void *data)
{
	rctlblk_t now, next;

	(void)data;
	if (only && strcmp(only, name) != 0)
		return 0;
	if (getrctl(name, NULL, &now, RCTL_FIRST) == -1)
		return 0; /* one that this process has no values of */
	printf("%s\n", name);
	if (getrctl(name, NULL, &next, RCTL_USAGE) == 0)
		printf("        %-12s %20lu\n", "usage", rctlblk_get_value(&next));
	value(&now);
	while (getrctl(name, &now, &next, RCTL_NEXT) == 0) {
		value(&next);
		now = next;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:")) != -1)
		if (c == 'n')
			only = optarg;
		else
			return 2;
	printf("process: %d\nNAME    PRIVILEGE                   VALUE FLAG   ACTION\n",
	       (int)getpid());
	if (rctl_walk(show, NULL) == -1) {
		perror("prctl");
		return 1;
	}
	return 0;
}
