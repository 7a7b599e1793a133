/*
 * sys/processor.h - processors; processor_bind() is in <sys/priocntl.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_PROCESSOR_H
#define _SYS_PROCESSOR_H

#include <sys/priocntl.h>
#define P_OFFLINE 1
#define P_ONLINE 2
#define P_STATUS 3
typedef struct {
	int pi_state;
	char pi_processor_type[16];
	char pi_fputypes[32];
	int pi_clock;
} processor_info_t;
int processor_info(processorid_t cpu, processor_info_t *info);

#endif
