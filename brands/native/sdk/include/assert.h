/*
 * assert.h - checks that end the program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _ASSERT_H
#define _ASSERT_H

#undef assert
#ifdef NDEBUG
#define assert(e) ((void)0)
#else
#define assert(e) ((e) ? (void)0 : __assert_fail(#e, __FILE__, __LINE__))
#endif
void __assert_fail(const char *what, const char *file, int line)
	__attribute__((noreturn));
#ifndef static_assert
#define static_assert _Static_assert
#endif

#endif
