/*
 * libgen.h - parts of paths.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _LIBGEN_H
#define _LIBGEN_H

char *basename(char *path);
char *dirname(char *path);

#endif
