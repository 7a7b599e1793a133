/*
 * sys/param.h - a few old limits.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_PARAM_H
#define _SYS_PARAM_H

#include <limits.h>
#include <sys/types.h>
#define MAXPATHLEN 1024
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
