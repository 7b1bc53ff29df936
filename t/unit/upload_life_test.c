/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Whole uploads over a real directory and a table in plain memory: from start
 * to done or error, and what pollers and the disk say in between. */
#include "upload/upload.h"

#include <store_kit.h>

#include "handlers/builtin.h"

#define ID "upload-1"
#define BODY_HEAD \
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"" \
    "\r\n\r\n"
#define BODY_TAIL "\r\n--b--\r\n"
#define BODY BODY_HEAD "hello" BODY_TAIL

static apr_time_t clock_now;

static apr_time_t tell_time(void)
{
    return clock_now;
}

typedef struct bench {
    kit k;
    void *memory;
    upool_table *table;
    upool_upload_options options;
} bench;

static void bench_start(bench *t)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    apr_size_t bytes = upool_table_bytes(4);

    kit_start(&t->k);
    t->memory = calloc(1, bytes);
    t->table = upool_table_init(t->memory, bytes, 4);
    clock_now = apr_time_from_sec(1700000000);
    memset(&t->options, 0, sizeof(t->options));
    t->options.identifier = ID;
    t->options.content_length = (apr_off_t)strlen(BODY);
    t->options.limits = limits;
    t->options.store = t->k.store;
    t->options.account.table = t->table;
    t->options.account.process = 4711;
    t->options.now = tell_time;
}

static void bench_end(bench *t)
{
    free(t->memory);
    apr_pool_destroy(t->k.p);
    kit_wipe(t->k.root);
    apr_terminate();
}

static apr_pool_t *life(bench *t)
{
    apr_pool_t *p;

    apr_pool_create(&p, t->k.p);
    return p;
}

/* Started, with the spool alone in the chain. */
static upool_upload *start(bench *t, apr_pool_t *p)
{
    upool_upload *upload = upool_upload_start(&t->options, p);

    if (!upool_upload_refusal(upload)->reason) {
        upool_chain_add(upool_upload_chain(upload), &upool_spool_handler,
                        upool_spool_make(upool_upload_bucket(upload),
                                         upool_upload_refusal(upload), p));
    }
    return upload;
}

static upool_reason reason(upool_upload *upload)
{
    return upool_upload_refusal(upload)->reason;
}

/* Started, open and fed; the reason where it was refused. */
static upool_upload *fed(bench *t, apr_pool_t *p, const char *bytes)
{
    upool_upload *upload = start(t, p);

    if (!reason(upload) && !upool_upload_open(upload, "b", 1)
        && !upool_upload_feed(upload, bytes, strlen(bytes))) {
        upool_upload_flush(upload);
    }
    return upload;
}

static upool_upload *whole(bench *t, apr_pool_t *p, const char *body)
{
    upool_upload *upload = fed(t, p, body);

    if (!reason(upload)) {
        upool_upload_finish(upload);
    }
    return upload;
}

/* "uploading 17 a.txt", "error 0 : text", "none": what the table says. */
static const char *slot(bench *t, const char *id)
{
    static const char *const states[] = { "", "uploading", "done", "error" };
    upool_slot_record r;

    if (!upool_table_lookup(t->table, id, &r)) {
        return "none";
    }
    return apr_psprintf(t->k.p, "%s %d %s%s%s", states[r.state],
                        (int)r.received, r.filename, r.error[0] ? ": " : "",
                        r.error);
}

/* Data files of the bucket. */
static int files(bench *t)
{
    const struct dirent *e;
    DIR *d = opendir(kit_in(&t->k, ID, NULL));
    int n = 0;

    while (d && (e = readdir(d)) != NULL) {
        n += strstr(e->d_name, ".bin") != NULL;
    }
    if (d) {
        closedir(d);
    }
    return n;
}

