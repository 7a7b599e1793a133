/*
 * sleep SECONDS - of virtual time; a fraction is allowed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	char *end;
	double seconds = argc == 2 ? strtod(argv[1], &end) : -1;

	if (seconds < 0 || seconds > 1e9 || *end || end == argv[1]) {
		fprintf(stderr, "usage: sleep SECONDS\n");
		return 2;
	}
	struct timespec ts = {(time_t)seconds, 0};

	ts.tv_nsec = (seconds - (double)ts.tv_sec) * 1e9;
	nanosleep(&ts, NULL);
	return 0;
}
