/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* An upload whose application works on it: neither sweep, nor another upload of
 * its identifier, nor a clear takes its files; they go when the application has
 * answered, or its process has died. */
#include "store/run.h"
#include "store/sweep.h"

#include <signal.h>
#include <utime.h>

#include "store_kit.h"

static kit k;

/* Begun by the writer, as upload/upload.c does it. */
static upool_run *use(const char *id, apr_pool_t *p)
{
    apr_status_t rv;
    upool_run *run = NULL;
    upool_bucket *bucket = kit_begin(&k, id, p, &rv);
    upool_record *record = kit_record(p, id, UPOOL_STATE_DONE, 1);
    upool_spool *spool;

    if (rv || upool_spool_create(&spool, bucket, 0)
        || kit_write(spool, "content", 7) || upool_spool_close(spool)) {
        kit_die("no upload");
    }
    kit_add_file(record, p, upool_spool_name(spool), 7);
    if (upool_bucket_commit(bucket, record)
        || upool_run_begin(&run, bucket, record, p)) {
        kit_die("no run");
    }
    upool_bucket_end(bucket);
    return run;
}

static apr_status_t begin(const char *id)
{
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, k.p);
    kit_begin(&k, id, p, &rv);
    apr_pool_destroy(p);
    return rv;
}

static apr_size_t sweep(void)
{
    upool_sweep_result result;
    upool_sweep *s;
    apr_size_t removed = 0;
    apr_pool_t *p;

    apr_pool_create(&p, k.p);
    upool_sweep_begin(&s, k.store, p);
    do {
        /* All that there is has expired. */
        upool_sweep_step(s, 100, apr_time_now() + apr_time_from_sec(60),
                         &result);
        removed += result.removed;
    } while (!result.finished);
    apr_pool_destroy(p);
    return removed;
}

static int has_files(const char *id)
{
    return kit_data_name(&k, id) != NULL;
}

static void test_kept(void)
{
    upool_run *run = use("kept", k.p);

    tap_is_int((long)sweep(), 0, "the sweep passes by");
    tap_is_int(begin("kept"), APR_EBUSY, "no other upload begins");
    tap_ok(has_files("kept"), "its files are there");
    upool_run_end(run);
    upool_run_end(run);
    tap_is_int(begin("kept"), APR_SUCCESS, "answered: another may");
    tap_is_int((long)sweep(), 1, "and it expires");
    tap_ok(!kit_exists(kit_in(&k, "kept", NULL)), "it is gone");
}

static void test_cleared(void)
{
    upool_run *run = use("cleared", k.p);
    upool_record *record = NULL;

    tap_is_int(upool_bucket_remove(k.store, "cleared", k.p), APR_SUCCESS,
               "a clear");
    tap_ok(has_files("cleared"), "takes no files away");
    tap_is_int(upool_bucket_status(&record, k.store, "cleared", k.p),
               APR_ENOENT, "for pollers it is gone");
    tap_is_int(upool_bucket_complete(&record, k.store, "cleared", k.p),
               APR_ENOENT, "for readers too");
    tap_ok(upool_bucket_is_gone(k.store, "cleared"), "and by one look");
    tap_is_int(begin("cleared"), APR_EBUSY, "no other upload begins");
    tap_is_int((long)sweep(), 0, "the sweep passes by");
    upool_run_end(run);
    tap_ok(!kit_exists(kit_in(&k, "cleared", NULL)), "it goes with the answer");

    run = use("discarded", k.p);
    record = NULL;
    upool_bucket_complete(&record, k.store, "discarded", k.p);
    tap_is_int(upool_bucket_discard(k.store, record, k.p), APR_SUCCESS,
               "what its own request removes");
    tap_ok(!kit_exists(kit_in(&k, "discarded", NULL)), "goes at once");
    upool_run_end(run);
}

/* The pool of its request ends what nobody has ended. */
static void test_pool(void)
{
    apr_pool_t *p;

    apr_pool_create(&p, k.p);
    use("pool", p);
    upool_bucket_remove(k.store, "pool", k.p);
    apr_pool_destroy(p);
    tap_ok(!kit_exists(kit_in(&k, "pool", NULL)),
           "cleared, it goes with the request's pool");
}

static void die_with(const char *id)
{
    char c = 0;
    int tube[2];
    pid_t pid = -1;

    if (pipe(tube) || (pid = fork()) < 0) {
        kit_die("no child");
    }
    if (pid == 0) {
        use(id, k.p);
        if (write(tube[1], "+", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    if (read(tube[0], &c, 1) != 1) {
        kit_die("no run in the child");
    }
    close(tube[0]);
    close(tube[1]);
    tap_is_int(upool_bucket_remove(k.store, id, k.p), APR_SUCCESS,
               "cleared under a process");
    tap_ok(has_files(id), "that works on it");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_death(void)
{
    upool_record *record;

    die_with("dead");
    tap_is_int((long)sweep(), 1, "it is dead: the sweep removes what is left");
    die_with("again");
    tap_is_int(begin("again"), APR_SUCCESS, "or another upload begins");
    tap_ok(!has_files("again"), "without what was cleared");
    tap_is_int(upool_bucket_status(&record, k.store, "again", k.p), APR_ENOENT,
               "of which nothing is left");
}

static void test_readers(void)
{
    upool_run *run = use("held", k.p);
    upool_record *record = NULL;
    upool_answer answer = { 0, 0, 0, NULL, NULL, 0 };
    upool_run *second = NULL;

    tap_is_str(kit_status(&k, "held"), "done", "in use it is done");
    upool_bucket_complete(&record, k.store, "held", k.p);
    tap_is_int(upool_run_take(&second, &answer, k.store, record, k.p),
               APR_EBUSY, "it is run once");
    upool_bucket_remove(k.store, "held", k.p);
    tap_is_int(upool_run_take(&second, &answer, k.store, record, k.p),
               APR_ENOENT, "cleared, not at all");
    upool_run_end(run);
}

int main(void)
{
    int before;

    kit_start(&k);
    before = kit_descriptors();
    test_kept();
    test_cleared();
    test_pool();
    test_death();
    test_readers();
    tap_is_int(kit_descriptors(), before, "no descriptor is left open");
    return kit_done(&k);
}