static void test_done(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;
    const upool_record *record;
    const upool_file *file;
    int open_files;

    bench_start(&t);
    open_files = kit_descriptors();
    p = life(&t);
    upload = start(&t, p);
    tap_is_int(reason(upload), 0, "started");
    tap_is_int(upool_upload_has_slot(upload), 1, "with a slot");
    tap_is_str(slot(&t, ID), "uploading 0 ", "seen at once");
    tap_is_str(kit_status(&t.k, ID), "uploading", "on disk too");
    tap_is_int(upool_upload_open(upload, "b", 1), 0, "opened");
    tap_is_int(upool_upload_feed(upload, BODY, strlen(BODY) - 12), 0, "fed");
    tap_is_int(upool_upload_flush(upload), 0, "flushed");
    tap_is_str(
        slot(&t, ID),
        apr_psprintf(t.k.p, "uploading %d a.txt", (int)strlen(BODY) - 12),
        "progress and the name are published");
    upool_upload_feed(upload, &BODY[strlen(BODY) - 12], 12);
    tap_is_int(upool_upload_finish(upload), 0, "finished");
    record = upool_upload_record(upload);
    tap_is_int(record->state, UPOOL_STATE_DONE, "done");
    tap_is_int(record->received, (int)strlen(BODY), "all bytes received");
    tap_is_int(record->size, (int)strlen(BODY), "and that is its size");
    tap_is_int(record->files->nelts, 1, "one file");
    file = &APR_ARRAY_IDX(record->files, 0, upool_file);
    tap_is_str(kit_read_file(&t.k, upool_upload_path(upload, file->stored, p)),
               "hello", "its bytes are at its path");
    tap_is_str(upool_upload_path(upload, NULL, p), kit_in(&t.k, ID, NULL),
               "in the bucket");
    tap_is_int(upool_upload_fields(upload)->nelts, 0, "no fields");
    tap_is_str(slot(&t, ID),
               apr_psprintf(t.k.p, "done %d a.txt", (int)strlen(BODY)),
               "the slot says done");
    tap_is_str(kit_status(&t.k, ID), "done", "so does the disk");
    upool_upload_refuse(upload, UPOOL_REASON_IO, 0, NULL);
    tap_is_int(reason(upload), 0, "done is for good");
    apr_pool_destroy(p);
    tap_is_str(kit_status(&t.k, ID), "done", "after its pool too");
    tap_is_int(kit_descriptors(), open_files, "no descriptor is left");
    bench_end(&t);
}

static void test_busy(void)
{
    bench t;
    apr_pool_t *p;
    apr_pool_t *q;
    upool_upload *first;
    upool_upload *second;

    bench_start(&t);
    p = life(&t);
    q = life(&t);
    first = fed(&t, p, BODY_HEAD "he");
    second = start(&t, q);
    tap_is_int(reason(second), UPOOL_REASON_BUSY, "a second one is refused");
    apr_pool_destroy(q);
    tap_is_str(
        slot(&t, ID),
        apr_psprintf(t.k.p, "uploading %d a.txt", (int)strlen(BODY_HEAD) + 2),
        "the first is seen as it was");
    t.options.account.table = NULL;
    q = life(&t);
    second = start(&t, q);
    tap_is_int(reason(second), UPOOL_REASON_BUSY,
               "also by the bucket's lock, without a table");
    upool_upload_refuse(second, UPOOL_REASON_IO, 0, NULL);
    tap_is_int(reason(second), UPOOL_REASON_BUSY, "the first refusal stands");
    apr_pool_destroy(q);
    upool_upload_feed(first, "llo" BODY_TAIL, strlen("llo" BODY_TAIL));
    tap_is_int(upool_upload_finish(first), 0, "the first goes on to its end");
    tap_is_str(kit_status(&t.k, ID), "done", "done");
    q = life(&t);
    second = start(&t, q);
    tap_is_int(reason(second), UPOOL_REASON_BUSY,
               "its application works on it: a second is refused");
    apr_pool_destroy(q);
    upool_upload_answered(first);
    upool_upload_answered(first);
    q = life(&t);
    second = start(&t, q);
    tap_is_int(reason(second), UPOOL_REASON_NONE,
               "it has answered: not any more");
    apr_pool_destroy(q);
    apr_pool_destroy(p);
    bench_end(&t);
}

static void test_owner(void)
{
    bench t;
    apr_pool_t *p;
    apr_pool_t *q;
    const char *stored;

    bench_start(&t);
    t.options.owner = "alice";
    p = life(&t);
    whole(&t, p, BODY);
    apr_pool_destroy(p);
    stored = kit_data_name(&t.k, ID);
    t.options.owner = "bob";
    p = life(&t);
    tap_is_int(reason(start(&t, p)), UPOOL_REASON_OWNER,
               "another user's upload is not replaced");
    apr_pool_destroy(p);
    t.options.owner = NULL;
    p = life(&t);
    tap_is_int(reason(start(&t, p)), UPOOL_REASON_OWNER, "nor by nobody");
    apr_pool_destroy(p);
    tap_is_str(kit_data_name(&t.k, ID), stored, "its file is there");
    tap_is_str(kit_status(&t.k, ID), "done", "it is done as it was");
    tap_is_str(slot(&t, ID), "none", "the slot does not speak of an upload");
    t.options.owner = "alice";
    p = life(&t);
    tap_is_int(reason(whole(&t, p, BODY)), 0, "the owner may");
    apr_pool_destroy(p);
    p = life(&t);
    fed(&t, p, BODY_HEAD "he");
    t.options.owner = "bob";
    q = life(&t);
    tap_is_int(reason(start(&t, q)), UPOOL_REASON_OWNER,
               "in flight: a stranger does not learn that it is");
    apr_pool_destroy(q);
    t.options.owner = "alice";
    q = life(&t);
    tap_is_int(reason(start(&t, q)), UPOOL_REASON_BUSY, "its owner does");
    apr_pool_destroy(q);
    apr_pool_destroy(p);
    bench_end(&t);
}

