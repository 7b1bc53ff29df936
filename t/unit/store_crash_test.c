/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A writer that dies at any instant leaves no done upload with wrong bytes, and
 * nothing that the next writer and the sweep do not remove.  First at chosen
 * points, then by kill -9 at whatever point a running child happens to be. */
#include "store/bucket_own.h"

#include <signal.h>

#include "store_kit.h"

/* What an upload holds follows from its number, which its record tells. */
static void fill(char *bytes, size_t len, unsigned seed)
{
    size_t i;

    for (i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = (char)(seed >> 16);
    }
}

#define PIECE 7919u
#define FILES 2

static size_t length_of(unsigned seed, int n)
{
    return PIECE * (1 + (seed + (unsigned)n) % 5);
}

typedef enum stage {
    AFTER_BEGIN,
    AFTER_CREATE,
    MID_WRITE,
    AFTER_CLOSE,
    BEFORE_COMMIT,
    MID_COMMIT,    /* metadata.new is written, not renamed */
    BEFORE_UNLINK, /* renamed; the replaced files are there still */
    AFTER_COMMIT,
    STAGES
} stage;

static const char *const STAGE[] = { "after begin",   "after create",
                                     "mid write",     "after close",
                                     "before commit", "mid commit",
                                     "before unlink", "after commit" };

static void stop_at(stage now, int last)
{
    if (now == (stage)last) {
        kill(getpid(), SIGKILL);
    }
}

static apr_status_t write_one(upool_bucket *bucket, upool_record *record,
                              apr_pool_t *p, unsigned seed, int n, int last)
{
    static char bytes[5 * PIECE];
    size_t len = length_of(seed, n);
    upool_spool *spool;
    size_t at;

    if (upool_spool_create(&spool, bucket, n)) {
        return 1;
    }
    stop_at(AFTER_CREATE, last);
    fill(bytes, len, seed + (unsigned)n);
    for (at = 0; at < len; at += PIECE) {
        if (kit_write(spool, bytes + at, PIECE)) {
            return 1;
        }
        stop_at(MID_WRITE, last);
    }
    if (upool_spool_close(spool)) {
        return 1;
    }
    stop_at(AFTER_CLOSE, last);
    kit_add_file(record, p, upool_spool_name(spool), (apr_off_t)len);
    return 0;
}

/* One upload; stops for ever at last (-1: nowhere). */
static apr_status_t upload(kit *k, const char *id, unsigned seed, int last,
                           apr_pool_t *p)
{
    apr_status_t rv;
    upool_bucket *bucket = kit_begin(k, id, p, &rv);
    upool_record *record = kit_record(p, id, UPOOL_STATE_DONE, 1);
    int n;

    if (rv) {
        return rv;
    }
    stop_at(AFTER_BEGIN, last);
    for (n = 0; n < FILES; n++) {
        if (write_one(bucket, record, p, seed, n, last)) {
            return APR_EGENERAL;
        }
    }
    record->received = seed;
    stop_at(BEFORE_COMMIT, last);
    if (last == MID_COMMIT) {
        kit_write_file(kit_in(k, id, "metadata.new"), "{\"version\":1,");
        stop_at(MID_COMMIT, last);
    }
    if (last == BEFORE_UNLINK) {
        bucket->previous = NULL;
    }
    rv = upool_bucket_commit(bucket, record);
    stop_at(BEFORE_UNLINK, last);
    stop_at(AFTER_COMMIT, last);
    upool_bucket_end(bucket);
    return rv;
}

/* 0: what id says of itself is right, whatever that is. */
static int is_wrong(kit *k, const char *id, apr_pool_t *p, unsigned *seed)
{
    static char want[5 * PIECE];
    static char got[5 * PIECE];
    upool_record *record;
    int n;

    *seed = 0;
    if (upool_bucket_complete(&record, k->store, id, p)) {
        return 0;
    }
    *seed = (unsigned)record->received;
    for (n = 0; n < FILES; n++) {
        const upool_file *f =
            &APR_ARRAY_IDX(record->files, n, const upool_file);
        apr_size_t len = length_of(*seed, n);
        apr_file_t *file;

        fill(want, len, *seed + (unsigned)n);
        if ((apr_size_t)f->size != len
            || upool_bucket_file_open(&file, k->store, id, f->stored, p)
            || apr_file_read_full(file, got, len, NULL)
            || memcmp(want, got, len) != 0) {
            return 1;
        }
        apr_file_close(file);
    }
    return 0;
}

