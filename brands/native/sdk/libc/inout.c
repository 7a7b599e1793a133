/*
 * inout.c - characters, lines and blocks from and to FILEs.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libc.h"

int __fget(FILE *f)
{
	if (!(f->flags & F_WRITING) && f->pos < f->end)
		return *f->pos++;
	return __fill(f);
}

int fgetc(FILE *f)
{
	int c;

	mutex_lock(&f->lock);
	c = __fget(f);
	mutex_unlock(&f->lock);
	return c;
}

int getc(FILE *f)
{
	return fgetc(f);
}

int getchar(void)
{
	return fgetc(stdin);
}

int ungetc(int c, FILE *f)
{
	mutex_lock(&f->lock);
	if (f->flags & F_WRITING)
		__flush(f);
	if (!f->pos)
		f->pos = f->end = f->buf;
	if (c == EOF || f->pos <= f->buf - UNGET) {
		c = EOF;
	} else {
		/* A string that is scanned is not written to: it has the byte already. */
		if (f->flags & F_STRING)
			f->pos--;
		else
			*--f->pos = c;
		f->flags &= ~F_EOF;
	}
	mutex_unlock(&f->lock);
	return c;
}

char *fgets(char *restrict s, int n, FILE *restrict f)
{
	char *at = s;
	int c = 0;

	if (n <= 0)
		return NULL;
	mutex_lock(&f->lock);
	while (--n > 0 && c != '\n' && (c = __fget(f)) != EOF)
		*at++ = c;
	mutex_unlock(&f->lock);
	*at = 0;
	return at == s && c == EOF ? NULL : s;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int delim,
		 FILE *restrict f)
{
	size_t n = 0;
	int c;

	mutex_lock(&f->lock);
	do {
		c = __fget(f);
		if (n + 1 >= *size || !*line) {
			size_t want = *line && *size >= 64 ? 2 * *size : 128;
			char *more = realloc(*line, want);

			if (!more)
				break;
			*line = more;
			*size = want;
		}
		if (c != EOF)
			(*line)[n++] = c;
	} while (c != EOF && c != delim);
	if (*line && *size)
		(*line)[n] = 0;
	mutex_unlock(&f->lock);
	return n ? (ssize_t)n : -1;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f)
{
	return getdelim(line, size, '\n', f);
}

size_t fread(void *restrict p, size_t size, size_t n, FILE *restrict f)
{
	size_t want = size * n, got = 0;
	char *to = p;

	if (want == 0)
		return 0;
	mutex_lock(&f->lock);
	while (got < want) {
		int c = __fget(f);

		if (c == EOF)
			break;
		to[got++] = c;
		size_t held = f->end - f->pos;
		size_t part = want - got < held ? want - got : held;

		memcpy(to + got, f->pos, part);
		f->pos += part;
		got += part;
	}
	mutex_unlock(&f->lock);
	return got / size;
}

size_t fwrite(const void *restrict p, size_t size, size_t n, FILE *restrict f)
{
	size_t done;

	if (size * n == 0)
		return 0;
	mutex_lock(&f->lock);
	done = __fput(f, p, size * n);
	mutex_unlock(&f->lock);
	return done / size;
}

int fputc(int c, FILE *f)
{
	char byte = c;

	return fwrite(&byte, 1, 1, f) == 1 ? (unsigned char)c : EOF;
}

int putc(int c, FILE *f)
{
	return fputc(c, f);
}

int putchar(int c)
{
	return fputc(c, stdout);
}

int fputs(const char *restrict s, FILE *restrict f)
{
	size_t n = strlen(s);

	return fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int puts(const char *s)
{
	int r;

	mutex_lock(&stdout->lock);
	r = fputs(s, stdout) == EOF || putchar('\n') == EOF ? EOF : 0;
	mutex_unlock(&stdout->lock);
	return r;
}
