/*
 * rvm.h - the M extension.  Division by zero gives all ones (quotient) or the
 * dividend (remainder); overflow gives the dividend and 0.
 */
OP(mul) { B_mul(RD, RS1, RS2, 4); NEXT; }
OP(mulh) { RD = (uint64_t)(((__int128)(int64_t)RS1 * (int64_t)RS2) >> 64); NEXT; }
OP(mulhsu) { RD = (uint64_t)(((__int128)(int64_t)RS1 * (unsigned __int128)RS2) >> 64); NEXT; }
OP(mulhu) { RD = (uint64_t)(((unsigned __int128)RS1 * RS2) >> 64); NEXT; }
OP(mulw) { B_mulw(RD, RS1, RS2, 4); NEXT; }

OP(div)
{
	int64_t a = (int64_t)RS1, b = (int64_t)RS2;

	RD = b == 0 ? UINT64_MAX : b == -1 ? 0 - (uint64_t)a : (uint64_t)(a / b);
	NEXT;
}
OP(divu) { RD = RS2 == 0 ? UINT64_MAX : RS1 / RS2; NEXT; }
OP(rem)
{
	int64_t a = (int64_t)RS1, b = (int64_t)RS2;

	RD = b == 0 ? (uint64_t)a : b == -1 ? 0 : (uint64_t)(a % b);
	NEXT;
}
OP(remu) { RD = RS2 == 0 ? RS1 : RS1 % RS2; NEXT; }

OP(divw)
{
	int32_t a = (int32_t)RS1, b = (int32_t)RS2;

	RD = b == 0 ? UINT64_MAX : b == -1 ? SEXT32(0 - (uint32_t)a) : (uint64_t)(int64_t)(a / b);
	NEXT;
}
OP(divuw)
{
	uint32_t a = (uint32_t)RS1, b = (uint32_t)RS2;

	RD = b == 0 ? UINT64_MAX : SEXT32(a / b);
	NEXT;
}
OP(remw)
{
	int32_t a = (int32_t)RS1, b = (int32_t)RS2;

	RD = b == 0 ? SEXT32(a) : b == -1 ? 0 : (uint64_t)(int64_t)(a % b);
	NEXT;
}
OP(remuw)
{
	uint32_t a = (uint32_t)RS1, b = (uint32_t)RS2;

	RD = SEXT32(b == 0 ? a : a % b);
	NEXT;
}
