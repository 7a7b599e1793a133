/*
 * stdint.h - the compiler's integer types.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _PERSONAE_STDINT_H
#define _PERSONAE_STDINT_H

#include <stdint-gcc.h>

#endif
