/*
 * hart.c - runs a context until it traps.
 *
 * execute() is one function: the handlers of rvi.h, rvm.h, rva.h and rvfd.h with
 * what they share in locals.  `e` is the entry of the instruction being executed;
 * pc = vbase + e / 8 is computed only where somebody needs it.  The budget is
 * exact where control is transferred (see cpu.h).
 *
 * The budget is looked at in every taken branch, in every jump and when a page
 * ends: points that the program alone decides.
 */
#include <string.h>

#include "cpu.h"
#include "fpfast.h"
#include "rvi.h"

#define RD    x[e->rd]
#define RS1   x[e->rs1]
#define RS2   x[e->rs2]
#define IMM   ((uint64_t)(int64_t)e->imm)
#define IMM24 ((uint64_t)(int64_t)((int32_t)e->word >> 8))
#define SEXT32(v) ((uint64_t)(int64_t)(int32_t)(v))
#define PC    (vbase + ((uintptr_t)e >> 3))

#define LOAD(D, A, T, EXT) do { \
	uint64_t va_ = (A) + IMM; \
	struct tlbe *t_ = &hart->load[PAGE(va_) & TLB_MASK]; \
	if (LIKELY(t_->key == (PAGE(va_) | rtag) && !(va_ & (sizeof(T) - 1)))) { \
		D = EXT(*(T *)(uintptr_t)(t_->add + va_)); \
	} else { \
		uint64_t v_; \
		trap = hw_slow_load(r, va_, sizeof(T), &v_); \
		if (UNLIKELY(trap != DONE)) \
			goto fault; \
		D = EXT((T)v_); \
	} \
} while (0)

#define STORE(A, B, T, L) do { \
	uint64_t va_ = (A) + IMM; \
	struct tlbe *t_ = &hart->store[PAGE(va_) & TLB_MASK]; \
	if (LIKELY(t_->key == (PAGE(va_) | wtag) && !(va_ & (sizeof(T) - 1)))) { \
		*(T *)(uintptr_t)(t_->add + va_) = (T)(B); \
	} else { \
		rest = e->count; \
		trap = hw_slow_store(r, va_, sizeof(T), (B), PC); \
		if (UNLIKELY(trap != DONE)) { \
			if (trap != RESYNC) \
				goto fault_rest; \
			pc = PC + (L); \
			goto resync; \
		} \
	} \
} while (0)

/* n loads or stores off one register; base is the host's address of it */
#define RUN_AT(base, k, la) \
	(*(uint64_t *)(uintptr_t)((base) + (uint64_t)(int64_t)e[(k) * ((la) / 2)].imm))
#define RUN_TLB_ld load
#define RUN_TLB_sd store
#define RUN_TAG_ld rtag
#define RUN_TAG_sd wtag
#define RUN_ld(base, la, n) do { \
	uint64_t b_ = (base); \
	x[e[0].rd] = RUN_AT(b_, 0, la); \
	x[e[la / 2].rd] = RUN_AT(b_, 1, la); \
	if (n > 2) \
		x[e[2 * (la / 2)].rd] = RUN_AT(b_, 2, la); \
	if (n > 3) \
		x[e[3 * (la / 2)].rd] = RUN_AT(b_, 3, la); \
} while (0)
#define RUN_sd(base, la, n) do { \
	uint64_t b_ = (base); \
	RUN_AT(b_, 0, la) = x[e[0].rs2]; \
	RUN_AT(b_, 1, la) = x[e[la / 2].rs2]; \
	if (n > 2) \
		RUN_AT(b_, 2, la) = x[e[2 * (la / 2)].rs2]; \
	if (n > 3) \
		RUN_AT(b_, 3, la) = x[e[3 * (la / 2)].rs2]; \
} while (0)

/* p_ = host address of the word at rs1 */
#define AMO_ADDR(T, tlb, tag, how) do { \
	uint64_t va_ = RS1; \
	struct tlbe *t_ = &hart->tlb[PAGE(va_) & TLB_MASK]; \
	trap = DONE; \
	if (LIKELY(t_->key == (PAGE(va_) | tag) && !(va_ & (sizeof(T) - 1)))) { \
		p_ = (uint8_t *)(uintptr_t)(t_->add + va_); \
	} else { \
		rest = e->count; \
		trap = hw_slow_amo(r, va_, sizeof(T), how, PC, &p_); \
		if (UNLIKELY(trap > DONE)) \
			goto fault_rest; \
	} \
} while (0)

