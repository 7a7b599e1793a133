/*
 * door.c - doors: the calls, and the threads on which server procedures run
 * (door_create(3C), door_server_create(3C)).
 *
 * SPDX-License-Identifier: MIT
 */
#include <door.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <thread.h>
#include <unistd.h>

#include "libc.h"

static void create_server(door_info_t *info);

static void (*creator)(door_info_t *) = create_server;

static int doorfs(long a1, long a2, long a3, long subcode)
{
	return syscall(SYS_door, a1, a2, a3, 0L, 0L, subcode);
}

int door_call(int did, door_arg_t *arg)
{
	return doorfs(did, (long)arg, 0, DOOR_CALL);
}

int door_revoke(int did)
{
	return doorfs(did, 0, 0, DOOR_REVOKE);
}

int door_info(int did, door_info_t *info)
{
	return doorfs(did, (long)info, 0, DOOR_INFO);
}

int door_bind(int did)
{
	return doorfs(did, 0, 0, DOOR_BIND);
}

int door_unbind(void)
{
	return doorfs(0, 0, 0, DOOR_UNBIND);
}

int door_getparam(int did, int param, size_t *out)
{
	return doorfs(did, param, (long)out, DOOR_GETPARAM);
}

int door_setparam(int did, int param, size_t val)
{
	return doorfs(did, param, val, DOOR_SETPARAM);
}

int door_ucred(ucred_t **uc)
{
	char room[1024]; /* the head, 16 groups, four sets */
	ucred_t *got = (ucred_t *)room;

	if (doorfs((long)room, 0, 0, DOOR_UCRED) == -1)
		return -1;
	if (!*uc && !(*uc = malloc(sizeof room))) {
		errno = EAGAIN;
		return -1;
	}
	for (uint32_t i = 0; i < got->uc_size; i++)
		((char *)*uc)[i] = room[i];
	return 0;
}

/* ---- serving ---- */

/* entered by __door_return for a call, on the stack that the kernel has set up */
HIDDEN void __door_serve(struct door_results *r)
{
	if (r->nservers == 0 && r->door_info)
		creator(r->door_info);
	r->pc(r->cookie, r->data_ptr, r->data_size, r->desc_ptr, r->desc_num);
	thr_exit(NULL); /* a procedure that returns ends its thread (door_return(3C)) */
}

/*
 * Comes back with a call as a0 = 0 and sp at its struct door_results.  A signal only
 * ends the wait: the results are with the caller, and it waits on.
 */
long __door_return(char *data, size_t size, door_return_desc_t *desc, char *base,
		   size_t room);
__asm__(".pushsection .text.__door_return, \"ax\", @progbits\n"
	".globl	__door_return\n"
	"__door_return:\n"
	"	li	a5, 10\n" /* DOOR_RETURN */
	"	li	a7, 201\n" /* SYS_door */
	"1:	ecall\n"
	"	beqz	t0, 2f\n"
	"	li	t1, 4\n" /* EINTR */
	"	bne	a0, t1, 3f\n"
	"	li	a0, 0\n"
	"	li	a1, 0\n"
	"	li	a2, 0\n"
	"	j	1b\n"
	"2:	mv	a0, sp\n"
	"	call	__door_serve\n"
	"3:	ret\n"
	"	.popsection");

int door_return(char *data, size_t size, door_desc_t *desc, unsigned num)
{
	door_return_desc_t rd = {desc, num};
	struct thread *me = self();
	char *base = NULL;
	size_t room = 0;

	if (me->stack) {
		base = (char *)(((uintptr_t)me->stack + me->stack_size - __tls_size()) & -16UL);
		room = base - (char *)me->stack;
	}
	errno = __door_return(data, size, num ? &rd : NULL, base, room);
	return -1;
}

static void *server(void *unused)
{
	(void)unused;
	door_return(NULL, 0, NULL, 0);
	return NULL;
}

static void *teller(void *unused)
{
	(void)unused;
	while (doorfs(0, 0, 0, DOOR_UNREFSYS) == -1) /* EINTR: it has no other end */
		;
	return NULL;
}

/* One more for the pool; private pools are for the program to fill. */
static void create_server(door_info_t *info)
{
	if (!info || !(info->di_attributes & DOOR_PRIVATE))
		thr_create(NULL, 0, server, NULL, THR_DAEMON, NULL);
}

door_server_func_t *door_server_create(door_server_func_t *create)
{
	door_server_func_t *old = creator;

	creator = create;
	return old;
}

int door_create(door_server_t *proc, void *cookie, unsigned attributes)
{
	static pid_t serving, telling; /* a forked child has none of the threads */
	int did = doorfs((long)proc, (long)cookie, attributes, DOOR_CREATE);
	door_info_t info;

	if (did == -1)
		return -1;
	if (attributes & DOOR_PRIVATE) {
		door_info(did, &info);
		creator(&info);
	} else if (serving != getpid()) {
		serving = getpid();
		creator(NULL);
	}
	if (attributes & (DOOR_UNREF | DOOR_UNREF_MULTI) && telling != getpid()) {
		telling = getpid();
		thr_create(NULL, 0, teller, NULL, THR_DAEMON, NULL);
	}
	return did;
}