static void test_replace(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;
    const char *old;

    bench_start(&t);
    p = life(&t);
    whole(&t, p, BODY);
    apr_pool_destroy(p);
    old = kit_data_name(&t.k, ID);
    p = life(&t);
    upload = fed(&t, p, BODY_HEAD "hello again");
    tap_ok(kit_exists(kit_in(&t.k, ID, old)),
           "the old file is there while the new one comes");
    upool_upload_refuse(upload, UPOOL_REASON_GONE, 0, NULL);
    apr_pool_destroy(p);
    tap_ok(kit_exists(kit_in(&t.k, ID, old)),
           "and stays when the new one fails");
    tap_is_int(files(&t), 1, "it alone");
    p = life(&t);
    tap_is_int(reason(whole(&t, p, BODY_HEAD "second" BODY_TAIL)), 0,
               "replaced");
    apr_pool_destroy(p);
    tap_ok(!kit_exists(kit_in(&t.k, ID, old)), "the old file goes");
    tap_is_int(files(&t), 1, "one is there");
    tap_ok(strcmp(kit_data_name(&t.k, ID), old) != 0, "by another name");
    tap_is_str(kit_read_file(&t.k, kit_in(&t.k, ID, kit_data_name(&t.k, ID))),
               "second", "with the new bytes");
    bench_end(&t);
}

static void expect_error(bench *t, upool_upload *upload, upool_reason why,
                         const char *name)
{
    const upool_refusal *refusal = upool_upload_refusal(upload);

    tap_is_int(refusal->reason, why, "%s: refused", name);
    tap_is_int(upool_upload_record(upload)->state, UPOOL_STATE_ERROR,
               "an error");
    tap_is_int(files(t), 0, "no file is left");
    tap_is_str(kit_status(&t->k, ID),
               apr_pstrcat(t->k.p, "error: ", refusal->text, NULL),
               "the disk says why");
    tap_ok(strstr(slot(t, ID), refusal->text) != NULL, "so does the slot");
}

static void test_refusals(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    t.options.limits.body = (apr_int64_t)strlen(BODY) - 1;
    p = life(&t);
    upload = start(&t, p);
    upool_upload_open(upload, "b", 1);
    expect_error(&t, upload, UPOOL_REASON_BODY_TOO_LARGE, "announced too long");
    tap_is_str(upool_upload_refusal(upload)->detail, "announced", "by length");
    apr_pool_destroy(p);
    t.options.content_length = -1;
    p = life(&t);
    expect_error(&t, whole(&t, p, BODY), UPOOL_REASON_BODY_TOO_LARGE,
                 "too long without announcing it");
    apr_pool_destroy(p);
    t.options.limits.body++;
    p = life(&t);
    tap_is_int(reason(whole(&t, p, BODY)), 0, "exactly the limit passes");
    apr_pool_destroy(p);
    bench_end(&t);
}

static void test_malformed(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    p = life(&t);
    upload = fed(&t, p, BODY_HEAD "hello");
    tap_is_int(upool_upload_finish(upload), 1, "a body without its end");
    expect_error(&t, upload, UPOOL_REASON_TRUNCATED, "truncated");
    apr_pool_destroy(p);
    p = life(&t);
    expect_error(&t, whole(&t, p, BODY_HEAD "hello\r\n--bad\r\n"),
                 UPOOL_REASON_DELIMITER, "malformed in the middle");
    apr_pool_destroy(p);
    p = life(&t);
    upload = fed(&t, p, BODY_HEAD "hello");
    upool_upload_refuse(upload, UPOOL_REASON_TIMEOUT, 0, NULL);
    upool_upload_refuse(upload, UPOOL_REASON_GONE, 0, NULL);
    expect_error(&t, upload, UPOOL_REASON_TIMEOUT, "refused from outside");
    tap_ok(upool_upload_feed(upload, "x", 1) && upool_upload_flush(upload)
               && upool_upload_finish(upload),
           "nothing goes on with it");
    apr_pool_destroy(p);
    p = life(&t);
    tap_is_int(reason(whole(&t, p, BODY)), 0,
               "the identifier can be used again at once");
    tap_is_str(kit_status(&t.k, ID), "done", "and is done then");
    apr_pool_destroy(p);
    bench_end(&t);
}

