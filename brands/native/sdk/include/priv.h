/*
 * priv.h - privilege sets of the process, setppriv(2) and priv_set(3C).
 *
 * A set is made of names: "proc_fork", "basic", "all".  Numbers are the kernel's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _PRIV_H
#define _PRIV_H

#include <sys/types.h>

typedef enum { PRIV_ON, PRIV_OFF, PRIV_SET } priv_op_t;
typedef const char *priv_ptype_t;
typedef struct priv_set {
	uint32_t bits[3];
} priv_set_t;

#define PRIV_EFFECTIVE "Effective"
#define PRIV_INHERITABLE "Inheritable"
#define PRIV_PERMITTED "Permitted"
#define PRIV_LIMIT "Limit"
#define PRIV_FILE_LINK_ANY "file_link_any"
#define PRIV_FILE_READ "file_read"
#define PRIV_FILE_WRITE "file_write"
#define PRIV_PROC_EXEC "proc_exec"
#define PRIV_PROC_FORK "proc_fork"
#define PRIV_PROC_INFO "proc_info"
#define PRIV_PROC_SESSION "proc_session"
#define PRIV_PROC_SETID "proc_setid"
#define PRIV_AWARE 0x2

int getppriv(priv_ptype_t which, priv_set_t *set);
int setppriv(priv_op_t op, priv_ptype_t which, const priv_set_t *set);
int priv_set(priv_op_t op, priv_ptype_t which, ...); /* names, then NULL */
int getpflags(unsigned flag);
int setpflags(unsigned flag, unsigned value);
int issetugid(void);
void priv_emptyset(priv_set_t *set);
int priv_addset(priv_set_t *set, const char *name);
int priv_delset(priv_set_t *set, const char *name);
int priv_ismember(const priv_set_t *set, const char *name);
int priv_getbyname(const char *name);

#endif
