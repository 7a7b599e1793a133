/*
 * libc.h - what the files of the library know of each other.
 *
 * A thread's description lies right below its tp, which points at its block of
 * __thread variables (variant I of ELF's thread-local storage).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBC_H
#define LIBC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <synch.h>
#include <thread.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define KEYS 64 /* thread-specific data */

struct thread {
	thread_t tid;
	int detached;
	int dead;
	void *status;
	void *(*start)(void *);
	void *arg;
	void *stack; /* what is unmapped at the end; NULL when it is the program's own */
	size_t stack_size;
	struct thread *next;
	/* of the queue of waiters, see wait.c */
	const volatile void *wchan;
	struct thread *wnext;
	void *specific[KEYS];
} __attribute__((aligned(16)));

static inline struct thread *self(void)
{
	register char *tp __asm__("tp");

	return (struct thread *)tp - 1;
}

/* start.c: thread-local storage of the program */
HIDDEN size_t __tls_size(void); /* with struct thread before it */
HIDDEN struct thread *__tls_init(void *block);

/* wait.c: wait until a word is changed, and wake those that do */
HIDDEN int __wait(const volatile int *word, int seen, int type,
		  const struct timespec *timeout);
HIDDEN void __wake(const volatile int *word, int n);
HIDDEN void __wait_child(void);
HIDDEN extern struct thread *__threads; /* all of them */
HIDDEN extern mutex_t __threads_lock;
HIDDEN extern int __nthreads;
HIDDEN void __threads_child(void);

/* What fork() takes before and lets go of after, see fork.c */
HIDDEN void __malloc_lock(void);
HIDDEN void __malloc_unlock(void);
HIDDEN void __stdio_lock(void);
HIDDEN void __stdio_unlock(void);
HIDDEN void __stdio_exit(void);

/* file.c */
#define F_READ 1
#define F_WRITE 2
#define F_EOF 4
#define F_ERR 8
#define F_LINE 0x40 /* line buffered */
#define F_UNBUF 0x80
#define F_OWNBUF 0x100 /* the buffer is ours to free */
#define F_WRITING 0x200 /* the buffer holds what is to be written */
#define F_STRING 0x400 /* no file below: sscanf */
#define F_STATIC 0x800 /* not to be freed */
#define F_ASK 0x1000 /* line buffered if it turns out to be a terminal */
#define UNGET 8 /* room for ungetc() before the buffer */

struct __FILE {
	int fd;
	int flags;
	unsigned char *buf; /* UNGET bytes into its memory */
	size_t size;
	unsigned char *pos, *end; /* reading: what is left; writing: end of what is held */
	mutex_t lock;
	FILE *next;
	pid_t pid; /* of popen() */
};
HIDDEN int __fill(FILE *f); /* the next byte, or EOF */
HIDDEN int __flush(FILE *f);
HIDDEN size_t __fput(FILE *f, const char *s, size_t n);
HIDDEN int __fget(FILE *f); /* unlocked getc */

/* format.c: the engine of printf */
struct sink {
	void (*put)(struct sink *to, const char *s, size_t n);
	size_t total;
};
struct spec {
	int left, plus, space, alt, zero;
	int width, prec; /* prec -1: none */
	char conv;
};
HIDDEN int __format(struct sink *to, const char *fmt, va_list ap);
HIDDEN void __put_field(struct sink *to, const struct spec *sp, const char *prefix,
			size_t zeros, const char *digits, size_t n);
void __format_double(struct sink *to, const struct spec *sp, double d);

/* decimal.c: a number with all its decimal digits */
#define DEC_INT 36 /* words of nine digits before the point: 1.8e308 */
#define DEC_FRAC 128 /* and behind it */
struct decimal {
	uint32_t w[DEC_INT + DEC_FRAC];
};
HIDDEN void __dec_from_double(struct decimal *d, double v);
HIDDEN double __dec_to_double(struct decimal *d, int sticky);
HIDDEN void __dec_double(struct decimal *d, int times);
HIDDEN void __dec_halve(struct decimal *d, int times, int *sticky);

HIDDEN void __run_fork_handlers(int when);
HIDDEN int __exec_path(const char *file, int (*try)(const char *path, void *arg),
		       void *arg);

#endif
