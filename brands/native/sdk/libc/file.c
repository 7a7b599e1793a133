/*
 * file.c - FILEs: their buffers, opening and closing.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libc.h"

static unsigned char in_buf[UNGET + BUFSIZ], out_buf[UNGET + BUFSIZ], err_buf[UNGET + 1];

static FILE files[3] = {
	{.fd = 0, .flags = F_READ | F_STATIC, .buf = in_buf + UNGET, .size = BUFSIZ,
	 .lock = RECURSIVEMUTEX, .next = &files[1]},
	{.fd = 1, .flags = F_WRITE | F_STATIC | F_ASK, .buf = out_buf + UNGET,
	 .size = BUFSIZ, .lock = RECURSIVEMUTEX, .next = &files[2]},
	{.fd = 2, .flags = F_WRITE | F_STATIC | F_UNBUF, .buf = err_buf + UNGET, .size = 1,
	 .lock = RECURSIVEMUTEX},
};
FILE *stdin = &files[0], *stdout = &files[1], *stderr = &files[2];

static FILE *all = files;
static mutex_t list_lock;

/* Before and after fork(): every buffer is whole in the child. */
void __stdio_lock(void)
{
	mutex_lock(&list_lock);
	for (FILE *f = all; f; f = f->next)
		mutex_lock(&f->lock);
}

void __stdio_unlock(void)
{
	for (FILE *f = all; f; f = f->next)
		mutex_unlock(&f->lock);
	mutex_unlock(&list_lock);
}

/* Write all of it, whatever interrupts. */
static int write_all(FILE *f, const unsigned char *s, size_t n)
{
	while (n) {
		ssize_t done = write(f->fd, s, n);

		if (done < 0) {
			if (errno == EINTR)
				continue;
			f->flags |= F_ERR;
			return EOF;
		}
		s += done;
		n -= done;
	}
	return 0;
}

/* Empty the buffer: write what is held, or give back what was read too far. */
int __flush(FILE *f)
{
	int r = 0;

	if (f->flags & F_WRITING) {
		r = write_all(f, f->buf, f->pos - f->buf);
		f->flags &= ~F_WRITING;
	} else if (f->pos < f->end && !(f->flags & F_STRING)) {
		lseek(f->fd, f->pos - f->end, SEEK_CUR);
	}
	f->pos = f->end = f->buf;
	return r;
}

int __fill(FILE *f)
{
	ssize_t n;

	if (f->flags & F_STRING || !(f->flags & F_READ) || f->flags & F_EOF) {
		f->flags |= f->flags & F_READ ? F_EOF : F_ERR;
		return EOF;
	}
	if (f->flags & F_WRITING)
		__flush(f);
	if (f == stdin && stdout->flags & F_LINE)
		fflush(stdout);
	do
		n = read(f->fd, f->buf, f->size);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		f->flags |= n ? F_ERR : F_EOF;
		return EOF;
	}
	f->pos = f->buf;
	f->end = f->buf + n;
	return *f->pos++;
}

static void begin_writing(FILE *f)
{
	if (f->flags & F_ASK) {
		f->flags &= ~F_ASK;
		if (isatty(f->fd))
			f->flags |= F_LINE;
	}
	__flush(f);
	f->flags |= F_WRITING;
	f->pos = f->buf;
}

size_t __fput(FILE *f, const char *s, size_t n)
{
	if (!(f->flags & F_WRITE)) {
		f->flags |= F_ERR;
		errno = EBADF;
		return 0;
	}
	if (!(f->flags & F_WRITING))
		begin_writing(f);
	if (f->flags & F_UNBUF)
		return write_all(f, (const unsigned char *)s, n) ? 0 : n;
	for (size_t left = n; left;) {
		size_t room = f->buf + f->size - f->pos;
		size_t part = left < room ? left : room;

		memcpy(f->pos, s, part);
		f->pos += part;
		s += part;
		left -= part;
		if (f->pos == f->buf + f->size) {
			if (__flush(f))
				return 0;
			f->flags |= F_WRITING;
		}
	}
	if (f->flags & F_LINE && memchr(s - n, '\n', n) && __flush(f))
		return 0;
	return n;
}

int fflush(FILE *f)
{
	int r = 0;

	if (f) {
		mutex_lock(&f->lock);
		r = __flush(f);
		mutex_unlock(&f->lock);
		return r;
	}
	mutex_lock(&list_lock);
	for (f = all; f; f = f->next)
		if (f->flags & F_WRITING)
			r |= fflush(f);
	mutex_unlock(&list_lock);
	return r;
}

void __stdio_exit(void)
{
	for (FILE *f = all; f; f = f->next)
		__flush(f);
}

/* ---- opening ---- */

static int mode_flags(const char *mode, int *oflags)
{
	int both = strchr(mode, '+') != NULL;
	int flags = *mode == 'r' ? F_READ : F_WRITE;

	*oflags = both ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
	if (*mode == 'w')
		*oflags |= O_CREAT | O_TRUNC;
	else if (*mode == 'a')
		*oflags |= O_CREAT | O_APPEND;
	else if (*mode != 'r') {
		errno = EINVAL;
		return -1;
	}
	if (strchr(mode, 'e'))
		*oflags |= O_CLOEXEC;
	if (strchr(mode, 'x'))
		*oflags |= O_EXCL;
	return both ? F_READ | F_WRITE : flags;
}

