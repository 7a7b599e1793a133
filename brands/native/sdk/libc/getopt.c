/*
 * getopt.c - options of a command line.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;
static const char *rest; /* of a word with several letters */

static int complain(char *const argv[], const char *opts, const char *what, int missing)
{
	int quiet = *opts == ':';

	if (opterr && !quiet)
		fprintf(stderr, "%s: %s -- %c\n", argv[0], what, optopt);
	return missing && quiet ? ':' : '?';
}

int getopt(int argc, char *const argv[], const char *opts)
{
	const char *found;

	if (optind == 0) {
		optind = 1;
		rest = NULL;
	}
	if (!rest || !*rest) {
		rest = NULL;
		if (optind >= argc || argv[optind][0] != '-' || !argv[optind][1])
			return -1;
		if (strcmp(argv[optind], "--") == 0) {
			optind++;
			return -1;
		}
		rest = argv[optind++] + 1;
	}
	optopt = *rest++;
	found = optopt == ':' ? NULL : strchr(opts, optopt);
	if (!found)
		return complain(argv, opts, "illegal option", 0);
	if (found[1] != ':')
		return optopt;
	optarg = *rest ? (char *)rest : NULL;
	rest = NULL;
	if (optarg || found[2] == ':')
		return optopt;
	if (optind >= argc)
		return complain(argv, opts, "option requires an argument", 1);
	optarg = argv[optind++];
	return optopt;
}

/* A long option is --name or --name=value; it is not abbreviated. */
int getopt_long(int argc, char *const argv[], const char *opts,
		const struct option *longopts, int *index)
{
	const char *word = optind < argc ? argv[optind] : NULL;

	if ((rest && *rest) || !word || strncmp(word, "--", 2) != 0 || !word[2])
		return getopt(argc, argv, opts);
	optind++;
	word += 2;
	size_t len = strcspn(word, "=");

	for (int i = 0; longopts[i].name; i++) {
		const struct option *o = &longopts[i];

		if (strlen(o->name) != len || strncmp(o->name, word, len) != 0)
			continue;
		optarg = word[len] ? (char *)word + len + 1 : NULL;
		if (o->has_arg == required_argument && !optarg)
			optarg = optind < argc ? argv[optind++] : NULL;
		if ((o->has_arg == required_argument && !optarg) ||
		    (o->has_arg == no_argument && optarg))
			break;
		if (index)
			*index = i;
		if (!o->flag)
			return o->val;
		*o->flag = o->val;
		return 0;
	}
	if (opterr && *opts != ':')
		fprintf(stderr, "%s: bad option --%s\n", argv[0], word);
	return '?';
}
