/*
 * getopt.h - options of a command line, long ones too.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GETOPT_H
#define _GETOPT_H

struct option {
	const char *name;
	int has_arg;
	int *flag;
	int val;
};
#define no_argument 0
#define required_argument 1
#define optional_argument 2
extern char *optarg;
extern int optind, opterr, optopt;
int getopt(int argc, char *const argv[], const char *opts);
int getopt_long(int argc, char *const argv[], const char *opts,
		const struct option *longopts, int *index);

#endif
