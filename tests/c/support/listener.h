/* listener.h: a progress callback that counts its calls, checks what it is told and stops at one of them. */
#ifndef SL_TESTS_LISTENER_H
#define SL_TESTS_LISTENER_H

#include <stdint.h>

typedef struct listener {
    uint64_t calls;
    uint64_t stop_at; /* the call that answers stop, counted from 1; 0: none */
} listener;

/** For sl_progress; `state` is a listener. */
int listener_tick(void *state, const char *phase, uint64_t done, uint64_t total);

#endif
