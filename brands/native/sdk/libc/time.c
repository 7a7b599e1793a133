/*
 * time.c - the calendar.  There is one time zone, UTC.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400L

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Days from 1970-01-01 to the first of March of a year counted from March. */
static long days_to_march(long year)
{
	long leaps = (year >= 0 ? year / 4 : (year - 3) / 4) -
		     (year >= 0 ? year / 100 : (year - 99) / 100) +
		     (year >= 0 ? year / 400 : (year - 399) / 400);

	return year * 365 + leaps - 719468;
}

/* Days from the first of March to the first of the month, March being 0. */
static long days_to_month(int month)
{
	return (153 * month + 2) / 5;
}

struct tm *gmtime_r(const time_t *restrict t, struct tm *restrict tm)
{
	long day = *t / DAY, sec = *t % DAY;

	if (sec < 0) {
		sec += DAY;
		day--;
	}
	long year = (day + 719468) * 400 / 146097;

	while (days_to_march(year + 1) <= day)
		year++;
	while (days_to_march(year) > day)
		year--;
	int rest = day - days_to_march(year), month = (5 * rest + 2) / 153;
	int jan_feb = month >= 10;

	tm->tm_sec = sec % 60;
	tm->tm_min = sec / 60 % 60;
	tm->tm_hour = sec / 3600;
	tm->tm_mday = rest - days_to_month(month) + 1;
	tm->tm_mon = jan_feb ? month - 10 : month + 2;
	tm->tm_year = year + jan_feb - 1900;
	tm->tm_wday = (day % 7 + 11) % 7;
	tm->tm_yday = day - (days_to_march(year + jan_feb - 1) + 306);
	tm->tm_isdst = 0;
	return tm;
}

time_t mktime(struct tm *tm)
{
	long month = tm->tm_mon % 12, year = tm->tm_year + 1900L + tm->tm_mon / 12;

	if (month < 0) {
		month += 12;
		year--;
	}
	if (month < 2) {
		month += 12;
		year--;
	}
	long day = days_to_march(year) + days_to_month(month - 2) + tm->tm_mday - 1;
	time_t t = day * DAY + tm->tm_hour * 3600L + tm->tm_min * 60L + tm->tm_sec;

	gmtime_r(&t, tm);
	return t;
}

struct tm *localtime_r(const time_t *restrict t, struct tm *restrict tm)
{
	return gmtime_r(t, tm);
}

struct tm *gmtime(const time_t *t)
{
	static struct tm tm;

	return gmtime_r(t, &tm);
}

struct tm *localtime(const time_t *t)
{
	return gmtime(t);
}

double difftime(time_t a, time_t b)
{
	return (double)(a - b);
}

char *asctime(const struct tm *tm)
{
	static char text[64];

	snprintf(text, sizeof text, "%s %s %2d %02d:%02d:%02d %d\n", days[tm->tm_wday],
		 months[tm->tm_mon], tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec,
		 tm->tm_year + 1900);
	return text;
}

char *ctime(const time_t *t)
{
	return asctime(localtime(t));
}

static int one(char *s, size_t n, char what, const struct tm *tm)
{
	switch (what) {
	case 'Y':
		return snprintf(s, n, "%d", tm->tm_year + 1900);
	case 'y':
		return snprintf(s, n, "%02d", tm->tm_year % 100);
	case 'm':
		return snprintf(s, n, "%02d", tm->tm_mon + 1);
	case 'd':
		return snprintf(s, n, "%02d", tm->tm_mday);
	case 'e':
		return snprintf(s, n, "%2d", tm->tm_mday);
	case 'H':
		return snprintf(s, n, "%02d", tm->tm_hour);
	case 'M':
		return snprintf(s, n, "%02d", tm->tm_min);
	case 'S':
		return snprintf(s, n, "%02d", tm->tm_sec);
	case 'j':
		return snprintf(s, n, "%03d", tm->tm_yday + 1);
	case 'a':
		return snprintf(s, n, "%s", days[tm->tm_wday]);
	case 'b':
		return snprintf(s, n, "%s", months[tm->tm_mon]);
	case 'F':
		return strftime(s, n, "%Y-%m-%d", tm);
	case 'T':
		return strftime(s, n, "%H:%M:%S", tm);
	case 'Z':
		return snprintf(s, n, "UTC");
	case 'n':
		return snprintf(s, n, "\n");
	default:
		return snprintf(s, n, "%c", what);
	}
}

/* %Y %y %m %d %e %H %M %S %j %a %b %F %T %Z %n %% */
size_t strftime(char *restrict s, size_t max, const char *restrict fmt,
		const struct tm *restrict tm)
{
	size_t n = 0;

	for (; *fmt && n < max; fmt++)
		if (*fmt != '%' || !fmt[1])
			s[n++] = *fmt;
		else
			n += one(s + n, max - n, *++fmt, tm);
	if (n >= max)
		return 0;
	s[n] = 0;
	return n;
}
