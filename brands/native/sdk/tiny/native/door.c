/*
 * door.c - doors over the native system call; server procedures run on lwps with
 * stacks of their own (see door.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"
#include <door.h>

#define STACK 0x10000 /* of a server lwp; its end is found from any sp in it */

static long doorfs(long a1, long a2, long a3, long a4, long a5, long subcode)
{
	return syscall(SYS_door, a1, a2, a3, a4, a5, subcode);
}

int door_call(int did, door_arg_t *arg)
{
	return doorfs(did, (long)arg, 0, 0, 0, DOOR_CALL);
}

int door_revoke(int did)
{
	return doorfs(did, 0, 0, 0, 0, DOOR_REVOKE);
}

int door_info(int did, door_info_t *info)
{
	return doorfs(did, (long)info, 0, 0, 0, DOOR_INFO);
}

int door_bind(int did)
{
	return doorfs(did, 0, 0, 0, 0, DOOR_BIND);
}

int door_unbind(void)
{
	return doorfs(0, 0, 0, 0, 0, DOOR_UNBIND);
}

int door_getparam(int did, int param, size_t *out)
{
	return doorfs(did, param, (long)out, 0, 0, DOOR_GETPARAM);
}

int door_setparam(int did, int param, size_t val)
{
	return doorfs(did, param, val, 0, 0, DOOR_SETPARAM);
}

int door_sysucred(ucred_t *uc)
{
	return doorfs((long)uc, 0, 0, 0, 0, DOOR_UCRED);
}

/* entered by door_returnsys for a call, on the stack that the kernel has set up */
void door_serve(struct door_results *r)
{
	if (r->nservers == 0 && r->door_info && !(r->door_info->di_attributes & DOOR_PRIVATE))
		door_server_start(-1);
	r->pc(r->cookie, r->data_ptr, r->data_size, r->desc_ptr, r->desc_num);
	door_return(NULL, 0, NULL, 0);
}

/*
 * Comes back with a call as a0 = 0 and sp at its struct door_results.  A signal only
 * ends the wait: it waits on, the results are with the caller already.
 */
long door_returnsys(char *data, size_t size, door_return_desc_t *desc, char *base,
		    size_t room);
__asm__(".pushsection .text.door_returnsys, \"ax\", @progbits\n"
	".globl	door_returnsys\n"
	"door_returnsys:\n"
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
	"	call	door_serve\n"
	"	ebreak\n" /* it does not return */
	"3:	ret\n"
	"	.popsection");

int door_return(char *data, size_t size, door_desc_t *desc, unsigned num)
{
	door_return_desc_t rd = {desc, num};
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) | (STACK - 1)) + 1;

	errno = door_returnsys(data, size, num ? &rd : NULL, (char *)end, STACK);
	return -1;
}

static void server(long did)
{
	if (did >= 0)
		door_bind(did);
	door_return(NULL, 0, NULL, 0);
	for (;;)
		syscall(SYS_lwp_exit);
}

static void unref_teller(long unused)
{
	(void)unused;
	for (;;)
		doorfs(0, 0, 0, 0, 0, DOOR_UNREFSYS);
}

/* a daemon lwp on a stack whose end is a multiple of its size */
static int start(void (*fn)(long), long arg)
{
	/* ucontext_t: flags link mask[2] stack[3] pc x1..x31 f0..f31 fcsr */
	uint64_t uc[72];
	char *map = mmap(NULL, 2 * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
			 -1, 0);
	uintptr_t end;

	if (map == MAP_FAILED)
		return -1;
	end = ((uintptr_t)map + 2 * STACK) & ~(uintptr_t)(STACK - 1);
	syscall(SYS_context, 0, uc);
	uc[7] = (uintptr_t)fn;
	uc[8 + 1] = end;
	uc[8 + 9] = arg;
	return syscall(SYS_lwp_create, uc, 0x60 /* daemon, detached */, NULL) == -1 ? -1 : 0;
}

int door_server_start(int did)
{
	return start(server, did);
}

int door_create(door_server_t *proc, void *cookie, unsigned attributes)
{
	static int serving, telling;
	int did = doorfs((long)proc, (long)cookie, attributes, 0, 0, DOOR_CREATE);

	if (did == -1)
		return -1;
	if (!(attributes & DOOR_PRIVATE) && serving != getpid()) {
		serving = getpid();
		door_server_start(-1);
	}
	if (attributes & (DOOR_UNREF | DOOR_UNREF_MULTI) && telling != getpid()) {
		telling = getpid();
		start(unref_teller, 0);
	}
	return did;
}
