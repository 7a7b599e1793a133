/*
 * sys/ucontext.h - everything is in <ucontext.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_UCONTEXT_H
#define _SYS_UCONTEXT_H

#include <ucontext.h>

#endif