static void test_cleared(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    p = life(&t);
    upload = fed(&t, p, BODY_HEAD "he");
    tap_is_int(upool_table_drop(t.table, ID), 1, "dropped in the middle");
    upool_bucket_remove(t.k.store, ID, p);
    upool_upload_feed(upload, "llo", 3);
    tap_is_int(upool_upload_flush(upload), 1, "the writer learns of it");
    tap_is_int(reason(upload), UPOOL_REASON_CLEARED, "cleared");
    apr_pool_destroy(p);
    tap_is_int(kit_count(t.k.dir), 0, "nothing is left in the pool");
    tap_is_str(slot(&t, ID), "none", "nor in the table");
    p = life(&t);
    upload = fed(&t, p, BODY);
    upool_bucket_remove(t.k.store, ID, p);
    tap_is_int(upool_upload_finish(upload), 1, "cleared before the commit");
    tap_is_int(reason(upload), UPOOL_REASON_CLEARED, "cleared");
    apr_pool_destroy(p);
    tap_is_int(kit_count(t.k.dir), 0, "nothing is left");
    bench_end(&t);
}

/* A file that begins after the bucket went: not an error of the server. */
static void test_cleared_between_files(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;
    const char *next = "\r\n" BODY_HEAD "x";

    bench_start(&t);
    p = life(&t);
    upload = fed(&t, p, BODY_HEAD "he");
    upool_bucket_remove(t.k.store, ID, p);
    tap_is_int(upool_upload_feed(upload, next, strlen(next)), 1,
               "the next file cannot begin");
    tap_is_int(reason(upload), UPOOL_REASON_CLEARED, "because it was cleared");
    apr_pool_destroy(p);
    tap_is_int(kit_count(t.k.dir), 0, "nothing is left");
    bench_end(&t);
}

static void test_pool_cleanup(void)
{
    bench t;
    apr_pool_t *p;
    int open_files;

    bench_start(&t);
    open_files = kit_descriptors();
    p = life(&t);
    fed(&t, p, BODY_HEAD "hello");
    tap_is_int(files(&t), 1, "a file is being written");
    apr_pool_destroy(p);
    tap_is_int(files(&t), 0, "it goes with the pool");
    tap_is_str(kit_status(&t.k, ID), "error: Upload was interrupted",
               "the disk says why");
    tap_ok(!strncmp(slot(&t, ID), "error ", 6), "the slot says error");
    tap_is_int(kit_descriptors(), open_files, "no descriptor is left");
    bench_end(&t);
}

/* What a handler may rely on while it is interrupted: that all it made in the
 * upload's pool is still there, sub-pools too. */
typedef struct tenant {
    apr_pool_t *own;
    int cleaned; /* its own cleanup ran */
    int when;    /* cleaned, at the time of upload_interrupted */
    int told;
} tenant;

static apr_status_t tenant_cleanup(void *arg)
{
    ((tenant *)arg)->cleaned = 1;
    return APR_SUCCESS;
}

static upload_pool_verdict tenant_raw(upload_pool_instance *self)
{
    tenant *data = self->data;

    apr_pool_create(&data->own, self->request->pool);
    apr_pool_cleanup_register(data->own, data, tenant_cleanup,
                              apr_pool_cleanup_null);
    return UPLOAD_POOL_GO_ON;
}

static void tenant_interrupted(upload_pool_instance *self,
                               upload_pool_file *file)
{
    tenant *data = self->data;

    (void)file;
    data->told++;
    data->when = data->cleaned;
}

static const upload_pool_handler tenant_handler = {
    .name = "tenant",
    .handle_raw_input = tenant_raw,
    .upload_interrupted = tenant_interrupted,
};

static void test_interrupted_first(void)
{
    bench t;
    tenant data = { NULL, 0, -1, 0 };
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    p = life(&t);
    upload = start(&t, p);
    upool_chain_add(upool_upload_chain(upload), &tenant_handler, &data);
    upool_upload_open(upload, "b", 1);
    apr_pool_destroy(p);
    tap_is_int(data.told, 1, "a handler learns that the pool goes");
    tap_is_int(data.when, 0, "before what it made there goes");
    tap_is_int(data.cleaned, 1, "which then does");
    bench_end(&t);
}

