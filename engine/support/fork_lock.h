/* fork_lock.h: locks that a forked child can use.
 *
 * A child has one thread, the one that forked, and a copy of every lock as it was at that moment: one that another thread
 * held would stay locked for ever. Two kinds of lock, by how long they are held:
 *
 *   short lock  a few dozen instructions that neither wait nor allocate. A fork waits for them, so a child finds what they
 *               guard whole. There are a few of them in the process, shared by all objects: one thread holds one at a time.
 *   fork lock   one reader-writer lock of an object, held for as long as a build takes; a fork does not wait for it. The
 *               child makes it anew when it first needs it. Readers that are gone are no matter; what a writer was amid changing
 *               is lost to the child, and the lock says so each time it is asked for. */
#ifndef SL_SUPPORT_FORK_LOCK_H
#define SL_SUPPORT_FORK_LOCK_H

#include <pthread.h>
#include <stdatomic.h>

#include "support/status.h"

/** Lock the short lock of `object`, any address. */
void sl_i_short_lock(const void *object);
void sl_i_short_unlock(const void *object);

typedef struct sl_i_fork_lock {
    pthread_rwlock_t lock;
    atomic_uint generation; /* of the process in which `lock` was made: how many forks it is away from the first */
    atomic_bool changing;   /* a writer is inside */
    atomic_bool lost;       /* a writer was inside when this process was forked from another thread */
} sl_i_fork_lock;

/** `what` it guards, for the error. */
sl_status sl_i_fork_lock_make(sl_i_fork_lock *lock, const char *what, sl_error *error) SL_MUST_USE;
void sl_i_fork_lock_free(sl_i_fork_lock *lock);
/** Lock for reading or for writing. False, and not locked: what it guards is lost, or this very thread is writing. Writers do not wait for ever behind a
 *  stream of readers; so a reader must not lock again. */
bool sl_i_fork_lock_read(sl_i_fork_lock *lock) SL_MUST_USE;
bool sl_i_fork_lock_write(sl_i_fork_lock *lock) SL_MUST_USE;
bool sl_i_fork_lock_is_lost(const sl_i_fork_lock *lock);
void sl_i_fork_lock_end_read(sl_i_fork_lock *lock);
void sl_i_fork_lock_end_write(sl_i_fork_lock *lock);

#endif
