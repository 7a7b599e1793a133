/*
 * decode.c - from the bits of one instruction to an entry the interpreter runs.
 *
 * Source: The RISC-V Instruction Set Manual, Volume I, chapter "RV32/64G
 * Instruction Set Listings".  What is not listed there is illegal.
 */
#include "cpu.h"

#define BITS(v, lo, n) (((v) >> (lo)) & ((1u << (n)) - 1))

/* immediates, sign extended */
static int32_t imm_i(uint32_t b) { return (int32_t)b >> 20; }
static int32_t imm_s(uint32_t b) { return ((int32_t)b >> 25) * 32 | (int32_t)BITS(b, 7, 5); }

static int32_t imm_b(uint32_t b)
{
	return ((int32_t)b >> 31) * 4096 | (int32_t)(BITS(b, 7, 1) << 11 | BITS(b, 25, 6) << 5 |
	                                             BITS(b, 8, 4) << 1);
}

static int32_t imm_j(uint32_t b)
{
	return ((int32_t)b >> 31) * (1 << 20) | (int32_t)(BITS(b, 12, 8) << 12 |
	                                                  BITS(b, 20, 1) << 11 | BITS(b, 21, 10) << 1);
}

static void set_imm24(struct insn *e, int32_t imm)
{
	e->word = e->rd | (uint32_t)imm << 8;
}

static uint32_t op_imm(struct insn *e, uint32_t b)
{
	static const uint8_t ops[8] = { OP_addi, 0, OP_slti, OP_sltiu, OP_xori, 0, OP_ori, OP_andi };
	uint32_t f3 = BITS(b, 12, 3), f6 = b >> 26;

	if (f3 == 1 || f3 == 5) {
		e->imm = BITS(b, 20, 6);
		if (f3 == 1)
			return f6 == 0 ? OP_slli : OP_illegal;
		return f6 == 0 ? OP_srli : f6 == 0x10 ? OP_srai : OP_illegal;
	}
	if (f3 == 0 && e->rd == SLOT_SINK)
		return OP_nop;
	if (f3 == 0 && e->rs1 == 0)
		return OP_li;
	if (f3 == 0 && e->imm == 0)
		return OP_mv;
	return ops[f3];
}

static uint32_t op_imm_32(struct insn *e, uint32_t b)
{
	uint32_t f3 = BITS(b, 12, 3), f7 = b >> 25;

	if (f3 == 0)
		return OP_addiw;
	e->imm = BITS(b, 20, 5);
	if (f3 == 1 && f7 == 0)
		return OP_slliw;
	if (f3 == 5 && (f7 == 0 || f7 == 0x20))
		return f7 ? OP_sraiw : OP_srliw;
	return OP_illegal;
}

static uint32_t op_reg(struct insn *e, uint32_t b)
{
	static const uint8_t base[8] = { OP_add, OP_sll, OP_slt, OP_sltu, OP_xor, OP_srl, OP_or, OP_and };
	static const uint8_t mext[8] = { OP_mul, OP_mulh, OP_mulhsu, OP_mulhu,
	                                 OP_div, OP_divu, OP_rem, OP_remu };
	uint32_t f3 = BITS(b, 12, 3);

	switch (b >> 25) {
	case 0:
		if (f3 == 0 && e->rs1 == 0) {
			e->rs1 = e->rs2;          /* c.mv is add rd, x0, rs2 */
			return OP_mv;
		}
		return base[f3];
	case 1: return mext[f3];
	case 0x20: return f3 == 0 ? OP_sub : f3 == 5 ? OP_sra : OP_illegal;
	}
	return OP_illegal;
}

static uint32_t op_reg_32(uint32_t b)
{
	switch ((b >> 25) << 3 | BITS(b, 12, 3)) {
	case 0x000: return OP_addw;
	case 0x001: return OP_sllw;
	case 0x005: return OP_srlw;
	case 0x100: return OP_subw;
	case 0x105: return OP_sraw;
	case 0x008: return OP_mulw;
	case 0x00c: return OP_divw;
	case 0x00d: return OP_divuw;
	case 0x00e: return OP_remw;
	case 0x00f: return OP_remuw;
	}
	return OP_illegal;
}

static uint32_t op_load(uint32_t b)
{
	static const uint8_t ops[8] = { OP_lb, OP_lh, OP_lw, OP_ld, OP_lbu, OP_lhu, OP_lwu, OP_illegal };

	return ops[BITS(b, 12, 3)];
}