/* Four slots, all taken by uploads under way. */
static void fill_table(bench *t)
{
    int i;

    for (i = 0; i < 4; i++) {
        upool_ticket ticket;

        upool_table_claim(t->table, apr_psprintf(t->k.p, "other-%d", i), NULL,
                          1, 4711, clock_now, NULL, &ticket);
    }
}

static void test_table_full(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;
    upool_record *record = NULL;

    bench_start(&t);
    fill_table(&t);
    p = life(&t);
    upload = fed(&t, p, BODY_HEAD);
    tap_is_int(reason(upload), 0, "an upload without a slot goes on");
    tap_is_str(slot(&t, ID), "none", "it has none");
    tap_is_int(upool_upload_has_slot(upload), 0, "and knows it");
    tap_ok(kit_exists(kit_in(&t.k, ID, "attempt.json")), "but a note on disk");
    clock_now += apr_time_from_sec(2);
    upool_upload_feed(upload, "hello", 5);
    upool_upload_flush(upload);
    upool_bucket_status(&record, t.k.store, ID, t.k.p);
    tap_is_int(record ? record->state : 0, UPOOL_STATE_UPLOADING, "uploading");
    tap_is_int(record ? record->received : 0, (int)strlen(BODY_HEAD) + 5,
               "renewed after a while");
    tap_is_str(record ? record->filename : "", "a.txt", "with its name");
    upool_upload_feed(upload, BODY_TAIL, strlen(BODY_TAIL));
    tap_is_int(upool_upload_finish(upload), 0, "done");
    tap_ok(!kit_exists(kit_in(&t.k, ID, "attempt.json")), "the note is gone");
    apr_pool_destroy(p);
    bench_end(&t);
}

/* Nobody can tell a writer without a slot; it finds out by its notes. */
static void test_cleared_without_slot(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    fill_table(&t);
    p = life(&t);
    upload = fed(&t, p, BODY_HEAD);
    upool_bucket_remove(t.k.store, ID, p);
    clock_now += apr_time_from_sec(2);
    upool_upload_feed(upload, "hello", 5);
    tap_is_int(upool_upload_flush(upload), 1, "cleared without a slot");
    tap_is_int(reason(upload), UPOOL_REASON_CLEARED, "the writer learns of it");
    apr_pool_destroy(p);
    tap_is_int(kit_count(t.k.dir), 0, "nothing is left");
    bench_end(&t);
}

static void test_pool_gone(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    kit_wipe(t.k.dir);
    p = life(&t);
    upload = start(&t, p);
    tap_is_int(reason(upload), UPOOL_REASON_IO, "no pool to write into");
    tap_is_int(upool_upload_refusal(upload)->status, 500, "500");
    tap_ok(upool_upload_refusal(upload)->detail != NULL, "the log learns why");
    tap_ok(!strstr(upool_upload_refusal(upload)->text, t.k.dir), "nobody else");
    tap_ok(strstr(slot(&t, ID), "Upload server error") != NULL,
           "pollers see an error");
    apr_pool_destroy(p);
    bench_end(&t);
}

/* Fields and inline files draw on one budget. */
static void test_memory(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;
    const upool_file *file;
    const char *body =
        "--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\n1234"
        "\r\n" BODY_HEAD "hello" BODY_TAIL;

    bench_start(&t);
    t.options.limits.fields = 10;
    t.options.content_length = -1;
    p = life(&t);
    upload = upool_upload_start(&t.options, p);
    upool_chain_add(upool_upload_chain(upload), &upool_inline_handler,
                    upool_inline_make(100, upool_upload_memory(upload),
                                      upool_upload_refusal(upload), p));
    upool_upload_open(upload, "b", 1);
    upool_upload_feed(upload, body, strlen(body));
    tap_is_int(upool_upload_finish(upload), 0, "a field and a file in memory");
    tap_is_int(*upool_upload_memory(upload), 1, "one byte of ten is left");
    file = &APR_ARRAY_IDX(upool_upload_record(upload)->files, 0, upool_file);
    tap_ok(file->size == 5 && memcmp(file->content, "hello", 5) == 0,
           "the file's bytes are in the record");
    tap_is_int(files(&t), 0, "and in no file");
    tap_is_str(kit_status(&t.k, ID), "done", "done");
    apr_pool_destroy(p);
    t.options.limits.fields = UPOOL_UNLIMITED;
    p = life(&t);
    tap_is_int(*upool_upload_memory(start(&t, p)), 1 << 30,
               "no limit does not mean without end");
    apr_pool_destroy(p);
    bench_end(&t);
}

