/*
 * code.c - decoded instructions of frames: made line by line, forgotten when the
 * frame's bytes change.  Neighbours that have a common handler get it here.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu.h"

/* nothing after these is reached by falling through */
static int ends_line(uint32_t op)
{
	switch (op) {
	case OP_illegal: case OP_ecall: case OP_ebreak: case OP_j_in: case OP_jal_in:
	case OP_j_out: case OP_jal_out: case OP_jr: case OP_jalr:
		return 1;
	}
	return 0;
}

/* an operation and its length, as the key of pairs */
#define KEY(op, len) ((uint32_t)(op) << 1 | ((len) == 2))
#define PAIR(a, b)   ((a) << 16 | (b))

/* The handler for both a and b, which follows it; HW_NOPS: none. */
static uint32_t fuse(const struct insn *a, uint32_t ka, const struct insn *b, uint32_t kb)
{
	switch (PAIR(ka, kb)) {
#define X(a_, la, b_, lb) \
	case PAIR(KEY(OP_##a_, la), KEY(OP_##b_, lb)): \
		return OPN(FUSED(a_, la, b_, lb));
	HW_PAIRS(X)
#undef X
#define X(a_, la, b_, lb) \
	case PAIR(KEY(OP_##a_, la), KEY(OP_##b_, lb)): \
		return b->rs1 == a->rd ? OPN(CHAIN1(a_, la, b_, lb)) : \
		       b->rs2 == a->rd ? OPN(CHAIN2(a_, la, b_, lb)) : OPN(FUSED(a_, la, b_, lb));
	HW_CHAINS(X)
#undef X
	}
	return HW_NOPS;
}

/*
 * How many of the n entries from at[0] on make a run: the same operation and base,
 * offsets that all rise or all fall by multiples of 8, the base not loaded.
 */
static uint32_t run_length(const struct insn *ent, const uint16_t *at, const uint16_t *key,
                           uint32_t n)
{
	const struct insn *first = &ent[at[0]];
	int up = n > 1 && ent[at[1]].imm > first->imm;
	uint32_t i;

	for (i = 0; i < n && i < 4; i++) {
		const struct insn *e = &ent[at[i]];
		int step = i == 0 ? 8 : (e->imm - ent[at[i - 1]].imm) * (up ? 1 : -1);

		if (key[i] != key[0] || e->rs1 != first->rs1 || step <= 0 || step % 8 != 0)
			break;
		if (key[0] >> 1 == OP_ld && e->rd == e->rs1)
			break;
	}
	return i;
}

static uint32_t run_op(uint32_t key, uint32_t n)
{
	switch (key << 3 | n) {
#define X(a, la, n_) case KEY(OP_##a, la) << 3 | n_: return OPN(RUN(a, la, n_));
	HW_RUNS(X)
#undef X
	}
	return HW_NOPS;
}

/* One handler for several instructions, where there is one. */
static void combine(struct code_page *cp, const uint16_t *at, const uint16_t *key, uint32_t n)
{
	uint32_t i, op;

	for (i = 0; i + 1 < n; i++) {
		op = run_op(key[i], run_length(cp->ent, at + i, key + i, n - i));
		if (op == HW_NOPS)
			op = fuse(&cp->ent[at[i]], key[i], &cp->ent[at[i + 1]], key[i + 1]);
		if (op != HW_NOPS)
			cp->ent[at[i]].h = cp->handlers[2 * op];
	}
}

/* Decode the straight line that starts at halfword idx of the frame. */
void hw_decode(hw_machine *m, struct code_page *cp, uint32_t idx)
{
	const uint8_t *mem = MEM(m, cp->pfn);
	uintptr_t undecoded = cp->handlers[2 * OP_decode];
	uint16_t at[CODE_ENTRIES], key[CODE_ENTRIES];
	uint32_t n = 0, op = OP_nop, bits, count;

	/* From now on a store to this frame must come by the slow path. */
	if (cp->decoded == 0)
		hw_tlb_drop_stores_to(m, cp->pfn);
	while (idx < CODE_ENTRIES && cp->ent[idx].h == undecoded && !ends_line(op)) {
		uint16_t half[2] = { 0, 0 };

		memcpy(half, mem + 2 * idx, idx + 1 < CODE_ENTRIES ? 4 : 2);
		if ((half[0] & 3) == 3 && idx + 1 == CODE_ENTRIES) {
			cp->ent[idx].h = cp->handlers[2 * OP_straddle];
			cp->ent[idx].count = 0;
			cp->decoded++;
			break;
		}
		bits = half[0] | (uint32_t)half[1] << 16;
		if ((bits & 3) != 3)
			bits &= 0xffff;
		op = hw_decode_insn(&cp->ent[idx], bits, idx, cp->handlers);
		key[n] = (uint16_t)KEY(op, (bits & 3) == 3 ? 4 : 2);
		at[n++] = (uint16_t)idx;
		idx += (bits & 3) == 3 ? 2 : 1;
	}
	/* what follows: nothing, or a line decoded before, or the page's end (count 0) */
	count = ends_line(op) ? 0 : cp->ent[idx].count;
	cp->decoded += n;
	m->stat[HW_STAT_DECODES] += n;
	combine(cp, at, key, n);
	while (n > 0)
		cp->ent[at[--n]].count = (uint16_t)++count;
}

static void reset(struct code_page *cp)
{
	uint32_t i;

	for (i = 0; i < CODE_ENTRIES; i++) {
		cp->ent[i].h = cp->handlers[2 * OP_decode];
		cp->ent[i].count = 0;
	}
	cp->ent[i].h = cp->handlers[2 * OP_page_end];
	cp->ent[i].count = 0;
	cp->decoded = 0;
}

struct code_page *hw_code_get(hw_machine *m, uint32_t pfn, const uintptr_t *handlers)
{
	struct code_page *cp = m->code[pfn];

	if (cp != NULL)
		return cp;
	cp = malloc(sizeof *cp);
	if (cp == NULL)
		return NULL;
	cp->pfn = pfn;
	cp->handlers = handlers;
	reset(cp);
	m->code[pfn] = cp;
	return cp;
}

void hw_code_dirty(hw_machine *m, uint32_t pfn)
{
	struct code_page *cp = m->code[pfn];

	if (cp == NULL || cp->decoded == 0)
		return;
	reset(cp);
	m->stat[STAT_CODE_GEN]++;
}

void hw_code_free(hw_machine *m, uint32_t pfn)
{
	free(m->code[pfn]);
	m->code[pfn] = NULL;
}
