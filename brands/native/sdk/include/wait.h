/*
 * wait.h - everything is in <sys/wait.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _WAIT_H
#define _WAIT_H

#include <sys/wait.h>

#endif
