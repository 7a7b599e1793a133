/*
 * rvi.h - RV64I and the loads of F and D, as bodies: B_op(D, A, B, L) computes
 * into D from the operands A and B; L is the length of the instruction.  Handlers
 * and fused pairs are both made of them (hart.c).
 */
#define SEXT(v) ((uint64_t)(int64_t)(v))

#define B_illegal(D, A, B, L) do { trap = HW_TRAP_ILLEGAL; goto fault; } while (0)
#define B_nop(D, A, B, L) ((void)0)
#define B_ecall(D, A, B, L) CALL(HW_TRAP_ECALL, L)
#define B_ebreak(D, A, B, L) CALL(HW_TRAP_EBREAK, L)
#define CALL(why, L) do { pc = PC; ctx->insn_len = (L); trap = (why); goto out; } while (0)

#define B_li(D, A, B, L) D = IMM
#define B_mv(D, A, B, L) D = (A)
#define B_lui(D, A, B, L) D = IMM24 << 12
#define B_auipc(D, A, B, L) D = PC + (IMM24 << 12)

#define B_addi(D, A, B, L) D = (A) + IMM
#define B_addiw(D, A, B, L) D = SEXT32((A) + IMM)
#define B_slti(D, A, B, L) D = (int64_t)(A) < (int64_t)IMM
#define B_sltiu(D, A, B, L) D = (A) < IMM
#define B_xori(D, A, B, L) D = (A) ^ IMM
#define B_ori(D, A, B, L) D = (A) | IMM
#define B_andi(D, A, B, L) D = (A) & IMM
#define B_slli(D, A, B, L) D = (A) << (e->imm & 63)
#define B_srli(D, A, B, L) D = (A) >> (e->imm & 63)
#define B_srai(D, A, B, L) D = (uint64_t)((int64_t)(A) >> (e->imm & 63))
#define B_slliw(D, A, B, L) D = SEXT32((uint32_t)(A) << (e->imm & 31))
#define B_srliw(D, A, B, L) D = SEXT32((uint32_t)(A) >> (e->imm & 31))
#define B_sraiw(D, A, B, L) D = SEXT((int32_t)(A) >> (e->imm & 31))

#define B_add(D, A, B, L) D = (A) + (B)
#define B_sub(D, A, B, L) D = (A) - (B)
#define B_sll(D, A, B, L) D = (A) << ((B) & 63)
#define B_slt(D, A, B, L) D = (int64_t)(A) < (int64_t)(B)
#define B_sltu(D, A, B, L) D = (A) < (B)
#define B_xor(D, A, B, L) D = (A) ^ (B)
#define B_srl(D, A, B, L) D = (A) >> ((B) & 63)
#define B_sra(D, A, B, L) D = (uint64_t)((int64_t)(A) >> ((B) & 63))
#define B_or(D, A, B, L) D = (A) | (B)
#define B_and(D, A, B, L) D = (A) & (B)
#define B_addw(D, A, B, L) D = SEXT32((A) + (B))
#define B_subw(D, A, B, L) D = SEXT32((A) - (B))
#define B_sllw(D, A, B, L) D = SEXT32((uint32_t)(A) << ((B) & 31))
#define B_srlw(D, A, B, L) D = SEXT32((uint32_t)(A) >> ((B) & 31))
#define B_sraw(D, A, B, L) D = SEXT((int32_t)(A) >> ((B) & 31))
#define B_mul(D, A, B, L) D = (A) * (B)
#define B_mulw(D, A, B, L) D = SEXT32((A) * (B))

#define B_lb(D, A, B, L) LOAD(D, A, int8_t, SEXT)
#define B_lh(D, A, B, L) LOAD(D, A, int16_t, SEXT)
#define B_lw(D, A, B, L) LOAD(D, A, int32_t, SEXT)
#define B_ld(D, A, B, L) LOAD(D, A, uint64_t, )
#define B_lbu(D, A, B, L) LOAD(D, A, uint8_t, )
#define B_lhu(D, A, B, L) LOAD(D, A, uint16_t, )
#define B_lwu(D, A, B, L) LOAD(D, A, uint32_t, )
#define B_flw(D, A, B, L) LOAD(D, A, uint32_t, BOX |)
#define B_fld(D, A, B, L) LOAD(D, A, uint64_t, )

#define B_sb(D, A, B, L) STORE(A, B, uint8_t, L)
#define B_sh(D, A, B, L) STORE(A, B, uint16_t, L)
#define B_sw(D, A, B, L) STORE(A, B, uint32_t, L)
#define B_sd(D, A, B, L) STORE(A, B, uint64_t, L)

#define B_beq_in(D, A, B, L) if ((A) == (B)) BRANCH_IN
#define B_bne_in(D, A, B, L) if ((A) != (B)) BRANCH_IN
#define B_blt_in(D, A, B, L) if ((int64_t)(A) < (int64_t)(B)) BRANCH_IN
#define B_bge_in(D, A, B, L) if ((int64_t)(A) >= (int64_t)(B)) BRANCH_IN
#define B_bltu_in(D, A, B, L) if ((A) < (B)) BRANCH_IN
#define B_bgeu_in(D, A, B, L) if ((A) >= (B)) BRANCH_IN
#define B_beqz_in(D, A, B, L) if ((A) == 0) BRANCH_IN
#define B_bnez_in(D, A, B, L) if ((A) != 0) BRANCH_IN

#define B_beq_out(D, A, B, L) if ((A) == (B)) BRANCH_OUT
#define B_bne_out(D, A, B, L) if ((A) != (B)) BRANCH_OUT
#define B_blt_out(D, A, B, L) if ((int64_t)(A) < (int64_t)(B)) BRANCH_OUT
#define B_bge_out(D, A, B, L) if ((int64_t)(A) >= (int64_t)(B)) BRANCH_OUT
#define B_bltu_out(D, A, B, L) if ((A) < (B)) BRANCH_OUT
#define B_bgeu_out(D, A, B, L) if ((A) >= (B)) BRANCH_OUT

#define B_j_in(D, A, B, L) JUMP_IN
#define B_jal_in(D, A, B, L) do { D = PC + (L); JUMP_IN; } while (0)
#define B_j_out(D, A, B, L) JUMP(PC + IMM24)
#define B_jal_out(D, A, B, L) do { pc = PC; D = pc + (L); JUMP(pc + IMM24); } while (0)
#define B_jr(D, A, B, L) JUMP((A) & ~UINT64_C(1))
#define B_jalr(D, A, B, L) do { \
	pc = ((A) + IMM) & ~UINT64_C(1); \
	D = PC + (L); \
	JUMP(pc); \
} while (0)