#define NEXT_SYNC do { \
	if (UNLIKELY(trap == RESYNC)) { \
		pc = PC + LEN; \
		goto resync; \
	} \
	NEXT; \
} while (0)

/* leave the line at e for the line at to_ (same page) */
#define BRANCH_IN do { \
	struct insn *to_ = (struct insn *)((char *)e + e->imm); \
	budget += e->count - 1; \
	if (UNLIKELY(budget <= 0)) { \
		e = to_; \
		pc = PC; \
		goto spent; \
	} \
	e = to_; \
	budget -= e->count; \
	DISPATCH; \
} while (0)

#define JUMP_IN do { \
	e = (struct insn *)((char *)e + e->imm); \
	if (UNLIKELY(budget <= 0)) { \
		pc = PC; \
		goto spent; \
	} \
	budget -= e->count; \
	DISPATCH; \
} while (0)

/* the budget is exact here: the last instruction of its line */
#define JUMP(to) do { \
	uint64_t to_ = (to); \
	struct tlbx *t_ = &hart->fetch[PAGE(to_) & TLB_MASK]; \
	if (UNLIKELY(budget <= 0 || t_->key != (PAGE(to_) | xtag))) { \
		pc = to_; \
		goto jump; \
	} \
	cp = t_->code; \
	e = &cp->ent[OFFSET(to_) >> 1]; \
	vbase = to_ - ((uintptr_t)e >> 3); \
	budget -= e->count; \
	DISPATCH; \
} while (0)

#define BRANCH_OUT do { \
	budget += e->count - 1; \
	JUMP(PC + IMM); \
} while (0)

#define CAT_(a, b, c) L_##a##_##c
#define CAT(a, b, c) CAT_(a, b, c)
#if HW_THREADED
#define OP(n)    CAT(n, , LEN):
#define DISPATCH goto *(void *)e->h
#else
#define OP(n)    case 2 * OPN(n) + (LEN == 2):
#define DISPATCH goto dispatch
#endif
#define NEXT     do { e += LEN / 2; DISPATCH; } while (0)

/*
 * Runs until a trap and returns it; *left is the budget, exact, and ctx->pc is
 * set.
 */
