/*
 * locale.h - there is one locale: C.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _LOCALE_H
#define _LOCALE_H

#define LC_ALL 6
#define LC_CTYPE 0
char *setlocale(int category, const char *locale);

#endif
