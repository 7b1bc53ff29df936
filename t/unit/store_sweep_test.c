/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What the sweep removes, and all that it does not. */
#include "store/sweep.h"

#include <signal.h>

#include "store_kit.h"

#define ORPHAN "9-00000000000000000000000000000000.bin"

/* A round with bounded steps; the number removed. */
static apr_size_t sweep_all(kit *k, apr_size_t steps, apr_time_t deadline)
{
    upool_sweep_result result = { 0, 0, 0 };
    upool_sweep *sweep;
    apr_size_t removed = 0;
    apr_pool_t *p;

    apr_pool_create(&p, k->p);
    if (upool_sweep_begin(&sweep, k->store, p)) {
        kit_die("no sweep");
    }
    while (!result.finished) {
        if (upool_sweep_step(sweep, steps, deadline, &result)
            || result.seen > steps) {
            kit_die("bad step");
        }
        removed += result.removed;
    }
    apr_pool_destroy(p);
    return removed;
}

static void make_old(const char *path, time_t when)
{
    struct timespec times[2] = { { when, 0 }, { when, 0 } };

    if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW)) {
        kit_die(path);
    }
}

static int there(const kit *k, const char *id)
{
    return kit_exists(kit_in(k, id, NULL));
}

static void fail_upload(kit *k, const char *id, apr_time_t when)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_record *record = kit_record(k->p, id, UPOOL_STATE_ERROR, when);

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, id, p, &rv);
    record->error = "failed";
    upool_bucket_fail(bucket, record);
    apr_pool_destroy(p);
}

static void test_expiry(kit *k)
{
    kit_upload(k, "old", "content", 999, k->p);
    kit_upload(k, "edge", "content", 1000, k->p);
    kit_upload(k, "young", "content", 2000, k->p);
    fail_upload(k, "old-error", 999);
    fail_upload(k, "young-error", 2000);
    kit_upload(k, "retried", "content", 10, k->p);
    fail_upload(k, "retried", 2000);
    tap_is_int(sweep_all(k, 1000, 1000), 2, "two have expired");
    tap_ok(!there(k, "old") && !there(k, "old-error"), "the old ones");
    tap_ok(there(k, "edge") && there(k, "young") && there(k, "young-error"),
           "not the young ones");
    tap_ok(there(k, "retried"), "the last attempt counts");
    tap_is_int(sweep_all(k, 1000, 1000), 0, "nothing more to do");
    tap_is_int(sweep_all(k, 1000, 3000), 4, "all the others later");
    tap_is_int(kit_count(k->dir), 0, "the pool is empty");
}

static void test_without_record(kit *k)
{
    apr_time_t now = apr_time_now();
    apr_time_t later = now + apr_time_from_sec(60);
    apr_time_t sooner = now - apr_time_from_sec(60);

    mkdir(kit_in(k, "empty", NULL), 0700);
    mkdir(kit_in(k, "broken", NULL), 0700);
    kit_write_file(kit_in(k, "broken", "metadata.json"), "{");
    mkdir(kit_in(k, "dead", NULL), 0700);
    kit_write_file(kit_in(k, "dead", ORPHAN), "partial");
    kit_write_file(kit_in(k, "dead", "metadata.new"), "{");
    kit_write_file(kit_in(k, "dead", "lock"), "");
    tap_is_int(sweep_all(k, 1000, sooner), 0, "young ones stay");
    make_old(kit_in(k, "dead", NULL), 1000);
    make_old(kit_in(k, "broken", NULL), 1000);
    tap_is_int(sweep_all(k, 1000, sooner), 0, "the newest modification counts");
    tap_is_int(sweep_all(k, 1000, later), 3, "old ones go");
    tap_is_int(kit_count(k->dir), 0, "all of them");
}

