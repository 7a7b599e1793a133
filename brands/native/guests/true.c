/*
 * true - exit with status 0, or with the number given.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	return argc > 1 ? atol(argv[1]) : 0;
}
