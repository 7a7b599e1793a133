/*
 * rva.h - the A extension.  One hart runs at a time, so an AMO is a load and a
 * store; aq and rl order nothing.  The reservation is a physical address.
 */
#define LR(T, EXT) do { \
	uint8_t *p_; \
	AMO_ADDR(T, load, rtag, HW_LOAD); \
	ctx->res_addr = (uint64_t)(p_ - m->mem) | 1; \
	RD = EXT(*(T *)p_); \
} while (0)

/* the address is checked even if the store fails, as a store would */
#define SC(T) do { \
	uint8_t *p_; \
	uint64_t v_ = RS2; \
	AMO_ADDR(T, store, wtag, HW_STORE); \
	if (ctx->res_addr == ((uint64_t)(p_ - m->mem) | 1)) { \
		*(T *)p_ = (T)v_; \
		RD = 0; \
	} else { \
		RD = 1; \
	} \
	ctx->res_addr = 0; \
} while (0)

/* old: value in memory, src: operand of type T */
#define AMO(T, EXT, EXPR) do { \
	uint8_t *p_; \
	T src = (T)RS2, old; \
	AMO_ADDR(T, store, wtag, HW_STORE); \
	old = *(T *)p_; \
	*(T *)p_ = (T)(EXPR); \
	RD = EXT(old); \
} while (0)

OP(lr_w) { LR(int32_t, (uint64_t)(int64_t)); NEXT; }
OP(lr_d) { LR(uint64_t, ); NEXT; }
OP(sc_w) { SC(uint32_t); NEXT_SYNC; }
OP(sc_d) { SC(uint64_t); NEXT_SYNC; }

OP(amoswap_w) { AMO(uint32_t, SEXT32, src); NEXT_SYNC; }
OP(amoadd_w) { AMO(uint32_t, SEXT32, old + src); NEXT_SYNC; }
OP(amoxor_w) { AMO(uint32_t, SEXT32, old ^ src); NEXT_SYNC; }
OP(amoand_w) { AMO(uint32_t, SEXT32, old & src); NEXT_SYNC; }
OP(amoor_w) { AMO(uint32_t, SEXT32, old | src); NEXT_SYNC; }
OP(amomin_w) { AMO(int32_t, (uint64_t)(int64_t), old < src ? old : src); NEXT_SYNC; }
OP(amomax_w) { AMO(int32_t, (uint64_t)(int64_t), old > src ? old : src); NEXT_SYNC; }
OP(amominu_w) { AMO(uint32_t, SEXT32, old < src ? old : src); NEXT_SYNC; }
OP(amomaxu_w) { AMO(uint32_t, SEXT32, old > src ? old : src); NEXT_SYNC; }

OP(amoswap_d) { AMO(uint64_t, , src); NEXT_SYNC; }
OP(amoadd_d) { AMO(uint64_t, , old + src); NEXT_SYNC; }
OP(amoxor_d) { AMO(uint64_t, , old ^ src); NEXT_SYNC; }
OP(amoand_d) { AMO(uint64_t, , old & src); NEXT_SYNC; }
OP(amoor_d) { AMO(uint64_t, , old | src); NEXT_SYNC; }
OP(amomin_d) { AMO(int64_t, (uint64_t), old < src ? old : src); NEXT_SYNC; }
OP(amomax_d) { AMO(int64_t, (uint64_t), old > src ? old : src); NEXT_SYNC; }
OP(amominu_d) { AMO(uint64_t, , old < src ? old : src); NEXT_SYNC; }
OP(amomaxu_d) { AMO(uint64_t, , old > src ? old : src); NEXT_SYNC; }

#undef LR
#undef SC
#undef AMO
