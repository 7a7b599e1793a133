/* Formatted output: flags, widths, precisions, every conversion, rounding. */
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const double values[] = {
	0.0, -0.0, 1.0, -1.5, 0.1, 0.5, 1.5, 2.5, 3.14159265358979, 1e-5, 1e-4, 0.00012345,
	123456.789, 999999.5, 9999995, 1e15, 1e16, 123456789012345680.0, 1e22, 1e23, 1e100,
	1.7976931348623157e308, 2.2250738585072014e-308, 4.9406564584124654e-324,
	0.3, 2.0 / 3, 1e-10, 99.9999999, 0.045, 0.05, 1.005,
};
static const char *const real_formats[] = {
	"%f", "%.0f", "%.1f", "%.3f", "%10.2f", "%-12.4f|", "%+.2f", "% f", "%012.3f", "%#.0f",
	"%e", "%.0e", "%.3E", "%15.4e", "%g", "%.3g", "%.10g", "%.17g", "%G", "%-15g|",
};
static const long numbers[] = {0, 1, -1, 42, -42, 255, 65536, INT_MAX, INT_MIN, LONG_MAX,
			       LONG_MIN};
static const char *const int_formats[] = {
	"%ld", "%5ld", "%-5ld|", "%05ld", "%+ld", "% ld", "%.0ld", "%.5ld", "%8.3ld", "%-8.3ld|",
	"%lu", "%lo", "%#lo", "%lx", "%lX", "%#lx", "%#010lx", "%20.15lx",
};

static int into(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = vsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return r;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat"

int main(void)
{
	char buf[16];
	int n;

	for (size_t f = 0; f < COUNT(real_formats); f++)
		for (size_t v = 0; v < COUNT(values); v++) {
			printf("%s: ", real_formats[f]);
			printf(real_formats[f], values[v]);
			printf("\n");
		}
	for (size_t f = 0; f < COUNT(int_formats); f++)
		for (size_t v = 0; v < COUNT(numbers); v++) {
			printf("%s: ", int_formats[f]);
			printf(int_formats[f], numbers[v]);
			printf("\n");
		}
	printf("%hhd %hd %d %ld %lld %zu %jd %td\n", 300, 70000, 7, 8L, 9LL, (size_t)10,
	       (intmax_t)11, (ptrdiff_t)12);
	printf("[%s] [%10s] [%-10s] [%.3s] [%10.2s] [%c] [%3c] [%-3c] [%%]\n", "text", "text",
	       "text", "text", "text", 'x', 'y', 'z');
	printf("[%*d] [%-*d] [%.*f] [%*s]\n", 6, 42, 6, 42, 2, 3.14159, -8, "left");
	printf("%f %F %e %g %5f %-6f|\n", __builtin_inf(), -__builtin_inf(), __builtin_nan(""),
	       __builtin_inf(), __builtin_nan(""), __builtin_inf());
	n = into(buf, sizeof buf, "%s-%d", "a long text to be cut", 12345);
	printf("%d [%s] %zu\n", n, buf, strlen(buf));
	n = into(NULL, 0, "%0100d", 7);
	printf("%d\n", n);
	n = printf("counted\n");
	printf("%d %d\n", n, fprintf(stdout, "%s", ""));
	return 0;
}
