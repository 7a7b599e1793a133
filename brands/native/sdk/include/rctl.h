/*
 * rctl.h - resource controls: getrctl(2), setrctl(2), rctlblk_set_value(3C).
 *
 * A block is opaque; its layout is that of brands/native/sys_rctl.py.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _RCTL_H
#define _RCTL_H

#include <sys/types.h>
typedef struct rctlblk {
	uint64_t value, enforced;
	uint32_t privilege, global_flags, global_level, local_action;
	int32_t signal, recipient;
	int64_t firing_time;
} rctlblk_t;
#define RCPRIV_BASIC 0x01000000
#define RCPRIV_PRIVILEGED 0x04000000
#define RCPRIV_SYSTEM 0x7000000
#define RCTL_FIRST 0
#define RCTL_NEXT 1
#define RCTL_USAGE 2
#define RCTL_INSERT 0
#define RCTL_DELETE 1
#define RCTL_REPLACE 2
#define RCTL_USE_RECIPIENT_PID 0x10000000
#define RCTL_LOCAL_NOACTION 0
#define RCTL_LOCAL_SIGNAL 1
#define RCTL_LOCAL_DENY 2
#define RCTL_LOCAL_MAXIMAL 0x80000000
#define RCTL_GLOBAL_NOACTION 0
#define RCTL_GLOBAL_SYSLOG 1
#define RCENTITY_PROCESS 0
#define RCENTITY_TASK 1
#define RCENTITY_PROJECT 2
#define RCENTITY_ZONE 3
int getrctl(const char *name, rctlblk_t *old, rctlblk_t *new, unsigned flags);
int setrctl(const char *name, rctlblk_t *old, rctlblk_t *new, unsigned flags);
int rctl_walk(int (*fn)(const char *name, void *data), void *data);
size_t rctlblk_size(void);
rctl_qty_t rctlblk_get_value(rctlblk_t *b);
rctl_qty_t rctlblk_get_enforced_value(rctlblk_t *b);
rctl_priv_t rctlblk_get_privilege(rctlblk_t *b);
unsigned rctlblk_get_local_action(rctlblk_t *b, int *signal);
unsigned rctlblk_get_global_action(rctlblk_t *b);
unsigned rctlblk_get_global_flags(rctlblk_t *b);
hrtime_t rctlblk_get_firing_time(rctlblk_t *b);
id_t rctlblk_get_recipient_pid(rctlblk_t *b);
void rctlblk_set_value(rctlblk_t *b, rctl_qty_t value);
void rctlblk_set_privilege(rctlblk_t *b, rctl_priv_t privilege);
void rctlblk_set_local_action(rctlblk_t *b, unsigned action, int signal);

#endif
