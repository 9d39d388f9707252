/* pool.c: see pool.h.
 *
 * `gate` admits one call at a time (trylock: the others work alone). A call publishes its job under `lock`, wakes the
 * workers, takes tasks until the counter runs out, then waits until no worker is inside the job. Workers never touch a job
 * after leaving it, so it may live on the caller's stack. Threads that cannot be created are done without. */
#include "support/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 256
#define TICK_NS 20000000

typedef struct job {
    sl_i_task run;
    void *state;
    uint64_t num_tasks;
    atomic_uint_fast64_t next;
    atomic_bool stop;
} job;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_ready = PTHREAD_COND_INITIALIZER;
static pthread_cond_t work_done = PTHREAD_COND_INITIALIZER;
static job *current_job;                /* under lock */
static atomic_uint_fast64_t generation; /* changed under lock: which job, so that a worker joins each once */
static atomic_uint active;              /* changed under lock: workers inside the job */
static uint32_t admitted;               /* under lock: workers that may still join it */
static uint32_t num_workers;            /* under lock */
static atomic_uint wanted_threads;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* The child has only the forking thread: what the workers held is gone with them. */
static void reset_in_child(void) {
    pthread_mutex_init(&gate, NULL);
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&work_ready, NULL);
    pthread_cond_init(&work_done, NULL);
    current_job = NULL;
    atomic_store(&active, 0);
    admitted = num_workers = 0;
}

static void register_fork_handler(void) { (void)pthread_atfork(NULL, NULL, reset_in_child); }

static uint32_t default_threads(void) {
    const char *text = getenv("STARLINGS_NUM_THREADS");
    if (text && *text) {
        char *end = NULL;
        errno = 0;
        unsigned long value = strtoul(text, &end, 10);
        if (errno == 0 && *end == '\0' && value >= 1 && value <= MAX_THREADS) return (uint32_t)value;
    }
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        int count = CPU_COUNT(&set);
        if (count >= 1) return count < MAX_THREADS ? (uint32_t)count : MAX_THREADS;
    }
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online < MAX_THREADS ? (uint32_t)online : MAX_THREADS;
}

void sl_set_num_threads(uint32_t num_threads) {
    atomic_store(&wanted_threads, num_threads < MAX_THREADS ? num_threads : MAX_THREADS);
}

uint32_t sl_num_threads(void) {
    uint32_t wanted = atomic_load(&wanted_threads);
    return wanted ? wanted : default_threads();
}

static void work_on(job *work, uint32_t lane) {
    while (!atomic_load_explicit(&work->stop, memory_order_relaxed)) {
        uint64_t task = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
        if (task >= work->num_tasks) return;
        work->run(work->state, task, lane);
    }
}

/* Jobs come in quick succession while a hierarchy is built, and waking a sleeping thread takes long and may put it on the
 * processor of the thread that woke it. So both sides look out for each other for a moment before they sleep. */
#define SPINS 20000u

static inline void spin_once(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void await_generation(uint64_t seen) {
    for (uint32_t i = 0; i < SPINS && atomic_load_explicit(&generation, memory_order_relaxed) == seen; i++) spin_once();
}

static void await_idle(void) {
    for (uint32_t i = 0; i < SPINS && atomic_load_explicit(&active, memory_order_relaxed) != 0; i++) spin_once();
}

static void *worker(void *unused) {
    (void)unused;
    uint64_t seen = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!current_job || generation == seen || admitted == 0) pthread_cond_wait(&work_ready, &lock);
        job *work = current_job;
        seen = generation;
        uint32_t lane = admitted--;
        active++;
        pthread_mutex_unlock(&lock);
        work_on(work, lane);
        pthread_mutex_lock(&lock);
        if (--active == 0) pthread_cond_signal(&work_done);
        pthread_mutex_unlock(&lock);
        await_generation(seen);
        pthread_mutex_lock(&lock);
    }
    return NULL;
}

/* Under lock. Signals go to the program's own threads, not to ours. */
static void start_workers(uint32_t target) {
    sigset_t all, old;
    pthread_attr_t attributes;
    if (num_workers >= target || pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (num_workers < target) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, worker, NULL) != 0) break;
        num_workers++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
}

static void publish(job *work, uint32_t helpers) {
    pthread_once(&fork_once, register_fork_handler);
    pthread_mutex_lock(&lock);
    start_workers(helpers);
    current_job = work;
    generation++;
    admitted = helpers;
    pthread_cond_broadcast(&work_ready);
    pthread_mutex_unlock(&lock);
}

static void wait_a_moment(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&work_done, &lock, &until);
}

