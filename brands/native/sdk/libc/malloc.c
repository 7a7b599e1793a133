/*
 * malloc.c - the heap.
 *
 * Small blocks are powers of two, from 32 bytes, kept in one free list for each size
 * and cut from memory that brk gives; they never change their size.  What is more
 * than 64 KiB is a mapping of its own.  Each block has a header of 16 bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libc.h"

#define HEADER 16
#define SMALLEST 5 /* 2^5 */
#define LARGEST 16
#define CHUNK 16384 /* least that is asked of brk */
#define PAGE 4096

struct block {
	size_t size; /* with the header: a power of two, or pages */
	struct block *next; /* when free; else how far the header is from the start */
};

static struct block *free_list[LARGEST + 1];
static char *fresh, *fresh_end;
static mutex_t lock;

void __malloc_lock(void)
{
	mutex_lock(&lock);
}

void __malloc_unlock(void)
{
	mutex_unlock(&lock);
}

static void *payload(struct block *b)
{
	b->next = NULL;
	return (char *)b + HEADER;
}

static struct block *map_block(size_t size)
{
	size = (size + PAGE - 1) & -(size_t)PAGE;
	struct block *b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
			       -1, 0);

	if (b == MAP_FAILED)
		return NULL;
	b->size = size;
	return b;
}

/* A block that was never used, from the end of the heap. */
static struct block *cut(size_t size)
{
	if (size > (size_t)(fresh_end - fresh)) {
		size_t more = size > CHUNK ? size : CHUNK;
		char *got = sbrk(more);

		if (got == (char *)-1)
			return NULL;
		if (got != fresh_end)
			fresh = (char *)(((uintptr_t)got + HEADER - 1) & -(uintptr_t)HEADER);
		fresh_end = got + more;
		if (size > (size_t)(fresh_end - fresh))
			return cut(size);
	}
	struct block *b = (struct block *)fresh;

	fresh += size;
	b->size = size;
	return b;
}

void *malloc(size_t n)
{
	int order = SMALLEST;
	struct block *b;

	if (n > (size_t)1 << 47) {
		errno = ENOMEM;
		return NULL;
	}
	if (n + HEADER > (size_t)1 << LARGEST) {
		b = map_block(n + HEADER);
		return b ? payload(b) : NULL;
	}
	while (((size_t)1 << order) < n + HEADER)
		order++;
	mutex_lock(&lock);
	b = free_list[order];
	if (b)
		free_list[order] = b->next;
	else
		b = cut((size_t)1 << order);
	mutex_unlock(&lock);
	if (!b) {
		errno = ENOMEM;
		return NULL;
	}
	return payload(b);
}

/* The block of a pointer; memalign() leaves a distance in the header before it. */
static struct block *block_of(void *p)
{
	struct block *b = (struct block *)((char *)p - HEADER);

	return b->next ? (struct block *)((char *)b - (size_t)b->next) : b;
}

static size_t room(void *p)
{
	struct block *b = block_of(p);

	return b->size - ((char *)p - (char *)b);
}

void free(void *p)
{
	struct block *b;
	int saved = errno;

	if (!p)
		return;
	b = block_of(p);
	if (b->size > (size_t)1 << LARGEST) {
		munmap(b, b->size);
	} else {
		int order = __builtin_ctzl(b->size);

		mutex_lock(&lock);
		b->next = free_list[order];
		free_list[order] = b;
		mutex_unlock(&lock);
	}
	errno = saved;
}

void *calloc(size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	p = malloc(total);
	return p ? memset(p, 0, total) : NULL;
}

void *realloc(void *p, size_t n)
{
	void *q;

	if (p && n <= room(p) && n > room(p) / 4)
		return p;
	q = malloc(n);
	if (q && p) {
		size_t old = room(p);

		memcpy(q, p, old < n ? old : n);
		free(p);
	}
	return q;
}

void *memalign(size_t align, size_t n)
{
	char *p, *q;

	if (align & (align - 1)) {
		errno = EINVAL;
		return NULL;
	}
	if (align <= HEADER)
		return malloc(n);
	p = malloc(n + align + HEADER);
	if (!p || ((uintptr_t)p & (align - 1)) == 0)
		return p;
	q = (char *)(((uintptr_t)p + HEADER + align - 1) & -(uintptr_t)align);
	((struct block *)(q - HEADER))->next = (struct block *)(q - p);
	return q;
}

int posix_memalign(void **pp, size_t align, size_t n)
{
	int saved = errno;
	void *p = align % sizeof(void *) ? (errno = EINVAL, NULL) : memalign(align, n);
	int error = p ? 0 : errno;

	errno = saved;
	if (p)
		*pp = p;
	return error;
}
