/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A chunk in a form, and the choice between a form and a chunk: what goes on
 * to which sink, in whatever pieces the body comes. */
#include "upload/choice.h"
#include "upload/chunk.h"

#include <stdlib.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "tap.h"

/* A sink that keeps what it is told. */
typedef struct keeper {
    char data[4096];
    apr_size_t len;
    int flushes, finishes, refusals;
    apr_size_t most; /* it refuses more; 0: no limit */
    upool_refusal refusal;
} keeper;

static int keeper_refuse(keeper *k, upool_reason reason)
{
    if (k->refusal.reason == UPOOL_REASON_NONE) {
        k->refusal = upool_refusal_make(reason, 0, NULL);
    }
    return 1;
}

static int k_feed(void *self, const char *data, apr_size_t len)
{
    keeper *k = self;

    if (k->refusal.reason) {
        return 1;
    }
    if (k->most && k->len + len > k->most) {
        return keeper_refuse(k, UPOOL_REASON_FULL);
    }
    memcpy(k->data + k->len, data, len);
    k->len += len;
    k->data[k->len] = '\0';
    return 0;
}

static int k_flush(void *self)
{
    keeper *k = self;

    k->flushes++;
    return k->refusal.reason != UPOOL_REASON_NONE;
}

static int k_finish(void *self)
{
    keeper *k = self;

    k->finishes++;
    return k->refusal.reason != UPOOL_REASON_NONE;
}

static void k_refuse(void *self, upool_reason reason, apr_status_t rv,
                     const char *detail)
{
    keeper *k = self;

    (void)rv;
    (void)detail;
    k->refusals++;
    keeper_refuse(k, reason);
}

static int k_unwanted(void *self)
{
    keeper *k = self;

    return k->refusal.reason != UPOOL_REASON_NONE;
}

static apr_off_t k_received(const void *self)
{
    const keeper *k = self;

    return (apr_off_t)k->len;
}

static const upool_refusal *k_refusal(void *self)
{
    keeper *k = self;

    return &k->refusal;
}

static const upool_sink_ops keeper_ops = {
    .feed = k_feed,
    .flush = k_flush,
    .finish = k_finish,
    .refuse = k_refuse,
    .is_unwanted = k_unwanted,
    .received = k_received,
    .refusal = k_refusal,
};

/* What the owner of a chunk was asked, and what it says. */
typedef struct owner {
    keeper inner;
    upool_chunk *chunk;
    int begun, ended, had_file;
    int fields_before;
    const char *filename, *field, *type;
    const apr_table_t *params; /* of type */
    apr_off_t length;
    upool_reason refuses_begin, refuses_end;
} owner;

static int begins(void *user, const upool_file *file, upool_sink *inner,
                  apr_off_t *length, upool_refusal *refusal)
{
    owner *o = user;

    o->begun++;
    o->filename = file->filename;
    o->field = file->field;
    o->type = file->content_type;
    o->params = file->params;
    o->fields_before = upool_chunk_fields(o->chunk)->nelts;
    if (o->refuses_begin) {
        *refusal = upool_refusal_make(o->refuses_begin, 0, NULL);
        return 1;
    }
    inner->ops = &keeper_ops;
    inner->self = &o->inner;
    *length = o->length;
    return 0;
}

static int ends(void *user, int has_file, upool_refusal *refusal)
{
    owner *o = user;

    o->ended++;
    o->had_file = has_file;
    if (o->refuses_end) {
        *refusal = upool_refusal_make(o->refuses_end, 0, NULL);
        return 1;
    }
    return 0;
}

#define FIELD(name, value) \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value \
    "\r\n"
#define FILE_PART(filename, type, content) \
    "--b\r\nContent-Disposition: form-data; name=\"file\"; " \
    "filename=\"" filename "\"\r\n" type "\r\n" content "\r\n"
#define END "--b--\r\n"
#define TYPE "Content-Type: text/plain\r\n"