static void test_held(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;

    apr_pool_create(&p, k->p);
    kit_upload(k, "held", "content", 1, p);
    bucket = kit_begin(k, "held", p, &rv);
    tap_is_int(sweep_all(k, 1000, apr_time_now()), 0, "a held one stays");
    upool_bucket_end(bucket);
    tap_is_int(sweep_all(k, 1000, apr_time_now()), 1, "goes when let go");
    apr_pool_destroy(p);
}

static void test_foreign(kit *k)
{
    apr_time_t later = apr_time_now() + apr_time_from_sec(60);

    kit_write_file(kit_path(k, "victim"), "victim");
    mkdir(kit_path(k, "outside"), 0700);
    kit_write_file(kit_path(k, "outside/metadata.json"), "{}");
    kit_write_file(kit_in(k, "afile", NULL), "x");
    kit_write_file(kit_in(k, ".htaccess", NULL), "x");
    mkdir(kit_in(k, "lost+found", NULL), 0700);
    mkdir(kit_in(k, ".hidden", NULL), 0700);
    mkdir(kit_in(k, "name.with.dots", NULL), 0700);
    if (symlink(kit_path(k, "outside"), kit_in(k, "alink", NULL))) {
        kit_die("no link");
    }
    mkfifo(kit_in(k, "afifo", NULL), 0600);
    kit_upload(k, "with-file", "content", 1, k->p);
    kit_write_file(kit_in(k, "with-file", "index.html"), "x");
    kit_upload(k, "with-dir", "content", 1, k->p);
    mkdir(kit_in(k, "with-dir", "sub"), 0700);
    kit_upload(k, "with-link", "content", 1, k->p);
    symlink(kit_path(k, "victim"), kit_in(k, "with-link", ORPHAN));
    mkdir(kit_in(k, "site", NULL), 0700);
    kit_write_file(kit_in(k, "site", "data"), "x");
    alarm(20);
    tap_is_int(sweep_all(k, 1000, later), 0, "nothing foreign is removed");
    alarm(0);
    tap_is_int(kit_count(k->dir), 11, "all of it is there");
    tap_is_int(kit_count(kit_in(k, "with-file", NULL)), 3, "untouched inside");
    tap_ok(kit_exists(kit_path(k, "outside/metadata.json"))
               && kit_exists(kit_path(k, "victim")),
           "and outside");
    if (geteuid() == 0) {
        mkdir(kit_in(k, "stranger", NULL), 0700);
        if (chown(kit_in(k, "stranger", NULL), 12345, (gid_t)-1)) {
            kit_die("no chown");
        }
        tap_is_int(sweep_all(k, 1000, later), 0, "nor a stranger's directory");
    }
    kit_wipe(k->dir);
    mkdir(k->dir, 0700);
    kit_open(k);
}

/* D6: What has no owner goes; nothing else does. */
static void test_orphans(kit *k)
{
    apr_time_t hour_ago = apr_time_now() - apr_time_from_sec(3600);
    const char *name;

    name = kit_upload(k, "alive", "content", apr_time_now(), k->p);
    kit_write_file(kit_in(k, "alive", ORPHAN), "left by a crash");
    make_old(kit_in(k, "alive", name), 1000);
    tap_is_int(sweep_all(k, 1000, hour_ago), 0, "a live one");
    tap_ok(kit_exists(kit_in(k, "alive", ORPHAN)), "a young orphan stays");
    make_old(kit_in(k, "alive", ORPHAN), 1000);
    fail_upload(k, "other", apr_time_now());
    kit_write_file(kit_in(k, "other", ORPHAN), "left by a crash");
    make_old(kit_in(k, "other", ORPHAN), 1000);
    tap_is_int(sweep_all(k, 1000, hour_ago), 0, "no bucket goes");
    tap_ok(!kit_exists(kit_in(k, "alive", ORPHAN))
               && !kit_exists(kit_in(k, "other", ORPHAN)),
           "but the old orphans do");
    tap_is_str(kit_status(k, "alive"), "done", "the upload is done still");
    tap_is_str(kit_status(k, "other"), "error: failed", "the error is told");
    sweep_all(k, 1000, apr_time_now() + 1);
}

