/* pool.h: tasks run on a few threads.
 *
 * One process-wide pool, made when first needed. A call hands out tasks 0..num_tasks-1 from an atomic counter, works on
 * them itself beside the pool's threads and returns when all are done; put the largest first. While one call uses the
 * pool, another one (nested, or from another thread) does its tasks itself, so nothing can deadlock. A forked child
 * starts with an empty pool. Results must not depend on which thread ran a task. */
#ifndef SL_SUPPORT_POOL_H
#define SL_SUPPORT_POOL_H

#include <stdatomic.h>

#include "support/status.h"

/** One task. Must not fail: leave a failure in `state` and let the caller look. `lane` < lanes is this thread's alone during
 *  the call, for scratch memory; 0 is the calling thread. */
typedef void (*sl_i_task)(void *state, uint64_t task, uint32_t lane);

/** Reports progress and looks for interrupts on the calling thread, at most every 20 ms. Zero-initialise with the callback. */
typedef struct sl_i_ticker {
    const sl_progress *progress; /* NULL: never ticks */
    const char *phase;
    uint64_t done, total;
    uint64_t last;                   /* ns, when it last called */
    atomic_bool stopped;             /* the callback asked to stop: long tasks look at it on any thread */
    atomic_uint_fast64_t parts_done; /* units done by its parts, on any thread */
    struct sl_i_ticker *whole;       /* of which this is a part; NULL: of none */
    uint32_t lane;                   /* of a part: that of its thread */
} sl_i_ticker;

/** A ticker for `progress` (may be NULL or have no callback). */
sl_i_ticker sl_i_ticker_make(const sl_progress *progress);
/** For a task that takes a ticker itself: what it does counts for `whole`, whose phase goes on. On the calling thread's lane it
 *  ticks; on the others it stops once `whole` was asked to. */
sl_i_ticker sl_i_ticker_part(sl_i_ticker *whole, uint32_t lane);
/** Begin a phase of `total` units. A part has no phases of its own. */
void sl_i_ticker_begin(sl_i_ticker *ticker, const char *phase, uint64_t total);
/** `done` more units are done: call back if it is time. SL_ERROR_INTERRUPTED once the callback has asked to stop. */
sl_status sl_i_ticker_advance(sl_i_ticker *ticker, uint64_t done, sl_error *error) SL_MUST_USE;

/** For a pass of many short steps, with each of them: ticks now and then, counting nothing. `ticker` may be NULL. */
static inline SL_MUST_USE sl_status sl_i_ticker_step(sl_i_ticker *ticker, uint64_t step, sl_error *error) {
    return !ticker || step % 65536 ? SL_OK : sl_i_ticker_advance(ticker, 0, error);
}

/** For long tasks, now and then: ticks where `lane` is the calling thread's. True: stop early, the call will fail. */
/** Let tickers call back whenever they are advanced, not every 20 ms only: a test then hears of every step, on any machine. */
void sl_i_tick_always_for_test(bool always);
bool sl_i_ticker_poll(sl_i_ticker *ticker, uint32_t lane, uint64_t done);

/** Run every task on at most `lanes` threads. `units` is what one task counts for in `ticker` (NULL: no
 *  progress); a task of more than about 20 ms polls the ticker itself (sl_i_ticker_poll, and 0 units here). SL_ERROR_INTERRUPTED: some tasks were not run, none is running any more. */
sl_status sl_i_parallel(uint64_t num_tasks, uint32_t lanes, sl_i_task run, void *state, sl_i_ticker *ticker,
                        uint64_t units, sl_error *error) SL_MUST_USE;

#endif