static upool_chunk_options options_of(owner *o)
{
    upool_chunk_options options;
    upool_limits limits = UPOOL_LIMITS_DEFAULT;

    memset(&options, 0, sizeof(options));
    options.boundary = "b";
    options.boundary_len = 1;
    options.limits = limits;
    options.begins = begins;
    options.ends = ends;
    options.user = o;
    return options;
}

/* Feeds body in pieces of step bytes, flushing after each.  Returns 0, or what
 * it was refused for. */
static upool_reason run(const upool_sink *sink, const char *body,
                        apr_size_t step)
{
    apr_size_t len = strlen(body);
    apr_size_t at;

    for (at = 0; at < len; at += step) {
        apr_size_t piece = len - at < step ? len - at : step;

        if (upool_sink_feed(sink, body + at, piece) || upool_sink_flush(sink)) {
            return upool_sink_refusal(sink)->reason;
        }
    }
    return upool_sink_finish(sink) ? upool_sink_refusal(sink)->reason
                                   : UPOOL_REASON_NONE;
}

static upool_reason run_chunk(owner *o, const char *body, apr_size_t step,
                              apr_pool_t *p)
{
    upool_chunk_options options = options_of(o);
    upool_sink sink;

    o->chunk = upool_chunk_make(&options, p);
    sink = upool_chunk_sink(o->chunk);
    return run(&sink, body, step);
}

static owner make_owner(apr_off_t length)
{
    owner o;

    memset(&o, 0, sizeof(o));
    o.length = length;
    return o;
}

static void test_order(apr_pool_t *p)
{
    static const char body[] = FIELD("upload_id", "x")
        FILE_PART("a.txt", TYPE, "hello") FIELD("after", "y") END;
    apr_size_t step;

    for (step = 1; step <= sizeof(body); step += step < 8 ? 1 : 37) {
        owner o = make_owner(5);

        tap_is_int(run_chunk(&o, body, step, p), 0, "in pieces of %d",
                   (int)step);
        tap_is_str(o.inner.data, "hello", "its bytes go on");
        tap_is_int(o.begun * 100 + o.ended * 10 + o.inner.finishes, 111,
                   "begun, ended, finished once");
        tap_is_int(o.fields_before, 1, "what is told before is known");
        tap_is_int(upool_chunk_fields(o.chunk)->nelts, 2, "and then all");
        tap_is_str(o.filename, "a.txt", "its name");
        tap_is_str(o.field, "file", "its field");
        tap_is_str(o.type, "text/plain", "its type");
    }
}

