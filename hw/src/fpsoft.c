/*
 * fpsoft.c - IEEE 754 arithmetic in integers, for what the host FPU does not do:
 * rounding to nearest with ties away (RMM), static rounding modes other than the
 * current one, conversions to integers.
 *
 * A finite number that is not zero is unpacked to sig * 2^(exp - 63) with bit 63
 * of sig set.  Results are built in 128 bits, sig * 2^(exp - 127) with bit 127
 * set, where the lowest bit also stands for everything below it ("sticky"); they
 * are rounded once.  Tininess is detected after rounding, as RISC-V says.
 *
 * Source: RISC-V manual Volume I, chapters "F" and "D"; IEEE 754-2008.
 */
#include "cpu.h"

typedef unsigned __int128 u128;

#define BITS(v, lo, n) (((v) >> (lo)) & ((1u << (n)) - 1))
#define TOP (UINT64_C(1) << 63)

enum rm { RNE = 0, RTZ = 1, RDN = 2, RUP = 3, RMM = 4, DYN = 7 };
enum cls { ZERO, FINITE, INF, QNAN, SNAN };

struct fmt {
	int mant;                         /* stored bits of the significand */
	int emax;                         /* largest exponent, also the bias */
	uint64_t qnan;                    /* canonical NaN */
};

static const struct fmt F32 = { 23, 127, 0x7fc00000u };
static const struct fmt F64 = { 52, 1023, 0x7ff8000000000000u };

struct num {
	enum cls cls;
	int sign, exp;
	uint64_t sig;
};

struct op {                           /* what one operation rounds with, and its flags */
	enum rm rm;
	uint32_t flags;
};

static uint64_t inf_bits(const struct fmt *f, int sign)
{
	return ((uint64_t)sign << (f == &F32 ? 31 : 63)) |
	       ((uint64_t)(2 * f->emax + 1) << f->mant);
}

static uint64_t zero_bits(const struct fmt *f, int sign)
{
	return (uint64_t)sign << (f == &F32 ? 31 : 63);
}

static uint64_t invalid(const struct fmt *f, struct op *o)
{
	o->flags |= FF_NV;
	return f->qnan;
}

static struct num unpack(const struct fmt *f, uint64_t v)
{
	uint64_t mant = v & ((UINT64_C(1) << f->mant) - 1);
	int field = (int)(v >> f->mant) & (2 * f->emax + 1), lz;
	struct num n = { FINITE, (int)(v >> (f == &F32 ? 31 : 63)) & 1, field - f->emax, 0 };

	if (field == 2 * f->emax + 1) {
		n.cls = mant == 0 ? INF : mant >> (f->mant - 1) ? QNAN : SNAN;
	} else if (field != 0) {
		n.sig = TOP | mant << (63 - f->mant);
	} else if (mant == 0) {
		n.cls = ZERO;
	} else {
		lz = __builtin_clzll(mant);
		n.sig = mant << lz;
		n.exp = 1 - f->emax + (63 - f->mant) - lz;
	}
	return n;
}

static u128 shift_sticky(u128 v, int by)
{
	if (by <= 0)
		return v;
	if (by >= 128)
		return v != 0;
	return v >> by | ((v << (128 - by)) != 0);
}

static int clz128(u128 v)
{
	uint64_t hi = (uint64_t)(v >> 64);

	return hi ? __builtin_clzll(hi) : 64 + __builtin_clzll((uint64_t)v);
}

/* sig without its lowest `lost` bits (1 or more), rounded; at most 64 bits stay */
static uint64_t round_off(u128 sig, int lost, int sign, enum rm rm, int *inexact)
{
	uint64_t kept = lost >= 128 ? 0 : (uint64_t)(sig >> lost);
	u128 rest = lost > 128 ? 1 : lost == 128 ? sig : sig << (128 - lost);
	u128 half = (u128)1 << 127;
	int up = 0;

	*inexact = rest != 0;
	switch (rm) {
	case RNE: up = rest > half || (rest == half && (kept & 1)); break;
	case RMM: up = rest >= half; break;
	case RDN: up = sign && rest != 0; break;
	case RUP: up = !sign && rest != 0; break;
	default: break;
	}
	return kept + (uint64_t)up;
}