static void test_steps(kit *k)
{
    enum { COUNT = 53 };
    upool_sweep_result result;
    upool_sweep *sweep;
    int steps = 0;
    int i;

    for (i = 0; i < COUNT; i++) {
        kit_upload(k, apr_psprintf(k->p, "step-%d", i), "content", 1, k->p);
    }
    if (upool_sweep_begin(&sweep, k->store, k->p)) {
        kit_die("no sweep");
    }
    upool_sweep_step(sweep, 0, 1000, &result);
    tap_ok(!result.finished && !result.seen, "no steps");
    do {
        upool_sweep_step(sweep, 10, 1000, &result);
        steps++;
    } while (!result.finished && steps < 100);
    tap_is_int(steps, 6, "ten at a time");
    tap_is_int(kit_count(k->dir), 0, "all are gone");
    upool_sweep_step(sweep, 10, 1000, &result);
    tap_ok(result.finished && !result.seen && !result.removed,
           "a finished round stays finished");
}

/* A clock that is always late makes steps short, but each gets on. */
static void test_clock(kit *k)
{
    enum { COUNT = 20 };
    upool_sweep_result result = { 0, 0, 0 };
    upool_sweep *sweep;
    apr_size_t most = 0;
    int steps = 0;
    int i;

    for (i = 0; i < COUNT; i++) {
        kit_upload(k, apr_psprintf(k->p, "late-%d", i), "content", 1, k->p);
    }
    if (upool_sweep_begin(&sweep, k->store, k->p)) {
        kit_die("no sweep");
    }
    upool_sweep_stop_at(sweep, 1);
    for (i = 0; !result.finished && i < 1000; i++) {
        upool_sweep_step(sweep, 10, 1000, &result);
        most = result.seen > most ? result.seen : most;
        steps += result.seen > 0;
    }
    tap_is_int(most, 1, "one at a time");
    tap_is_int(steps, COUNT, "but all of them");
    tap_is_int(kit_count(k->dir), 0, "all are gone");
    kit_upload(k, "in-time", "content", 1, k->p);
    kit_upload(k, "in-time-too", "content", 1, k->p);
    upool_sweep_begin(&sweep, k->store, k->p);
    upool_sweep_stop_at(sweep, apr_time_now() + apr_time_from_sec(3600));
    upool_sweep_step(sweep, 10, 1000, &result);
    tap_ok(result.finished && result.seen == 2,
           "early, the clock is no matter");
}

/* Sweeps beside uploads that are older than the deadline at once: none that is
 * held may be harmed. */
static void test_race(kit *k)
{
    enum { ROUNDS = 1000 };
    unsigned harmed = 0;
    pid_t pid = fork();
    int i;

    if (pid == 0) {
        for (;;) {
            sweep_all(k, 10, apr_time_now() + apr_time_from_sec(60));
        }
    }
    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *p;
        apr_status_t rv;
        upool_bucket *bucket;
        upool_spool *spool;
        upool_record *record;

        apr_pool_create(&p, k->p);
        record = kit_record(p, "race", UPOOL_STATE_DONE, 1);
        bucket = kit_begin(k, "race", p, &rv);
        if (bucket) {
            harmed += upool_spool_create(&spool, bucket, 0) != APR_SUCCESS;
            kit_add_file(record, p, upool_spool_name(spool), 7);
            harmed += kit_write(spool, "content", 7) != APR_SUCCESS;
            harmed += upool_spool_close(spool) != APR_SUCCESS;
            harmed += upool_bucket_commit(bucket, record) != APR_SUCCESS;
            harmed += strcmp(kit_status(k, "race"), "done") != 0;
        }
        apr_pool_destroy(p);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    tap_is_int(harmed, 0, "%d uploads beside a sweep", ROUNDS);
    upool_bucket_remove(k->store, "race", k->p);
}

typedef struct told {
    int count;
    int removed;
    int files;
    apr_off_t bytes;
} told;