static const struct {
    const char *what;
    const char *body;
    apr_off_t length;
    upool_reason reason;
    int begun, ended, finishes, refusals;
} bodies[] = {
    { "as long as it says", FILE_PART("a", TYPE, "12345") END, 5, 0, 1, 1, 1,
      0 },
    { "any length", FILE_PART("a", TYPE, "12345") END, -1, 0, 1, 1, 1, 0 },
    { "nothing of nothing", FILE_PART("a", TYPE, "") END, 0, 0, 1, 1, 1, 0 },
    { "more than it says", FILE_PART("a", TYPE, "123456") END, 5,
      UPOOL_REASON_CHUNK_SIZE, 1, 0, 0, 1 },
    { "something of nothing", FILE_PART("a", TYPE, "1") END, 0,
      UPOOL_REASON_CHUNK_SIZE, 1, 0, 0, 1 },
    { "less than it says", FILE_PART("a", TYPE, "1234") END, 5,
      UPOOL_REASON_CHUNK_SIZE, 1, 0, 0, 1 },
    { "no file", FIELD("a", "b") END, 5, 0, 0, 1, 0, 0 },
    { "an input without a file", FILE_PART("", TYPE, "") END, 5, 0, 0, 1, 0,
      0 },
    { "a file without a name", FILE_PART("", TYPE, "12345") END, 5, 0, 1, 1, 1,
      0 },
    { "two files", FILE_PART("a", TYPE, "12345") FILE_PART("b", TYPE, "1") END,
      5, UPOOL_REASON_CHUNK_FILES, 1, 0, 0, 1 },
    { "a file and an input without one",
      FILE_PART("a", TYPE, "12345") FILE_PART("", TYPE, "") END, 5, 0, 1, 1, 1,
      0 },
    { "two, one without a name",
      FILE_PART("a", TYPE, "12345") FILE_PART("", TYPE, "1") END, 5,
      UPOOL_REASON_CHUNK_FILES, 1, 0, 0, 1 },
    { "cut in the file", FILE_PART("a", TYPE, "12345"), 5,
      UPOOL_REASON_TRUNCATED, 1, 0, 0, 1 },
    { "cut before it", "--b\r\nContent-Disp", 5, UPOOL_REASON_TRUNCATED, 0, 0,
      0, 0 },
    { "not a form", "hello", 5, UPOOL_REASON_NO_DELIMITER, 0, 0, 0, 0 },
    { "bad behind the file", FILE_PART("a", TYPE, "12345") "--b\r\nX\r\n\r\n",
      5, UPOOL_REASON_HEADER, 1, 0, 0, 1 },
};

static void test_bodies(apr_pool_t *p)
{
    apr_size_t i, step;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (step = 1; step < 4096; step *= 64) {
            owner o = make_owner(bodies[i].length);

            tap_is_int(run_chunk(&o, bodies[i].body, step, p),
                       (int)bodies[i].reason, "%s", bodies[i].what);
            tap_ok(o.begun == bodies[i].begun && o.ended == bodies[i].ended,
                   "what its owner hears");
            tap_is_int(o.inner.finishes, bodies[i].finishes, "finished");
            tap_ok((o.inner.refusals > 0) == bodies[i].refusals, "refused");
        }
    }
}

static void test_refusals(apr_pool_t *p)
{
    static const char body[] = FILE_PART("a", TYPE, "12345") END;
    upool_chunk_options options;
    upool_sink sink;
    owner o = make_owner(5);

    o.refuses_begin = UPOOL_REASON_EXTENSION;
    tap_is_int(run_chunk(&o, body, 1, p), UPOOL_REASON_EXTENSION,
               "refused before its first byte");
    tap_is_int((int)o.inner.len, 0, "none goes on");

    o = make_owner(5);
    o.refuses_end = UPOOL_REASON_OWNER;
    tap_is_int(run_chunk(&o, body, 1, p), UPOOL_REASON_OWNER,
               "refused at its end");
    tap_is_int(o.inner.finishes, 0, "not finished");
    tap_is_int(o.inner.refusal.reason, UPOOL_REASON_CHUNK_SIZE,
               "but told to take it back");

    o = make_owner(5);
    o.inner.most = 3;
    tap_is_int(run_chunk(&o, body, 1, p), UPOOL_REASON_FULL,
               "refused by where its bytes go");

    o = make_owner(5);
    options = options_of(&o);
    o.chunk = upool_chunk_make(&options, p);
    sink = upool_chunk_sink(o.chunk);
    upool_sink_feed(&sink, body, sizeof(body) - 10);
    upool_sink_refuse(&sink, UPOOL_REASON_GONE, 0, NULL);
    tap_is_int(o.inner.refusal.reason, UPOOL_REASON_GONE,
               "its client goes: the append hears of it");
    tap_is_int(upool_sink_feed(&sink, "x", 1), 1, "nothing more is taken");
    tap_is_int(upool_sink_finish(&sink), 1, "nor finished");
    tap_is_int(upool_sink_refusal(&sink)->reason, UPOOL_REASON_GONE,
               "the first reason stands");

    o = make_owner(5);
    options = options_of(&o);
    o.chunk = upool_chunk_make(&options, p);
    sink = upool_chunk_sink(o.chunk);
    tap_is_int(upool_sink_is_unwanted(&sink), 0, "wanted without a file");
    upool_sink_feed(&sink, body, sizeof(body) - 10);
    tap_is_int(upool_sink_is_unwanted(&sink), 0, "and with one");
    keeper_refuse(&o.inner, UPOOL_REASON_CLEARED);
    tap_is_int(upool_sink_is_unwanted(&sink), 1, "until the append is not");
    tap_is_int(upool_sink_refusal(&sink)->reason, UPOOL_REASON_CLEARED,
               "and says why");
    tap_is_int((int)upool_sink_received(&sink), (int)sizeof(body) - 10,
               "all of the body counts");
}

