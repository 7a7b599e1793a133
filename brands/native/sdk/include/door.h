/*
 * door.h - doors (door_create(3C)): structures and numbers of sys/door.h, LP64.
 *
 * In the SDK's library server procedures run on threads that door_server_create(3C)
 * makes.  The tiny library (tiny/native/door.c) has lwps instead: one more is made
 * whenever the last of the process' pool is called, and those of a private door are
 * the program's to start (door_server_start).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DOOR_H
#define DOOR_H

#include <stddef.h>
#include <stdint.h>

typedef unsigned door_attr_t;
typedef uint64_t door_id_t;
typedef uint64_t door_ptr_t;

#define DOOR_QUERY (-2)
#define DOOR_UNREF_DATA ((char *)1)

/* attributes */
#define DOOR_UNREF 0x01
#define DOOR_PRIVATE 0x02
#define DOOR_LOCAL 0x04
#define DOOR_REVOKED 0x08
#define DOOR_UNREF_MULTI 0x10
#define DOOR_IS_UNREF 0x20
#define DOOR_REFUSE_DESC 0x40
#define DOOR_NO_CANCEL 0x80
#define DOOR_DESCRIPTOR 0x10000
#define DOOR_RELEASE 0x40000

#define DOOR_PARAM_DESC_MAX 1
#define DOOR_PARAM_DATA_MAX 2
#define DOOR_PARAM_DATA_MIN 3

typedef struct door_desc {
	door_attr_t d_attributes;
	union {
		struct {
			int d_descriptor;
			door_id_t d_id;
		} d_desc;
		int d_resv[5];
	} d_data;
} door_desc_t;

typedef struct door_info {
	int di_target;
	door_ptr_t di_proc;
	door_ptr_t di_data;
	door_attr_t di_attributes;
	door_id_t di_uniquifier;
	int di_resv[4];
} door_info_t;

typedef struct door_arg {
	char *data_ptr;
	size_t data_size;
	door_desc_t *desc_ptr;
	unsigned desc_num;
	char *rbuf;
	size_t rsize;
} door_arg_t;

struct door_results {
	void *cookie;
	char *data_ptr;
	size_t data_size;
	door_desc_t *desc_ptr;
	size_t desc_num;
	void (*pc)(void *, char *, size_t, door_desc_t *, unsigned);
	int nservers;
	door_info_t *door_info;
};

typedef struct door_return_desc {
	door_desc_t *desc_ptr;
	unsigned desc_num;
} door_return_desc_t;

/* the head of a ucred_t; prcred_t and prpriv_t follow at their offsets */
typedef struct ucred {
	uint32_t uc_size;
	uint32_t uc_credoff;
	uint32_t uc_privoff;
	int uc_pid;
	uint32_t uc_audoff;
	int uc_zoneid;
	int uc_projid;
	uint32_t uc_labeloff;
} ucred_t;

/* subcodes of the system call */
#define DOOR_CREATE 0
#define DOOR_REVOKE 1
#define DOOR_INFO 2
#define DOOR_CALL 3
#define DOOR_BIND 6
#define DOOR_UNBIND 7
#define DOOR_UNREFSYS 8
#define DOOR_UCRED 9
#define DOOR_RETURN 10
#define DOOR_GETPARAM 11
#define DOOR_SETPARAM 12

typedef void door_server_t(void *cookie, char *argp, size_t arg_size, door_desc_t *dp,
			   unsigned n_desc);

int door_create(door_server_t *proc, void *cookie, unsigned attributes);
int door_call(int did, door_arg_t *arg);
int door_return(char *data, size_t size, door_desc_t *desc, unsigned num);
int door_revoke(int did);
int door_info(int did, door_info_t *info);
int door_bind(int did);
int door_unbind(void);
int door_getparam(int did, int param, size_t *out);
int door_setparam(int did, int param, size_t val);

#ifdef TINY_NATIVE
int door_sysucred(ucred_t *uc); /* door_ucred(3C) into memory of the caller's */
int door_server_start(int did); /* one more server lwp; did -1: for the process' pool */
#else
typedef void door_server_func_t(door_info_t *info);
door_server_func_t *door_server_create(door_server_func_t *create);
int door_ucred(ucred_t **uc); /* *uc: NULL, or memory of an earlier call; free() it */
#endif

#endif
