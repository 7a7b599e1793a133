/* case.h - what every guest uses: status 0 is right, else it prints what is wrong. */
#include "tiny.h"

static int bad;
#define CHECK(ok, ...)                         \
    do {                                       \
        if (!(ok)) {                           \
            dprintf(1, "wrong: " __VA_ARGS__); \
            dprintf(1, "\n");                  \
            bad = 1;                           \
        }                                      \
    } while (0)
