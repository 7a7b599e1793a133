/*
 * slow.c - what the interpreter's loop does out of line: accesses that miss the TLB,
 * are not aligned or cross a page, fetches of new pages, CSRs.
 */
#include <string.h>

#include "cpu.h"

static int fault(struct run *r, uint64_t va, enum hw_access how, uint32_t trap)
{
	r->ctx->tval = va;
	r->ctx->taccess = how;
	return (int)trap;
}

static int crosses(uint64_t va, uint32_t size)
{
	return OFFSET(va) > HW_PAGE_SIZE - size;
}

int hw_slow_load(struct run *r, uint64_t va, uint32_t size, uint64_t *value)
{
	uint32_t first = crosses(va, size) ? HW_PAGE_SIZE - (uint32_t)OFFSET(va) : size, trap = 0;
	uint8_t buf[8] = { 0 }, *p;

	p = hw_tlb_fill(r->m, r->hart, r->as, va, HW_LOAD, &trap);
	if (p == NULL)
		return fault(r, va, HW_LOAD, trap);
	memcpy(buf, p, first);
	if (first < size) {
		p = hw_tlb_fill(r->m, r->hart, r->as, va + first, HW_LOAD, &trap);
		if (p == NULL)
			return fault(r, va + first, HW_LOAD, trap);
		memcpy(buf + first, p, size - first);
	}
	memcpy(value, buf, sizeof buf);
	return DONE;
}

/* 1: a store to va may have changed the code being run at pc, or how pc is mapped */
static int touches_code(struct run *r, uint64_t gen, uint64_t va, uint32_t size, uint64_t pc)
{
	return r->m->stat[STAT_CODE_GEN] != gen || PAGE(va) == PAGE(pc) ||
	       PAGE(va + size - 1) == PAGE(pc);
}

int hw_slow_store(struct run *r, uint64_t va, uint32_t size, uint64_t value,
                               uint64_t pc)
{
	uint32_t first = crosses(va, size) ? HW_PAGE_SIZE - (uint32_t)OFFSET(va) : size, trap = 0;
	uint64_t gen = r->m->stat[STAT_CODE_GEN];
	uint8_t buf[8], *p, *q = NULL;

	p = hw_tlb_fill(r->m, r->hart, r->as, va, HW_STORE, &trap);
	if (p == NULL)
		return fault(r, va, HW_STORE, trap);
	if (first < size) {
		q = hw_tlb_fill(r->m, r->hart, r->as, va + first, HW_STORE, &trap);
		if (q == NULL)
			return fault(r, va + first, HW_STORE, trap);
	}
	memcpy(buf, &value, sizeof buf);
	memcpy(p, buf, first);
	if (q != NULL)
		memcpy(q, buf + first, size - first);
	return touches_code(r, gen, va, size, pc) ? RESYNC : DONE;
}

int hw_slow_amo(struct run *r, uint64_t va, uint32_t size, enum hw_access how,
                             uint64_t pc, uint8_t **p)
{
	uint64_t gen = r->m->stat[STAT_CODE_GEN];
	uint32_t trap = 0;

	if (va & (size - 1))
		return fault(r, va, how, HW_TRAP_AMO_MISALIGNED);
	*p = hw_tlb_fill(r->m, r->hart, r->as, va, how, &trap);
	if (*p == NULL)
		return fault(r, va, how, trap);
	return how == HW_STORE && touches_code(r, gen, va, size, pc) ? RESYNC : DONE;
}

int hw_fetch_miss(struct run *r, uint64_t pc, const uintptr_t *handlers)
{
	struct tlbx *t = &r->hart->fetch[PAGE(pc) & TLB_MASK];
	uint32_t trap = 0, pfn = 0;
	struct code_page *cp;

	if (hw_resolve(r->m, r->as, pc, HW_FETCH, &trap, &pfn) == NULL)
		return fault(r, pc, HW_FETCH, trap);
	cp = hw_code_get(r->m, pfn, handlers);
	if (cp == NULL)
		return fault(r, pc, HW_FETCH, HW_TRAP_NOMEM);
	t->key = PAGE(pc) | (uint64_t)r->as->xtag << 52;
	t->code = cp;
	return DONE;
}

int hw_fetch_bits(struct run *r, uint64_t pc, uint32_t *bits)
{
	uint32_t trap = 0, pfn, i;
	uint16_t half[2] = { 0, 0 };
	uint8_t *p;

	for (i = 0; i < 2; i++) {
		p = hw_resolve(r->m, r->as, pc + 2 * i, HW_FETCH, &trap, &pfn);
		if (p == NULL)
			return fault(r, pc + 2 * i, HW_FETCH, trap);
		memcpy(&half[i], p, 2);
		if ((half[0] & 3) != 3)
			break;
	}
	*bits = half[0] | (uint32_t)half[1] << 16;
	return DONE;
}

enum { CSR_FFLAGS = 1, CSR_FRM = 2, CSR_FCSR = 3, CSR_CYCLE = 0xc00, CSR_TIME = 0xc01,
       CSR_INSTRET = 0xc02 };

int hw_csr(struct hw_ctx *ctx, const struct insn *e, uint64_t done)
{
	uint32_t num = e->imm & 0xfff, f3 = e->rs3;
	uint64_t src = f3 & 4 ? e->rs2 : ctx->x[e->rs2], old, new, *x = ctx->x;
	int writes = (f3 & 3) == 1 || e->rs2 != 0, shift = num == CSR_FRM ? 5 : 0;
	uint64_t mask = num == CSR_FFLAGS ? 0x1f : num == CSR_FRM ? 0xe0 : 0xff;

	if (num >= CSR_CYCLE && num <= CSR_INSTRET) {
		if (writes)
			return -1;
		x[e->rd] = (num == CSR_INSTRET ? ctx->instret : ctx->cycle) + done;
		return 0;
	}
	if (num < CSR_FFLAGS || num > CSR_FCSR)
		return -1;
	ctx->fcsr |= hw_fp_flags();
	old = (ctx->fcsr & mask) >> shift;
	if (writes) {
		new = (f3 & 3) == 1 ? src : (f3 & 3) == 2 ? old | src : old & ~src;
		ctx->fcsr = (ctx->fcsr & ~mask) | (new << shift & mask);
		hw_fp_set(ctx->fcsr >> 5);
	}
	x[e->rd] = old;
	return 0;
}
