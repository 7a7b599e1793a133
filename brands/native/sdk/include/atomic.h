/*
 * atomic.h - atomic operations (atomic_ops(3C)), by the compiler's builtins.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _ATOMIC_H
#define _ATOMIC_H

#include <stdint.h>
#include <sys/types.h>
#define __ATOMIC_OPS(name, type) \
	static inline void atomic_add_##name(volatile type *p, long v) \
	{ \
		__atomic_fetch_add(p, (type)v, __ATOMIC_SEQ_CST); \
	} \
	static inline type atomic_add_##name##_nv(volatile type *p, long v) \
	{ \
		return __atomic_add_fetch(p, (type)v, __ATOMIC_SEQ_CST); \
	} \
	static inline void atomic_inc_##name(volatile type *p) \
	{ \
		__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST); \
	} \
	static inline type atomic_inc_##name##_nv(volatile type *p) \
	{ \
		return __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST); \
	} \
	static inline void atomic_dec_##name(volatile type *p) \
	{ \
		__atomic_fetch_sub(p, 1, __ATOMIC_SEQ_CST); \
	} \
	static inline type atomic_dec_##name##_nv(volatile type *p) \
	{ \
		return __atomic_sub_fetch(p, 1, __ATOMIC_SEQ_CST); \
	} \
	static inline void atomic_or_##name(volatile type *p, type v) \
	{ \
		__atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); \
	} \
	static inline void atomic_and_##name(volatile type *p, type v) \
	{ \
		__atomic_fetch_and(p, v, __ATOMIC_SEQ_CST); \
	} \
	static inline type atomic_swap_##name(volatile type *p, type v) \
	{ \
		return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); \
	} \
	static inline type atomic_cas_##name(volatile type *p, type old, type v) \
	{ \
		__atomic_compare_exchange_n(p, &old, v, 0, __ATOMIC_SEQ_CST, \
					    __ATOMIC_SEQ_CST); \
		return old; \
	}
__ATOMIC_OPS(32, uint32_t)
__ATOMIC_OPS(64, uint64_t)
__ATOMIC_OPS(uint, unsigned)
__ATOMIC_OPS(ulong, unsigned long)
#define membar_enter() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define membar_exit() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define membar_producer() __atomic_thread_fence(__ATOMIC_RELEASE)
#define membar_consumer() __atomic_thread_fence(__ATOMIC_ACQUIRE)

#endif