static NOINLINE int execute(struct run *r, int64_t *left)
{
#if HW_THREADED
	static const void *const labels[2 * HW_NOPS] = {
#define X(n) [2 * OP_##n] = &&L_##n##_4, [2 * OP_##n + 1] = &&L_##n##_2,
		HW_OPS_2(X)
#undef X
#define X(n) [2 * OP_##n] = &&L_##n##_4, [2 * OP_##n + 1] = &&L_illegal_2,
		HW_OPS_4(X) HW_OPS_0(X)
#undef X
#define X(a, la, b, lb) [2 * OPN(FUSED(a, la, b, lb))] = &&CAT(FUSED(a, la, b, lb), , 4),
		HW_PAIRS(X) HW_CHAINS(X)
#undef X
#define X(a, la, b, lb) \
		[2 * OPN(CHAIN1(a, la, b, lb))] = &&CAT(CHAIN1(a, la, b, lb), , 4), \
		[2 * OPN(CHAIN2(a, la, b, lb))] = &&CAT(CHAIN2(a, la, b, lb), , 4),
		HW_CHAINS(X)
#undef X
#define X(a, la, n) [2 * OPN(RUN(a, la, n))] = &&CAT(RUN(a, la, n), , 4),
		HW_RUNS(X)
#undef X
	};
	const uintptr_t *handlers = (const uintptr_t *)labels;
#else
	static const uintptr_t numbers[2 * HW_NOPS] = {
#define X(n) [2 * OP_##n] = 2 * OP_##n, [2 * OP_##n + 1] = 2 * OP_##n + 1,
		HW_OPS_2(X)
#undef X
#define X(n) [2 * OP_##n] = 2 * OP_##n, [2 * OP_##n + 1] = 2 * OP_illegal + 1,
		HW_OPS_4(X) HW_OPS_0(X)
#undef X
#define X(a, la, b, lb) [2 * OPN(FUSED(a, la, b, lb))] = 2 * OPN(FUSED(a, la, b, lb)),
		HW_PAIRS(X) HW_CHAINS(X)
#undef X
#define X(a, la, b, lb) \
		[2 * OPN(CHAIN1(a, la, b, lb))] = 2 * OPN(CHAIN1(a, la, b, lb)), \
		[2 * OPN(CHAIN2(a, la, b, lb))] = 2 * OPN(CHAIN2(a, la, b, lb)),
		HW_CHAINS(X)
#undef X
#define X(a, la, n) [2 * OPN(RUN(a, la, n))] = 2 * OPN(RUN(a, la, n)),
		HW_RUNS(X)
#undef X
	};
	const uintptr_t *handlers = numbers;
#endif
	struct insn straddler[3];         /* a four byte instruction across a page end */
	hw_machine *m = r->m;
	struct hw_hart *hart = r->hart;
	struct hw_ctx *ctx = r->ctx;
	uint64_t *x = ctx->x, pc = ctx->pc, vbase;
	uint64_t rtag = (uint64_t)r->as->rtag << 52, wtag = (uint64_t)r->as->wtag << 52;
	uint64_t xtag = (uint64_t)r->as->xtag << 52;
	int64_t budget0 = *left, budget = budget0;
	struct code_page *cp;
	struct insn *e;
	int trap, rest;                   /* rest: e->count before a store that may reset it */

	straddler[2].h = handlers[2 * OP_page_end];
	straddler[2].count = 0;

jump:
	if (budget <= 0)
		goto spent;
enter:
	if (hart->fetch[PAGE(pc) & TLB_MASK].key != (PAGE(pc) | xtag)) {
		trap = hw_fetch_miss(r, pc, handlers);
		if (trap != DONE)
			goto out;
	}
	cp = hart->fetch[PAGE(pc) & TLB_MASK].code;
	e = &cp->ent[OFFSET(pc) >> 1];
	vbase = pc - ((uintptr_t)e >> 3);
	budget -= e->count;
	DISPATCH;

#if !HW_THREADED
dispatch:
	switch (e->h) {
#endif

#define LEN 2
#define X(n) OP(n) { B_##n(RD, RS1, RS2, 2); NEXT; }
	HW_OPS_2(X)
#undef X
#undef LEN
#define LEN 4
#define X(n) OP(n) { B_##n(RD, RS1, RS2, 4); NEXT; }
	HW_OPS_2(X)
#undef X

	/* fused pairs; a chained one passes the first result on in a register */
#define X(a, la, b, lb) OP(FUSED(a, la, b, lb)) { \
		B_##a(RD, RS1, RS2, la); \
		e += la / 2; \
		B_##b(RD, RS1, RS2, lb); \
		e += lb / 2; \
		DISPATCH; \
	}
	HW_PAIRS(X) HW_CHAINS(X)
#undef X
#define X(a, la, b, lb) OP(CHAIN1(a, la, b, lb)) { \
		uint64_t v; \
		B_##a(v, RS1, RS2, la); \
		RD = v; \
		e += la / 2; \
		B_##b(RD, v, RS2, lb); \
		e += lb / 2; \
		DISPATCH; \
	} \
	OP(CHAIN2(a, la, b, lb)) { \
		uint64_t v; \
		B_##a(v, RS1, RS2, la); \
		RD = v; \
		e += la / 2; \
		B_##b(RD, RS1, v, lb); \
		e += lb / 2; \
		DISPATCH; \
	}
	HW_CHAINS(X)
#undef X

	/* the offsets of a run rise or fall, so its ends tell if it is in one page */
#define X(a, la, n) OP(RUN(a, la, n)) { \
		uint64_t va_ = RS1 + IMM, end_ = RS1 + (uint64_t)(int64_t)e[(n - 1) * (la / 2)].imm; \
		struct tlbe *t_ = &hart->RUN_TLB_##a[PAGE(va_) & TLB_MASK]; \
		if (UNLIKELY(t_->key != (PAGE(va_) | RUN_TAG_##a) || (va_ & 7) != 0 || \
		    PAGE(va_ ^ end_) != 0)) { \
			B_##a(RD, RS1, RS2, la); \
			e += la / 2; \
			DISPATCH; \
		} \
		RUN_##a(t_->add + RS1, la, n); \
		e += n * (la / 2); \
		DISPATCH; \
	}
	HW_RUNS(X)
#undef X
#include "rvm.h"
#include "rva.h"
#include "rvfd.h"

OP(decode)
{
	hw_decode(m, cp, (uint32_t)(e - cp->ent));
	budget -= e->count;
	DISPATCH;
}

OP(page_end) { JUMP(PC); }

OP(straddle)
{
	uint32_t bits;

	pc = PC;
	trap = hw_fetch_bits(r, pc, &bits);
	if (trap != DONE)
		goto out;
	hw_decode_insn(straddler, bits, IDX_NOWHERE, handlers);
	straddler[0].count = 1;
	e = straddler;
	vbase = pc - ((uintptr_t)e >> 3);
	budget -= 1;
	DISPATCH;
}

