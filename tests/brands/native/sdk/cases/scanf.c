/* Formatted input, and text to numbers. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void integers(void)
{
	static const char *const texts[] = {
		"0", "42", "-42", "+7", "  12abc", "0x1f", "0X", "077", "089", "abc", "", "-",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "18446744073709551615", "18446744073709551616", "zz",
	};
	static const int bases[] = {0, 10, 16, 8, 36, 2};

	for (size_t b = 0; b < sizeof bases / sizeof *bases; b++)
		for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
			char *end;

			errno = 0;
			long l = strtol(texts[t], &end, bases[b]);
			printf("strtol %s %d: %ld %d %d\n", texts[t], bases[b], l,
			       (int)(end - texts[t]), errno == ERANGE);
			errno = 0;
			unsigned long u = strtoul(texts[t], &end, bases[b]);
			printf("strtoul %s %d: %lu %d %d\n", texts[t], bases[b], u,
			       (int)(end - texts[t]), errno == ERANGE);
		}
}

static void reals(void)
{
	static const char *const texts[] = {
		"0", "-0", "1", "1.", ".5", ".", "1e3", "1e", "1e+", "-2.5E-3x", "  7", "inf",
		"-Infinity", "nan", "1e400", "-1e400", "1e-400", "4.9e-324", "2.4e-324", "2.5e-324",
		"2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623158e308",
		"1.7976931348623159e308", "0.1", "0.30000000000000004", "9007199254740993",
		"9007199254740992.5", "9007199254740993.00000000000000000000000000001",
		"123456789012345678901234567890", "1e23", "8.5e22", "0.000001", "00012.50",
		"179769313486231580793728971405303415079934132710037826936173778980444968292764"
		"75094664901797758720709633028641669288791094655554785194040263065748867150582e155",
	};

	for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
		char *end;

		errno = 0;
		double d = strtod(texts[t], &end);
		printf("strtod %s: %.17g %d %d\n", texts[t], d, (int)(end - texts[t]),
		       errno == ERANGE);
	}
}

int main(void)
{
	int a = -1, b = -1, n, at = -1;
	unsigned u = 0;
	long l = 0;
	short h = 0;
	char word[32] = "", set[32] = "", c = 0;
	float f = 0;
	double d = 0;

	integers();
	reals();
	n = sscanf("12 -34 word", "%d%d %31s", &a, &b, word);
	printf("%d: %d %d %s\n", n, a, b, word);
	n = sscanf("0x1F 077 1f 17", "%i %i %x %o", &a, &b, &u, (unsigned *)&at);
	printf("%d: %d %d %u %d\n", n, a, b, u, at);
	n = sscanf("1.5 2.5e3 -.25", "%f %lf %lf", &f, &d, &d);
	printf("%d: %g %g\n", n, f, d);
	n = sscanf("abc123", "%[a-c]%n%hd", set, &at, &h);
	printf("%d: %s %d %d\n", n, set, at, h);
	n = sscanf("key=value;", "%[^=]=%[^;]%c", word, set, &c);
	printf("%d: %s %s %c\n", n, word, set, c);
	n = sscanf("12345", "%2d%3ld", &a, &l);
	printf("%d: %d %ld\n", n, a, l);
	n = sscanf("7 skip 8", "%d %*s %d", &a, &b);
	printf("%d: %d %d\n", n, a, b);
	printf("%d %d %d %d\n", sscanf("", "%d", &a), sscanf("x", "%d", &a),
	       sscanf("5,6", "%d;%d", &a, &b), sscanf("100%", "%d%%", &a));
	printf("%d %d %ld %g\n", atoi("12x"), atoi("x"), atol("-99"), atof("2.5"));
	while ((n = scanf("%d", &a)) == 1)
		printf("read %d\n", a);
	printf("then %d, at %c\n", n, getchar());
	return 0;
}
