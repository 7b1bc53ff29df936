/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Bodies to files and fields: what the record says of them, limits, refusals,
 * and that it does not matter where the bytes are cut. */
#include "upload/form.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

/* Keeps every file as text; points to the bytes until it is flushed, as the
 * spool does. */
typedef struct keeper {
    const char *held[4096];
    apr_size_t lens[4096];
    int count;
    char *text;
    apr_size_t len;
    int interrupted; /* how often */
} keeper;

static void use_held(keeper *k)
{
    int i;

    for (i = 0; i < k->count; i++) {
        k->text = realloc(k->text, k->len + k->lens[i] + 1);
        memcpy(k->text + k->len, k->held[i], k->lens[i]);
        k->len += k->lens[i];
    }
    k->count = 0;
}

static upload_pool_verdict keeper_new(upload_pool_instance *self,
                                      upload_pool_file *file)
{
    keeper *k = self->data;

    k->len = 0;
    k->count = 0;
    return strcmp(file->filename, "skip") ? UPLOAD_POOL_GO_ON
                                          : UPLOAD_POOL_SKIP_FILE;
}

static upload_pool_verdict keeper_chunk(upload_pool_instance *self,
                                        upload_pool_file *file,
                                        const char **data, apr_size_t *len,
                                        apr_off_t offset)
{
    keeper *k = self->data;

    (void)file;
    (void)offset;
    if (k->count == 4096) {
        return UPLOAD_POOL_STOP;
    }
    k->held[k->count] = *data;
    k->lens[k->count++] = *len;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict keeper_flush(upload_pool_instance *self)
{
    use_held(self->data);
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict keeper_end(upload_pool_instance *self,
                                      upload_pool_file *file, apr_off_t size,
                                      upload_pool_kept *kept)
{
    keeper *k = self->data;

    use_held(k);
    if (size != (apr_off_t)k->len) {
        return UPLOAD_POOL_STOP;
    }
    kept->content = apr_pstrmemdup(file->pool, k->len ? k->text : "", k->len);
    return UPLOAD_POOL_GO_ON;
}

static void keeper_interrupted(upload_pool_instance *self,
                               upload_pool_file *file)
{
    (void)file;
    ((keeper *)self->data)->interrupted++;
}

static const upload_pool_handler keeper_handler = {
    .name = "keeper",
    .new_file = keeper_new,
    .receive_data_chunk = keeper_chunk,
    .flush = keeper_flush,
    .file_complete = keeper_end,
    .upload_interrupted = keeper_interrupted,
};

typedef struct bench {
    apr_pool_t *p;
    upload_pool_request request;
    upool_refusal refusal;
    upool_limits limits;
    apr_int64_t memory;
    keeper keeper;
    upool_form_parts parts;
    upool_form *form;
    int named; /* how often the names became known */
} bench;

static void on_named(void *user)
{
    ((bench *)user)->named++;
}

static void bench_start(bench *t, const upool_limits *limits)
{
    memset(t, 0, sizeof(*t));
    apr_pool_create(&t->p, NULL);
    t->request.pool = t->p;
    t->refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    t->limits = *limits;
    t->memory = limits->fields;
    t->parts.chain = upool_chain_make(&t->request, &t->refusal, t->p);
    upool_chain_add(t->parts.chain, &keeper_handler, &t->keeper);
    t->parts.fields = upool_fields_make(&t->limits, &t->memory, t->p);
    t->parts.record = upool_record_make(t->p, "id");
    t->parts.refusal = &t->refusal;
    t->parts.limits = &t->limits;
    t->parts.p = t->p;
    t->parts.named = on_named;
    t->parts.user = t;
    t->form = upool_form_make("b", 1, &t->parts);
    upool_chain_open(t->parts.chain);
}

static void bench_end(bench *t)
{
    free(t->keeper.text);
    apr_pool_destroy(t->p);
}

/* Feeds bytes from memory of their own, which goes bad behind the flush. */
static int feed_copy(bench *t, const char *bytes, apr_size_t len)
{
    char *copy = malloc(len + 1);
    int stop;

    memcpy(copy, bytes, len);
    stop = upool_form_feed(t->form, copy, len)
           || upool_chain_flush(t->parts.chain);
    memset(copy, '?', len);
    free(copy);
    return stop;
}

/* The whole body in pieces; 1 when refused. */
static int feed_all(bench *t, const char *body, apr_size_t len,
                    apr_size_t piece)
{
    apr_size_t at;

    for (at = 0; at < len; at += piece) {
        if (feed_copy(t, body + at, len - at < piece ? len - at : piece)) {
            return 1;
        }
    }
    return upool_form_end(t->form);
}

/* All that has become of the body, as one line. */
static const char *told(const bench *t)
{
    const apr_array_header_t *files = t->parts.record->files;
    const apr_array_header_t *fields = upool_fields_list(t->parts.fields);
    const char *line = apr_psprintf(
        t->p, "%s|%s|%d|%d", t->parts.record->filename,
        t->parts.record->content_type, t->named, t->refusal.reason);
    int i;

    for (i = 0; i < files->nelts; i++) {
        const upool_file *f = &APR_ARRAY_IDX(files, i, upool_file);

        line = apr_psprintf(t->p, "%s [%s %s %s %s %d '%s']", line, f->field,
                            f->filename, f->safe_filename,
                            f->content_type ? f->content_type : "-",
                            (int)f->size, f->content);
    }
    for (i = 0; i < fields->nelts; i++) {
        const upool_field *f = &APR_ARRAY_IDX(fields, i, upool_field);

        line = apr_psprintf(t->p, "%s (%s=%s)", line, f->name, f->value);
    }
    return line;
}

#define DISPOSITION "Content-Disposition: form-data; name="
#define PART(head, bytes) "--b\r\n" DISPOSITION head "\r\n\r\n" bytes "\r\n"
#define END "--b--\r\n"

static const upool_limits usual = UPOOL_LIMITS_DEFAULT;

static const char *outcome_of(const char *body, const upool_limits *limits,
                              int *refused, upool_reason *reason)
{
    static char line[8192];
    bench t;

    bench_start(&t, limits);
    *refused = feed_all(&t, body, strlen(body), 65536);
    *reason = t.refusal.reason;
    apr_cpystrn(line, told(&t), sizeof(line));
    bench_end(&t);
    return line;
}

typedef struct row {
    const char *name;
    const char *body;
    const char *told;
} row;

/* clang-format off */
static const row forms[] = {
    { "no part", END, "||0|0" },
    { "a field", PART("\"t\"", "v") END, "||0|0 (t=v)" },
    { "a file", PART("\"f\"; filename=\"a.txt\"", "hello") END,
      "a.txt|application/octet-stream|1|0 [f a.txt a.txt - 5 'hello']" },
    { "its type", PART("\"f\"; filename=\"a b/<c>.txt\"\r\n"
                       "Content-Type: Text/Plain; charset=utf-8", "") END,
      "a b/<c>.txt|text/plain|1|0 [f a b/<c>.txt a_b_c.txt text/plain 0 '']" },
    { "fields and files in any order",
      PART("\"t\"", "1") PART("\"f\"; filename=\"x\"", "X")
      PART("\"t\"", "2") PART("\"g\"; filename=\"y\"", "Y")
      PART("\"f\"; filename=\"z\"", "") END,
      "x|application/octet-stream|1|0 [f x x - 1 'X'] [g y y - 1 'Y']"
      " [f z z - 0 ''] (t=1) (t=2)" },
    { "an empty file input",
      PART("\"f\"; filename=\"\"", "") PART("\"t\"", "v") END, "||0|0 (t=v)" },
    { "an empty input, then a file",
      PART("\"f\"; filename=\"\"", "") PART("\"f\"; filename=\"x\"", "X") END,
      "x|application/octet-stream|1|0 [f x x - 1 'X']" },
    { "no name but content", PART("\"f\"; filename=\"\"", "data") END,
      "|application/octet-stream|1|0 [f  file - 4 'data']" },
    { "a skipped file", PART("\"f\"; filename=\"skip\"", "gone")
      PART("\"f\"; filename=\"x\"", "X") END,
      "x|application/octet-stream|2|0 [f x x - 1 'X']" },
    { "data like a delimiter",
      PART("\"f\"; filename=\"x\"", "\r\n--\r\n-\r\r\n--a\r\n--") END,
      "x|application/octet-stream|1|0 [f x x - 17 '\r\n--\r\n-\r\r\n--a\r\n--']" },
};

typedef struct refused_row {
    const char *name;
    const char *body;
    upool_reason reason;
} refused_row;

static const refused_row refusals[] = {
    { "nothing", "", UPOOL_REASON_NO_DELIMITER },
    { "other text", "hello", UPOOL_REASON_NO_DELIMITER },
    { "no end", PART("\"t\"", "v"), UPOOL_REASON_TRUNCATED },
    { "no header", "--b\r\n\r\nv\r\n" END, UPOOL_REASON_HEADER },
    { "no name", "--b\r\nContent-Disposition: form-data\r\n\r\nv\r\n" END,
      UPOOL_REASON_HEADER },
    { "two names", PART("\"a\"; name=\"b\"", "v") END, UPOOL_REASON_HEADER },
    { "text behind a boundary", "--b\r\n" DISPOSITION "\"t\"\r\n\r\nv\r\n--bx",
      UPOOL_REASON_DELIMITER },
    { "base64", PART("\"f\"; filename=\"x\"\r\n"
                     "Content-Transfer-Encoding: base64", "aGk=") END,
      UPOOL_REASON_PART_CODING },
};
/* clang-format on */

static void test_forms(void)
{
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        upool_reason reason;
        int refused;

        tap_is_str(outcome_of(forms[i].body, &usual, &refused, &reason),
                   forms[i].told, "%s", forms[i].name);
        tap_is_int(refused, 0, "is not refused");
    }
}

static void test_refusals(void)
{
    size_t i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        upool_reason reason;
        int refused;

        outcome_of(refusals[i].body, &usual, &refused, &reason);
        tap_is_int(refused, 1, "%s: refused", refusals[i].name);
        tap_is_int(reason, refusals[i].reason, "for the right reason");
    }
}

