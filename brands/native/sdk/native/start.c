/*
 * start.c - the beginning and the end of a program.
 *
 * The block of thread-local variables of the first thread lies on its stack, with
 * its struct thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libc.h"

char **environ;
__thread int errno;

int main(int argc, char **argv, char **envp);

#define PT_TLS 7
#define TLS_ALIGN 16

struct phdr { /* Elf64_Phdr */
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static const struct phdr *tls; /* NULL: no thread-local variables */

size_t __tls_size(void)
{
	size_t n = sizeof(struct thread) + (tls ? tls->memsz : 0);

	return (n + TLS_ALIGN - 1) & -(size_t)TLS_ALIGN;
}

/* Fill a block; the result lies right below what becomes tp. */
struct thread *__tls_init(void *block)
{
	struct thread *t = block;

	memset(block, 0, __tls_size());
	if (tls)
		memcpy(t + 1, (void *)tls->vaddr, tls->filesz);
	return t;
}

static void find_tls(const auxv_t *aux)
{
	const struct phdr *ph = NULL;
	long n = 0;

	for (; aux->a_type != AT_NULL; aux++)
		if (aux->a_type == AT_PHDR)
			ph = aux->a_un.a_ptr;
		else if (aux->a_type == AT_PHNUM)
			n = aux->a_un.a_val;
	for (; ph && n > 0; n--, ph++)
		if (ph->type == PT_TLS)
			tls = ph;
}

void __start(long *sp)
{
	int argc = *sp;
	char **argv = (char **)sp + 1, **envp = argv + argc + 1, **aux = envp;

	while (*aux)
		aux++;
	find_tls((auxv_t *)(aux + 1));
	char block[__tls_size()] __attribute__((aligned(TLS_ALIGN)));
	struct thread *t = __tls_init(block);

	__asm__ volatile("mv tp, %0" : : "r"(t + 1));
	t->tid = 1;
	__threads = t;
	environ = envp;
	exit(main(argc, argv, envp));
}

/* ---- the end ---- */

#define HANDLERS 64
static void (*handlers[HANDLERS])(void), (*quick_handlers[HANDLERS])(void);
static int count, quick_count;

int atexit(void (*fn)(void))
{
	if (count == HANDLERS)
		return -1;
	handlers[count++] = fn;
	return 0;
}

int at_quick_exit(void (*fn)(void))
{
	if (quick_count == HANDLERS)
		return -1;
	quick_handlers[quick_count++] = fn;
	return 0;
}

void exit(int status)
{
	while (count)
		handlers[--count]();
	__stdio_exit();
	_exit(status);
}

void quick_exit(int status)
{
	while (quick_count)
		quick_handlers[--quick_count]();
	_exit(status);
}

void _Exit(int status)
{
	_exit(status);
}
