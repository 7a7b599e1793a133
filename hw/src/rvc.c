/*
 * rvc.c - compressed instructions, expanded to the ones they stand for.
 *
 * Source: The RISC-V Instruction Set Manual, Volume I, chapter "C" (tables of
 * RVC instructions, quadrants 0 to 2).  Hints expand to something without
 * effect; reserved code points expand to 0, which is no instruction.
 */
#include "cpu.h"

#define BITS(v, lo, n) (((v) >> (lo)) & ((1u << (n)) - 1))
#define AT(v, from, n, to) (BITS(v, from, n) << (to))

enum { X0 = 0, RA = 1, SP = 2 };

static uint32_t i_type(uint32_t op, uint32_t f3, uint32_t rd, uint32_t rs1, uint32_t imm)
{
	return op | rd << 7 | f3 << 12 | rs1 << 15 | imm << 20;
}

static uint32_t r_type(uint32_t op, uint32_t f3, uint32_t f7, uint32_t rd, uint32_t rs1,
                       uint32_t rs2)
{
	return op | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | f7 << 25;
}

static uint32_t s_type(uint32_t op, uint32_t f3, uint32_t rs1, uint32_t rs2, uint32_t imm)
{
	return op | BITS(imm, 0, 5) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | BITS(imm, 5, 7) << 25;
}

static uint32_t sext(uint32_t v, unsigned bits)
{
	uint32_t sign = 1u << (bits - 1);

	return (v ^ sign) - sign;
}

static uint32_t jal_type(uint32_t rd, uint32_t off)
{
	return 0x6f | rd << 7 | AT(off, 12, 8, 12) | AT(off, 11, 1, 20) | AT(off, 1, 10, 21) |
	       AT(off, 20, 1, 31);
}

static uint32_t branch_type(uint32_t f3, uint32_t rs1, uint32_t off)
{
	return 0x63 | AT(off, 11, 1, 7) | AT(off, 1, 4, 8) | f3 << 12 | rs1 << 15 |
	       AT(off, 5, 6, 25) | AT(off, 12, 1, 31);
}

/* quadrant 0: loads and stores of x8..x15, f8..f15 */
static uint32_t quadrant0(uint32_t c)
{
	uint32_t lo = 8 + BITS(c, 2, 3), base = 8 + BITS(c, 7, 3);
	uint32_t w = AT(c, 10, 3, 3) | AT(c, 6, 1, 2) | AT(c, 5, 1, 6);
	uint32_t d = AT(c, 10, 3, 3) | AT(c, 5, 2, 6);
	uint32_t spn;

	switch (BITS(c, 13, 3)) {
	case 0:
		spn = AT(c, 11, 2, 4) | AT(c, 7, 4, 6) | AT(c, 6, 1, 2) | AT(c, 5, 1, 3);
		return spn ? i_type(0x13, 0, lo, SP, spn) : 0;
	case 1: return i_type(0x07, 3, lo, base, d);
	case 2: return i_type(0x03, 2, lo, base, w);
	case 3: return i_type(0x03, 3, lo, base, d);
	case 5: return s_type(0x27, 3, base, lo, d);
	case 6: return s_type(0x23, 2, base, lo, w);
	case 7: return s_type(0x23, 3, base, lo, d);
	}
	return 0;
}

/* c.srli c.srai c.andi c.sub c.xor c.or c.and c.subw c.addw */
static uint32_t arith(uint32_t c)
{
	uint32_t rd = 8 + BITS(c, 7, 3), rs2 = 8 + BITS(c, 2, 3);
	uint32_t imm = AT(c, 12, 1, 5) | BITS(c, 2, 5);

	switch (BITS(c, 10, 2)) {
	case 0: return i_type(0x13, 5, rd, rd, imm);
	case 1: return i_type(0x13, 5, rd, rd, imm | 0x400);
	case 2: return i_type(0x13, 7, rd, rd, sext(imm, 6));
	}
	switch (AT(c, 12, 1, 2) | BITS(c, 5, 2)) {
	case 0: return r_type(0x33, 0, 0x20, rd, rd, rs2);
	case 1: return r_type(0x33, 4, 0, rd, rd, rs2);
	case 2: return r_type(0x33, 6, 0, rd, rd, rs2);
	case 3: return r_type(0x33, 7, 0, rd, rd, rs2);
	case 4: return r_type(0x3b, 0, 0x20, rd, rd, rs2);
	case 5: return r_type(0x3b, 0, 0, rd, rd, rs2);
	}
	return 0;
}

