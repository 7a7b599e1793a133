/* adds: nanoseconds of one dependent addition, best of many */
#include <stdio.h>
#include <time.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(void)
{
    const long n = 2000000;
    double best = 1e18;

    for (int r = 0; r < 10; r++) {
        unsigned long x = 1;
        double t = now();

        for (long i = 0; i < n; i++) {
            x += i;
            __asm__ volatile("" : "+r"(x));
        }
        t = now() - t;
        best = t < best ? t : best;
    }
    printf("%.4f\n", best / n);
    return 0;
}