static void test_limits(apr_pool_t *p)
{
    upool_chunk_options options;
    upool_sink sink;
    owner o = make_owner(-1);

    options = options_of(&o);
    options.limits.field = 3;
    o.chunk = upool_chunk_make(&options, p);
    sink = upool_chunk_sink(o.chunk);
    tap_is_int(run(&sink, FIELD("a", "1234") END, 1),
               UPOOL_REASON_FIELD_TOO_LARGE, "a field over its limit");
    options.limits.field = 4;
    options.limits.fields = 6;
    o.chunk = upool_chunk_make(&options, p);
    sink = upool_chunk_sink(o.chunk);
    tap_is_int(run(&sink, FIELD("a", "1234") FIELD("b", "1234") END, 1),
               UPOOL_REASON_FIELDS_TOO_LARGE, "all of them over theirs");
    options.limits.parts = 1;
    o.chunk = upool_chunk_make(&options, p);
    sink = upool_chunk_sink(o.chunk);
    tap_is_int(run(&sink, FIELD("a", "1") FIELD("b", "1") END, 1),
               UPOOL_REASON_TOO_MANY_PARTS, "too many parts");
}

static void test_types(apr_pool_t *p)
{
    owner o = make_owner(-1);

    run_chunk(&o,
              FILE_PART("a",
                        "Content-Type: Text/Plain; charset=\"a\\\"\\\\b\"; "
                        "X=y\r\n",
                        "1") END,
              1, p);
    tap_is_str(o.type, "text/plain", "a type");
    tap_is_str(apr_table_get(o.params, "charset"), "a\"\\b",
               "its parameter, unquoted");
    tap_is_str(apr_table_get(o.params, "x"), "y", "and another");
    o = make_owner(-1);
    run_chunk(&o, FILE_PART("a", "", "1") END, 1, p);
    tap_is_str(o.type, NULL, "no type");
}

/* The choice: which of two keepers gets the body. */
typedef struct chooser {
    keeper form, chunk;
    int picked;
    int nfields;
    upool_reason refuses;
} chooser;

static int pick(void *user, const apr_array_header_t *fields, upool_sink *inner,
                upool_refusal *refusal)
{
    chooser *c = user;
    int i;

    c->picked++;
    c->nfields = fields->nelts;
    if (c->refuses) {
        *refusal = upool_refusal_make(c->refuses, 0, NULL);
        return 1;
    }
    inner->ops = &keeper_ops;
    inner->self = &c->form;
    for (i = 0; i < fields->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(fields, i, upool_field).name, "upload_id")) {
            inner->self = &c->chunk;
        }
    }
    return 0;
}

static upool_reason run_choice(chooser *c, const char *body, apr_size_t step,
                               apr_pool_t *p)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    upool_choice *choice = upool_choice_make("b", 1, &limits, NULL, pick, c, p);
    upool_sink sink = upool_choice_sink(choice);
    upool_reason reason = run(&sink, body, step);

    tap_ok(reason || upool_sink_received(&sink) == (apr_off_t)strlen(body),
           "every byte is counted");
    return reason;
}

