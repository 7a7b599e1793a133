/*
 * ctx.c - register contexts, one for each lwp.
 *
 * A context's address is given to Python as a memoryview, so it never moves, and
 * a freed one keeps its memory until the machine goes: a view kept too long
 * reads old registers, not somebody else's memory.
 */
#include <stdlib.h>
#include <string.h>

#include "hw_mem.h"

_Static_assert(sizeof (struct hw_ctx) == 80 * 8, "the view Python has of a context");
_Static_assert(offsetof(struct hw_ctx, pc) == 32 * 8, "slot PC");
_Static_assert(offsetof(struct hw_ctx, f) == 34 * 8, "slot F0");
_Static_assert(offsetof(struct hw_ctx, instret) == 66 * 8, "slot INSTRET");
_Static_assert(offsetof(struct hw_ctx, insn_len) == 71 * 8, "slot INSN_LEN");

/* Room for slot i in both arrays of contexts. */
static int
ctx_room(struct hw_machine *m, uint32_t i)
{
	uint32_t cap = m->capctxs, cap2 = m->capctxs;

	if (i < m->capctxs)
		return HW_OK;
	if (hw_grow((void **)&m->ctxs, &cap, i + 1, sizeof (*m->ctxs)) != HW_OK ||
	    hw_grow((void **)&m->ctxlive, &cap2, i + 1, 1) != HW_OK)
		return HW_ENOMEM;
	m->capctxs = cap;
	return HW_OK;
}

uint32_t
hw_ctx_alloc(hw_machine *m)
{
	uint32_t i = m->freectx;

	while (i < m->nctxs && m->ctxlive[i])
		i++;
	if (ctx_room(m, i) != HW_OK)
		return 0;
	if (m->ctxs[i] == NULL && (m->ctxs[i] = malloc(sizeof (struct hw_ctx))) == NULL)
		return 0;
	memset(m->ctxs[i], 0, sizeof (struct hw_ctx));
	m->ctxlive[i] = 1;
	if (i >= m->nctxs)
		m->nctxs = i + 1;
	m->freectx = i + 1;
	m->stat[HW_STAT_CTXS]++;
	return i;
}

struct hw_ctx *
hw_ctx_at(hw_machine *m, uint32_t ctx)
{
	return ctx < m->nctxs && m->ctxlive[ctx] ? m->ctxs[ctx] : NULL;
}

void
hw_ctx_free(hw_machine *m, uint32_t ctx)
{
	if (hw_ctx_at(m, ctx) == NULL)
		return;
	m->ctxlive[ctx] = 0;
	if (ctx < m->freectx)
		m->freectx = ctx;
	m->stat[HW_STAT_CTXS]--;
}
