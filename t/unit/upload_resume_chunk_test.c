/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Uploads whose pieces come in forms: what of a form that is not as it must be
 * is taken back, what of one that breaks off stays, and which fields the
 * application gets. */
#include "resume_kit.h"

#include "upload/chunk.h"

#define PART(content) \
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n" \
    "\r\n" content
#define END "\r\n--b--\r\n"

typedef struct piece {
    upool_resume *resume;
    apr_off_t offset;
    apr_off_t length;
    int part; /* out of order */
} piece;

static int begins(void *user, const upool_file *file, upool_sink *inner,
                  apr_off_t *length, upool_refusal *refusal)
{
    const piece *what = user;
    upool_resume_append append = UPOOL_RESUME_APPEND;

    (void)file;
    append.offset = what->offset;
    append.content_length = what->length;
    append.out_of_order = what->part;
    if (upool_resume_begin(what->resume, &append)) {
        *refusal = *upool_resume_refusal(what->resume);
        return 1;
    }
    upool_resume_sink(what->resume, inner);
    *length = what->length;
    return 0;
}

static int ends(void *user, int has_file, upool_refusal *refusal)
{
    (void)user;
    (void)has_file;
    (void)refusal;
    return 0;
}

/* Sends body; gone: the client goes instead of ending it. */
static upool_reason send_form(rkit *t, const char *id, apr_off_t offset,
                              apr_off_t length, int part, const char *body,
                              int gone)
{
    apr_pool_t *p = rkit_request(t);
    upool_chunk_options options;
    piece what;
    upool_sink sink;
    upool_reason reason;

    memset(&options, 0, sizeof(options));
    what.resume = rkit_open(t, id, p);
    what.offset = offset;
    what.length = length;
    what.part = part;
    options.boundary = "b";
    options.boundary_len = 1;
    options.limits = t->options.limits;
    options.begins = begins;
    options.ends = ends;
    options.user = &what;
    sink = upool_chunk_sink(upool_chunk_make(&options, p));
    if (!upool_sink_feed(&sink, body, strlen(body))
        && !upool_sink_flush(&sink)) {
        if (gone) {
            upool_sink_refuse(&sink, UPOOL_REASON_GONE, 0, NULL);
        }
        else {
            upool_sink_finish(&sink);
        }
    }
    reason = upool_sink_refusal(&sink)->reason;
    apr_pool_destroy(p);
    return reason;
}

static void test_taken_back(rkit *t, const char *id, int part)
{
    tap_is_int(rkit_create(t, id, 10), 0, "an upload");
    tap_is_int(send_form(t, id, 0, 4, part, PART("abcd") END, 0), 0,
               "four bytes in a form");
    tap_is_int(rkit_offset(t, id), 4, "are there");
    tap_is_int(send_form(t, id, 4, 4, part, PART("efg") END, 0),
               UPOOL_REASON_CHUNK_SIZE, "fewer than announced");
    tap_is_int(rkit_offset(t, id), 4, "none is kept");
    tap_is_int(send_form(t, id, 4, 4, part, PART("efghi") END, 0),
               UPOOL_REASON_CHUNK_SIZE, "more than announced");
    tap_is_int(rkit_offset(t, id), 4, "none is kept");
    tap_is_int(send_form(t, id, 4, 4, part, PART("efgh"), 0),
               UPOOL_REASON_TRUNCATED, "a form without its end");
    tap_is_int(rkit_offset(t, id), 4, "none is kept");
    tap_is_int(send_form(t, id, 4, 4, part, PART("efgh\r\n--bx"), 0),
               UPOOL_REASON_DELIMITER, "a form with a bad one");
    tap_is_int(rkit_offset(t, id), 4, "none is kept");
    tap_is_int(send_form(t, id, 4, 4, part, PART("efg"), 1), UPOOL_REASON_GONE,
               "a client that goes");
    tap_is_int(rkit_offset(t, id), 7, "what came stays");
    tap_is_int(send_form(t, id, 7, 3, part, PART("hij") END, 0), 0, "the rest");
    tap_is_str(rkit_content(t, id), "abcdefghij", "byte for byte");
}

