/* Each child resumes with the caller's integer and floating point values. */
#include "case.h"

int main(void)
{
    alarm(60);
    pid_t me = getpid();
    for (int i = 1; i <= 150 && !bad; i++) {
        double d = i * 1.5, e = d * d - i;
        long a = i * 7919L, b = a ^ 0x5a5a5a, c = ~a;
        int st[2] = {0, 0};
        pid_t k[2];
        for (int j = 0; j < 2; j++) {
            k[j] = fork();
            if (k[j] == 0)
                _exit(!(d == i * 1.5 && e == d * d - i && b == (a ^ 0x5a5a5a) && c == ~a &&
                        getppid() == me && getpid() != me));
        }
        for (int j = 0; j < 2; j++)
            CHECK(waitpid(k[j], &st[j], 0) == k[j] && st[j] == 0, "round %d: 0x%x", i, st[j]);
        CHECK(k[0] != k[1], "pid handed out twice");
    }
    return bad;
}
