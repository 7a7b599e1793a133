/*
 * sys/auxv.h - the auxiliary vector.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_AUXV_H
#define _SYS_AUXV_H

#include <sys/types.h>
typedef struct {
	long a_type;
	union {
		long a_val;
		void *a_ptr;
	} a_un;
} auxv_t;
#define AT_NULL 0
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_SUN_UID 2000
#define AT_SUN_RUID 2001
#define AT_SUN_GID 2002
#define AT_SUN_RGID 2003
#define AT_SUN_EXECNAME 2014

#endif