static FILE *make(int fd, int flags)
{
	FILE *f = calloc(1, sizeof *f);
	unsigned char *memory = malloc(UNGET + BUFSIZ);

	if (!f || !memory) {
		free(f);
		free(memory);
		return NULL;
	}
	f->fd = fd;
	f->flags = flags | F_OWNBUF | (flags & F_WRITE ? F_ASK : 0);
	f->buf = f->pos = f->end = memory + UNGET;
	f->size = BUFSIZ;
	f->lock = (mutex_t)RECURSIVEMUTEX;
	mutex_lock(&list_lock);
	f->next = all;
	all = f;
	mutex_unlock(&list_lock);
	return f;
}

FILE *fdopen(int fd, const char *mode)
{
	int oflags, flags = mode_flags(mode, &oflags);

	if (flags == -1 || fcntl(fd, F_GETFD) == -1)
		return NULL;
	if (oflags & O_CLOEXEC)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return make(fd, flags);
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
	int oflags, flags = mode_flags(mode, &oflags);
	int fd = flags == -1 ? -1 : open(path, oflags, 0666);
	FILE *f = fd == -1 ? NULL : make(fd, flags);

	if (!f && fd != -1)
		close(fd);
	return f;
}

static void drop_buffer(FILE *f)
{
	if (f->flags & F_OWNBUF)
		free(f->buf - UNGET);
	f->flags &= ~F_OWNBUF;
}

int fclose(FILE *f)
{
	int r;

	mutex_lock(&list_lock);
	for (FILE **fp = &all; *fp; fp = &(*fp)->next)
		if (*fp == f) {
			*fp = f->next;
			break;
		}
	mutex_unlock(&list_lock);
	mutex_lock(&f->lock);
	r = __flush(f);
	if (close(f->fd) == -1)
		r = EOF;
	drop_buffer(f);
	mutex_unlock(&f->lock);
	if (f->flags & F_STATIC)
		f->flags &= ~(F_READ | F_WRITE);
	else
		free(f);
	return r;
}

FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
	int oflags, flags = mode_flags(mode, &oflags), fd;

	mutex_lock(&f->lock);
	__flush(f);
	fd = flags == -1 ? -1 : open(path, oflags, 0666);
	if (fd != -1 && fd != f->fd) {
		int moved = dup2(fd, f->fd);

		close(fd);
		fd = moved;
	}
	if (fd != -1)
		f->flags = (f->flags & (F_STATIC | F_OWNBUF | F_UNBUF)) | flags;
	mutex_unlock(&f->lock);
	return fd == -1 ? NULL : f;
}

/* ---- buffering ---- */

int setvbuf(FILE *restrict f, char *restrict buf, int mode, size_t size)
{
	if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
		return -1;
	mutex_lock(&f->lock);
	__flush(f);
	f->flags &= ~(F_LINE | F_UNBUF | F_ASK);
	if (mode == _IONBF)
		f->flags |= F_UNBUF;
	if (mode == _IOLBF)
		f->flags |= F_LINE;
	if (mode == _IONBF && f->flags & F_READ)
		f->size = 1;
	if (buf && size > UNGET + 1 && mode != _IONBF) {
		drop_buffer(f);
		f->buf = f->pos = f->end = (unsigned char *)buf + UNGET;
		f->size = size - UNGET;
	}
	mutex_unlock(&f->lock);
	return 0;
}

void setbuf(FILE *restrict f, char *restrict buf)
{
	setvbuf(f, buf, buf ? _IOFBF : _IONBF, BUFSIZ);
}

void setlinebuf(FILE *f)
{
	setvbuf(f, NULL, _IOLBF, 0);
}

void flockfile(FILE *f)
{
	mutex_lock(&f->lock);
}

void funlockfile(FILE *f)
{
	mutex_unlock(&f->lock);
}

int fileno(FILE *f)
{
	return f->fd;
}

int feof(FILE *f)
{
	return (f->flags & F_EOF) != 0;
}

int ferror(FILE *f)
{
	return (f->flags & F_ERR) != 0;
}

void clearerr(FILE *f)
{
	f->flags &= ~(F_EOF | F_ERR);
}

/* ---- positions ---- */

int fseeko(FILE *f, off_t off, int whence)
{
	int r;

	mutex_lock(&f->lock);
	r = __flush(f);
	if (r == 0 && lseek(f->fd, off, whence) == -1)
		r = -1;
	if (r == 0)
		f->flags &= ~F_EOF;
	mutex_unlock(&f->lock);
	return r;
}

off_t ftello(FILE *f)
{
	off_t at;

	mutex_lock(&f->lock);
	at = lseek(f->fd, 0, f->flags & F_WRITING && fcntl(f->fd, F_GETFL) & O_APPEND
			? SEEK_END : SEEK_CUR);
	if (at != -1)
		at += f->flags & F_WRITING ? f->pos - f->buf : f->pos - f->end;
	mutex_unlock(&f->lock);
	return at;
}

int fseek(FILE *f, long off, int whence)
{
	return fseeko(f, off, whence);
}

long ftell(FILE *f)
{
	return ftello(f);
}

void rewind(FILE *f)
{
	fseeko(f, 0, SEEK_SET);
	clearerr(f);
}

int fgetpos(FILE *restrict f, fpos_t *restrict pos)
{
	*pos = ftello(f);
	return *pos == -1 ? -1 : 0;
}

int fsetpos(FILE *f, const fpos_t *pos)
{
	return fseeko(f, *pos, SEEK_SET);
}
