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

/*
 * Pairs of neighbours that get one handler, with their lengths: what compilers put
 * next to each other often (measured on C programs of several kinds).  The second
 * one keeps its own entry, for those who jump to it.
 */
#define HW_PAIRS(X) \
	X(sd, 2, sd, 2) X(ld, 2, ld, 2) X(mv, 2, mv, 2) X(li, 2, li, 2) \
	X(lw, 2, lw, 2) X(lh, 4, lh, 4) X(ld, 4, ld, 4) X(sd, 4, sd, 4) X(sw, 2, sw, 2) \
	X(fld, 2, fld, 4) X(fld, 4, addi, 2) X(fld, 4, fld, 4) X(fld, 2, fld, 2) \
	X(mv, 2, li, 2) X(li, 2, mv, 2) X(mv, 2, ld, 2) X(ld, 2, mv, 2) X(sd, 2, mv, 2) \
	X(sd, 2, li, 2) X(sd, 2, ld, 2) X(ld, 2, sd, 2) X(ld, 4, sd, 2) X(mv, 2, addi, 2) \
	X(addi, 2, jr, 2) X(ld, 2, jr, 2) X(mv, 2, jr, 2) X(li, 2, jr, 2) X(subw, 2, jr, 2) \
	X(mv, 2, jalr, 2) X(mv, 2, jal_in, 4) X(mv, 2, jal_out, 4) X(addi, 4, jal_in, 4) \
	X(mv, 2, j_in, 2) X(li, 2, j_in, 2) X(addi, 2, j_in, 2) X(add, 2, j_in, 2) \
	X(sb, 4, addi, 2) X(sb, 4, addw, 2) X(sw, 2, addi, 2) X(sd, 2, addi, 2) \
	X(sltu, 4, sltu, 4) X(li, 2, addi, 4) X(lbu, 4, lbu, 4) \
	X(beqz_in, 2, beq_in, 4) X(beqz_in, 2, mv, 2) X(bnez_in, 2, mv, 2) \
	X(beqz_in, 2, ld, 2) X(beqz_in, 2, lbu, 4) X(beq_in, 4, lbu, 4) X(blt_in, 4, addi, 2) \
	X(add, 2, jr, 2) X(sb, 4, bne_in, 4) X(or, 4, ld, 2) X(ld, 2, jal_in, 4)

