/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Totals and gauges: what they add up to, also when processes die while they
 * count. */
#include "progress/counters.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tap.h>

#define CELLS 6
#define THREADS 4
#define TURNS 20000
#define LIVES 300
#define REASON 7

static int is_alive(apr_int64_t process)
{
    return kill((pid_t)process, 0) == 0;
}

static int none_alive(apr_int64_t process)
{
    (void)process;
    return 0;
}

static int ten_dead(apr_int64_t process)
{
    return process != 10;
}

/* Memory that children share. */
static upool_counters *counters_new(apr_uint32_t cells)
{
    apr_size_t bytes = upool_counters_bytes(cells);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL
                                : upool_counters_init(memory, bytes, cells);
}

static void test_memory(void)
{
    apr_size_t bytes = upool_counters_bytes(3);
    char *memory = aligned_alloc(64, bytes);
    upool_counters *counters;

    memset(memory, 0, bytes);
    tap_is_int(upool_counters_bytes(0), 0, "none without cells");
    tap_is_int(upool_counters_bytes(UPOOL_COUNTERS_CELLS_MAX + 1), 0,
               "nor with too many");
    tap_ok(!upool_counters_attach(memory, bytes), "zeroed memory has none");
    tap_ok(!upool_counters_init(memory, bytes - 1, 3), "too little memory");
    counters = upool_counters_init(memory, bytes, 3);
    tap_ok(counters != NULL, "they are made");
    tap_ok(upool_counters_attach(memory, bytes) == counters, "and found");
    tap_ok(!upool_counters_attach(memory, bytes - 1), "not in less memory");
    tap_ok(!upool_counters_attach(memory, 10), "nor in hardly any");
    memory[8] ^= 1; /* the word of the layout */
    tap_ok(!upool_counters_attach(memory, bytes), "nor of another layout");
    free(memory);
}

static void test_totals(void)
{
    upool_counters *counters = counters_new(CELLS);
    unsigned n, wrong = 0;

    for (n = 0; n < UPOOL_TOTALS; n++) {
        upool_counters_add(counters, (upool_total)n, n + 1);
        upool_counters_add(counters, (upool_total)n, (apr_uint64_t)1 << 40);
    }
    for (n = 0; n < UPOOL_TOTALS; n++) {
        wrong += upool_counters_total(counters, (upool_total)n)
                 != ((apr_uint64_t)1 << 40) + n + 1;
    }
    tap_is_int(wrong, 0, "each total is its own");
    for (n = 0; n < UPOOL_COUNTERS_REASONS; n++) {
        upool_counters_fail(counters, (int)n);
        upool_counters_refuse(counters, (int)n);
        upool_counters_refuse(counters, (int)n);
    }
    upool_counters_fail(counters, UPOOL_COUNTERS_REASONS);
    upool_counters_refuse(counters, -1);
    for (n = 0; n < UPOOL_COUNTERS_REASONS; n++) {
        wrong += upool_counters_failed(counters, (int)n) != 1;
        wrong += upool_counters_refused(counters, (int)n) != 2;
    }
    tap_is_int(wrong, 0, "each reason too, failed and refused");
    tap_is_int(upool_counters_failed(counters, -1), 0, "no such reason");
    tap_is_int(upool_counters_refused(counters, UPOOL_COUNTERS_REASONS), 0,
               "nor this");
}

static void test_outages(void)
{
    upool_counters *counters = counters_new(CELLS);

    tap_ok(!upool_counters_is_down(counters), "the cache is up at first");
    tap_ok(!upool_counters_set_down(counters, 0), "which is no news");
    tap_ok(upool_counters_set_down(counters, 1), "down is");
    tap_ok(!upool_counters_set_down(counters, 1), "once");
    tap_ok(upool_counters_is_down(counters), "it is down");
    tap_ok(upool_counters_set_down(counters, 0), "up again");
    tap_ok(!upool_counters_is_down(counters), "it is");
    tap_is_int(upool_counters_total(counters, UPOOL_TOTAL_OUTAGES), 1,
               "that was one outage");
}

static void test_none(void)
{
    tap_ok(upool_counters_set_down(NULL, 1) && !upool_counters_is_down(NULL),
           "without memory all is news");
    upool_counters_add(NULL, UPOOL_TOTAL_DONE, 1);
    upool_counters_fail(NULL, 1);
    upool_counters_refuse(NULL, 1);
    upool_counters_turn_uploads(NULL, 1, 1, 0);
    tap_is_int(upool_counters_join(NULL, 1), 0, "without memory no cell");
    tap_is_int(upool_counters_total(NULL, UPOOL_TOTAL_DONE), 0, "no total");
    tap_is_int(upool_counters_uploads(NULL).live, 0, "no gauge");
    tap_is_int(upool_counters_reap(NULL, 1, none_alive, 1), 0, "nobody dies");
}