static uint64_t overflow(const struct fmt *f, struct op *o, int sign)
{
	int to_inf = o->rm == RNE || o->rm == RMM || (o->rm == RDN && sign) || (o->rm == RUP && !sign);

	o->flags |= FF_OF | FF_NX;
	return inf_bits(f, sign) - !to_inf;
}

/* bit 127 of sig is set */
static uint64_t round_pack(const struct fmt *f, struct op *o, int sign, int exp, u128 sig)
{
	int emin = 1 - f->emax, lost = 127 - f->mant, inexact, tiny = 0;
	uint64_t m;

	if (exp < emin) {
		/* tiny unless rounding with unbounded exponent reaches 2^emin */
		m = round_off(sig, lost, sign, o->rm, &inexact);
		tiny = exp < emin - 1 || m >> (f->mant + 1) == 0;
		m = round_off(sig, lost + (emin - exp), sign, o->rm, &inexact);
		if (inexact)
			o->flags |= FF_NX | (tiny ? FF_UF : 0);
		return zero_bits(f, sign) + m;    /* a carry makes it the smallest normal */
	}
	m = round_off(sig, lost, sign, o->rm, &inexact);
	if (m >> (f->mant + 1)) {
		m >>= 1;
		exp++;
	}
	if (exp > f->emax)
		return overflow(f, o, sign);
	if (inexact)
		o->flags |= FF_NX;
	return zero_bits(f, sign) + ((uint64_t)(exp + f->emax - 1) << f->mant) + m;
}

static uint64_t normalize_pack(const struct fmt *f, struct op *o, int sign, int exp, u128 sig)
{
	int lz = clz128(sig);

	return round_pack(f, o, sign, exp - lz, sig << lz);
}

/* Some operand is a NaN: the canonical NaN, invalid if one is signaling. */
static uint64_t nan_result(const struct fmt *f, struct op *o, int any_snan)
{
	return any_snan ? invalid(f, o) : f->qnan;
}

static int is_nan(struct num a) { return a.cls >= QNAN; }

static uint64_t soft_mul(const struct fmt *f, struct op *o, struct num a, struct num b)
{
	int sign = a.sign ^ b.sign;

	if (is_nan(a) || is_nan(b))
		return nan_result(f, o, a.cls == SNAN || b.cls == SNAN);
	if ((a.cls == INF && b.cls == ZERO) || (a.cls == ZERO && b.cls == INF))
		return invalid(f, o);
	if (a.cls == INF || b.cls == INF)
		return inf_bits(f, sign);
	if (a.cls == ZERO || b.cls == ZERO)
		return zero_bits(f, sign);
	return normalize_pack(f, o, sign, a.exp + b.exp + 1, (u128)a.sig * b.sig);
}

/*
 * x + y, both not zero, bit 127 set.  One bit of headroom is made first: every
 * significand here has at most 106 bits, so nothing is lost by it, nor by
 * aligning when the exponents differ by one, the only case of deep cancellation.
 */
static uint64_t add_big(const struct fmt *f, struct op *o, int xs, int xe, u128 x, int ys, int ye,
                        u128 y)
{
	u128 t;
	int i;

	if (ye > xe || (ye == xe && y > x)) {
		i = xs; xs = ys; ys = i;
		i = xe; xe = ye; ye = i;
		t = x; x = y; y = t;
	}
	x >>= 1;
	y = shift_sticky(y >> 1, xe - ye);
	t = xs == ys ? x + y : x - y;
	if (t == 0)
		return zero_bits(f, o->rm == RDN);
	return normalize_pack(f, o, xs, xe + 1, t);
}

static uint64_t soft_fma(const struct fmt *f, struct op *o, struct num a, struct num b, struct num c)
{
	int ps = a.sign ^ b.sign, pe, lz;
	u128 p;

	if ((a.cls == INF && b.cls == ZERO) || (a.cls == ZERO && b.cls == INF))
		return invalid(f, o);             /* also if c is a quiet NaN */
	if (is_nan(a) || is_nan(b) || is_nan(c))
		return nan_result(f, o, a.cls == SNAN || b.cls == SNAN || c.cls == SNAN);
	if (a.cls == INF || b.cls == INF) {
		if (c.cls == INF && c.sign != ps)
			return invalid(f, o);
		return inf_bits(f, ps);
	}
	if (c.cls == INF)
		return inf_bits(f, c.sign);
	if (a.cls == ZERO || b.cls == ZERO) {
		if (c.cls == ZERO)
			return zero_bits(f, ps == c.sign ? ps : o->rm == RDN);
		return round_pack(f, o, c.sign, c.exp, (u128)c.sig << 64);
	}
	p = (u128)a.sig * b.sig;
	pe = a.exp + b.exp + 1;
	lz = clz128(p);
	p <<= lz;
	pe -= lz;
	if (c.cls == ZERO)
		return round_pack(f, o, ps, pe, p);
	return add_big(f, o, ps, pe, p, c.sign, c.exp, (u128)c.sig << 64);
}