/* the same, of which the second often uses the first one's result */
#define HW_CHAINS(X) \
	X(addi, 2, sd, 2) X(addi, 2, addi, 2) X(addi, 2, addi, 4) X(addi, 4, addi, 2) \
	X(addi, 2, lbu, 4) X(addi, 2, ld, 2) X(addi, 2, mv, 2) X(addi, 2, add, 2) \
	X(addi, 2, addw, 4) X(addi, 2, mulw, 4) X(addi, 4, mv, 2) X(li, 2, add, 2) \
	X(slli, 4, srli, 2) X(slli, 2, srli, 2) X(slli, 4, srli, 4) X(slli, 4, add, 2) \
	X(slli, 2, add, 2) X(slli, 4, add, 4) X(slli, 2, add, 4) X(srli, 2, add, 2) \
	X(add, 2, ld, 2) X(add, 4, ld, 2) X(add, 2, lw, 2) X(add, 4, lw, 2) X(add, 2, lbu, 4) \
	X(add, 4, lbu, 4) X(add, 2, sb, 4) X(add, 4, sb, 4) X(add, 2, sd, 2) X(add, 2, sw, 2) \
	X(add, 2, add, 2) X(add, 2, addi, 2) X(add, 2, fld, 2) \
	X(lbu, 4, addi, 2) X(lbu, 4, addiw, 4) X(lbu, 4, add, 2) X(lbu, 4, andi, 4) \
	X(lbu, 4, beqz_in, 2) X(lbu, 4, bnez_in, 2) X(lbu, 4, beq_in, 4) X(lbu, 4, bne_in, 4) \
	X(ld, 2, addi, 2) X(ld, 2, add, 2) X(ld, 2, beqz_in, 2) X(ld, 2, bnez_in, 2) \
	X(lw, 2, addw, 2) X(lw, 2, addiw, 2) X(lw, 2, beqz_in, 2) X(lw, 2, bnez_in, 2) \
	X(lw, 2, sltu, 4) X(lw, 2, mv, 2) X(lh, 4, addi, 4) X(addiw, 2, sw, 2) \
	X(addiw, 4, andi, 4) X(andi, 4, bgeu_in, 4) X(andi, 4, bltu_in, 4) \
	X(andi, 4, beqz_in, 2) X(andi, 2, beqz_in, 2) X(andi, 4, bnez_in, 2) \
	X(andi, 2, bnez_in, 2) X(andi, 2, add, 4) \
	X(addi, 2, bne_in, 4) X(addi, 2, blt_in, 4) X(addi, 2, bltu_in, 4) \
	X(addi, 4, blt_in, 4) X(addi, 4, bne_in, 4) X(addi, 2, bnez_in, 2) \
	X(addiw, 2, bnez_in, 2) X(addiw, 2, bne_in, 4) X(addw, 2, bne_in, 4) \
	X(addw, 2, bgeu_in, 4) X(addw, 2, bltu_in, 4) X(add, 2, bne_in, 4) X(add, 2, bltu_in, 4) \
	X(mv, 2, beqz_in, 2) X(mv, 2, bnez_in, 2) X(mv, 2, bgeu_in, 4) \
	X(sltu, 4, subw, 2) X(mulw, 4, addw, 2) X(mul, 4, add, 2) X(mul, 4, add, 4) \
	X(srliw, 4, slliw, 4) X(slliw, 4, srliw, 4) X(slliw, 4, or, 4) X(srliw, 4, or, 4) \
	X(slliw, 4, subw, 2) X(or, 4, or, 4) X(or, 4, slliw, 4) X(xor, 4, addw, 4) \
	X(addw, 4, xor, 4) X(addw, 4, addw, 4) X(and, 4, xor, 2) X(xor, 4, srliw, 4) \
	X(or, 4, xor, 2) X(xor, 2, xor, 2) X(xor, 2, addw, 2) X(addw, 2, addw, 2) \
	X(lui, 4, addi, 4) X(lui, 2, addi, 4) X(lui, 4, addi, 2) X(lui, 2, addiw, 4) \
	X(lui, 4, addiw, 4) X(lui, 4, addiw, 2) X(auipc, 4, addi, 4) X(auipc, 4, ld, 4) \
	X(auipc, 4, jalr, 4) X(auipc, 4, addi, 2) X(auipc, 4, lw, 4) X(lw, 2, add, 2) \
	X(addi, 4, sd, 2) X(addi, 2, sb, 4) X(addw, 4, bne_in, 4) X(andi, 2, srli, 2) \
	X(srli, 2, beqz_in, 2) X(xor, 4, srli, 2) X(xor, 4, and, 2) X(ld, 2, addiw, 2)

/* Loads or stores of doublewords off one register (prologues, epilogues, copies): two
 * to four of them with one look at the TLB. */
#define HW_RUNS(X) X(sd, 2, 2) X(sd, 2, 3) X(sd, 2, 4) X(sd, 4, 2) X(sd, 4, 3) X(sd, 4, 4) \
	X(ld, 2, 2) X(ld, 2, 3) X(ld, 2, 4) X(ld, 4, 2) X(ld, 4, 3) X(ld, 4, 4)
#define RUN(a, la, n) run_##a##la##_##n

/* names of the handlers of a pair */
#define FUSED(a, la, b, lb)  p_##a##la##_##b##lb
#define CHAIN1(a, la, b, lb) c1_##a##la##_##b##lb   /* first result is rs1 of the second */
#define CHAIN2(a, la, b, lb) c2_##a##la##_##b##lb   /* first result is rs2 of the second */

#define OPN(n)  OPN_(n)
#define OPN_(n) OP_##n

enum hw_op {
#define X(n) OP_##n,
	HW_OPS_2(X) HW_OPS_4(X) HW_OPS_0(X)
#undef X
	HW_SINGLE_OPS,
	HW_LAST_SINGLE = HW_SINGLE_OPS - 1,
#define X(a, la, b, lb) OPN(FUSED(a, la, b, lb)),
	HW_PAIRS(X) HW_CHAINS(X)
#undef X
#define X(a, la, b, lb) OPN(CHAIN1(a, la, b, lb)), OPN(CHAIN2(a, la, b, lb)),
	HW_CHAINS(X)
#undef X
#define X(a, la, n) OPN(RUN(a, la, n)),
	HW_RUNS(X)
#undef X
	HW_NOPS
};

#endif