/* Cut in two at every byte, and in equal pieces of every size. */
static void test_every_split(void)
{
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *body = forms[i].body;
        apr_size_t len = strlen(body);
        apr_size_t at;
        int bad = 0;

        for (at = 1; at <= len; at++) {
            bench two;
            bench many;

            bench_start(&two, &usual);
            bad += feed_copy(&two, body, at)
                   || feed_copy(&two, body + at, len - at)
                   || upool_form_end(two.form)
                   || strcmp(told(&two), forms[i].told) != 0;
            bench_end(&two);
            bench_start(&many, &usual);
            bad += feed_all(&many, body, len, at)
                   || strcmp(told(&many), forms[i].told) != 0;
            bench_end(&many);
        }
        tap_is_int(bad, 0, "%s: the same wherever it is cut", forms[i].name);
    }
}

/* A truncation at any byte is refused, and nothing crashes. */
static void test_every_truncation(void)
{
    const char *body = forms[4].body;
    apr_size_t len = strlen(body) - strlen("--\r\n");
    apr_size_t at;
    int good = 0;

    for (at = 0; at <= len; at++) {
        bench t;

        bench_start(&t, &usual);
        good += !feed_all(&t, body, at, 7);
        good += t.refusal.reason == UPOOL_REASON_NONE;
        bench_end(&t);
    }
    tap_is_int(good, 0, "every one of %d truncations is refused", (int)len);
}

