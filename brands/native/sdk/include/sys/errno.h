/*
 * sys/errno.h - the numbers are in <errno.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_ERRNO_H
#define _SYS_ERRNO_H

#include <errno.h>

#endif
