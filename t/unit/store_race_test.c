/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* T6, D6: a sweep that takes everything for expired, all the time, beside
 * uploads of every kind, the application's run, and its taking files away: who
 * holds something keeps it, and who takes a file away has all of it, or was too
 * late. */
#include "store/writer.h"

#include <signal.h>

#include "store/run.h"
#include "store_kit.h"

#define RACES 100
/* A try is no race when the sweep was there first. */
#define TRIES (RACES * 200)

static void sweep_on(kit *k)
{
    for (;;) {
        upool_sweep_result result = { 0, 0, 0 };
        upool_sweep *round;
        apr_pool_t *p;

        apr_pool_create(&p, NULL);
        if (upool_sweep_begin(&round, k->store, p)) {
            _exit(1);
        }
        while (!result.finished) {
            upool_sweep_step(round, 10, apr_time_now() + apr_time_from_sec(60),
                             &result);
        }
        apr_pool_destroy(p);
        usleep(1500);
    }
}

static pid_t sweeper(kit *k)
{
    pid_t pid = fork();

    if (pid == 0) {
        sweep_on(k);
    }
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static upool_resumable_look *make_resumable(kit *k, const char *id,
                                            apr_pool_t *p)
{
    upool_record *previous = NULL;
    upool_resumable_look *a = NULL;
    const char *why = NULL;

    if (upool_resumable_create(k->store, kit_resumable(p, id, 6), 0,
                               UPOOL_REPLACES_ANY, p, &previous, &why)
        || upool_resumable_open(&a, k->store, id, p)) {
        return NULL;
    }
    return a;
}

static apr_status_t put(upool_writer *w, const char *text)
{
    struct iovec piece = { (void *)text, strlen(text) };

    return upool_writer_write(w, &piece, 1);
}

/* While somebody writes the sweep has to leave it alone; before and after, an
 * upload that seems to be a minute too old may go. */
static void test_append(kit *k)
{
    upool_writer *w = NULL;
    unsigned begun = 0;
    unsigned harmed = 0;
    int i;
    pid_t pid = sweeper(k);

    for (i = 0; i < TRIES && begun < RACES; i++) {
        upool_writer_claim claim = { 0, -1, 0, 0 };
        upool_resumable_look *a;
        apr_pool_t *p;

        apr_pool_create(&p, k->p);
        a = make_resumable(k, "appended", p);
        if (a && !upool_writer_begin(&w, a, &claim)) {
            begun++;
            harmed += put(w, "abc") != APR_SUCCESS;
            usleep((useconds_t)(i % 7) * 300);
            harmed += upool_writer_look_up(w) != APR_SUCCESS;
            harmed += put(w, "def") != APR_SUCCESS;
            harmed += !kit_data_name(k, "appended");
            upool_writer_keep(w, NULL);
        }
        apr_pool_destroy(p);
        upool_bucket_remove(k->store, "appended", k->p);
    }
    stop(pid);
    tap_is_int(harmed, 0, "%u appends beside a sweep", begun);
    tap_is_int(begun, RACES, "as many as there should be");
}

/* From the last byte to the record the bucket is held. */
static void test_completion(kit *k)
{
    upool_writer *w = NULL;
    unsigned begun = 0;
    unsigned harmed = 0;
    int i;
    pid_t pid = sweeper(k);

    for (i = 0; i < TRIES && begun < RACES; i++) {
        upool_writer_claim claim = { 0, -1, 0, 0 };
        upool_bucket *bucket = NULL;
        upool_resumable_look *a;
        apr_pool_t *p;

        apr_pool_create(&p, k->p);
        a = make_resumable(k, "completed", p);
        if (a && !upool_writer_begin(&w, a, &claim) && !put(w, "abcdef")
            && !upool_writer_keep(w, NULL)
            && !upool_writer_complete(&w, a, &bucket, p)) {
            const upool_resumable *about = upool_resumable_about(a);
            upool_record *record =
                kit_record(p, "completed", UPOOL_STATE_DONE, about->created);

            begun++;
            kit_add_file(record, p, about->file.stored, about->length);
            usleep((useconds_t)(i % 7) * 300);
            harmed += upool_bucket_commit(bucket, record) != APR_SUCCESS;
            upool_bucket_end(bucket);
        }
        apr_pool_destroy(p);
    }
    stop(pid);
    upool_bucket_remove(k->store, "completed", k->p);
    tap_is_int(harmed, 0, "%u completions beside a sweep", begun);
    tap_is_int(begun, RACES, "as many as there should be");
}

/* Whoever fails finds nothing of the file at its new place, and whoever does
 * not finds all of it: rename() is one step, and the sweep unlinks names. */
static void test_claim(kit *k)
{
    static const char content[] = "every byte of the file that is claimed";
    const char *mine = kit_path(k, "claimed");
    unsigned claimed = 0;
    unsigned late = 0;
    unsigned wrong = 0;
    int i;
    pid_t pid = sweeper(k);

    for (i = 0; i < TRIES && (claimed < RACES || late < RACES / 10); i++) {
        const char *name;
        apr_pool_t *p;

        apr_pool_create(&p, k->p);
        name = kit_upload(k, "claim", content, 1, p);
        usleep((useconds_t)(i % 5) * 50);
        if (name && rename(kit_in(k, "claim", name), mine) == 0) {
            claimed++;
            wrong += strcmp(kit_read_file(k, mine), content) != 0;
            /* Nothing of the upload comes back to where it was. */
            wrong += kit_exists(kit_in(k, "claim", name)) != 0;
            unlink(mine);
        }
        else if (name) {
            late++;
            wrong += errno != ENOENT || kit_exists(mine);
        }
        apr_pool_destroy(p);
    }
    stop(pid);
    upool_bucket_remove(k->store, "claim", k->p);
    tap_is_int(wrong, 0, "%u files claimed, %u too late", claimed, late);
    tap_ok(claimed >= RACES && late >= RACES / 10, "enough of each");
}

/* A file that is open is read to its end, whatever becomes of its name. */
static void test_reader(kit *k)
{
    unsigned opened = 0;
    unsigned wrong = 0;
    int i;
    pid_t pid = sweeper(k);

    for (i = 0; i < TRIES && opened < RACES; i++) {
        char bytes[16] = "";
        apr_size_t len = sizeof(bytes) - 1;
        apr_file_t *file = NULL;
        const char *name;
        apr_pool_t *p;

        apr_pool_create(&p, k->p);
        name = kit_upload(k, "read", "content", 1, p);
        if (name && !upool_bucket_file_open(&file, k->store, "read", name, p)) {
            opened++;
            usleep((useconds_t)(i % 7) * 300);
            wrong += apr_file_read(file, bytes, &len) != APR_SUCCESS
                     || strcmp(bytes, "content") != 0;
        }
        apr_pool_destroy(p);
    }
    stop(pid);
    upool_bucket_remove(k->store, "read", k->p);
    tap_is_int(wrong, 0, "%u files read beside a sweep", opened);
    tap_is_int(opened, RACES, "as many as there should be");
}

/* A bucket that is gone is gone whole: no answer is kept for another. */
static void test_run(kit *k)
{
    unsigned taken = 0;
    unsigned wrong = 0;
    int i;
    pid_t pid = sweeper(k);

    for (i = 0; i < TRIES && taken < RACES; i++) {
        upool_answer answer = { 200, 1, 0, NULL, NULL, 0 };
        upool_record *record = NULL;
        upool_run *run = NULL;
        apr_status_t rv;
        apr_pool_t *p;

        apr_pool_create(&p, k->p);
        kit_upload(k, "run", "content", 1, p);
        rv = upool_bucket_complete(&record, k->store, "run", p);
        rv = rv ? rv : upool_run_take(&run, &answer, k->store, record, p);
        if (!rv) {
            taken++;
            upool_run_end(run);
        }
        else {
            wrong += rv != APR_ENOENT;
        }
        apr_pool_destroy(p);
    }
    stop(pid);
    upool_bucket_remove(k->store, "run", k->p);
    tap_is_int(wrong, 0, "%u runs beside a sweep", taken);
    tap_is_int(taken, RACES, "as many as there should be");
    tap_is_int(kit_count(k->dir), 0, "nothing is left");
}

int main(void)
{
    int before;
    kit k;

    kit_start(&k);
    before = kit_descriptors();
    test_append(&k);
    test_completion(&k);
    test_claim(&k);
    test_reader(&k);
    test_run(&k);
    apr_pool_clear(k.p);
    tap_is_int(kit_descriptors(), before - 1, "no descriptor is left open");
    return kit_done(&k);
}