/* a * 1 + c, but the signs of zeros are those of a sum: the same */
static uint64_t soft_add(const struct fmt *f, struct op *o, struct num a, struct num c)
{
	struct num one = { FINITE, 0, 0, TOP };

	return soft_fma(f, o, a, one, c);
}

static uint64_t soft_div(const struct fmt *f, struct op *o, struct num a, struct num b)
{
	int sign = a.sign ^ b.sign;
	u128 n, q;

	if (is_nan(a) || is_nan(b))
		return nan_result(f, o, a.cls == SNAN || b.cls == SNAN);
	if (a.cls == b.cls && a.cls != FINITE)
		return invalid(f, o);             /* inf / inf, 0 / 0 */
	if (a.cls == INF)
		return inf_bits(f, sign);
	if (b.cls == INF || a.cls == ZERO)
		return zero_bits(f, sign);
	if (b.cls == ZERO) {
		o->flags |= FF_DZ;
		return inf_bits(f, sign);
	}
	n = (u128)a.sig << 64;
	q = n / b.sig;                        /* 64 or 65 bits */
	return normalize_pack(f, o, sign, a.exp - b.exp + 62, q << 1 | (n % b.sig != 0));
}

static uint64_t soft_sqrt(const struct fmt *f, struct op *o, struct num a)
{
	u128 s, root = 0, bit;

	if (is_nan(a))
		return nan_result(f, o, a.cls == SNAN);
	if (a.cls == ZERO)
		return zero_bits(f, a.sign);
	if (a.sign)
		return invalid(f, o);
	if (a.cls == INF)
		return inf_bits(f, 0);
	s = (u128)a.sig << (a.exp & 1 ? 64 : 63);
	for (bit = (u128)1 << 126; bit != 0; bit >>= 2) {
		if (s >= root + bit) {
			s -= root + bit;
			root = root >> 1 | bit;
		} else {
			root >>= 1;
		}
	}
	return round_pack(f, o, 0, (a.exp - (a.exp & 1)) / 2, root << 64 | (s != 0));
}

/* to a signed or unsigned integer of 32 or 64 bits; out of range saturates */
static uint64_t soft_to_int(struct op *o, struct num a, int is_signed, int bits)
{
	uint64_t max = is_signed ? (UINT64_C(1) << (bits - 1)) - 1 : UINT64_MAX >> (64 - bits);
	uint64_t min = is_signed ? max + 1 : 0, m;    /* magnitude of the least value */
	int inexact = 0, neg = a.sign && !is_nan(a);

	if (a.cls == ZERO)
		return 0;
	if (a.cls != FINITE || a.exp > 63) {
		o->flags |= FF_NV;
		return neg ? -min : max;
	}
	m = a.exp == 63 ? a.sig : round_off((u128)a.sig << 64, 127 - a.exp, neg, o->rm, &inexact);
	if (m > (neg ? min : max)) {
		o->flags |= FF_NV;
		return neg ? -min : max;
	}
	if (inexact)
		o->flags |= FF_NX;
	return neg ? -m : m;
}

static uint64_t soft_from_int(const struct fmt *f, struct op *o, uint64_t v, int is_signed)
{
	int neg = is_signed && (int64_t)v < 0;

	if (v == 0)
		return 0;
	return normalize_pack(f, o, neg, 127, neg ? -v : v);
}

static uint64_t soft_convert(const struct fmt *to, struct op *o, struct num a)
{
	switch (a.cls) {
	case ZERO: return zero_bits(to, a.sign);
	case INF: return inf_bits(to, a.sign);
	case FINITE: return round_pack(to, o, a.sign, a.exp, (u128)a.sig << 64);
	default: return nan_result(to, o, a.cls == SNAN);
	}
}

