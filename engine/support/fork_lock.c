/* fork_lock.c: see fork_lock.h. */
#include "support/fork_lock.h"

#define NUM_SHORT_LOCKS 32u

static pthread_mutex_t short_locks[NUM_SHORT_LOCKS]; /* made with the handlers */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint forks; /* between the first process and this one */

static void wait_for_short_locks(void) {
    for (uint32_t i = 0; i < NUM_SHORT_LOCKS; i++) pthread_mutex_lock(&short_locks[i]);
}

static void give_short_locks_back(void) {
    for (uint32_t i = NUM_SHORT_LOCKS; i-- > 0;) pthread_mutex_unlock(&short_locks[i]);
}

static void begin_child(void) {
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
    give_short_locks_back();
}

static void register_handlers(void) { (void)pthread_atfork(wait_for_short_locks, give_short_locks_back, begin_child); }

static pthread_mutex_t *short_lock_of(const void *object) {
    uint64_t address = (uint64_t)(uintptr_t)object;
    return &short_locks[(address >> 6 ^ address >> 12) % NUM_SHORT_LOCKS];
}

void sl_i_short_lock(const void *object) {
    pthread_once(&once, register_handlers);
    pthread_mutex_lock(short_lock_of(object));
}

void sl_i_short_unlock(const void *object) { pthread_mutex_unlock(short_lock_of(object)); }

/* ---- fork locks -------------------------------------------------------------------------------------------------- */

static unsigned current_generation(void) { return atomic_load_explicit(&forks, memory_order_relaxed); }

static int make_lock(pthread_rwlock_t *lock) {
    pthread_rwlockattr_t attributes;
    if (pthread_rwlockattr_init(&attributes) != 0) return -1;
#if defined(__GLIBC__)
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    int result = pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return result;
}

sl_status sl_i_fork_lock_make(sl_i_fork_lock *lock, const char *what, sl_error *error) {
    pthread_once(&once, register_handlers);
    if (make_lock(&lock->lock) != 0)
        return sl_i_fail(error, SL_ERROR_SYSTEM, "no lock for %s: the system is out of resources", what);
    atomic_init(&lock->generation, current_generation());
    atomic_init(&lock->changing, false);
    atomic_init(&lock->lost, false);
    return SL_OK;
}

void sl_i_fork_lock_free(sl_i_fork_lock *lock) {
    /* A lock from before a fork may be held by a thread that is not here: it is left alone. */
    if (atomic_load(&lock->generation) == current_generation()) pthread_rwlock_destroy(&lock->lock);
}

/* The first use in a child. Whoever held the lock is not here any more. */
static void renew(sl_i_fork_lock *lock) {
    sl_i_short_lock(lock);
    if (atomic_load(&lock->generation) != current_generation()) {
        if (atomic_load(&lock->changing)) atomic_store(&lock->lost, true);
        (void)make_lock(&lock->lock);
        atomic_store_explicit(&lock->generation, current_generation(), memory_order_release);
    }
    sl_i_short_unlock(lock);
}

static void renew_after_fork(sl_i_fork_lock *lock) {
    if (atomic_load_explicit(&lock->generation, memory_order_acquire) != current_generation()) renew(lock);
}

bool sl_i_fork_lock_read(sl_i_fork_lock *lock) {
    renew_after_fork(lock);
    if (atomic_load_explicit(&lock->lost, memory_order_relaxed)) return false;
    return pthread_rwlock_rdlock(&lock->lock) == 0;
}

bool sl_i_fork_lock_write(sl_i_fork_lock *lock) {
    renew_after_fork(lock);
    if (atomic_load_explicit(&lock->lost, memory_order_relaxed)) return false;
    if (pthread_rwlock_wrlock(&lock->lock) != 0) return false;
    atomic_store_explicit(&lock->changing, true, memory_order_relaxed);
    return true;
}

bool sl_i_fork_lock_is_lost(const sl_i_fork_lock *lock) { return atomic_load(&lock->lost); }

void sl_i_fork_lock_end_read(sl_i_fork_lock *lock) { pthread_rwlock_unlock(&lock->lock); }

void sl_i_fork_lock_end_write(sl_i_fork_lock *lock) {
    atomic_store_explicit(&lock->changing, false, memory_order_relaxed);
    pthread_rwlock_unlock(&lock->lock);
}
