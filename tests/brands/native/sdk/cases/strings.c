/* Strings, characters, sorting, the environment, the calendar. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void strings(void)
{
	char buf[64], *last, *s, *p;

	strcpy(buf, "hello");
	strcat(buf, ", world");
	printf("%s %zu %zu\n", buf, strlen(buf), strnlen(buf, 5));
	printf("%d %d %d %d\n", sign(strcmp("a", "b")), sign(strcmp("b", "a")),
	       strcmp("a", "a"), sign(strcmp("\xff", "a")));
	printf("%d %d %d\n", strncmp("abc", "abd", 2), sign(strncasecmp("ABd", "abC", 3)),
	       strcasecmp("Same", "sAME"));
	printf("%s %s %s %d\n", strchr(buf, 'o'), strrchr(buf, 'o'), strstr(buf, "wor"),
	       strstr(buf, "none") == NULL);
	printf("%zu %zu %s\n", strspn(buf, "helo"), strcspn(buf, ","), strpbrk(buf, " w"));
	memmove(buf + 2, buf, 6);
	printf("%s %d %d\n", buf, sign(memcmp("ab\0c", "ab\0d", 4)),
	       (int)((char *)memchr(buf, 'r', 12) - buf));
	memset(buf, 'x', 3);
	strncpy(buf + 3, "ab", 5);
	printf("%s %d\n", buf, buf[7]);
	strcpy(buf, "  a b,c,,d ");
	for (s = strtok_r(buf, " ,", &last); s; s = strtok_r(NULL, " ,", &last))
		printf("<%s>", s);
	strcpy(buf, "x::y:");
	for (p = buf; (s = strsep(&p, ":"));)
		printf("[%s]", s);
	s = strdup("copy");
	p = strndup("copies", 3);
	printf(" %s %s\n", s, p);
	free(s);
	free(p);
}

static void characters(void)
{
	int (*const tests[])(int) = {isalnum, isalpha, isblank, iscntrl, isdigit, isgraph,
				     islower, isprint, ispunct, isspace, isupper, isxdigit};

	for (size_t t = 0; t < sizeof tests / sizeof *tests; t++) {
		unsigned sum = 0;

		for (int c = 0; c < 128; c++)
			sum = sum * 31 + (tests[t](c) != 0);
		printf("%x ", sum);
	}
	printf("%c %c %d\n", toupper('a'), tolower('Z'), toupper('1'));
}

static void sorting(void)
{
	int n[101], key = 50, none = 1000, ok = 1;

	for (int i = 0; i < 101; i++)
		n[i] = i * 37 % 101;
	qsort(n, 101, sizeof *n, by_value);
	for (int i = 0; i < 101; i++)
		ok &= n[i] == i;
	int *found = bsearch(&key, n, 101, sizeof *n, by_value);

	printf("%d %d %d\n", ok, found ? *found : -1,
	       bsearch(&none, n, 101, sizeof *n, by_value) == NULL);
	printf("%d %d %ld\n", div(-7, 2).quot, div(-7, 2).rem, labs(-5L));
}

static void environment(void)
{
	const char *value;

	printf("%d ", setenv("SDK_A", "1", 0));
	printf("%d ", setenv("SDK_A", "2", 0));
	value = getenv("SDK_A");
	printf("%s %d ", value, setenv("SDK_A", "3", 1));
	printf("%s ", getenv("SDK_A"));
	printf("%d ", putenv("SDK_B=x"));
	printf("%d %d ", getenv("SDK_B") != NULL, unsetenv("SDK_A"));
	printf("%d ", getenv("SDK_A") == NULL);
	errno = 0;
	printf("%d ", setenv("a=b", "c", 1));
	printf("%d\n", errno == EINVAL);
}

static void calendar(void)
{
	static const time_t times[] = {0, 86399, 951782400, 951868800, 1709164800, 4102444799,
				       -1, -86400 * 366, 1000000000, 253402300799};
	char text[64];

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct tm tm;

		gmtime_r(&times[i], &tm);
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %j %a %b %e %y", &tm);
		printf("%s %d\n", text, mktime(&tm) == times[i]);
	}
	struct tm odd = {.tm_year = 120, .tm_mon = 13, .tm_mday = 31, .tm_hour = 25};

	mktime(&odd);
	printf("%d-%d-%d %d\n", odd.tm_year, odd.tm_mon, odd.tm_mday, odd.tm_wday);
}

static void patterns(void)
{
	static const char *const tests[][2] = {
		{"*", "a"}, {"*.c", "x.c"}, {"*.c", "x.h"}, {"a?c", "abc"}, {"a?c", "ac"},
		{"[a-c]x", "bx"}, {"[!a-c]x", "bx"}, {"[]x]", "]"}, {"a\\*", "a*"}, {"a\\*", "ab"},
		{"*a*b*", "xaybz"}, {"*a*b*", "xbya"}, {"[[:digit:]]*", "7up"}, {"", ""}, {"?", ""},
		{"[", "["}, {"**", "abc"},
	};

	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		printf("%d", fnmatch(tests[i][0], tests[i][1], 0) == 0);
	printf(" %d %d %d\n", fnmatch("*", ".x", FNM_PERIOD) == 0,
	       fnmatch("*", "a/b", FNM_PATHNAME) == 0, fnmatch("a/*", "a/b", FNM_PATHNAME) == 0);
}

int main(void)
{
	char a[] = "/usr/lib/x.c", b[] = "/usr/lib/", c[] = "plain";

	setenv("TZ", "UTC0", 1);
	strings();
	characters();
	sorting();
	environment();
	calendar();
	patterns();
	printf("%s %s %s ", basename(a), basename(b), basename(c));
	printf("%s %s\n", dirname(a), dirname(c));
	return 0;
}