static void test_fields(rkit *t)
{
    static const upool_field one = { "one", "1", 1 };
    static const upool_field two = { "two",
                                     "\0"
                                     "2",
                                     2 };
    apr_pool_t *p = rkit_request(t);
    apr_array_header_t *before = apr_array_make(p, 1, sizeof(upool_field));
    apr_array_header_t *behind = apr_array_make(p, 1, sizeof(upool_field));
    upool_resume_start start = rkit_what(t, 3);
    const apr_array_header_t *list;
    upool_resume *resume;

    APR_ARRAY_PUSH(before, upool_field) = one;
    APR_ARRAY_PUSH(behind, upool_field) = two;
    start.fields = before;
    rkit_name(t, "fields");
    resume = upool_resume_create(&t->options, &start, p);
    tap_is_int(upool_resume_keep_fields(resume, behind), 0,
               "fields behind the file");
    apr_pool_destroy(p);
    p = rkit_request(t);
    list = upool_resume_fields(rkit_open(t, "fields", p));
    tap_is_int(list->nelts, 2, "a later request knows both");
    tap_is_str(APR_ARRAY_IDX(list, 0, upool_field).name, "one", "in order");
    tap_ok(APR_ARRAY_IDX(list, 1, upool_field).len == 2
               && !memcmp(APR_ARRAY_IDX(list, 1, upool_field).value,
                          "\0"
                          "2",
                          2),
           "whatever is in them");
    apr_pool_destroy(p);
    rkit_append(t, "fields", 0, "abc");
    p = rkit_request(t);
    resume = rkit_open(t, "fields", p);
    behind = apr_array_make(p, 1, sizeof(upool_field));
    tap_is_int(upool_resume_keep_fields(resume, behind), 1,
               "none of a complete one");
    tap_is_int(upool_resume_refusal(resume)->reason, UPOOL_REASON_COMPLETE,
               "for it is");
    apr_pool_destroy(p);
}

/* Every later request reads them. */
static void test_many_fields(rkit *t)
{
    static char value[100000];
    upool_field field = { "f", value, sizeof(value) };
    apr_pool_t *p = rkit_request(t);
    apr_array_header_t *fields = apr_array_make(p, 1, sizeof(upool_field));
    upool_resume_start start = rkit_what(t, 3);
    upool_resume *resume;

    memset(value, 'v', sizeof(value));
    APR_ARRAY_PUSH(fields, upool_field) = field;
    start.fields = fields;
    rkit_name(t, "many");
    resume = upool_resume_create(&t->options, &start, p);
    tap_is_int(upool_resume_keep_fields(resume, fields), 0, "200 KB of fields");
    tap_is_int(upool_resume_keep_fields(resume, fields), 1, "no more");
    tap_is_int(upool_resume_refusal(resume)->reason,
               UPOOL_REASON_FIELDS_TOO_LARGE, "for they are too large");
    apr_pool_destroy(p);
    p = rkit_request(t);
    tap_is_int(upool_resume_fields(rkit_open(t, "many", p))->nelts, 2,
               "what was there stays");
    apr_pool_destroy(p);
    p = rkit_request(t);
    fields = apr_array_make(p, 3, sizeof(upool_field));
    APR_ARRAY_PUSH(fields, upool_field) = field;
    APR_ARRAY_PUSH(fields, upool_field) = field;
    APR_ARRAY_PUSH(fields, upool_field) = field;
    start.fields = fields;
    rkit_name(t, "more");
    resume = upool_resume_create(&t->options, &start, p);
    tap_is_int(upool_resume_refusal(resume)->reason,
               UPOOL_REASON_FIELDS_TOO_LARGE, "nor with the first");
    apr_pool_destroy(p);
}

int main(void)
{
    rkit t;

    rkit_start(&t);
    test_taken_back(&t, "order", 0);
    test_taken_back(&t, "part", 1);
    test_fields(&t);
    test_many_fields(&t);
    return rkit_done(&t);
}
