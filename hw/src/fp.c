/*
 * fp.c - the host's floating-point environment as RISC-V's fcsr.
 *
 * While hw_run is in the guest, the host rounds as frm says (RMM and the invalid
 * modes are done by fpsoft.c) and collects exception flags; nobody looks at them
 * until the guest reads fcsr or leaves.
 *
 * Sources: RISC-V manual Volume I, "F" chapter, figure "Floating-point control
 * and status register"; Intel SDM Volume 1, section 10.2.3 "MXCSR".
 */
#include "cpu.h"

#if HW_FP_X86
#include <xmmintrin.h>

#define MXCSR_MASKS 0x1f80u           /* no exception traps, no flush to zero */

NOINLINE void hw_fp_set(uint32_t frm)
{
	/* RNE RTZ RDN RUP in MXCSR's order: nearest, down, up, zero */
	static const uint8_t mode[4] = { 0, 3, 1, 2 };

	_mm_setcsr(MXCSR_MASKS | (frm < 4 ? (uint32_t)mode[frm] << 13 : 0));
}

NOINLINE uint32_t hw_fp_enter(uint32_t frm)
{
	uint32_t saved = _mm_getcsr();

	hw_fp_set(frm);
	return saved;
}

NOINLINE void hw_fp_leave(uint32_t saved)
{
	_mm_setcsr(saved);
}

NOINLINE uint32_t hw_fp_flags(void)
{
	uint32_t csr = _mm_getcsr();

	return (csr >> 5 & 1) * FF_NX | (csr >> 4 & 1) * FF_UF | (csr >> 3 & 1) * FF_OF |
	       (csr >> 2 & 1) * FF_DZ | (csr & 1) * FF_NV;
}
#else
#include <fenv.h>

NOINLINE void hw_fp_set(uint32_t frm)
{
	static const int mode[4] = { FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD };

	feclearexcept(FE_ALL_EXCEPT);
	fesetround(mode[frm < 4 ? frm : 0]);
}

/* The host's flags from before are not worth keeping; its rounding mode is. */
NOINLINE uint32_t hw_fp_enter(uint32_t frm)
{
	uint32_t saved = (uint32_t)fegetround();

	hw_fp_set(frm);
	return saved;
}

NOINLINE void hw_fp_leave(uint32_t saved)
{
	feclearexcept(FE_ALL_EXCEPT);
	fesetround((int)saved);
}

NOINLINE uint32_t hw_fp_flags(void)
{
	int f = fetestexcept(FE_ALL_EXCEPT);

	return (f & FE_INEXACT ? FF_NX : 0) | (f & FE_UNDERFLOW ? FF_UF : 0) |
	       (f & FE_OVERFLOW ? FF_OF : 0) | (f & FE_DIVBYZERO ? FF_DZ : 0) |
	       (f & FE_INVALID ? FF_NV : 0);
}
#endif
