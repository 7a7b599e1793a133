/*
 * machine.c - the machine as a whole: made, copied, ended; its counts and its log.
 */
#define _DEFAULT_SOURCE               /* MAP_ANONYMOUS and MADV_HUGEPAGE with -std=c11 */
#include <stdlib.h>
#include <string.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#define HAVE_MMAP 1
#endif

#include "hw_mem.h"

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/*
 * Zeroed host memory that costs nothing until it is touched, so that a machine of
 * 64 GiB is as cheap as what it uses.
 */
static void *
lazy_alloc(uint64_t n, size_t size)
{
	if (n > SIZE_MAX / size)
		return NULL;
#ifdef HAVE_MMAP
	void *p = mmap(NULL, (size_t)n * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
#else
	return calloc((size_t)n, size);
#endif
}

static void
lazy_free(void *p, uint64_t n, size_t size)
{
	if (p == NULL)
		return;
#ifdef HAVE_MMAP
	munmap(p, (size_t)n * size);
#else
	(void)n, (void)size;
	free(p);
#endif
}

/* Let *array have room for `want` elements, the new ones zero. */
int
hw_grow(void **array, uint32_t *cap, uint32_t want, size_t size)
{
	uint32_t n = *cap < 8 ? 8 : *cap;
	void *p;

	while (n < want && n < UINT32_MAX / 2)
		n *= 2;
	if (n < want)
		return HW_ENOMEM;
	if (n == *cap)
		return HW_OK;
	p = realloc(*array, n * size);
	if (p == NULL)
		return HW_ENOMEM;
	memset((uint8_t *)p + *cap * size, 0, (n - *cap) * size);
	*array = p;
	*cap = n;
	return HW_OK;
}

/* The memory of a machine of nframes frames (frame 0 is never handed out). */
static int
machine_memory(struct hw_machine *m, uint64_t nframes)
{
	m->nframes = (uint32_t)nframes;
	m->mem = lazy_alloc(nframes, HW_PAGE_SIZE);
	m->refs = lazy_alloc(nframes, sizeof (*m->refs));
	m->acct_of = lazy_alloc(nframes, sizeof (*m->acct_of));
	m->code = lazy_alloc(nframes, sizeof (struct code_page *));
	m->freelist = lazy_alloc(nframes, sizeof (*m->freelist));
	if (!m->mem || !m->refs || !m->acct_of || !m->code || !m->freelist)
		return HW_ENOMEM;
#ifdef MADV_HUGEPAGE
	/* fresh frames are given out in order: one host fault can serve 512 */
	(void)madvise(m->mem, (size_t)nframes * HW_PAGE_SIZE, MADV_HUGEPAGE);
#endif
	return HW_OK;
}

struct hw_machine *
hw_machine_new(uint64_t nframes, uint32_t nharts)
{
	struct hw_machine *m;
	uint32_t none = 0;

	if (nframes < 2 || nframes > MAX_FRAMES || nharts == 0 || nharts > MAX_HARTS)
		return NULL;
	m = calloc(1, sizeof (*m));
	if (m == NULL)
		return NULL;
	m->nextfresh = m->freectx = m->freespace = 1;
	m->nctxs = m->nspaces = 1;            /* slot 0 says "none" */
	m->epoch = 1;
	m->nharts = nharts;
	m->logcap = LOG_CAP;
	m->stat[HW_STAT_FRAMES_TOTAL] = nframes - 1;
	m->harts = calloc(nharts, sizeof (*m->harts));
	m->log = malloc(m->logcap);
	if (machine_memory(m, nframes) != HW_OK || m->harts == NULL || m->log == NULL ||
	    hw_grow((void **)&m->accts, &m->naccts, 1, sizeof (*m->accts)) != HW_OK ||
	    hw_grow((void **)&m->spaces, &m->capspaces, 1, sizeof (*m->spaces)) != HW_OK ||
	    hw_grow((void **)&m->ctxs, &m->capctxs, 1, sizeof (*m->ctxs)) != HW_OK ||
	    hw_grow((void **)&m->ctxlive, &none, m->capctxs, 1) != HW_OK) {
		hw_destroy(m);
		return NULL;
	}
	m->accts[0] = (struct hw_acct){ .limit = UINT64_MAX, .live = 1 };
	return m;
}

hw_machine *
hw_create(uint64_t mem_bytes, uint32_t nharts)
{
	return hw_machine_new(mem_bytes >> HW_PAGE_SHIFT, nharts);
}

void
hw_destroy(hw_machine *m)
{
	uint32_t i;

	if (m == NULL)
		return;
	for (i = 1; m->code != NULL && i < m->nextfresh; i++)
		if (m->code[i] != NULL)
			hw_code_free(m, i);
	for (i = 0; m->ctxs != NULL && i < m->capctxs; i++)
		free(m->ctxs[i]);
	lazy_free(m->mem, m->nframes, HW_PAGE_SIZE);
	lazy_free(m->refs, m->nframes, sizeof (*m->refs));
	lazy_free(m->acct_of, m->nframes, sizeof (*m->acct_of));
	lazy_free(m->code, m->nframes, sizeof (struct code_page *));
	lazy_free(m->freelist, m->nframes, sizeof (*m->freelist));
	free(m->ctxs);
	free(m->ctxlive);
	free(m->spaces);
	free(m->accts);
	free(m->harts);
	free(m->log);
	free(m);
}

/* The arrays that grow, from m to the new machine c. */
static int
clone_tables(struct hw_machine *m, struct hw_machine *c)
{
	uint32_t i, cap = c->naccts, caplive = c->capctxs;

	if (hw_grow((void **)&c->accts, &cap, m->naccts, sizeof (*c->accts)) != HW_OK ||
	    hw_grow((void **)&c->spaces, &c->capspaces, m->nspaces, sizeof (*c->spaces)) ||
	    hw_grow((void **)&c->ctxs, &c->capctxs, m->nctxs, sizeof (*c->ctxs)) != HW_OK ||
	    hw_grow((void **)&c->ctxlive, &caplive, m->nctxs, 1) != HW_OK)
		return HW_ENOMEM;
	c->naccts = m->naccts;
	memcpy(c->accts, m->accts, m->naccts * sizeof (*c->accts));
	for (i = 1; i < m->nspaces; i++)
		c->spaces[i] = (struct hw_as){ .root = m->spaces[i].root, .acct = m->spaces[i].acct };
	for (i = 1; i < m->nctxs; i++) {
		if (!m->ctxlive[i])
			continue;
		c->ctxs[i] = malloc(sizeof (struct hw_ctx));
		if (c->ctxs[i] == NULL)
			return HW_ENOMEM;
		*c->ctxs[i] = *m->ctxs[i];
		c->ctxlive[i] = 1;
	}
	return HW_OK;
}

hw_machine *
hw_clone(hw_machine *m)
{
	struct hw_machine *c = hw_machine_new(m->nframes, m->nharts);
	uint32_t i;

	if (c == NULL)
		return NULL;
	if (clone_tables(m, c) != HW_OK) {
		hw_destroy(c);
		return NULL;
	}
	c->nspaces = m->nspaces;
	c->nctxs = m->nctxs;
	c->freespace = m->freespace;
	c->freectx = m->freectx;
	c->nfree = m->nfree;
	c->nextfresh = m->nextfresh;
	c->fault_addr = m->fault_addr;
	c->fault_trap = m->fault_trap;
	memcpy(c->stat, m->stat, sizeof (c->stat));
	memcpy(c->refs, m->refs, m->nextfresh * sizeof (*c->refs));
	memcpy(c->acct_of, m->acct_of, m->nextfresh * sizeof (*c->acct_of));
	memcpy(c->freelist, m->freelist, m->nfree * sizeof (*c->freelist));
	for (i = 1; i < m->nextfresh; i++)
		if (m->refs[i] != 0)
			memcpy(MEM(c, i), MEM(m, i), HW_PAGE_SIZE);
	hw_log(c, m->log, m->loglen);
	return c;
}

uint64_t
hw_stat(hw_machine *m, uint32_t what)
{
	return what < sizeof (m->stat) / sizeof (m->stat[0]) ? m->stat[what] : 0;
}

/* ---- event log ---- */

/* A record is kept whole: the log grows if the kernel did not take it in time. */
void
hw_log(hw_machine *m, const void *rec, uint32_t len)
{
	if (len > m->logcap - m->loglen) {
		uint64_t cap = (uint64_t)m->loglen + len;
		uint8_t *p = cap > UINT32_MAX / 2 ? NULL : realloc(m->log, 2 * cap);

		if (p == NULL)
			return;
		m->log = p;
		m->logcap = (uint32_t)(2 * cap);
	}
	if (len != 0)
		memcpy(m->log + m->loglen, rec, len);
	m->loglen += len;
}

uint32_t
hw_log_take(hw_machine *m, uint8_t *buf, uint32_t max)
{
	uint32_t n = m->loglen < max ? m->loglen : max;

	if (n == 0)
		return 0;
	memcpy(buf, m->log, n);
	m->loglen -= n;
	memmove(m->log, m->log + n, m->loglen);
	return n;
}

uint32_t
hw_log_len(hw_machine *m)
{
	return m->loglen;
}
