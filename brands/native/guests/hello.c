/*
 * hello - say so, with the brand, the process id and the arguments.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	printf("hello from the %s brand, process %d of %d\n", BRAND_NAME, getpid(),
	       getppid());
	for (int i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	return 0;
}
