/*
 * sys/fcntl.h - everything is in <fcntl.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_FCNTL_H
#define _SYS_FCNTL_H

#include <fcntl.h>

#endif
