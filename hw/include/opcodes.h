/*
 * opcodes.h - every operation of the interpreter, once.
 *
 * HW_OPS_2 have a two and a four byte form (compressed instructions expand to the
 * common ones), HW_OPS_4 only a four byte form.  Names are those of the manual;
 * "_in" is a direct jump inside the page, "_out" any other.
 */
#ifndef PERSONAE_OPCODES_H
#define PERSONAE_OPCODES_H

#define HW_OPS_2(X) \
	X(illegal) X(nop) X(ecall) X(ebreak) \
	X(li) X(mv) X(lui) X(auipc) \
	X(addi) X(addiw) X(slti) X(sltiu) X(xori) X(ori) X(andi) \
	X(slli) X(srli) X(srai) X(slliw) X(srliw) X(sraiw) \
	X(add) X(sub) X(sll) X(slt) X(sltu) X(xor) X(srl) X(sra) X(or) X(and) \
	X(addw) X(subw) X(sllw) X(srlw) X(sraw) \
	X(lb) X(lh) X(lw) X(ld) X(lbu) X(lhu) X(lwu) X(flw) X(fld) \
	X(sb) X(sh) X(sw) X(sd) \
	X(beq_in) X(bne_in) X(blt_in) X(bge_in) X(bltu_in) X(bgeu_in) \
	X(beqz_in) X(bnez_in) \
	X(beq_out) X(bne_out) X(blt_out) X(bge_out) X(bltu_out) X(bgeu_out) \
	X(j_in) X(jal_in) X(j_out) X(jal_out) X(jr) X(jalr)

#define HW_OPS_4(X) \
	X(csr) \
	X(mul) X(mulh) X(mulhsu) X(mulhu) X(div) X(divu) X(rem) X(remu) \
	X(mulw) X(divw) X(divuw) X(remw) X(remuw) \
	X(lr_w) X(lr_d) X(sc_w) X(sc_d) \
	X(amoswap_w) X(amoadd_w) X(amoxor_w) X(amoand_w) X(amoor_w) \
	X(amomin_w) X(amomax_w) X(amominu_w) X(amomaxu_w) \
	X(amoswap_d) X(amoadd_d) X(amoxor_d) X(amoand_d) X(amoor_d) \
	X(amomin_d) X(amomax_d) X(amominu_d) X(amomaxu_d) \
	X(fp_soft) \
	X(fadd_s) X(fsub_s) X(fmul_s) X(fdiv_s) X(fsqrt_s) \
	X(fadd_d) X(fsub_d) X(fmul_d) X(fdiv_d) X(fsqrt_d) \
	X(fmadd_s) X(fmsub_s) X(fnmsub_s) X(fnmadd_s) \
	X(fmadd_d) X(fmsub_d) X(fnmsub_d) X(fnmadd_d) \
	X(fsgnj_s) X(fsgnjn_s) X(fsgnjx_s) X(fmin_s) X(fmax_s) \
	X(fsgnj_d) X(fsgnjn_d) X(fsgnjx_d) X(fmin_d) X(fmax_d) \
	X(feq_s) X(flt_s) X(fle_s) X(fclass_s) \
	X(feq_d) X(flt_d) X(fle_d) X(fclass_d) \
	X(fmv_x_w) X(fmv_w_x) X(fmv_x_d) X(fmv_d_x) \
	X(fcvt_s_d) X(fcvt_d_s) \
	X(fcvt_s_w) X(fcvt_s_wu) X(fcvt_s_l) X(fcvt_s_lu) \
	X(fcvt_d_w) X(fcvt_d_wu) X(fcvt_d_l) X(fcvt_d_lu) \
	X(fcvt_w_s_rtz) X(fcvt_l_s_rtz) X(fcvt_w_d_rtz) X(fcvt_l_d_rtz)

/* not instructions: what an entry holds before it is decoded, and at page ends */
#define HW_OPS_0(X) X(decode) X(page_end) X(straddle)

enum hw_op {
#define X(n) OP_##n,
	HW_OPS_2(X) HW_OPS_4(X) HW_OPS_0(X)
#undef X
	HW_NOPS
};

#endif