static upool_reason reason_with(const char *body, const upool_limits *limits)
{
    upool_reason reason;
    int refused;

    outcome_of(body, limits, &refused, &reason);
    return refused ? reason : UPOOL_REASON_NONE;
}

static void test_limits(void)
{
    const char *file = PART("\"f\"; filename=\"x\"", "12345678") END;
    const char *field = PART("\"t\"", "1234") PART("\"u\"", "5678") END;
    apr_int64_t block = (apr_int64_t)strlen(DISPOSITION "\"t\"\r\n");
    upool_limits limits = usual;

    limits.file = 8;
    tap_is_int(reason_with(file, &limits), 0, "a file of its limit");
    limits.file = 7;
    tap_is_int(reason_with(file, &limits), UPOOL_REASON_FILE_TOO_LARGE,
               "one byte over");
    limits = usual;
    limits.field = 4;
    limits.fields = 8;
    tap_is_int(reason_with(field, &limits), 0, "fields of their limits");
    limits.fields = 7;
    tap_is_int(reason_with(field, &limits), UPOOL_REASON_FIELDS_TOO_LARGE,
               "one byte over in sum");
    limits.field = 3;
    tap_is_int(reason_with(field, &limits), UPOOL_REASON_FIELD_TOO_LARGE,
               "one byte over in one");
    tap_is_int(reason_with(file, &limits), 0, "a file is no field");
    limits = usual;
    limits.parts = 2;
    tap_is_int(reason_with(field, &limits), 0, "two parts");
    limits.parts = 1;
    tap_is_int(reason_with(field, &limits), UPOOL_REASON_TOO_MANY_PARTS,
               "one too many");
    limits = usual;
    limits.header = block;
    tap_is_int(reason_with(field, &limits), 0, "headers of their limit");
    limits.header = block - 1;
    tap_is_int(reason_with(field, &limits), UPOOL_REASON_HEADER_TOO_LARGE,
               "one byte over");
}

