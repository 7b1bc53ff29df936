/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* P2: behind the parsers: what an upload of twice as many files, fields
 * or ranges costs in src/upload and src/store, its system calls included
 * (count.h), from 125 to 1,000 files, and 2,000 of what is no file. */
#include "upload/upload.h"

#include <store_kit.h>

#include "store/metadata.h"
#include "store/resumable.h"
#include "t/linear/count.h"
#include "handlers/builtin.h"
#include "upload/result.h"

#define ID "linear"
/* Of files on the disk; eight times as many is the most. */
#define FEW 125
#define MORE 250
#define TIMES 8
#define LAST (TIMES * MORE)
#define EACH 4096 /* more than any part of a body here has */

#define FIELD \
    "--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nvalue\r\n"
#define FILE_PART \
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"" \
    "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n"
#define END "--b--\r\n"

typedef struct bench {
    kit k;
    upool_upload_options options;
    char *body;
    apr_size_t len;
} bench;

static apr_time_t tell_time(void)
{
    return apr_time_from_sec(1700000000);
}

static void make_body(bench *t, const char *part, int n, const char *end)
{
    apr_size_t len = strlen(part);
    int i;

    t->len = 0;
    for (i = 0; i < n; i++) {
        memcpy(t->body + t->len, part, len);
        t->len += len;
    }
    memcpy(t->body + t->len, end, strlen(end));
    t->len += strlen(end);
}

/* A whole upload; 1 when it is what it should be. */
static int run_upload(bench *t, int wanted)
{
    apr_pool_t *p;
    upool_upload *u;
    apr_size_t at;
    int done = 0;

    apr_pool_create(&p, t->k.p);
    u = upool_upload_start(&t->options, p);
    upool_chain_add(
        upool_upload_chain(u), &upool_spool_handler,
        upool_spool_make(upool_upload_bucket(u), upool_upload_refusal(u), p));
    if (!upool_upload_open(u, "b", 1)) {
        for (at = 0; at < t->len; at += 8000) {
            apr_size_t len = t->len - at < 8000 ? t->len - at : 8000;

            if (upool_upload_feed(u, t->body + at, len)
                || upool_upload_flush(u)) {
                break;
            }
        }
        upool_upload_finish(u);
        done = (int)upool_upload_refusal(u)->reason == wanted;
    }
    apr_pool_destroy(p);
    return done;
}

/* --- What is measured: before() is not ------------------------------------ */

static int upload_files(bench *t, int n)
{
    (void)n;
    return run_upload(t, UPOOL_REASON_NONE);
}

static int upload_cut(bench *t, int n)
{
    (void)n;
    return run_upload(t, UPOOL_REASON_TRUNCATED);
}

static void before_files(bench *t, int n)
{
    upool_bucket_remove(t->k.store, ID, t->k.p);
    make_body(t, FILE_PART, n, END);
}

static void before_fields(bench *t, int n)
{
    upool_bucket_remove(t->k.store, ID, t->k.p);
    make_body(t, FIELD, n, END);
}

static void before_cut(bench *t, int n)
{
    upool_bucket_remove(t->k.store, ID, t->k.p);
    make_body(t, FILE_PART, n, "--b");
}

static void before_again(bench *t, int n)
{
    before_files(t, n);
    run_upload(t, UPOOL_REASON_NONE);
}

static upool_record *complete(bench *t)
{
    upool_record *record = NULL;

    return upool_bucket_complete(&record, t->k.store, ID, t->k.p) ? NULL
                                                                  : record;
}

static int view(bench *t, int n)
{
    const upool_record *record = complete(t);

    return record && record->files->nelts == n;
}

static int drop(bench *t, int n)
{
    (void)n;
    return upool_bucket_remove(t->k.store, ID, t->k.p) == APR_SUCCESS;
}

static upool_record *record_of;
static apr_array_header_t *fields_of;

static void before_result(bench *t, int n)
{
    int i;

    record_of = upool_record_make(t->k.p, ID);
    record_of->state = UPOOL_STATE_DONE;
    for (i = 0; i < n; i++) {
        upool_file *file = apr_array_push(record_of->files);

        memset(file, 0, sizeof(*file));
        file->field = "f";
        file->filename = "a \xe2\x82\xac.txt";
        file->safe_filename = "a_.txt";
        file->params = apr_table_make(t->k.p, 1);
        apr_table_setn(file->params, "charset", "utf-8");
        file->digests = apr_array_make(t->k.p, 1, sizeof(upool_digest));
        file->stored =
            apr_psprintf(t->k.p, "%d-0123456789abcdef0123456789abcdef.bin", i);
    }
    fields_of = apr_array_make(t->k.p, n, sizeof(upool_field));
    for (i = 0; i < n; i++) {
        upool_field *field = apr_array_push(fields_of);

        field->name = "a name <&>";
        field->value = "a value \" \\ \xe2\x82\xac";
        field->len = strlen(field->value);
    }
}

