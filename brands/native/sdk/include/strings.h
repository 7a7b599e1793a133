/*
 * strings.h - strings, the BSD part.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _STRINGS_H
#define _STRINGS_H

#include <stddef.h>

void bcopy(const void *src, void *dst, size_t n);
void bzero(void *s, size_t n);
int ffs(int i);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t n);

#endif
