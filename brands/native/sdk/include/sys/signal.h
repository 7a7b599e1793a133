/*
 * sys/signal.h - everything is in <signal.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SIGNAL_H
#define _SYS_SIGNAL_H

#include <signal.h>

#endif