static uint32_t quadrant1(uint32_t c)
{
	uint32_t rd = BITS(c, 7, 5), imm = sext(AT(c, 12, 1, 5) | BITS(c, 2, 5), 6), off;

	switch (BITS(c, 13, 3)) {
	case 0: return i_type(0x13, 0, rd, rd, imm);
	case 1: return rd ? i_type(0x1b, 0, rd, rd, imm) : 0;
	case 2: return i_type(0x13, 0, rd, X0, imm);
	case 3:
		if (imm == 0)
			return 0;
		if (rd != SP)
			return 0x37 | rd << 7 | imm << 12;
		off = AT(c, 12, 1, 9) | AT(c, 6, 1, 4) | AT(c, 5, 1, 6) | AT(c, 3, 2, 7) | AT(c, 2, 1, 5);
		return i_type(0x13, 0, SP, SP, sext(off, 10));
	case 4: return arith(c);
	case 5:
		off = AT(c, 12, 1, 11) | AT(c, 11, 1, 4) | AT(c, 9, 2, 8) | AT(c, 8, 1, 10) |
		      AT(c, 7, 1, 6) | AT(c, 6, 1, 7) | AT(c, 3, 3, 1) | AT(c, 2, 1, 5);
		return jal_type(X0, sext(off, 12));
	}
	off = AT(c, 12, 1, 8) | AT(c, 10, 2, 3) | AT(c, 5, 2, 6) | AT(c, 3, 2, 1) | AT(c, 2, 1, 5);
	return branch_type(BITS(c, 13, 1), 8 + BITS(c, 7, 3), sext(off, 9));
}

/* c.jr c.mv c.ebreak c.jalr c.add */
static uint32_t moves(uint32_t c)
{
	uint32_t rd = BITS(c, 7, 5), rs2 = BITS(c, 2, 5);

	if (BITS(c, 12, 1)) {
		if (rs2)
			return r_type(0x33, 0, 0, rd, rd, rs2);
		return rd ? i_type(0x67, 0, RA, rd, 0) : 0x00100073;
	}
	if (rs2)
		return r_type(0x33, 0, 0, rd, X0, rs2);
	return rd ? i_type(0x67, 0, X0, rd, 0) : 0;
}

static uint32_t quadrant2(uint32_t c)
{
	uint32_t rd = BITS(c, 7, 5), rs2 = BITS(c, 2, 5);
	uint32_t lw = AT(c, 12, 1, 5) | AT(c, 4, 3, 2) | AT(c, 2, 2, 6);
	uint32_t ld = AT(c, 12, 1, 5) | AT(c, 5, 2, 3) | AT(c, 2, 3, 6);
	uint32_t sw = AT(c, 9, 4, 2) | AT(c, 7, 2, 6), sd = AT(c, 10, 3, 3) | AT(c, 7, 3, 6);

	switch (BITS(c, 13, 3)) {
	case 0: return i_type(0x13, 1, rd, rd, AT(c, 12, 1, 5) | rs2);
	case 1: return i_type(0x07, 3, rd, SP, ld);
	case 2: return rd ? i_type(0x03, 2, rd, SP, lw) : 0;
	case 3: return rd ? i_type(0x03, 3, rd, SP, ld) : 0;
	case 4: return moves(c);
	case 5: return s_type(0x27, 3, SP, rs2, sd);
	case 6: return s_type(0x23, 2, SP, rs2, sw);
	}
	return s_type(0x23, 3, SP, rs2, sd);
}

uint32_t hw_rvc_expand(uint32_t c)
{
	switch (c & 3) {
	case 0: return quadrant0(c & 0xffff);
	case 1: return quadrant1(c & 0xffff);
	case 2: return quadrant2(c & 0xffff);
	}
	return 0;
}