/* No worker joins the job any more; wait for those inside it, and go on ticking. */
static sl_status retract(job *work, sl_i_ticker *ticker, sl_error *error) {
    sl_status status = SL_OK;
    pthread_mutex_lock(&lock);
    current_job = NULL;
    admitted = 0;
    pthread_mutex_unlock(&lock);
    await_idle();
    pthread_mutex_lock(&lock);
    while (atomic_load(&active) > 0) {
        wait_a_moment();
        if (!ticker || status != SL_OK) continue;
        pthread_mutex_unlock(&lock);
        status = sl_i_ticker_advance(ticker, 0, error);
        if (status != SL_OK) atomic_store(&work->stop, true);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

/* The caller's own share: like work_on, and it reports what all threads together have taken on. */
static sl_status work_and_tick(job *work, sl_i_ticker *ticker, uint64_t units, sl_error *error) {
    uint64_t reported = 0;
    for (;;) {
        uint64_t task = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
        if (task >= work->num_tasks) return SL_OK;
        work->run(work->state, task, 0);
        if (!ticker) continue;
        sl_status status = sl_i_ticker_advance(ticker, (task + 1 - reported) * units, error);
        reported = task + 1;
        if (status != SL_OK) {
            atomic_store(&work->stop, true);
            return status;
        }
    }
}

sl_status sl_i_parallel(uint64_t num_tasks, uint32_t lanes, sl_i_task run, void *state, sl_i_ticker *ticker,
                        uint64_t units, sl_error *error) {
    if (num_tasks == 0) return SL_OK;
    job work = {run, state, num_tasks, 0, false};
    uint32_t helpers = (uint32_t)((lanes < num_tasks ? lanes : num_tasks) - 1);
    bool shared = helpers > 0 && pthread_mutex_trylock(&gate) == 0;
    if (shared) publish(&work, helpers);
    sl_status status = work_and_tick(&work, ticker, units, error);
    if (shared) {
        sl_status waited = retract(&work, status == SL_OK ? ticker : NULL, error);
        pthread_mutex_unlock(&gate);
        if (status == SL_OK) status = waited;
    }
    return status;
}

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

sl_i_ticker sl_i_ticker_make(const sl_progress *progress) {
    sl_i_ticker ticker = {0};
    if (progress && progress->tick) {
        ticker.progress = progress;
        ticker.last = now_ns();
        ticker.phase = "starting";
    }
    return ticker;
}

sl_i_ticker sl_i_ticker_part(sl_i_ticker *whole, uint32_t lane) {
    return (sl_i_ticker){.phase = whole->phase, .whole = whole, .lane = lane};
}

void sl_i_ticker_begin(sl_i_ticker *ticker, const char *phase, uint64_t total) {
    if (ticker->whole) return;
    ticker->phase = phase;
    ticker->done = 0;
    ticker->total = total;
    atomic_store_explicit(&ticker->parts_done, 0, memory_order_relaxed);
}

static sl_status interrupted(const sl_i_ticker *ticker, sl_error *error) {
    return sl_i_fail(error, SL_ERROR_INTERRUPTED, "interrupted while %s", ticker->phase);
}

static sl_status advance_part(sl_i_ticker *part, uint64_t done, sl_error *error) {
    part->done += done;
    atomic_fetch_add_explicit(&part->whole->parts_done, done, memory_order_relaxed);
    if (part->lane == 0) return sl_i_ticker_advance(part->whole, 0, error);
    bool stopped = atomic_load_explicit(&part->whole->stopped, memory_order_relaxed);
    return stopped ? interrupted(part, error) : SL_OK;
}

/* What the ticker and its parts have done. */
static uint64_t done_in_all(const sl_i_ticker *ticker) {
    uint64_t done = ticker->done + atomic_load_explicit(&ticker->parts_done, memory_order_relaxed);
    return done < ticker->total ? done : ticker->total;
}

static atomic_uint_fast64_t tick_interval = TICK_NS;

void sl_i_tick_always_for_test(bool always) { atomic_store(&tick_interval, always ? 0 : TICK_NS); }

sl_status sl_i_ticker_advance(sl_i_ticker *ticker, uint64_t done, sl_error *error) {
    if (ticker->whole) return advance_part(ticker, done, error);
    ticker->done += done;
    if (ticker->done > ticker->total) ticker->done = ticker->total;
    if (!ticker->progress) return SL_OK;
    uint64_t now = now_ns();
    bool stopped = atomic_load_explicit(&ticker->stopped, memory_order_relaxed);
    if (!stopped && now - ticker->last < atomic_load_explicit(&tick_interval, memory_order_relaxed)) return SL_OK;
    if (!stopped) {
        ticker->last = now;
        stopped =
            ticker->progress->tick(ticker->progress->state, ticker->phase, done_in_all(ticker), ticker->total) != 0;
        atomic_store_explicit(&ticker->stopped, stopped, memory_order_relaxed);
    }
    return stopped ? interrupted(ticker, error) : SL_OK;
}

bool sl_i_ticker_poll(sl_i_ticker *ticker, uint32_t lane, uint64_t done) {
    if (lane == 0 || ticker->whole) return sl_i_ticker_advance(ticker, done, NULL) != SL_OK;
    return atomic_load_explicit(&ticker->stopped, memory_order_relaxed);
}
