/*
 * cpu.h - what the C files of the CPU share: decoded instructions and slow paths.
 *
 * A code_page holds one entry for each halfword of a frame and one sentinel.  An
 * entry is decoded when it is first reached; decoding goes on to the next
 * unconditional transfer of control or to the end of the page, so whatever is
 * after a decoded entry is decoded too.
 *
 * count: instructions from this entry to the end of its straight line, itself
 * included.  Who enters a line subtracts its count from the budget; who leaves it
 * early gives back what was not executed.  So at every transfer of control and in
 * every trap the budget is exact, whatever has been decoded before: traps are a
 * function of the program and not of the state of the cache.
 *
 * Entries are 16 bytes for 2 bytes of code: pc = vbase + entry / 8.
 */
#ifndef PERSONAE_CPU_H
#define PERSONAE_CPU_H

#include "config.h"
#include "hw_int.h"
#include "opcodes.h"

#define CODE_ENTRIES (HW_PAGE_SIZE / 2)

/* operands are indices into hw_ctx taken as an array of 64-bit words */
#define SLOT_F    34                  /* f0 */
#define SLOT_SINK 73                  /* where writes to x0 go */

struct insn {
	uintptr_t h;                      /* handler: address of a label, or number */
	int16_t imm;
	uint16_t count;
	union {
		struct { uint8_t rd, rs1, rs2, rs3; };
		uint32_t word;                /* rd | imm24 << 8, or raw bits */
	};
};

struct code_page {
	struct insn ent[CODE_ENTRIES + 1];
	uint32_t pfn;
	uint32_t decoded;                 /* entries decoded since the last reset */
	const uintptr_t *handlers;
};

/* where generation of decoded code is counted: hw_run compares it around stores */
#define STAT_CODE_GEN 15

_Static_assert(sizeof(struct insn) == 16, "entry / 8 is the distance in bytes");
_Static_assert(offsetof(struct hw_ctx, f) == SLOT_F * 8, "slot of f0");
_Static_assert(offsetof(struct hw_ctx, sink) == SLOT_SINK * 8, "slot of the sink");

/*
 * decode.c.  Decode one instruction that is at halfword idx of a page, or nowhere in
 * particular: then it has no direct jump inside the page.  Returns the operation;
 * fills all of *e but count.  handlers has HW_NOPS pairs, [2 * op] for four byte
 * forms, [2 * op + 1] for two byte forms.
 */
#define IDX_NOWHERE UINT32_MAX
uint32_t hw_decode_insn(struct insn *e, uint32_t bits, uint32_t idx, const uintptr_t *handlers);

/* code.c: the page of a frame (NULL: no host memory), and a line of it decoded */
struct code_page *hw_code_get(hw_machine *m, uint32_t pfn, const uintptr_t *handlers);
void hw_decode(hw_machine *m, struct code_page *cp, uint32_t idx);

/* the things of one hw_run that slow paths need */
struct run {
	hw_machine *m;
	struct hw_hart *hart;
	struct hw_ctx *ctx;
	struct hw_as *as;
};

#define PAGE(va)   ((va) >> HW_PAGE_SHIFT)
#define OFFSET(va) ((va) & (HW_PAGE_SIZE - 1))

/* what a slow path returns besides a trap (those are positive); tval and taccess are
 * set with a trap */
#define DONE   0
#define RESYNC (-1)                   /* done, but decoded code or mappings of code changed */

/* slow.c.  A load that missed the TLB or is not aligned. */
int hw_slow_load(struct run *r, uint64_t va, uint32_t size, uint64_t *value);
/* A store likewise; both pages are made writable before anything is written. */
int hw_slow_store(struct run *r, uint64_t va, uint32_t size, uint64_t value, uint64_t pc);
/* The host address of an atomic access that missed the TLB or is not aligned. */
int hw_slow_amo(struct run *r, uint64_t va, uint32_t size, enum hw_access how, uint64_t pc,
                uint8_t **p);
/* Enter the page of pc into the fetch TLB. */
int hw_fetch_miss(struct run *r, uint64_t pc, const uintptr_t *handlers);
/* The bits of the instruction at pc, for those who did not keep them. */
int hw_fetch_bits(struct run *r, uint64_t pc, uint32_t *bits);
/* csrrw csrrs csrrc and their immediate forms; done: instructions retired since hw_run
 * was entered.  -1: no such CSR, or a write to one that is read only. */
int hw_csr(struct hw_ctx *ctx, const struct insn *e, uint64_t done);

/* rvc.c: the four byte instruction a compressed one stands for; 0: illegal */
uint32_t hw_rvc_expand(uint32_t c);

/* fp.c: host FP environment.  flags are RISC-V's fflags. */
#define FF_NX 1u
#define FF_UF 2u
#define FF_OF 4u
#define FF_DZ 8u
#define FF_NV 16u
uint32_t hw_fp_enter(uint32_t frm);   /* returns what hw_fp_leave needs */
void     hw_fp_leave(uint32_t saved);
uint32_t hw_fp_flags(void);           /* accumulated on the host since the last clear */
void     hw_fp_set(uint32_t frm);     /* clear flags, set the rounding mode */

/* fpsoft.c: execute one OP-FP or fused instruction with any rounding mode; flags
 * go to ctx->fcsr.  -1: not a valid instruction or rounding mode. */
int hw_fp_soft(struct hw_ctx *ctx, uint32_t bits);
uint32_t hw_fclass32(uint32_t v);
uint32_t hw_fclass64(uint64_t v);

#endif
