/* clock.h: how long work takes, and what time it is. */
#ifndef SL_SUPPORT_CLOCK_H
#define SL_SUPPORT_CLOCK_H

#include <stdint.h>

/** Seconds from some fixed moment. */
double sl_i_now(void);
/** Nanoseconds since 1970 UTC. */
int64_t sl_i_wall_clock(void);

#endif
