/*
 * ctrun [-o noorphan,pgrponly,regent,inherit] [-l child|contract|none] [-i EVENTS]
 *	[-c EVENTS] [-f EVENTS] COMMAND... - run a command in a contract (ctrun(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <libcontract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct name {
	const char *name;
	unsigned bit;
};
static const struct name options[] = {{"noorphan", CT_PR_NOORPHAN},
				      {"pgrponly", CT_PR_PGRPONLY},
				      {"regent", CT_PR_REGENT},
				      {"inherit", CT_PR_INHERIT},
				      {NULL, 0}};
static const struct name events[] = {{"empty", CT_PR_EV_EMPTY},   {"fork", CT_PR_EV_FORK},
				     {"exit", CT_PR_EV_EXIT},     {"core", CT_PR_EV_CORE},
				     {"signal", CT_PR_EV_SIGNAL}, {"hwerr", CT_PR_EV_HWERR},
				     {"all", CT_PR_ALLEVENT},     {"none", 0},
				     {NULL, 0}};

static unsigned bits(const struct name *names, char *list)
{
	unsigned out = 0;

	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		const struct name *n = names;

		while (n->name && strcmp(n->name, word) != 0)
			n++;
		if (!n->name) {
			fprintf(stderr, "ctrun: unknown: %s\n", word);
			exit(2);
		}
		out |= n->bit;
	}
	return out;
}

static void check(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "ctrun: %s: %s\n", what, strerror(error));
	exit(1);
}

static int contract_latest(ctid_t *id)
{
	int fd = open(CTFS_ROOT "/process/latest", O_RDONLY), error;
	ct_stathdl_t status;

	if (fd == -1)
		return errno;
	error = ct_status_read(fd, CTD_COMMON, &status);
	close(fd);
	if (error)
		return error;
	*id = ct_status_get_id(status);
	ct_status_free(status);
	return 0;
}

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Until the contract is empty. */
static void outlive(ctid_t id)
{
	char path[64];
	ct_evthdl_t ev;
	unsigned type = 0;

	snprintf(path, sizeof path, CTFS_ROOT "/process/%d/events", (int)id);
	int fd = open(path, O_RDONLY);

	if (fd == -1)
		return;
	while (type != CT_PR_EV_EMPTY && ct_event_read(fd, &ev) == 0) {
		type = ct_event_get_type(ev);
		ct_event_free(ev);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned params = 0, info = 0, critical = CT_PR_EV_EMPTY, fatal = CT_PR_EV_HWERR;
	const char *lifetime = "contract";
	int c, tmpl = open(CTFS_ROOT "/process/template", O_RDWR);

	if (tmpl == -1) {
		perror("ctrun: " CTFS_ROOT "/process/template");
		return 1;
	}
	while ((c = getopt(argc, argv, "o:l:i:c:f:")) != -1)
		switch (c) {
		case 'o':
			params = bits(options, optarg);
			break;
		case 'l':
			lifetime = optarg;
			break;
		case 'i':
			info = bits(events, optarg);
			break;
		case 'c':
			critical = bits(events, optarg) | CT_PR_EV_EMPTY;
			break;
		case 'f':
			fatal = bits(events, optarg);
			break;
		default:
			return 2;
		}
	if (optind == argc) {
		fprintf(stderr, "usage: ctrun [-o OPTIONS] [-l child|contract|none] COMMAND...\n");
		return 2;
	}
	check(ct_pr_tmpl_set_param(tmpl, params), "options");
	check(ct_tmpl_set_informative(tmpl, info), "informative events");
	check(ct_tmpl_set_critical(tmpl, critical), "critical events");
	check(ct_pr_tmpl_set_fatal(tmpl, fatal), "fatal events");
	check(ct_tmpl_activate(tmpl), "template");
	pid_t pid = fork();

	if (pid == -1) {
		perror("ctrun: fork");
		return 1;
	}
	if (pid == 0) {
		ct_tmpl_clear(tmpl);
		execvp(argv[optind], argv + optind);
		fprintf(stderr, "ctrun: %s: %s\n", argv[optind], strerror(errno));
		_exit(127);
	}
	ctid_t id = 0;

	check(ct_tmpl_clear(tmpl), "template");
	check(contract_latest(&id), "latest contract");
	if (strcmp(lifetime, "none") == 0)
		return 0;
	int status = status_of(pid);

	if (strcmp(lifetime, "contract") == 0)
		outlive(id);
	return status;
}
