/* clock.h: how long work takes. */
#ifndef SL_SUPPORT_CLOCK_H
#define SL_SUPPORT_CLOCK_H

/** Seconds from some fixed moment. */
double sl_i_now(void);

#endif
