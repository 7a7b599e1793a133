/*
 * stdlib.h - memory, numbers, environment, end of the program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _STDLIB_H
#define _STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7fffffff
#define MB_CUR_MAX 1

typedef struct {
	int quot, rem;
} div_t;
typedef struct {
	long quot, rem;
} ldiv_t;

void *calloc(size_t n, size_t size);
void free(void *p);
void *malloc(size_t size);
void *realloc(void *p, size_t size);
void *memalign(size_t align, size_t size);
int posix_memalign(void **pp, size_t align, size_t size);

int abs(int n);
long labs(long n);
div_t div(int n, int d);
ldiv_t ldiv(long n, long d);
double atof(const char *s);
int atoi(const char *s);
long atol(const char *s);
long long atoll(const char *s);
double strtod(const char *restrict s, char **restrict end);
float strtof(const char *restrict s, char **restrict end);
long strtol(const char *restrict s, char **restrict end, int base);
long long strtoll(const char *restrict s, char **restrict end, int base);
unsigned long strtoul(const char *restrict s, char **restrict end, int base);
unsigned long long strtoull(const char *restrict s, char **restrict end, int base);

int rand(void);
void srand(unsigned seed);
int rand_r(unsigned *seed);
long random(void);
void srandom(unsigned seed);

void *bsearch(const void *key, const void *base, size_t n, size_t size,
	      int (*cmp)(const void *, const void *));
void qsort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *));

char *getenv(const char *name);
int putenv(char *setting);
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
int clearenv(void);

void abort(void) __attribute__((noreturn));
int atexit(void (*fn)(void));
void exit(int status) __attribute__((noreturn));
void _Exit(int status) __attribute__((noreturn));
void quick_exit(int status) __attribute__((noreturn));
int at_quick_exit(void (*fn)(void));
int system(const char *command);

char *mkdtemp(char *template);
int mkstemp(char *template);
int mkostemp(char *template, int flags);
char *realpath(const char *restrict path, char *restrict resolved);
int grantpt(int fd);
int unlockpt(int fd);
char *ptsname(int fd);
int posix_openpt(int flags);

#endif
