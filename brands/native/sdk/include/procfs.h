/*
 * procfs.h - the structures of /proc (proc(5)).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _PROCFS_H
#define _PROCFS_H

#include <sys/procfs.h>

#endif