static uint32_t op_load_fp(struct insn *e, uint32_t b)
{
	uint32_t f3 = BITS(b, 12, 3);

	e->rd = SLOT_F + BITS(b, 7, 5);
	return f3 == 2 ? OP_flw : f3 == 3 ? OP_fld : OP_illegal;
}

static uint32_t op_store(struct insn *e, uint32_t b)
{
	static const uint8_t ops[4] = { OP_sb, OP_sh, OP_sw, OP_sd };
	uint32_t f3 = BITS(b, 12, 3);

	e->imm = (int16_t)imm_s(b);
	return f3 < 4 ? ops[f3] : OP_illegal;
}

/* fsw and fsd store raw bits, so they are sw and sd of an FP slot */
static uint32_t op_store_fp(struct insn *e, uint32_t b)
{
	uint32_t f3 = BITS(b, 12, 3);

	e->imm = (int16_t)imm_s(b);
	e->rs2 = SLOT_F + BITS(b, 20, 5);
	return f3 == 2 ? OP_sw : f3 == 3 ? OP_sd : OP_illegal;
}

static uint32_t op_amo(uint32_t b)
{
	static const uint8_t w[8] = { OP_amoadd_w, OP_amoxor_w, OP_amoor_w, OP_amoand_w,
	                              OP_amomin_w, OP_amomax_w, OP_amominu_w, OP_amomaxu_w };
	static const uint8_t d[8] = { OP_amoadd_d, OP_amoxor_d, OP_amoor_d, OP_amoand_d,
	                              OP_amomin_d, OP_amomax_d, OP_amominu_d, OP_amomaxu_d };
	uint32_t f3 = BITS(b, 12, 3), f5 = b >> 27;

	if (f3 != 2 && f3 != 3)
		return OP_illegal;
	switch (f5) {
	case 1: return f3 == 2 ? OP_amoswap_w : OP_amoswap_d;
	case 2: return BITS(b, 20, 5) ? OP_illegal : f3 == 2 ? OP_lr_w : OP_lr_d;
	case 3: return f3 == 2 ? OP_sc_w : OP_sc_d;
	}
	return f5 & 3 ? OP_illegal : f3 == 2 ? w[f5 >> 2] : d[f5 >> 2];
}

/* a direct jump from entry idx: the distance to the target's entry if it is in this page */
static int in_page(struct insn *e, uint32_t idx, int32_t off)
{
	int64_t to = (int64_t)idx + off / 2;

	if (idx == IDX_NOWHERE || to < 0 || to >= (int64_t)CODE_ENTRIES)
		return 0;
	e->imm = (int16_t)(off * 8);
	return 1;
}

static uint32_t op_branch(struct insn *e, uint32_t b, uint32_t idx)
{
	static const uint8_t in[8] = { OP_beq_in, OP_bne_in, 0, 0, OP_blt_in, OP_bge_in,
	                               OP_bltu_in, OP_bgeu_in };
	static const uint8_t out[8] = { OP_beq_out, OP_bne_out, 0, 0, OP_blt_out, OP_bge_out,
	                                OP_bltu_out, OP_bgeu_out };
	uint32_t f3 = BITS(b, 12, 3);
	int32_t off = imm_b(b);

	if (f3 == 2 || f3 == 3)
		return OP_illegal;
	if (in_page(e, idx, off)) {
		if (f3 < 2 && e->rs2 == 0)
			return f3 ? OP_bnez_in : OP_beqz_in;
		return in[f3];
	}
	e->imm = (int16_t)off;
	return out[f3];
}

static uint32_t op_jal(struct insn *e, uint32_t b, uint32_t idx)
{
	int32_t off = imm_j(b);

	if (in_page(e, idx, off))
		return e->rd == SLOT_SINK ? OP_j_in : OP_jal_in;
	set_imm24(e, off);
	return e->rd == SLOT_SINK ? OP_j_out : OP_jal_out;
}

static uint32_t op_system(struct insn *e, uint32_t b)
{
	uint32_t f3 = BITS(b, 12, 3);

	if (b == 0x00000073)
		return OP_ecall;
	if (b == 0x00100073)
		return OP_ebreak;
	if (f3 == 0 || f3 == 4)
		return OP_illegal;
	e->rs2 = BITS(b, 15, 5);              /* number of rs1, or the immediate */
	e->rs3 = f3;
	e->imm = BITS(b, 20, 12);
	return OP_csr;
}