static void crash_at(kit *k, const char *id, unsigned seed, int last)
{
    pid_t pid = fork();

    if (pid == 0) {
        upload(k, id, seed, last, k->p);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
}

static void test_first_at(kit *k, int last)
{
    const char *id = apr_psprintf(k->p, "first-%d", last);
    const char *status;
    unsigned seed;

    crash_at(k, id, 42, last);
    status = kit_status(k, id);
    tap_is_str(status,
               last < BEFORE_UNLINK ? "error: upload was interrupted" : "done",
               "first upload, dead %s", STAGE[last]);
    tap_ok(!is_wrong(k, id, k->p, &seed), "right if complete");
    tap_is_int(upload(k, id, 43, -1, k->p), APR_SUCCESS, "another one");
    tap_is_int(kit_count(kit_in(k, id, NULL)), FILES + 1,
               "leaves nothing of it");
}

static void test_second_at(kit *k, int last)
{
    const char *id = apr_psprintf(k->p, "second-%d", last);
    unsigned seed;

    upload(k, id, 10, -1, k->p);
    crash_at(k, id, 11, last);
    tap_is_str(kit_status(k, id), "done", "replacing upload, dead %s",
               STAGE[last]);
    tap_ok(!is_wrong(k, id, k->p, &seed)
               && seed == (last < BEFORE_UNLINK ? 10u : 11u),
           "the right one of both is complete");
    tap_is_int(upload(k, id, 12, -1, k->p), APR_SUCCESS, "another one");
    tap_is_int(kit_count(kit_in(k, id, NULL)), FILES + 1,
               "leaves nothing of it");
}

static void test_swept_at(kit *k, int last)
{
    const char *id = apr_psprintf(k->p, "swept-%d", last);
    upool_sweep *sweep;
    upool_sweep_result result;

    crash_at(k, id, 42, last);
    upool_sweep_begin(&sweep, k->store, k->p);
    upool_sweep_step(sweep, 1000, apr_time_now() + apr_time_from_sec(5),
                     &result);
    tap_ok(result.finished && !kit_exists(kit_in(k, id, NULL)),
           "swept after a death %s", STAGE[last]);
}

static void endless(kit *k, unsigned seed)
{
    for (;; seed++) {
        apr_pool_t *p;

        apr_pool_create(&p, NULL);
        upload(k, "random", seed, -1, p);
        apr_pool_destroy(p);
    }
}

/* D1: Whoever is killed leaves nothing that is done and wrong. */
static void test_random_kills(kit *k)
{
    enum { KILLS = 200 };
    unsigned x = 2463534242u;
    unsigned highest = 0;
    int backwards = 0;
    int wrong = 0;
    int done = 0;
    int i;

    for (i = 0; i < KILLS; i++) {
        unsigned seed;
        apr_pool_t *p;
        pid_t pid;

        x = x * 1103515245u + 12345u;
        pid = fork();
        if (pid == 0) {
            endless(k, (unsigned)(i + 1) * 100000u);
        }
        usleep(500 + (x >> 16) % 5000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        apr_pool_create(&p, k->p);
        wrong += is_wrong(k, "random", p, &seed);
        backwards += seed && seed < highest;
        done += seed > highest;
        highest = seed ? seed : highest;
        apr_pool_destroy(p);
    }
    tap_is_int(wrong, 0, "%d kills, none left wrong bytes", KILLS);
    tap_is_int(backwards, 0, "none brought an older upload back");
    tap_ok(done > KILLS / 10, "%d of them after new uploads", done);
    tap_is_int(upload(k, "random", 1, -1, k->p), APR_SUCCESS, "one more");
    tap_is_int(kit_count(kit_in(k, "random", NULL)), FILES + 1,
               "leaves nothing of all of them");
}

int main(void)
{
    int last;
    kit k;

    kit_start(&k);
    for (last = 0; last < STAGES; last++) {
        test_first_at(&k, last);
        test_second_at(&k, last);
    }
    for (last = 0; last < STAGES; last++) {
        test_swept_at(&k, last);
    }
    test_random_kills(&k);
    return kit_done(&k);
}