static void test_choice(apr_pool_t *p)
{
    static const char chunk[] =
        FIELD("a", "b") FIELD("upload_id", "x") FILE_PART("f", "", "12") END;
    static const char form[] =
        FIELD("a", "b") FILE_PART("f", "", "12") FIELD("upload_id", "x") END;
    static const char *const plain[] = { form,      FIELD("a", "b") END, END,
                                         "rubbish", "--b\r\nrubbish",    "" };
    apr_size_t step, i;

    for (step = 1; step <= sizeof(chunk); step += 13) {
        chooser c;

        memset(&c, 0, sizeof(c));
        tap_is_int(run_choice(&c, chunk, step, p), 0, "a chunk");
        tap_is_str(c.chunk.data, chunk, "all of it, as it was");
        tap_is_int((int)c.form.len, 0, "and nowhere else");
        tap_is_int(c.picked * 10 + c.nfields, 12, "asked once");
        tap_is_int(c.chunk.finishes, 1, "finished once");
    }
    for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        chooser c;

        memset(&c, 0, sizeof(c));
        tap_is_int(run_choice(&c, plain[i], 7, p), 0, "a form: '%.12s'",
                   plain[i]);
        tap_is_str(c.form.data, plain[i], "all of it, as it was");
        tap_is_int(c.picked * 10 + c.form.finishes, 11,
                   "asked and finished once");
    }
}

static void test_choice_refusals(apr_pool_t *p)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    chooser c;
    upool_choice *choice;
    upool_sink sink;
    char *large = malloc(2 * UPOOL_CHOICE_MAX);

    memset(&c, 0, sizeof(c));
    c.refuses = UPOOL_REASON_IDENT_REFUSED;
    tap_is_int(run_choice(&c, FILE_PART("f", "", "12") END, 7, p),
               UPOOL_REASON_IDENT_REFUSED, "refused when asked");
    tap_is_int(c.picked, 1, "asked once");

    memset(&c, 0, sizeof(c));
    choice = upool_choice_make("b", 1, &limits, NULL, pick, &c, p);
    sink = upool_choice_sink(choice);
    upool_sink_feed(&sink, "--b", 3);
    tap_is_int(upool_sink_is_unwanted(&sink), 0, "wanted while it looks");
    upool_sink_refuse(&sink, UPOOL_REASON_GONE, 0, NULL);
    tap_is_int(upool_sink_refusal(&sink)->reason, UPOOL_REASON_GONE,
               "its client goes while it looks");
    tap_is_int(upool_sink_is_unwanted(&sink), 1, "unwanted then");
    tap_is_int(upool_sink_feed(&sink, FILE_PART("f", "", "1"), 60), 1,
               "nothing more is taken");
    tap_is_int(upool_sink_finish(&sink), 1, "nor finished");
    tap_is_int(c.picked, 0, "nobody is asked any more");

    memset(&c, 0, sizeof(c));
    c.form.most = 1;
    tap_is_int(run_choice(&c, FILE_PART("f", "", "12") END, 7, p),
               UPOOL_REASON_FULL, "refused by who was chosen");

    /* A field that never ends is no client's of chunks. */
    memset(&c, 0, sizeof(c));
    memset(large, 'x', 2 * UPOOL_CHOICE_MAX);
    c.form.most = 1;
    choice = upool_choice_make("b", 1, &limits, NULL, pick, &c, p);
    sink = upool_choice_sink(choice);
    upool_sink_feed(&sink, FIELD("a", ""), strlen(FIELD("a", "")) - 2);
    tap_is_int(c.picked, 0, "it looks");
    upool_sink_feed(&sink, large, UPOOL_CHOICE_MAX);
    tap_is_int(c.picked, 1, "until it has seen enough");
    free(large);
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    test_order(p);
    test_bodies(p);
    test_refusals(p);
    test_limits(p);
    test_types(p);
    test_choice(p);
    test_choice_refusals(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