/* A block that comes in pieces and does not fit the parser's own memory. */
static void test_long_header(void)
{
    apr_pool_t *p;
    char *name;
    const char *body;
    bench t;

    apr_pool_create(&p, NULL);
    name = apr_pcalloc(p, 5001);
    memset(name, 'n', 5000);
    body = apr_pstrcat(p, "--b\r\n" DISPOSITION "\"", name,
                       "\"\r\n\r\nv\r\n" END, NULL);
    bench_start(&t, &usual);
    tap_is_int(feed_all(&t, body, strlen(body), 3), 0, "a long header block");
    tap_is_str(
        APR_ARRAY_IDX(upool_fields_list(t.parts.fields), 0, upool_field).name,
        name, "comes out whole");
    bench_end(&t);
    bench_start(&t, &usual);
    tap_is_int(feed_copy(&t, body, 3000), 0, "one that never ends");
    bench_end(&t);
    apr_pool_destroy(p);
}

/* The handlers learn of a skipped file, and of nothing else. */
/* The record keeps names, and everybody who asks for it reads them. */
static void test_long_names(void)
{
    static char name[10001];
    static char part[sizeof(name) + 100];
    bench t;
    int refused = 0;
    int files = 0;

    memset(name, 'n', sizeof(name) - 1);
    snprintf(part, sizeof(part), PART("\"f\"; filename=\"%s\"", "x"), name);
    bench_start(&t, &usual);
    while (!refused && files < 100) {
        refused = feed_copy(&t, part, strlen(part));
        files++;
    }
    /* Of 256 KiB; its delimiter ends each but the last. */
    tap_is_int(files, 27, "names of 26 files of 10,000 bytes are kept");
    tap_is_int(t.refusal.reason, UPOOL_REASON_HEADER_TOO_LARGE, "not of more");
    tap_is_str(t.refusal.detail, "names of files", "for that");
    bench_end(&t);
}

static void test_skip(void)
{
    const char *body = forms[8].body;
    bench t;

    bench_start(&t, &usual);
    feed_all(&t, body, strlen(body), 5);
    tap_is_int(t.keeper.interrupted, 1, "told once of the file skipped");
    bench_end(&t);
}

static void test_after_refusal(void)
{
    bench t;

    bench_start(&t, &usual);
    feed_copy(&t, "--bx", 4);
    tap_is_int(t.refusal.reason, UPOOL_REASON_DELIMITER, "refused");
    tap_ok(strstr(t.refusal.detail, "at byte ") != NULL,
           "the log learns where");
    tap_is_int(upool_form_feed(t.form, "x", 1), 1, "stays refused");
    tap_is_int(upool_form_end(t.form), 1, "to the end");
    tap_is_int(t.refusal.reason, UPOOL_REASON_DELIMITER,
               "for the first reason");
    bench_end(&t);
}

int main(void)
{
    apr_initialize();
    test_forms();
    test_refusals();
    test_every_split();
    test_every_truncation();
    test_limits();
    test_long_header();
    test_long_names();
    test_skip();
    test_after_refusal();
    apr_terminate();
    return tap_done();
}
