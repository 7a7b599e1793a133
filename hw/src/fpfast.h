/*
 * fpfast.h - small FP helpers inlined into the handlers of rvfd.h.
 */
#ifndef PERSONAE_FPFAST_H
#define PERSONAE_FPFAST_H

#include <math.h>
#include <string.h>

#include "cpu.h"

#define BOX   (UINT64_C(0xffffffff) << 32)
#define QNAN32 0x7fc00000u
#define QNAN64 UINT64_C(0x7ff8000000000000)

/* The compiler must not follow the constant NaN of unbox_bits into an operation and
 * fold it: folding loses the invalid flag. */
#if defined(__GNUC__)
#define OPAQUE(v) __asm__("" : "+r"(v))
#else
#define OPAQUE(v) ((void)0)
#endif

/* A single is valid in a register only if the upper half is all ones. */
static inline uint32_t unbox_bits(uint64_t v)
{
	return LIKELY(v >> 32 == UINT32_MAX) ? (uint32_t)v : QNAN32;
}

static inline float unbox(uint64_t v)
{
	uint32_t b = unbox_bits(v);
	float f;

	OPAQUE(b);
	memcpy(&f, &b, sizeof f);
	return f;
}

static inline uint64_t box(float f)
{
	uint32_t b;

	if (UNLIKELY(f != f))
		return BOX | QNAN32;
	memcpy(&b, &f, sizeof b);
	return BOX | b;
}

static inline double as_double(uint64_t v)
{
	double d;

	memcpy(&d, &v, sizeof d);
	return d;
}

static inline uint64_t from_double(double d)
{
	uint64_t v;

	if (UNLIKELY(d != d))
		return QNAN64;
	memcpy(&v, &d, sizeof v);
	return v;
}

/* a * b + c rounded once: by the host's instruction, by libm if it has none */
#if HW_FP_X86
#define FMA_INSN(T, name, insn, call) \
static inline T name(T a, T b, T c) \
{ \
	if (UNLIKELY(!__builtin_cpu_supports("fma"))) \
		return call(a, b, c); \
	__asm__(insn " %2, %1, %0" : "+x"(c) : "x"(a), "x"(b)); \
	return c; \
}
FMA_INSN(float, fused32, "vfmadd231ss", fmaf)
FMA_INSN(double, fused64, "vfmadd231sd", fma)
#undef FMA_INSN
#else
static inline float fused32(float a, float b, float c) { return fmaf(a, b, c); }
static inline double fused64(double a, double b, double c) { return fma(a, b, c); }
#endif

/*
 * a * b + c gave a NaN: RISC-V wants the invalid flag for infinity times zero even
 * when c is a quiet NaN, hosts differ.
 */
static inline void fused_nan(struct hw_ctx *ctx, double a, double b)
{
	if ((isinf(a) && b == 0) || (a == 0 && isinf(b)))
		ctx->fcsr |= FF_NV;
}

#define FUSED_S(A, B, C) do { \
	float a_ = (A), b_ = (B), r_ = fused32(a_, b_, (C)); \
	if (UNLIKELY(r_ != r_)) \
		fused_nan(ctx, (double)a_, (double)b_); \
	x[e->rd] = box(r_); \
} while (0)

#define FUSED_D(A, B, C) do { \
	double a_ = (A), b_ = (B), r_ = fused64(a_, b_, (C)); \
	if (UNLIKELY(r_ != r_)) \
		fused_nan(ctx, a_, b_); \
	x[e->rd] = from_double(r_); \
} while (0)

/* rd = rs1 with the sign bit of EXPR over a (rs1) and b (rs2) */
#define SIGN_S(EXPR) do { \
	uint32_t a = unbox_bits(x[e->rs1]), b = unbox_bits(x[e->rs2]); \
	x[e->rd] = BOX | (a & INT32_MAX) | ((EXPR) & 0x80000000u); \
} while (0)

#define SIGN_D(EXPR) do { \
	uint64_t a = x[e->rs1], b = x[e->rs2]; \
	x[e->rd] = (a & INT64_MAX) | ((EXPR) & (UINT64_C(1) << 63)); \
} while (0)

static inline int is_nan32(uint32_t v) { return (v & INT32_MAX) > 0x7f800000u; }
static inline int is_nan64(uint64_t v) { return (v & INT64_MAX) > UINT64_C(0x7ff) << 52; }

/* IEEE 754-201x minimumNumber and maximumNumber, in the order of the integers */
static inline uint32_t minmax32(struct hw_ctx *ctx, uint32_t a, uint32_t b, int max)
{
	int32_t ka, kb;

	if (UNLIKELY(is_nan32(a) || is_nan32(b))) {
		if ((is_nan32(a) && !(a >> 22 & 1)) || (is_nan32(b) && !(b >> 22 & 1)))
			ctx->fcsr |= FF_NV;
		return !is_nan32(a) ? a : !is_nan32(b) ? b : QNAN32;
	}
	ka = (int32_t)(a ^ ((uint32_t)((int32_t)a >> 31) >> 1));
	kb = (int32_t)(b ^ ((uint32_t)((int32_t)b >> 31) >> 1));
	return (ka < kb) != max ? a : b;
}

static inline uint64_t minmax64(struct hw_ctx *ctx, uint64_t a, uint64_t b, int max)
{
	int64_t ka, kb;

	if (UNLIKELY(is_nan64(a) || is_nan64(b))) {
		if ((is_nan64(a) && !(a >> 51 & 1)) || (is_nan64(b) && !(b >> 51 & 1)))
			ctx->fcsr |= FF_NV;
		return !is_nan64(a) ? a : !is_nan64(b) ? b : QNAN64;
	}
	ka = (int64_t)(a ^ ((uint64_t)((int64_t)a >> 63) >> 1));
	kb = (int64_t)(b ^ ((uint64_t)((int64_t)b >> 63) >> 1));
	return (ka < kb) != max ? a : b;
}

/* Towards zero to a signed integer no less than min and less than -min.  In range
 * the host's conversion is right and sets inexact. */
static inline uint64_t truncate(struct hw_ctx *ctx, double v, int64_t min)
{
	uint64_t bits;
	double lo = (double)min;

	if (LIKELY(v < -lo && (v >= lo || (min == INT32_MIN && v > lo - 1))))
		return (uint64_t)(int64_t)v;
	ctx->fcsr |= FF_NV;
	memcpy(&bits, &v, sizeof bits);
	if (is_nan64(bits) || !(bits >> 63))
		return ~(uint64_t)min;
	return (uint64_t)min;
}

#endif