static uint32_t fclass(struct num n, int subnormal)
{
	switch (n.cls) {
	case ZERO: return n.sign ? 1u << 3 : 1u << 4;
	case INF: return n.sign ? 1u << 0 : 1u << 7;
	case SNAN: return 1u << 8;
	case QNAN: return 1u << 9;
	default: break;
	}
	if (subnormal)
		return n.sign ? 1u << 2 : 1u << 5;
	return n.sign ? 1u << 1 : 1u << 6;
}

uint32_t hw_fclass32(uint32_t v) { return fclass(unpack(&F32, v), (v >> 23 & 0xff) == 0); }
uint32_t hw_fclass64(uint64_t v) { return fclass(unpack(&F64, v), (v >> 52 & 0x7ff) == 0); }

/* a register as a number; a single that is not boxed is the canonical NaN */
static struct num operand(const struct hw_ctx *ctx, const struct fmt *f, uint32_t r)
{
	uint64_t v = ctx->f[r];

	if (f == &F32)
		v = v >> 32 == UINT32_MAX ? (uint32_t)v : F32.qnan;
	return unpack(f, v);
}

static void put_f(struct hw_ctx *ctx, const struct fmt *f, uint32_t r, uint64_t v)
{
	ctx->f[r] = f == &F32 ? v | (uint64_t)UINT32_MAX << 32 : v;
}

static uint64_t fused(struct hw_ctx *ctx, const struct fmt *f, struct op *o, uint32_t b)
{
	struct num x = operand(ctx, f, BITS(b, 15, 5)), y = operand(ctx, f, BITS(b, 20, 5));
	struct num z = operand(ctx, f, b >> 27);

	x.sign ^= BITS(b, 3, 1);              /* fnmsub, fnmadd */
	z.sign ^= BITS(b, 2, 1);              /* fmsub, fnmadd */
	return soft_fma(f, o, x, y, z);
}

/* 1: done; 0: not one of these */
static int arith(struct hw_ctx *ctx, const struct fmt *f, struct op *o, uint32_t b)
{
	struct num x = operand(ctx, f, BITS(b, 15, 5)), y = operand(ctx, f, BITS(b, 20, 5));
	uint64_t r;

	if ((b & 0x7f) != 0x53) {
		r = fused(ctx, f, o, b);
	} else {
		switch (b >> 27) {
		case 0: r = soft_add(f, o, x, y); break;
		case 1: y.sign ^= 1; r = soft_add(f, o, x, y); break;
		case 2: r = soft_mul(f, o, x, y); break;
		case 3: r = soft_div(f, o, x, y); break;
		case 0x0b: r = soft_sqrt(f, o, x); break;
		default: return 0;
		}
	}
	put_f(ctx, f, BITS(b, 7, 5), r);
	return 1;
}

int hw_fp_soft(struct hw_ctx *ctx, uint32_t b)
{
	const struct fmt *f = BITS(b, 25, 2) ? &F64 : &F32, *from;
	uint32_t rm = BITS(b, 12, 3), rd = BITS(b, 7, 5), rs1 = BITS(b, 15, 5), kind = BITS(b, 20, 5);
	struct op o = { (enum rm)(rm == DYN ? ctx->fcsr >> 5 & 7 : rm), 0 };
	uint64_t v;

	if (o.rm > RMM)
		return -1;
	if (arith(ctx, f, &o, b)) {
		ctx->fcsr |= o.flags;
		return 0;
	}
	switch (b >> 27) {
	case 0x08:
		from = kind ? &F64 : &F32;
		put_f(ctx, f, rd, soft_convert(f, &o, operand(ctx, from, rs1)));
		break;
	case 0x18:
		v = soft_to_int(&o, operand(ctx, f, rs1), !(kind & 1), kind < 2 ? 32 : 64);
		if (rd)
			ctx->x[rd] = kind < 2 ? (uint64_t)(int32_t)v : v;
		break;
	case 0x1a:
		v = ctx->x[rs1];
		if (kind < 2)
			v = kind ? (uint32_t)v : (uint64_t)(int32_t)v;
		put_f(ctx, f, rd, soft_from_int(f, &o, v, !(kind & 1)));
		break;
	default:
		return -1;
	}
	ctx->fcsr |= o.flags;
	return 0;
}
