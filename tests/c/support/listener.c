/* listener.c: see listener.h. */
#include "support/listener.h"

#include "support/expect.h"

int listener_tick(void *state, const char *phase, uint64_t done, uint64_t total) {
    listener *l = state;
    assert_non_null(phase);
    assert_true(done <= total);
    return ++l->calls == l->stop_at;
}