/* A form that may be a piece: held, and then opened or let go. */
static void test_withdrawn(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    t.options.undecided = 1;
    p = life(&t);
    upload = start(&t, p);
    tap_is_int(upool_upload_admit(upload), 0, "admitted");
    tap_is_int(upool_upload_admit(upload), 0, "which asks once");
    tap_is_str(kit_status(&t.k, ID), "uploading", "it holds its identifier");
    tap_is_int(upool_upload_flush(upload), 0, "and lives while it waits");
    tap_is_int(reason(start(&t, p)), UPOOL_REASON_BUSY, "nobody else has it");
    upool_upload_withdraw(upload);
    tap_is_str(kit_status(&t.k, ID), "none", "let go: there was nothing");
    tap_is_str(slot(&t, ID), "none", "nor in the table");
    tap_is_int(upool_upload_feed(upload, "x", 1), 1, "it takes no byte");
    tap_is_int(reason(upload), 0, "but was not refused");
    upload = start(&t, p);
    upool_upload_admit(upload);
    upool_upload_open(upload, "b", 1);
    upool_upload_withdraw(upload);
    upool_upload_feed(upload, BODY, strlen(BODY));
    tap_is_int(upool_upload_finish(upload), 0, "one that is open stays one");
    apr_pool_destroy(p);
    p = life(&t);
    upload = start(&t, p);
    upool_upload_withdraw(upload);
    tap_is_str(kit_status(&t.k, ID), "done", "what was complete before stays");
    apr_pool_destroy(p);
    bench_end(&t);
    bench_start(&t);
    p = life(&t);
    t.options.limits.body = 3;
    upload = start(&t, p);
    tap_is_int(upool_upload_admit(upload), 1, "too much");
    expect_error(&t, upload, UPOOL_REASON_BODY_TOO_LARGE, "announced");
    apr_pool_destroy(p);
    bench_end(&t);
}

/* What begins with its end has nothing in it. */
static void test_nothing(void)
{
    bench t;
    apr_pool_t *p;
    upool_upload *upload;

    bench_start(&t);
    p = life(&t);
    upload = whole(&t, p, "--b--\r\n" BODY);
    tap_is_int(reason(upload), 0, "a closing delimiter and an epilogue");
    tap_is_int(upool_upload_has_parts(upload), 0, "nothing was found");
    upool_upload_answered(upload);
    upload = whole(&t, p, BODY);
    tap_is_int(upool_upload_has_parts(upload), 1, "now something was");
    apr_pool_destroy(p);
    bench_end(&t);
}

static upload_pool_verdict say_no(upload_pool_instance *self)
{
    self->text = "No";
    self->status = 451;
    return UPLOAD_POOL_STOP;
}

static const upload_pool_handler no_at_start = { .name = "no",
                                                 .handle_raw_input = say_no };
static const upload_pool_handler no_at_end = { .name = "no",
                                               .upload_complete = say_no };

static void test_handlers(void)
{
    const upload_pool_handler *handlers[] = { &no_at_start, &no_at_end };
    bench t;
    int i;

    bench_start(&t);
    for (i = 0; i < 2; i++) {
        apr_pool_t *p = life(&t);
        upool_upload *upload = start(&t, p);

        upool_chain_add(upool_upload_chain(upload), handlers[i], NULL);
        if (!upool_upload_open(upload, "b", 1)) {
            upool_upload_feed(upload, BODY, strlen(BODY));
            tap_is_int(upool_upload_finish(upload), 1, "refused at the end");
        }
        expect_error(&t, upload, UPOOL_REASON_HANDLER, i ? "late" : "early");
        tap_is_int(upool_upload_refusal(upload)->status, 451, "its status");
        apr_pool_destroy(p);
    }
    bench_end(&t);
}

int main(void)
{
    test_done();
    test_withdrawn();
    test_nothing();
    test_busy();
    test_owner();
    test_replace();
    test_refusals();
    test_malformed();
    test_cleared();
    test_cleared_between_files();
    test_pool_cleanup();
    test_interrupted_first();
    test_table_full();
    test_cleared_without_slot();
    test_pool_gone();
    test_memory();
    test_handlers();
    return tap_done();
}