static void on_deed(void *baton, const upool_sweep_deed *deed)
{
    told *t = baton;

    tap_is_int(deed->error, 0, "%s: no error", deed->id);
    t->count++;
    t->removed += deed->removed;
    t->files += deed->files;
    t->bytes += deed->bytes;
}

static told sweep_told(kit *k, int dry, apr_time_t deadline)
{
    upool_sweep_result result = { 0, 0, 0 };
    upool_sweep *sweep;
    told t;

    memset(&t, 0, sizeof(t));
    if (upool_sweep_begin(&sweep, k->store, k->p)) {
        kit_die("no sweep");
    }
    upool_sweep_report(sweep, on_deed, &t, dry);
    while (!result.finished) {
        upool_sweep_step(sweep, 2, deadline, &result);
    }
    return t;
}

/* A dry round tells what a real one would do, and does none of it. */
static void test_dry(kit *k)
{
    apr_time_t old = apr_time_from_sec(100);
    upool_bucket *held;
    apr_status_t rv;
    apr_pool_t *p;
    int again;
    told t;

    apr_pool_create(&p, k->p);
    kit_upload(k, "dry-old", "content", old, k->p);
    kit_upload(k, "dry-young", "content", old * 3, k->p);
    kit_write_file(kit_in(k, "dry-young", ORPHAN), "rest");
    make_old(kit_in(k, "dry-young", ORPHAN), 100);
    kit_upload(k, "dry-held", "content", old, k->p);
    held = kit_begin(k, "dry-held", p, &rv);
    tap_ok(held != NULL, "one is held");
    for (again = 0; again < 2; again++) {
        t = sweep_told(k, 1, old * 2);
        tap_is_int(t.count, 2, "two have something to do");
        tap_is_int(t.removed, 1, "one of them would go");
        tap_is_int(t.files, 2, "with its file, and an orphan");
        tap_is_int(t.bytes, 11, "and their bytes");
        tap_ok(there(k, "dry-old"), "it is still there");
        tap_ok(kit_exists(kit_in(k, "dry-young", ORPHAN)), "the orphan too");
    }
    t = sweep_told(k, 0, old * 2);
    tap_is_int(t.count, 2, "the real round does the same");
    tap_is_int(t.removed, 1, "to the same");
    tap_is_int(t.files, 2, "files");
    tap_is_int(t.bytes, 11, "and bytes");
    tap_ok(!there(k, "dry-old"), "one is gone");
    tap_ok(!kit_exists(kit_in(k, "dry-young", ORPHAN)), "the orphan too");
    tap_is_str(kit_status(k, "dry-young"), "done", "but nothing else of it");
    tap_ok(there(k, "dry-held"), "what is held stays");
    apr_pool_destroy(p);
    tap_is_int(sweep_told(k, 0, old * 9).removed, 2, "later all go");
}

/* A directory that a holder of before has left: the lock that the sweep takes
 * makes a file in it, and so touches it. */
static void test_empty(kit *k)
{
    struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

    mkdir(kit_in(k, "empty", NULL), 0700);
    utimensat(AT_FDCWD, kit_in(k, "empty", NULL), times, 0);
    sweep_all(k, 10, apr_time_now() - apr_time_from_sec(60));
    tap_ok(!kit_exists(kit_in(k, "empty", NULL)), "an empty one goes at once");
}

int main(void)
{
    int before;
    kit k;

    kit_start(&k);
    before = kit_descriptors();
    test_expiry(&k);
    test_without_record(&k);
    test_held(&k);
    test_orphans(&k);
    test_steps(&k);
    test_clock(&k);
    test_race(&k);
    test_empty(&k);
    test_foreign(&k);
    kit_wipe(k.dir);
    mkdir(k.dir, 0700);
    kit_open(&k);
    test_dry(&k);
    apr_pool_clear(k.p);
    tap_is_int(kit_descriptors(), before - 1, "no descriptor is left open");
    return kit_done(&k);
}