static int result(bench *t, int n)
{
    return record_of && record_of->files->nelts == n
           && upool_result_body(record_of, fields_of, "/pool/x", t->k.p) != NULL
           && upool_result_status(record_of, 0, t->k.p) != NULL;
}

static int record_text(bench *t, int n)
{
    upool_record *again = NULL;
    apr_size_t len;
    char *text;
    int done;

    done = record_of && !upool_metadata_encode(&text, &len, record_of);
    if (done) {
        done = !upool_metadata_decode(&again, text, len, ID, t->k.p)
               && again->files->nelts == n;
        free(text);
    }
    return done;
}

static upool_resumable *several;

static void before_ranges(bench *t, int n)
{
    int i;

    several = upool_resumable_make(t->k.p, ID);
    several->protocol = "chunked";
    several->uri = "/u";
    several->length = 100000000;
    several->file.stored = "0-0123456789abcdef0123456789abcdef.bin";
    several->ranges = upool_ranges_make(t->k.p);
    for (i = 1; i <= n; i++) {
        upool_ranges_add(several->ranges, 10 * i, 10 * i + 5);
    }
}

/* Of which each would be in the way of the next: before all, between two. */
static int ranges(bench *t, int n)
{
    upool_ranges_add(several->ranges, 0, 5);
    upool_ranges_add(several->ranges, 5 * n + 6, 5 * n + 7);
    (void)t;
    return upool_ranges_is_sound(several->ranges)
           && upool_ranges_gap(several->ranges, 0) == 5
           && upool_ranges_sum(several->ranges) > 5 * n;
}

static int ranges_text(bench *t, int n)
{
    upool_resumable *again = NULL;
    apr_size_t len;
    char *text;
    int done = !upool_resumable_encode(&text, &len, several);

    if (done) {
        done = !upool_resumable_decode(&again, text, len, ID, t->k.p)
               && again->ranges->nelts == n;
        free(text);
    }
    return done;
}

typedef struct thing {
    const char *name;
    int first;
    void (*before)(bench *t, int n);
    int (*work)(bench *t, int n);
} thing;

static const thing things[] = {
    { "an upload of many files", FEW, before_files, upload_files },
    { "an upload of many fields", MORE, before_fields, upload_files },
    { "many files in place of as many", FEW, before_again, upload_files },
    { "many files, and then the client is gone", FEW, before_cut, upload_cut },
    { "a look at many files", FEW, before_again, view },
    { "many files are removed", FEW, before_again, drop },
    { "the JSON of many files and fields", MORE, before_result, result },
    { "the record of many files", MORE, before_result, record_text },
    { "many ranges, and one more", MORE, before_ranges, ranges },
    { "the record of many ranges", MORE, before_ranges, ranges_text },
};

static void test_thing(bench *t, const thing *what)
{
    unsigned long long before = 0;
    double worst = 0;
    int done = 1;
    int n;

    for (n = what->first; n <= TIMES * what->first; n *= 2) {
        unsigned long long began;
        unsigned long long spent;

        what->before(t, n);
        began = count_now();
        done &= what->work(t, n);
        spent = count_now() - began;
        if (before && (double)spent / (double)before > worst) {
            worst = (double)spent / (double)before;
        }
        before = spent;
    }
    if (!tap_ok(done && worst < COUNT_RATIO,
                "%s: %.2f times the work for twice as many", what->name,
                worst)) {
        tap_diag("%s, at the most %llu steps", done ? "done" : "not done",
                 before);
    }
}

int main(void)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    bench t;
    size_t i;

    memset(&t, 0, sizeof(t));
    kit_start(&t.k);
    limits.parts = 2 * LAST;
    limits.header = 1 << 20;
    t.options.identifier = ID;
    t.options.content_length = -1;
    t.options.limits = limits;
    t.options.store = t.k.store;
    t.options.now = tell_time;
    t.body = malloc((size_t)LAST * EACH);
    if (!t.body) {
        return 1;
    }
    for (i = 0; i < sizeof(things) / sizeof(things[0]); i++) {
        test_thing(&t, &things[i]);
    }
    free(t.body);
    apr_pool_destroy(t.k.p);
    kit_wipe(t.k.root);
    apr_terminate();
    return tap_done();
}