#if !HW_FP_SOFT
/* The operations the host does itself, in the dynamic rounding mode. */
static uint32_t op_fused(struct insn *e, uint32_t b)
{
	static const uint8_t s[4] = { OP_fmadd_s, OP_fmsub_s, OP_fnmsub_s, OP_fnmadd_s };
	static const uint8_t d[4] = { OP_fmadd_d, OP_fmsub_d, OP_fnmsub_d, OP_fnmadd_d };
	uint32_t which = BITS(b, 2, 2);

	e->rs3 = SLOT_F + (b >> 27);
	return BITS(b, 25, 2) ? d[which] : s[which];
}

/* funct7 >> 2 of arithmetic: fadd fsub fmul fdiv, sqrt is 0x0b */
static uint32_t op_fp_arith(uint32_t b, int dbl)
{
	static const uint8_t s[4] = { OP_fadd_s, OP_fsub_s, OP_fmul_s, OP_fdiv_s };
	static const uint8_t d[4] = { OP_fadd_d, OP_fsub_d, OP_fmul_d, OP_fdiv_d };
	uint32_t f5 = b >> 27;

	if (f5 == 0x0b)
		return dbl ? OP_fsqrt_d : OP_fsqrt_s;
	return dbl ? d[f5] : s[f5];
}
#endif

/* sign injection, comparisons and moves: no rounding, funct3 selects */
static uint32_t op_fp_exact(struct insn *e, uint32_t b, int dbl)
{
	static const uint8_t sgnj[2][3] = { { OP_fsgnj_s, OP_fsgnjn_s, OP_fsgnjx_s },
	                                    { OP_fsgnj_d, OP_fsgnjn_d, OP_fsgnjx_d } };
	static const uint8_t minmax[2][2] = { { OP_fmin_s, OP_fmax_s }, { OP_fmin_d, OP_fmax_d } };
	static const uint8_t cmp[2][3] = { { OP_fle_s, OP_flt_s, OP_feq_s },
	                                   { OP_fle_d, OP_flt_d, OP_feq_d } };
	uint32_t f3 = BITS(b, 12, 3), rs2 = BITS(b, 20, 5);

	switch (b >> 27) {
	case 0x04: return f3 < 3 ? sgnj[dbl][f3] : OP_illegal;
	case 0x05: return f3 < 2 ? minmax[dbl][f3] : OP_illegal;
	case 0x14:
		e->rd = BITS(b, 7, 5) ? BITS(b, 7, 5) : SLOT_SINK;
		return f3 < 3 ? cmp[dbl][f3] : OP_illegal;
	case 0x1c:
		e->rd = BITS(b, 7, 5) ? BITS(b, 7, 5) : SLOT_SINK;
		if (rs2 == 0 && f3 == 1)
			return dbl ? OP_fclass_d : OP_fclass_s;
		return rs2 == 0 && f3 == 0 ? (dbl ? OP_fmv_x_d : OP_fmv_x_w) : OP_illegal;
	case 0x1e:
		e->rs1 = BITS(b, 15, 5);
		return rs2 == 0 && f3 == 0 ? (dbl ? OP_fmv_d_x : OP_fmv_w_x) : OP_illegal;
	}
	return OP_illegal;
}

/* conversions; OP_fp_soft where the host has no such operation */
static uint32_t op_fp_convert(struct insn *e, uint32_t b, int dbl)
{
	static const uint8_t from_int[2][4] = {
		{ OP_fcvt_s_w, OP_fcvt_s_wu, OP_fcvt_s_l, OP_fcvt_s_lu },
		{ OP_fcvt_d_w, OP_fcvt_d_wu, OP_fcvt_d_l, OP_fcvt_d_lu } };
	static const uint8_t to_int[2][4] = {
		{ OP_fcvt_w_s_rtz, OP_fp_soft, OP_fcvt_l_s_rtz, OP_fp_soft },
		{ OP_fcvt_w_d_rtz, OP_fp_soft, OP_fcvt_l_d_rtz, OP_fp_soft } };
	uint32_t rm = BITS(b, 12, 3), rs2 = BITS(b, 20, 5), exact;

	switch (b >> 27) {
	case 0x08:
		if (rs2 != !dbl)
			return OP_illegal;
		return dbl ? OP_fcvt_d_s : rm == 7 ? OP_fcvt_s_d : OP_fp_soft;
	case 0x18:
		if (rs2 > 3)
			return OP_illegal;
		if (rm != 1)
			return OP_fp_soft;
		if (!(rs2 & 1))
			e->rd = BITS(b, 7, 5) ? BITS(b, 7, 5) : SLOT_SINK;
		return to_int[dbl][rs2];
	}
	if (rs2 > 3)
		return OP_illegal;
	exact = dbl && rs2 < 2;               /* every 32-bit integer is a double */
	if (rm != 7 && !exact)
		return OP_fp_soft;
	e->rs1 = BITS(b, 15, 5);
	return from_int[dbl][rs2];
}

