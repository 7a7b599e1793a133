/*
 * printf.c - formatted output into files, descriptors and strings.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libc.h"

/* Without this reference programs would have no %f. */
void (*const __keep_double)(struct sink *, const struct spec *, double) = __format_double;

struct file_sink {
	struct sink sink;
	FILE *f;
	int failed;
};

static void put_file(struct sink *to, const char *s, size_t n)
{
	struct file_sink *fs = (struct file_sink *)to;

	if (n && __fput(fs->f, s, n) != n)
		fs->failed = 1;
}

int vfprintf(FILE *restrict f, const char *restrict fmt, va_list ap)
{
	struct file_sink fs = {{put_file, 0}, f, 0};
	int n, unbuffered;
	unsigned char line[UNGET + 256], *buf = f->buf;
	size_t size = f->size;

	mutex_lock(&f->lock);
	/* What has no buffer gets one for this call: one write, not one for each piece. */
	unbuffered = f->flags & F_UNBUF && f->flags & F_WRITE;
	if (unbuffered) {
		__flush(f);
		f->flags &= ~F_UNBUF;
		f->buf = f->pos = line + UNGET;
		f->size = 256;
	}
	n = __format(&fs.sink, fmt, ap);
	if (unbuffered) {
		fs.failed |= __flush(f) != 0;
		f->flags |= F_UNBUF;
		f->buf = f->pos = f->end = buf;
		f->size = size;
	}
	mutex_unlock(&f->lock);
	return fs.failed ? -1 : n;
}

struct string_sink {
	struct sink sink;
	char *at;
	size_t room; /* with that for the final NUL */
};

static void put_string(struct sink *to, const char *s, size_t n)
{
	struct string_sink *ss = (struct string_sink *)to;

	if (ss->room <= 1)
		return;
	if (n > ss->room - 1)
		n = ss->room - 1;
	memcpy(ss->at, s, n);
	ss->at += n;
	ss->room -= n;
}

int vsnprintf(char *restrict s, size_t size, const char *restrict fmt, va_list ap)
{
	struct string_sink ss = {{put_string, 0}, s, size};
	int n = __format(&ss.sink, fmt, ap);

	if (size)
		*ss.at = 0;
	return n;
}

int vsprintf(char *restrict s, const char *restrict fmt, va_list ap)
{
	return vsnprintf(s, (size_t)1 << 31, fmt, ap);
}

int vasprintf(char **s, const char *restrict fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	*s = malloc(n + 1);
	return *s ? vsnprintf(*s, n + 1, fmt, ap) : -1;
}

int vdprintf(int fd, const char *restrict fmt, va_list ap)
{
	unsigned char line[UNGET + 256];
	FILE f = {.fd = fd, .flags = F_WRITE | F_WRITING, .buf = line + UNGET,
		  .pos = line + UNGET, .size = 256, .lock = RECURSIVEMUTEX};
	int n = vfprintf(&f, fmt, ap);

	return __flush(&f) ? -1 : n;
}

int vprintf(const char *restrict fmt, va_list ap)
{
	return vfprintf(stdout, fmt, ap);
}

#define CALL(result, call) \
	do { \
		va_list ap; \
		va_start(ap, fmt); \
		result = call; \
		va_end(ap); \
	} while (0)

int printf(const char *restrict fmt, ...)
{
	int n;

	CALL(n, vfprintf(stdout, fmt, ap));
	return n;
}

int fprintf(FILE *restrict f, const char *restrict fmt, ...)
{
	int n;

	CALL(n, vfprintf(f, fmt, ap));
	return n;
}

int dprintf(int fd, const char *restrict fmt, ...)
{
	int n;

	CALL(n, vdprintf(fd, fmt, ap));
	return n;
}

int sprintf(char *restrict s, const char *restrict fmt, ...)
{
	int n;

	CALL(n, vsprintf(s, fmt, ap));
	return n;
}

int snprintf(char *restrict s, size_t size, const char *restrict fmt, ...)
{
	int n;

	CALL(n, vsnprintf(s, size, fmt, ap));
	return n;
}

int asprintf(char **s, const char *restrict fmt, ...)
{
	int n;

	CALL(n, vasprintf(s, fmt, ap));
	return n;
}
