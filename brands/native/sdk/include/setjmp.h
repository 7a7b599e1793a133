/*
 * setjmp.h - going back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SETJMP_H
#define _SETJMP_H

typedef unsigned long jmp_buf[26]; /* ra sp s0-s11 fs0-fs11 */
typedef unsigned long sigjmp_buf[30]; /* and saved?, mask */
int setjmp(jmp_buf env) __attribute__((returns_twice));
void longjmp(jmp_buf env, int value) __attribute__((noreturn));
int _setjmp(jmp_buf env) __attribute__((returns_twice));
void _longjmp(jmp_buf env, int value) __attribute__((noreturn));
int __sigsetjmp(sigjmp_buf env, int save) __attribute__((returns_twice));
#define sigsetjmp(env, save) __sigsetjmp(env, save)
void siglongjmp(sigjmp_buf env, int value) __attribute__((noreturn));

#endif
