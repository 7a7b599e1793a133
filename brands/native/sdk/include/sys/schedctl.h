/*
 * sys/schedctl.h - what a lwp and the kernel share: a private interface of the system
 * libraries (schedctl, syscall 206).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SCHEDCTL_H
#define _SYS_SCHEDCTL_H

/* Written by both: do not preempt me now; yield as soon as you can. */
typedef struct sc_public {
	volatile short sc_nopreempt;
	volatile short sc_yield;
} sc_public_t;

typedef struct sc_shared {
	volatile unsigned short sc_state; /* SC_ONPROC ... */
	volatile char sc_sigblock;	  /* not read by this kernel */
	volatile char sc_park;		  /* not read by this kernel */
	volatile int sc_cpu;		  /* where it ran last */
	int sc_pad;
	sc_public_t sc_preemptctl;
} sc_shared_t;

#define SC_FREE 0x00
#define SC_SLEEP 0x01
#define SC_RUN 0x02
#define SC_ONPROC 0x04
#define SC_STOPPED 0x10

#define SC_MAX_TICKS 2 /* clock ticks for which a preemption is put off */

#endif