#undef LEN
#if !HW_THREADED
	}
#endif

	/* frm is none of the host's modes */
fp_dynamic_soft:
	{
		uint32_t bits;

		trap = hw_fetch_bits(r, PC, &bits);
		if (trap != DONE)
			goto fault;
		if (hw_fp_soft(ctx, bits) < 0)
			goto illegal;
		e += 2;
		DISPATCH;
	}

	/* after a store that may have changed code: give back the rest of the line and
	 * start anew, without a look at the budget, since this is no transfer of control */
resync:
	budget += rest - 1;
	rtag = (uint64_t)r->as->rtag << 52;
	wtag = (uint64_t)r->as->wtag << 52;
	xtag = (uint64_t)r->as->xtag << 52;
	goto enter;

illegal:
	trap = HW_TRAP_ILLEGAL;
fault:
	rest = e->count;
fault_rest:
	pc = PC;
	budget += rest;
	if (trap == HW_TRAP_ILLEGAL) {
		uint32_t bits = 0;

		hw_fetch_bits(r, pc, &bits);
		ctx->tval = bits;
		ctx->taccess = HW_FETCH;
	}
	goto out;
spent:
	trap = HW_TRAP_BUDGET;
out:
	ctx->pc = pc;
	*left = budget;
	return trap;
}

/* event log records (all fields 64 bits but the first two) */
enum { LOG_RUN = 1, LOG_ECALL = 2 };

static void log_words(hw_machine *m, uint32_t kind, const uint64_t *w, uint32_t n)
{
	uint32_t head[2] = { kind, 0 };

	memcpy(m->log + m->loglen, head, sizeof head);
	memcpy(m->log + m->loglen + sizeof head, w, n * sizeof *w);
	m->loglen += (uint32_t)(sizeof head + n * sizeof *w);
}

static void log_run(hw_machine *m, const struct hw_ctx *c)
{
	uint64_t w[4] = { c->id, c->pc, c->x[10], c->instret };

	log_words(m, LOG_RUN, w, 4);
}

static void log_ecall(hw_machine *m, const struct hw_ctx *c)
{
	uint64_t w[10] = { c->id, c->pc, c->x[17], c->x[10], c->x[11], c->x[12], c->x[13],
	                   c->x[14], c->x[15], c->instret };

	log_words(m, LOG_ECALL, w, 10);
}

int hw_run(hw_machine *m, uint32_t hart, uint32_t ctx, uint32_t as, uint64_t budget)
{
	int64_t start = budget > INT64_MAX ? INT64_MAX : (int64_t)budget, left = start;
	struct hw_ctx *c = hw_ctx_at(m, ctx);
	struct run r = { m, NULL, c, NULL };
	uint32_t saved;
	int trap;

	if (hart >= m->nharts || c == NULL || as >= m->nspaces || m->spaces[as].root == 0)
		return HW_EINVAL;
	r.hart = &m->harts[hart];
	r.as = &m->spaces[as];
	if (m->logcap - m->loglen < HW_LOG_ROOM)
		return HW_TRAP_LOGFULL;
	hw_as_tags(m, r.as);
	c->res_addr = 0;
	c->x[0] = 0;
	c->fcsr &= 0xff;
	log_run(m, c);
	if (c->pc & 1) {
		c->tval = c->pc;
		c->taccess = HW_FETCH;
		return HW_TRAP_MISALIGNED;
	}
	saved = hw_fp_enter((uint32_t)c->fcsr >> 5);
	trap = execute(&r, &left);
	c->fcsr |= hw_fp_flags();
	hw_fp_leave(saved);
	c->instret += (uint64_t)(start - left);
	c->cycle += (uint64_t)(start - left);
	if (trap == HW_TRAP_ECALL)
		log_ecall(m, c);
	return trap;
}

int hw_go(struct hw_slice *s)
{
	struct hw_ctx *c = hw_ctx_at(s->m, (uint32_t)s->ctx);
	int trap;

	if (c == NULL || s->hart > UINT32_MAX || s->as > UINT32_MAX)
		return HW_EINVAL;
	if (c->cycle >= s->end)
		return HW_TRAP_BUDGET;
	trap = hw_run(s->m, (uint32_t)s->hart, (uint32_t)s->ctx, (uint32_t)s->as,
	              s->end - c->cycle);
	if (trap == HW_TRAP_ECALL) {
		s->ecalls++;
		c->cycle += s->cost;
	}
	return trap;
}