/* 1: operates on an FP format and rounding mode that exist (frm is known at run time only) */
static int fp_valid(uint32_t b, int rounds)
{
	uint32_t rm = BITS(b, 12, 3);

	return BITS(b, 25, 2) < 2 && (!rounds || (rm != 5 && rm != 6));
}

static uint32_t op_fp(struct insn *e, uint32_t b)
{
	uint32_t f5 = b >> 27, op;
	int dbl = BITS(b, 25, 2) == 1, fused = (b & 0x7f) != 0x53;
	int exact = !fused && (f5 == 0x04 || f5 == 0x05 || f5 == 0x14 || f5 == 0x1c || f5 == 0x1e);

	if (!fp_valid(b, !exact))
		return OP_illegal;
	e->rd = SLOT_F + BITS(b, 7, 5);
	e->rs1 = SLOT_F + BITS(b, 15, 5);
	e->rs2 = SLOT_F + BITS(b, 20, 5);
	if (exact)
		return op_fp_exact(e, b, dbl);
	if (!fused && f5 == 0x0b && BITS(b, 20, 5))
		return OP_illegal;
	if (fused || f5 < 4 || f5 == 0x0b) {
#if !HW_FP_SOFT
		if (BITS(b, 12, 3) == 7)
			return fused ? op_fused(e, b) : op_fp_arith(b, dbl);
#endif
		return OP_fp_soft;
	}
	if (f5 != 0x08 && f5 != 0x18 && f5 != 0x1a)
		return OP_illegal;
	op = op_fp_convert(e, b, dbl);
	return HW_FP_SOFT && op != OP_illegal ? OP_fp_soft : op;
}

static uint32_t decode_op(struct insn *e, uint32_t b, uint32_t idx)
{
	switch (b & 0x7f) {
	case 0x03: return op_load(b);
	case 0x07: return op_load_fp(e, b);
	case 0x0f: return BITS(b, 12, 3) < 2 ? OP_nop : OP_illegal;   /* fence, fence.i */
	case 0x13: return op_imm(e, b);
	case 0x17: set_imm24(e, (int32_t)b >> 12); return OP_auipc;
	case 0x1b: return op_imm_32(e, b);
	case 0x23: return op_store(e, b);
	case 0x27: return op_store_fp(e, b);
	case 0x2f: return op_amo(b);
	case 0x33: return op_reg(e, b);
	case 0x37: set_imm24(e, (int32_t)b >> 12); return OP_lui;
	case 0x3b: return op_reg_32(b);
	case 0x43: case 0x47: case 0x4b: case 0x4f: case 0x53: return op_fp(e, b);
	case 0x63: return op_branch(e, b, idx);
	case 0x67:
		if (BITS(b, 12, 3) != 0)
			return OP_illegal;
		return e->rd == SLOT_SINK && e->imm == 0 ? OP_jr : OP_jalr;
	case 0x6f: return op_jal(e, b, idx);
	case 0x73: return op_system(e, b);
	}
	return OP_illegal;
}

uint32_t hw_decode_insn(struct insn *e, uint32_t bits, uint32_t idx, const uintptr_t *handlers)
{
	int wide = (bits & 3) == 3;
	uint32_t b = wide ? bits : hw_rvc_expand(bits), op;

	e->rd = BITS(b, 7, 5) ? BITS(b, 7, 5) : SLOT_SINK;
	e->rs1 = BITS(b, 15, 5);
	e->rs2 = BITS(b, 20, 5);
	e->rs3 = 0;
	e->imm = (int16_t)imm_i(b);
	op = decode_op(e, b, idx);
	if (op == OP_fp_soft)
		e->word = b;
	e->h = handlers[2 * op + !wide];
	return op;
}
