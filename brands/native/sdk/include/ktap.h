/*
 * ktap.h - checks of a conformance program, printed as KTAP.
 *
 * KTAP is the test format of the Linux kernel (Documentation/dev-tools/ktap.rst):
 * a version line, one numbered line for each check, a plan.  Each check here names
 * its source behind a #: a manual page or an invariant of fork (FORK-nn).
 *
 *	int main(void)
 *	{
 *		ktap_start("file");
 *		KTAP(fd >= 0, "open gives a descriptor", "open(2)");
 *		KTAP_EQ(lseek(fd, 0, SEEK_END), 5, "SEEK_END is the size", "lseek(2)");
 *		KTAP_SKIP("no terminal here", "stdin is a pipe", "termio(4I)");
 *		return ktap_end();
 *	}
 *
 * It needs printf only: that of the tiny library, or of any hosted C library.
 * The numbers are the process' own, so a child tells its parent what it saw
 * (by its status, a pipe, shared memory), and the parent checks it.  A program
 * that ends without its plan has failed, whatever it printed before.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KTAP_H
#define KTAP_H

#if defined(TINY_NATIVE) || defined(TINY_LINUX)
#include "tiny.h"
#else
#include <stdio.h>
#endif

struct ktap {
	int checks; /* printed so far */
	int failed; /* of these, not ok */
};

static struct ktap ktap;

/* Hosted output is buffered, and a fork would print the buffer twice. */
static inline void ktap_flush(void)
{
#ifdef EOF
	fflush(stdout);
#endif
}

/* Begin: `area` is what the checks are about, by default the program's name. */
static inline void ktap_start(const char *area)
{
	printf("KTAP version 1\n# area %s\n", area);
	ktap_flush();
}

static inline int ktap_check(int ok, const char *what, const char *cite)
{
	ktap.checks++;
	ktap.failed += !ok;
	printf("%s %d %s # %s\n", ok ? "ok" : "not ok", ktap.checks, what, cite);
	ktap_flush();
	return ok;
}

static inline int ktap_true(int ok, int line, const char *cond, const char *what,
			    const char *cite)
{
	if (!ktap_check(ok, what, cite)) {
		printf("# line %d: %s\n", line, cond);
		ktap_flush();
	}
	return ok;
}

static inline int ktap_eq(long got, long want, int line, const char *what,
			  const char *cite)
{
	if (!ktap_check(got == want, what, cite)) {
		printf("# line %d: got %ld want %ld\n", line, got, want);
		ktap_flush();
	}
	return got == want;
}

static inline void ktap_skip(const char *what, const char *why, const char *cite)
{
	printf("ok %d %s # SKIP %s (%s)\n", ++ktap.checks, what, why, cite);
	ktap_flush();
}

/* The plan; the value is the status to exit with: 0 when every check held. */
static inline int ktap_end(void)
{
	printf("1..%d\n", ktap.checks);
	ktap_flush();
	return ktap.failed != 0;
}

/* True or not: what holds, and who says so.  The value is the condition's. */
#define KTAP(cond, what, cite) ktap_true(!!(cond), __LINE__, #cond, what, cite)
/* Two integers, both printed when they differ. */
#define KTAP_EQ(got, want, what, cite) \
	ktap_eq((long)(got), (long)(want), __LINE__, what, cite)
/* For what cannot apply where the program runs. */
#define KTAP_SKIP(what, why, cite) ktap_skip(what, why, cite)

#endif
