/* clock.c: see clock.h. */
#include "support/clock.h"

#include <time.h>

double sl_i_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