static void test_gauges(void)
{
    upool_counters *counters = counters_new(2);
    apr_uint32_t a = upool_counters_join(counters, 10);
    apr_uint32_t b = upool_counters_join(counters, 4194303);

    tap_ok(a != 0 && b != 0 && a != b, "two processes have their cells");
    tap_is_int(upool_counters_join(counters, 12), 0, "a third finds none");
    upool_counters_turn_uploads(counters, a, 1, 0);
    upool_counters_turn_uploads(counters, a, 1, 0);
    upool_counters_turn_uploads(counters, a, 0, 1);
    upool_counters_turn_uploads(counters, b, 1, 0);
    upool_counters_turn_uploads(counters, b, 0, 1);
    upool_counters_turn_uploads(counters, b, 0, -1);
    upool_counters_turn_uploads(counters, 0, 1, 0);
    upool_counters_turn_uploads(counters, 3, 1, 0);
    upool_counters_turn(counters, a, UPOOL_GAUGE_WATCHING, 1);
    upool_counters_turn(counters, b, UPOOL_GAUGE_WATCHING, 1);
    upool_counters_turn(counters, a, UPOOL_GAUGE_HOLDING, 1);
    tap_is_int(upool_counters_gauge(counters, UPOOL_GAUGE_WATCHING), 2,
               "watching");
    tap_is_int(upool_counters_gauge(counters, UPOOL_GAUGE_HOLDING), 1,
               "on a thread");
    tap_is_int(upool_counters_uploads(counters).live, 3, "live");
    tap_is_int(upool_counters_uploads(counters).parked, 1, "parked");
    tap_is_int(upool_counters_reap(counters, 1, ten_dead, REASON), 2,
               "one dies with two uploads");
    tap_is_int(upool_counters_failed(counters, REASON), 2, "they have failed");
    tap_is_int(upool_counters_uploads(counters).live, 1, "one live");
    tap_is_int(upool_counters_uploads(counters).parked, 0, "none parked");
    tap_is_int(upool_counters_gauge(counters, UPOOL_GAUGE_WATCHING), 1,
               "who watched there is gone");
    tap_is_int(upool_counters_gauge(counters, UPOOL_GAUGE_HOLDING), 0,
               "with the thread");
    tap_is_int(upool_counters_reap(counters, 1, ten_dead, REASON), 0,
               "it dies once");
    tap_is_int(upool_counters_join(counters, 10), a,
               "one of the same number begins anew");
    tap_is_int(upool_counters_uploads(counters).live, 1, "with nothing");
    tap_is_int(upool_counters_reap(counters, 1, none_alive, -1), 1,
               "for no reason");
    tap_is_int(upool_counters_failed(counters, REASON), 2, "it is not counted");
}

typedef struct crowd {
    upool_counters *counters;
    apr_uint32_t cell;
} crowd;

static void *crowd_run(void *data)
{
    const crowd *c = data;
    unsigned n;

    for (n = 0; n < TURNS; n++) {
        upool_counters_turn_uploads(c->counters, c->cell, 1, 0);
        upool_counters_turn_uploads(c->counters, c->cell, 0, 1);
        upool_counters_add(c->counters, UPOOL_TOTAL_BYTES, 3);
        upool_counters_fail(c->counters, REASON);
        upool_counters_turn_uploads(c->counters, c->cell, -1, -1);
    }
    return NULL;
}

/* Reads until all have failed as often as they do. */
static void *reader_run(void *data)
{
    const crowd *c = data;
    apr_uint64_t wrong = 0;

    while (upool_counters_failed(c->counters, REASON) < THREADS * TURNS) {
        upool_uploads uploads = upool_counters_uploads(c->counters);

        wrong += uploads.parked > uploads.live || uploads.live > THREADS;
    }
    return wrong ? data : NULL;
}

