/*
 * rvi.h - RV64I and the loads of F and D.  Included by hart.c once for each
 * length of instruction (LEN 4 and 2).
 */
OP(illegal) { trap = HW_TRAP_ILLEGAL; goto fault; }
OP(nop) { NEXT; }

OP(ecall) { pc = PC; ctx->insn_len = LEN; trap = HW_TRAP_ECALL; goto out; }
OP(ebreak) { pc = PC; ctx->insn_len = LEN; trap = HW_TRAP_EBREAK; goto out; }

OP(li) { RD = IMM; NEXT; }
OP(mv) { RD = RS1; NEXT; }
OP(lui) { RD = (uint64_t)IMM24 << 12; NEXT; }
OP(auipc) { RD = PC + ((uint64_t)IMM24 << 12); NEXT; }

OP(addi) { RD = RS1 + IMM; NEXT; }
OP(addiw) { RD = SEXT32(RS1 + IMM); NEXT; }
OP(slti) { RD = (int64_t)RS1 < (int64_t)IMM; NEXT; }
OP(sltiu) { RD = RS1 < IMM; NEXT; }
OP(xori) { RD = RS1 ^ IMM; NEXT; }
OP(ori) { RD = RS1 | IMM; NEXT; }
OP(andi) { RD = RS1 & IMM; NEXT; }
OP(slli) { RD = RS1 << (e->imm & 63); NEXT; }
OP(srli) { RD = RS1 >> (e->imm & 63); NEXT; }
OP(srai) { RD = (uint64_t)((int64_t)RS1 >> (e->imm & 63)); NEXT; }
OP(slliw) { RD = SEXT32((uint32_t)RS1 << (e->imm & 31)); NEXT; }
OP(srliw) { RD = SEXT32((uint32_t)RS1 >> (e->imm & 31)); NEXT; }
OP(sraiw) { RD = (uint64_t)(int64_t)((int32_t)RS1 >> (e->imm & 31)); NEXT; }

OP(add) { RD = RS1 + RS2; NEXT; }
OP(sub) { RD = RS1 - RS2; NEXT; }
OP(sll) { RD = RS1 << (RS2 & 63); NEXT; }
OP(slt) { RD = (int64_t)RS1 < (int64_t)RS2; NEXT; }
OP(sltu) { RD = RS1 < RS2; NEXT; }
OP(xor) { RD = RS1 ^ RS2; NEXT; }
OP(srl) { RD = RS1 >> (RS2 & 63); NEXT; }
OP(sra) { RD = (uint64_t)((int64_t)RS1 >> (RS2 & 63)); NEXT; }
OP(or) { RD = RS1 | RS2; NEXT; }
OP(and) { RD = RS1 & RS2; NEXT; }
OP(addw) { RD = SEXT32(RS1 + RS2); NEXT; }
OP(subw) { RD = SEXT32(RS1 - RS2); NEXT; }
OP(sllw) { RD = SEXT32((uint32_t)RS1 << (RS2 & 31)); NEXT; }
OP(srlw) { RD = SEXT32((uint32_t)RS1 >> (RS2 & 31)); NEXT; }
OP(sraw) { RD = (uint64_t)(int64_t)((int32_t)RS1 >> (RS2 & 31)); NEXT; }

OP(lb) { LOAD(int8_t, (uint64_t)(int64_t)); NEXT; }
OP(lh) { LOAD(int16_t, (uint64_t)(int64_t)); NEXT; }
OP(lw) { LOAD(int32_t, (uint64_t)(int64_t)); NEXT; }
OP(ld) { LOAD(uint64_t, ); NEXT; }
OP(lbu) { LOAD(uint8_t, ); NEXT; }
OP(lhu) { LOAD(uint16_t, ); NEXT; }
OP(lwu) { LOAD(uint32_t, ); NEXT; }
OP(flw) { LOAD(uint32_t, BOX |); NEXT; }
OP(fld) { LOAD(uint64_t, ); NEXT; }

OP(sb) { STORE(uint8_t); NEXT; }
OP(sh) { STORE(uint16_t); NEXT; }
OP(sw) { STORE(uint32_t); NEXT; }
OP(sd) { STORE(uint64_t); NEXT; }

OP(beq_in) { if (RS1 == RS2) BRANCH_IN; NEXT; }
OP(bne_in) { if (RS1 != RS2) BRANCH_IN; NEXT; }
OP(blt_in) { if ((int64_t)RS1 < (int64_t)RS2) BRANCH_IN; NEXT; }
OP(bge_in) { if ((int64_t)RS1 >= (int64_t)RS2) BRANCH_IN; NEXT; }
OP(bltu_in) { if (RS1 < RS2) BRANCH_IN; NEXT; }
OP(bgeu_in) { if (RS1 >= RS2) BRANCH_IN; NEXT; }
OP(beqz_in) { if (RS1 == 0) BRANCH_IN; NEXT; }
OP(bnez_in) { if (RS1 != 0) BRANCH_IN; NEXT; }

OP(beq_out) { if (RS1 == RS2) BRANCH_OUT; NEXT; }
OP(bne_out) { if (RS1 != RS2) BRANCH_OUT; NEXT; }
OP(blt_out) { if ((int64_t)RS1 < (int64_t)RS2) BRANCH_OUT; NEXT; }
OP(bge_out) { if ((int64_t)RS1 >= (int64_t)RS2) BRANCH_OUT; NEXT; }
OP(bltu_out) { if (RS1 < RS2) BRANCH_OUT; NEXT; }
OP(bgeu_out) { if (RS1 >= RS2) BRANCH_OUT; NEXT; }

OP(j_in) { JUMP_IN; }
OP(jal_in) { RD = PC + LEN; JUMP_IN; }
OP(j_out) { JUMP(PC + IMM24); }
OP(jal_out) { pc = PC; RD = pc + LEN; JUMP(pc + IMM24); }
OP(jr) { JUMP(RS1 & ~UINT64_C(1)); }
OP(jalr) { pc = (RS1 + IMM) & ~UINT64_C(1); RD = PC + LEN; JUMP(pc); }
