/*
 * rvfd.h - F and D on the host's FPU, and the CSRs.  Included by hart.c.
 *
 * Operations that round come here only in the dynamic mode; where the host has no
 * such mode (frm RMM or invalid) they go to fpsoft.c.
 */
#define S(r) unbox(x[e->r])
#define D(r) as_double(x[e->r])
#define PUT_S(v) (x[e->rd] = box(v))
#define PUT_D(v) (x[e->rd] = from_double(v))
#define ROUNDS do { if (UNLIKELY(ctx->fcsr > 0x7f)) goto fp_dynamic_soft; } while (0)

OP(csr)
{
	uint64_t done = (uint64_t)(budget0 - (budget + e->count));

	if (hw_csr(ctx, e, done) < 0)
		goto illegal;
	NEXT;
}

OP(fp_soft)
{
	if (hw_fp_soft(ctx, e->word) < 0)
		goto illegal;
	NEXT;
}

OP(fadd_s) { ROUNDS; PUT_S(S(rs1) + S(rs2)); NEXT; }
OP(fsub_s) { ROUNDS; PUT_S(S(rs1) - S(rs2)); NEXT; }
OP(fmul_s) { ROUNDS; PUT_S(S(rs1) * S(rs2)); NEXT; }
OP(fdiv_s) { ROUNDS; PUT_S(S(rs1) / S(rs2)); NEXT; }
OP(fsqrt_s) { ROUNDS; PUT_S(__builtin_sqrtf(S(rs1))); NEXT; }
OP(fadd_d) { ROUNDS; PUT_D(D(rs1) + D(rs2)); NEXT; }
OP(fsub_d) { ROUNDS; PUT_D(D(rs1) - D(rs2)); NEXT; }
OP(fmul_d) { ROUNDS; PUT_D(D(rs1) * D(rs2)); NEXT; }
OP(fdiv_d) { ROUNDS; PUT_D(D(rs1) / D(rs2)); NEXT; }
OP(fsqrt_d) { ROUNDS; PUT_D(__builtin_sqrt(D(rs1))); NEXT; }

OP(fmadd_s) { ROUNDS; FUSED_S(S(rs1), S(rs2), S(rs3)); NEXT; }
OP(fmsub_s) { ROUNDS; FUSED_S(S(rs1), S(rs2), -S(rs3)); NEXT; }
OP(fnmsub_s) { ROUNDS; FUSED_S(-S(rs1), S(rs2), S(rs3)); NEXT; }
OP(fnmadd_s) { ROUNDS; FUSED_S(-S(rs1), S(rs2), -S(rs3)); NEXT; }
OP(fmadd_d) { ROUNDS; FUSED_D(D(rs1), D(rs2), D(rs3)); NEXT; }
OP(fmsub_d) { ROUNDS; FUSED_D(D(rs1), D(rs2), -D(rs3)); NEXT; }
OP(fnmsub_d) { ROUNDS; FUSED_D(-D(rs1), D(rs2), D(rs3)); NEXT; }
OP(fnmadd_d) { ROUNDS; FUSED_D(-D(rs1), D(rs2), -D(rs3)); NEXT; }

OP(fsgnj_s) { SIGN_S(b); NEXT; }
OP(fsgnjn_s) { SIGN_S(~b); NEXT; }
OP(fsgnjx_s) { SIGN_S(a ^ b); NEXT; }
OP(fsgnj_d) { SIGN_D(b); NEXT; }
OP(fsgnjn_d) { SIGN_D(~b); NEXT; }
OP(fsgnjx_d) { SIGN_D(a ^ b); NEXT; }

OP(fmin_s) { x[e->rd] = BOX | minmax32(ctx, unbox_bits(x[e->rs1]), unbox_bits(x[e->rs2]), 0); NEXT; }
OP(fmax_s) { x[e->rd] = BOX | minmax32(ctx, unbox_bits(x[e->rs1]), unbox_bits(x[e->rs2]), 1); NEXT; }
OP(fmin_d) { x[e->rd] = minmax64(ctx, x[e->rs1], x[e->rs2], 0); NEXT; }
OP(fmax_d) { x[e->rd] = minmax64(ctx, x[e->rs1], x[e->rs2], 1); NEXT; }

OP(feq_s) { RD = S(rs1) == S(rs2); NEXT; }
OP(flt_s) { RD = S(rs1) < S(rs2); NEXT; }
OP(fle_s) { RD = S(rs1) <= S(rs2); NEXT; }
OP(feq_d) { RD = D(rs1) == D(rs2); NEXT; }
OP(flt_d) { RD = D(rs1) < D(rs2); NEXT; }
OP(fle_d) { RD = D(rs1) <= D(rs2); NEXT; }

OP(fclass_s) { RD = hw_fclass32(unbox_bits(x[e->rs1])); NEXT; }
OP(fclass_d) { RD = hw_fclass64(x[e->rs1]); NEXT; }
OP(fmv_x_w) { RD = SEXT32(RS1); NEXT; }
OP(fmv_w_x) { RD = BOX | (uint32_t)RS1; NEXT; }
OP(fmv_x_d) { RD = RS1; NEXT; }
OP(fmv_d_x) { RD = RS1; NEXT; }

OP(fcvt_s_d) { ROUNDS; PUT_S((float)D(rs1)); NEXT; }
OP(fcvt_d_s) { ROUNDS; PUT_D((double)S(rs1)); NEXT; }
OP(fcvt_s_w) { ROUNDS; PUT_S((float)(int32_t)RS1); NEXT; }
OP(fcvt_s_wu) { ROUNDS; PUT_S((float)(int64_t)(uint32_t)RS1); NEXT; }
OP(fcvt_s_l) { ROUNDS; PUT_S((float)(int64_t)RS1); NEXT; }
OP(fcvt_s_lu) { ROUNDS; PUT_S((float)RS1); NEXT; }
OP(fcvt_d_w) { ROUNDS; PUT_D((double)(int32_t)RS1); NEXT; }
OP(fcvt_d_wu) { ROUNDS; PUT_D((double)(int64_t)(uint32_t)RS1); NEXT; }
OP(fcvt_d_l) { ROUNDS; PUT_D((double)(int64_t)RS1); NEXT; }
OP(fcvt_d_lu) { ROUNDS; PUT_D((double)RS1); NEXT; }

OP(fcvt_w_s_rtz) { RD = SEXT32(truncate(ctx, S(rs1), INT32_MIN)); NEXT; }
OP(fcvt_l_s_rtz) { RD = truncate(ctx, S(rs1), INT64_MIN); NEXT; }
OP(fcvt_w_d_rtz) { RD = SEXT32(truncate(ctx, D(rs1), INT32_MIN)); NEXT; }
OP(fcvt_l_d_rtz) { RD = truncate(ctx, D(rs1), INT64_MIN); NEXT; }

#undef S
#undef D
#undef PUT_S
#undef PUT_D
#undef ROUNDS