/* Each group is a part of a word: none may touch its neighbours. */
static void test_groups(void)
{
    upool_counters *counters = counters_new(2);
    apr_uint32_t a = upool_counters_join(counters, 10);
    apr_uint32_t b = upool_counters_join(counters, 11);
    unsigned n, bad = 0;
    int i;

    for (n = 0; n < UPOOL_COUNTERS_GROUPS; n++) {
        for (i = 0; i < 1000 + (int)n; i++) {
            upool_counters_turn_group(counters, a, n, 1);
        }
        upool_counters_turn_group(counters, b, n, 1);
        upool_counters_turn_group(counters, a, n, -1);
    }
    for (n = 0; n < UPOOL_COUNTERS_GROUPS; n++) {
        bad += upool_counters_group(counters, n) != 1000 + n;
    }
    tap_is_int(bad, 0, "every group has its own number");
    for (n = 0; n < UPOOL_COUNTERS_GROUPS; n++) {
        while (upool_counters_group(counters, n) > 1) {
            upool_counters_turn_group(counters, a, n, -1);
        }
    }
    for (n = 0; n < UPOOL_COUNTERS_GROUPS; n++) {
        bad += upool_counters_group(counters, n) != 1;
    }
    tap_is_int(bad, 0, "down to what the other process has");
    upool_counters_reap(counters, 12, none_alive, 1);
    for (n = 0; n < UPOOL_COUNTERS_GROUPS; n++) {
        bad += upool_counters_group(counters, n) != 0;
    }
    tap_is_int(bad, 0, "which goes with it");
    upool_counters_turn_group(NULL, 1, 0, 1);
    tap_is_int(upool_counters_group(NULL, 0), 0,
               "without memory there is none");
}

static void test_threads(void)
{
    crowd c;
    pthread_t threads[THREADS];
    pthread_t reader;
    void *wrong = NULL;
    unsigned n;

    c.counters = counters_new(CELLS);
    c.cell = upool_counters_join(c.counters, getpid());
    pthread_create(&reader, NULL, reader_run, &c);
    for (n = 0; n < THREADS; n++) {
        pthread_create(&threads[n], NULL, crowd_run, &c);
    }
    for (n = 0; n < THREADS; n++) {
        pthread_join(threads[n], NULL);
    }
    pthread_join(reader, &wrong);
    tap_ok(wrong == NULL, "nobody has seen more parked than live");
    tap_is_int(upool_counters_total(c.counters, UPOOL_TOTAL_BYTES),
               3 * THREADS * TURNS, "nothing is lost between threads");
    tap_is_int(upool_counters_failed(c.counters, REASON), THREADS * TURNS,
               "no failure either");
    tap_is_int(upool_counters_uploads(c.counters).live, 0,
               "all that went up came down");
}

/* A child that raises for ever.  Some reap too, so that those who settle are
 * killed as well. */
static pid_t child_start(upool_counters *counters, int reaps)
{
    pid_t child = fork();
    apr_uint32_t cell;

    if (child != 0) {
        return child;
    }
    cell = upool_counters_join(counters, getpid());
    while (cell != 0) {
        upool_counters_add(counters, UPOOL_TOTAL_STARTED, 1);
        upool_counters_turn_uploads(counters, cell, 1, 0);
        upool_counters_turn_uploads(counters, cell, 0, 1);
        if (reaps) {
            upool_counters_reap(counters, getpid(), is_alive, REASON);
        }
    }
    _exit(9);
}

/* Between the two adds of a child, and between the swap and the add of one
 * that settles, uploads are in nobody's account: fewer may have failed than
 * began, but never more. */
static void test_deaths(void)
{
    upool_counters *counters = counters_new(CELLS);
    pid_t children[CELLS - 1];
    apr_uint64_t started, failed;
    unsigned n;

    for (n = 0; n < CELLS - 1; n++) {
        children[n] = child_start(counters, n % 2);
    }
    for (n = 0; n < LIVES; n++) {
        unsigned which = n % (CELLS - 1);
        int status = 0;

        usleep(200 + n * 7919 % 1500);
        kill(children[which], SIGKILL);
        waitpid(children[which], &status, 0);
        if (WIFEXITED(status)) {
            break;
        }
        upool_counters_reap(counters, getpid(), is_alive, REASON);
        children[which] = child_start(counters, n % 2);
    }
    tap_is_int(n, LIVES, "every child found a cell, %d were killed", LIVES);
    for (n = 0; n < CELLS - 1; n++) {
        kill(children[n], SIGKILL);
        waitpid(children[n], NULL, 0);
    }
    upool_counters_reap(counters, getpid(), is_alive, REASON);
    started = upool_counters_total(counters, UPOOL_TOTAL_STARTED);
    failed = upool_counters_failed(counters, REASON);
    tap_is_int(upool_counters_uploads(counters).live, 0,
               "of the dead nothing is live");
    tap_is_int(upool_counters_uploads(counters).parked, 0, "nothing is parked");
    tap_ok(failed > LIVES && failed <= started,
           "%lu began, of which %lu have failed", (unsigned long)started,
           (unsigned long)failed);
    for (n = 1; n <= CELLS; n++) {
        tap_ok(upool_counters_join(counters, 1000 + n) != 0, "cell %u is free",
               n);
    }
}

int main(void)
{
    test_memory();
    test_totals();
    test_outages();
    test_none();
    test_gauges();
    test_groups();
    test_threads();
    test_deaths();
    return tap_done();
}
