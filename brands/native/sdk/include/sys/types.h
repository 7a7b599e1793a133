/*
 * sys/types.h - basic types; LP64 illumos.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_TYPES_H
#define _SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef long off_t;
typedef long off64_t;
typedef int pid_t;
typedef unsigned uid_t;
typedef unsigned gid_t;
typedef int id_t;
typedef unsigned mode_t;
typedef unsigned nlink_t;
typedef unsigned long ino_t;
typedef unsigned long dev_t;
typedef int blksize_t;
typedef long blkcnt_t;
typedef long time_t;
typedef long clock_t;
typedef int clockid_t;
typedef int timer_t;
typedef long suseconds_t;
typedef unsigned useconds_t;
typedef int key_t;
typedef int taskid_t;
typedef int projid_t;
typedef int ctid_t;
typedef int zoneid_t;
typedef int poolid_t;
typedef int psetid_t;
typedef int processorid_t;
typedef unsigned lwpid_t;
typedef long long hrtime_t;
typedef unsigned char uchar_t;
typedef unsigned short ushort_t;
typedef unsigned int uint_t;
typedef unsigned long ulong_t;
typedef long long longlong_t;
typedef unsigned long long u_longlong_t;
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef uint64_t rctl_qty_t;
typedef int rctl_priv_t;
typedef enum { B_FALSE, B_TRUE } boolean_t;
#define major(d) ((unsigned)((d) >> 32))
#define minor(d) ((unsigned)((d) & 0xffffffff))
#define makedev(a, b) ((dev_t)(a) << 32 | (unsigned)(b))

#endif
