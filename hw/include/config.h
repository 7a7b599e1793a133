/*
 * config.h - tunables of the hardware, all in one place.
 *
 * The host must be little endian and allow unaligned access through memcpy
 * (x86-64, AArch64, RISC-V: all hosts we build wheels for).
 */
#ifndef PERSONAE_CONFIG_H
#define PERSONAE_CONFIG_H

/* Threaded dispatch needs labels as values (GCC, Clang).  0: a plain switch. */
#ifndef HW_THREADED
#if defined(__GNUC__)
#define HW_THREADED 1
#else
#define HW_THREADED 0
#endif
#endif

/* Read and write the host's FP control word directly instead of through fenv.h. */
#ifndef HW_FP_X86
#if defined(__x86_64__) && defined(__GNUC__)
#define HW_FP_X86 1
#else
#define HW_FP_X86 0
#endif
#endif

/* 1: every FP operation in software.  Exact on hosts whose FPU finds tininess
 * before rounding (AArch64), where the underflow flag would differ. */
#ifndef HW_FP_SOFT
#if defined(__x86_64__) || defined(__riscv)
#define HW_FP_SOFT 0
#else
#define HW_FP_SOFT 1
#endif
#endif

/* An entry of the event log is at most this long; hw_run wants room for it. */
#define HW_LOG_ROOM 256u

#if defined(__GNUC__)
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NOINLINE    __attribute__((noinline))
#define COLD        __attribute__((noinline, cold))
#else
#define LIKELY(x)   (x)
#define UNLIKELY(x) (x)
#define NOINLINE
#define COLD
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "personae.hw needs a little-endian host"
#endif

#endif
