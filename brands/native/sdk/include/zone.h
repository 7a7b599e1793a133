/*
 * zone.h - zones: the calls are in <sys/zone.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sys/types.h>
#include <sys/zone.h>
