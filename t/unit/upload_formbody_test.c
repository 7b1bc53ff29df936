/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A form, taken in and written again: byte for byte what the client wrote, and
 * what our own parser reads from it is the same. */
#include "upload/formbody.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#include "upload/form.h"

#define RANDOM "0123456789abcdef0123456789abcdef"
#define BOUNDARY "----UploadPool" RANDOM

static apr_pool_t *pool;

static void says(const char *text, const char *part, const char *name)
{
    tap_ok(text && strstr(text, part), "%s: %s", name, text ? text : "nothing");
}

/* --- Taking in ------------------------------------------------------------ */

typedef struct taken {
    upload_pool_request request;
    upool_refusal refusal;
    upool_limits limits;
    apr_int64_t memory;
    upool_form_parts parts;
    apr_array_header_t *bytes; /* of the current file */
    int elsewhere;             /* where its handler keeps it */
} taken;

static upload_pool_verdict new_file(upload_pool_instance *self,
                                    upload_pool_file *file)
{
    taken *t = self->data;

    t->bytes = apr_array_make(pool, 64, 1);
    if (!strcmp(file->filename, "renamed")) {
        file->filename = "another \"name\"";
        file->content_type = "text/other";
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict receive(upload_pool_instance *self,
                                   upload_pool_file *file, const char **data,
                                   apr_size_t *len, apr_off_t offset)
{
    taken *t = self->data;
    apr_size_t i;

    (void)file;
    (void)offset;
    for (i = 0; i < *len; i++) {
        APR_ARRAY_PUSH(t->bytes, char) = (*data)[i];
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict complete(upload_pool_instance *self,
                                    upload_pool_file *file, apr_off_t size,
                                    upload_pool_kept *kept)
{
    taken *t = self->data;

    (void)file;
    kept->size = size;
    if (t->elsewhere) {
        kept->location = "s3://bucket/key";
    }
    else {
        kept->content =
            apr_pstrmemdup(pool, t->bytes->elts, (apr_size_t)t->bytes->nelts);
    }
    return UPLOAD_POOL_GO_ON;
}

static const upload_pool_handler keeper = {
    .name = "keeper",
    .new_file = new_file,
    .receive_data_chunk = receive,
    .file_complete = complete,
};

static void on_named(void *user)
{
    (void)user;
}

static int take(taken *t, const char *body, apr_size_t len,
                const char *boundary)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    upool_form *form;

    memset(t, 0, sizeof(*t));
    t->request.pool = pool;
    t->refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    t->limits = limits;
    t->memory = limits.fields;
    t->parts.chain = upool_chain_make(&t->request, &t->refusal, pool);
    upool_chain_add(t->parts.chain, &keeper, t);
    t->parts.fields = upool_fields_make(&t->limits, &t->memory, pool);
    t->parts.record = upool_record_make(pool, "id");
    t->parts.refusal = &t->refusal;
    t->parts.limits = &t->limits;
    t->parts.p = pool;
    t->parts.named = on_named;
    form = upool_form_make(boundary, strlen(boundary), &t->parts);
    return !upool_chain_open(t->parts.chain)
           && !upool_form_feed(form, body, len)
           && !upool_chain_flush(t->parts.chain) && !upool_form_end(form);
}

/* --- Writing -------------------------------------------------------------- */

static const char *flat(const upool_formbody *body, apr_size_t *len)
{
    char *text = apr_palloc(pool, (apr_size_t)body->length + 1);
    int i;

    *len = 0;
    for (i = 0; i < body->pieces->nelts; i++) {
        const upool_formbody_piece *piece =
            &APR_ARRAY_IDX(body->pieces, i, upool_formbody_piece);

        if (*len + piece->len > (apr_size_t)body->length) {
            break;
        }
        memcpy(text + *len, piece->text, piece->len);
        *len += piece->len;
    }
    text[*len] = '\0';
    return text;
}

static const char *write_again(const taken *t, const apr_array_header_t *facts,
                               apr_size_t *len)
{
    upool_formbody_options options = { RANDOM, "/srv/pool/id", facts };
    upool_formbody body;
    const char *detail = NULL;
    upool_reason reason = upool_formbody_make(
        &body, t->parts.record, upool_fields_list(t->parts.fields), &options,
        &detail, pool);
    const char *text;

    if (reason || detail || strcmp(body.boundary, BOUNDARY)) {
        return NULL;
    }
    text = flat(&body, len);
    return *len == (apr_size_t)body.length ? text : NULL;
}

/* body has BOUNDARY for its boundary, too. */
static int is_same(const char *body, apr_size_t len)
{
    taken t;
    const char *text;
    apr_size_t text_len = 0;

    if (!take(&t, body, len, BOUNDARY)) {
        return 0;
    }
    text = write_again(&t, NULL, &text_len);
    return text && text_len == len && !memcmp(text, body, len);
}

#define PART(head, content) \
    "--" BOUNDARY "\r\nContent-Disposition: form-data; " head \
    "\r\n\r\n" content "\r\n"
#define TYPED(head, type, content) PART(head "\r\nContent-Type: " type, content)
#define END "--" BOUNDARY "--\r\n"

static void check_same(const char *body, const char *name)
{
    tap_ok(is_same(body, strlen(body)), "as it came: %s", name);
}

static void check_becomes(const char *body, const char *want, const char *name)
{
    taken t;
    apr_size_t len = 0;
    const char *text = NULL;

    if (take(&t, body, strlen(body), BOUNDARY)) {
        text = write_again(&t, NULL, &len);
    }
    tap_is_str(text ? text : "(refused)", want, "%s", name);
    tap_ok(is_same(want, strlen(want)), "%s, and stays so", name);
}

static void test_as_it_came(void)
{
    check_same(PART("name=\"a\"", "b") END, "a field");
    check_same(PART("name=\"a\"", "") END, "an empty field");
    check_same(END, "no part at all");
    check_same(TYPED("name=\"f\"; filename=\"a.txt\"", "text/plain", "hello")
                   PART("name=\"a\"", "b") TYPED("name=\"g\"; filename=\"\"",
                                                 "application/octet-stream", "")
                       PART("name=\"a\"", "c") END,
               "files, fields and an empty input between them");
    check_same(TYPED("name=\"f\"; filename=\"\"", "a/b", "bytes") END,
               "a file without a name");
    check_same(PART("name=\"f\"; filename=\"a\"", "x") END, "no type");
    check_same(TYPED("name=\"f\"; filename=\"a\"",
                     "Text/HTML;charset=\"utf-8\";  x=y", "x") END,
               "a type as it was written");
    check_same(TYPED("name=\"j\"", "application/json", "{}") END,
               "a field with a type");
    check_same(PART("name=\"a%22b%0D%0A\"; filename=\"%22\"", "x") END,
               "as browsers escape");
    check_same(PART("name=\"a\\\"b\"; filename=\"x\\\\ \\\" %22\"", "x") END,
               "as others escape, in one name");
    check_same(PART("name=\"\xf6\"; filename=\"\xff.txt\"", "\xfe") END,
               "what is not UTF-8");
    check_same(PART("name=\"f\"; filename=\"C:\\dir\\a.txt\"", "x") END,
               "a Windows path");
    check_same(PART("name=\"f\"; filename=\"a/b/c.jpg\"", "x") END,
               "a directory");
    check_same(PART("name=\"\"", "x") END, "a name that is empty");
}

static void test_not_as_it_came(void)
{
    check_becomes(PART("name=a", "b") END, PART("name=\"a\"", "b") END,
                  "a name without quotes gets them");
    check_becomes(PART("filename*=UTF-8''%e2%82%ac.txt; name=\"f\"", "x") END,
                  PART("name=\"f\"; filename=\"\xe2\x82\xac.txt\"", "x") END,
                  "filename* is what was taken for the name");
    check_becomes(
        PART("name=\"f\"; filename=\"C:x\"; filename*=utf-8''a%5C", "x") END,
        PART("name=\"f\"; filename=\"a\\\\\"", "x") END,
        "a backslash at the end");
    check_becomes("preamble\r\n" PART("name=\"a\"; x=y\r\nX-Other: z", "b") END
                  "epilogue",
                  PART("name=\"a\"", "b") END,
                  "what nobody reads is not there");
    check_becomes(TYPED("name=\"f\"; filename=\"renamed\"", "a/b", "x") END,
                  TYPED("name=\"f\"; filename=\"another %22name%22\"",
                        "text/other", "x") END,
                  "what a handler has changed");
}

static unsigned long seed = 20261130;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned)(seed >> 33) % below;
}

/* One of many forms: names and values of what may matter. */
static const char *some_form(apr_size_t *len)
{
    static const char *const names[] = { "a",          "a[]",  "x%22y",
                                         "\xc3\xa4 b", "\xf6", "q\\\"q" };
    static const char *const values[] = {
        "", "v", "\r\n", "--", "\r\n------UploadPool", "\xff\xfe"
    };
    static const char *const types[] = { "", "\r\nContent-Type: image/png",
                                         "\r\nContent-Type: A/b; c=\"d\"" };
    const char *form = "";
    unsigned parts = draw(6);

    while (parts--) {
        const char *file =
            draw(2) ? apr_pstrcat(pool, "; filename=\"",
                                  draw(4) ? names[draw(6)] : "", "\"", NULL)
                    : "";

        form = apr_pstrcat(
            pool, form,
            "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"",
            names[draw(6)], "\"", file, types[draw(3)], "\r\n\r\n",
            values[draw(6)], values[draw(6)], "\r\n", NULL);
    }
    form = apr_pstrcat(pool, form, END, NULL);
    *len = strlen(form);
    return form;
}

static void test_many(void)
{
    int same = 0;
    int n;

    for (n = 0; n < 1000; n++) {
        apr_size_t len;
        const char *form = some_form(&len);

        if (!is_same(form, len)) {
            tap_ok(0, "as it came: %s", form);
            return;
        }
        same++;
    }
    tap_ok(same == 1000, "1000 forms, all as they came");
}

/* --- Not of a form -------------------------------------------------------- */

static upool_file some_file(void)
{
    upool_file file;

    memset(&file, 0, sizeof(file));
    file.field = "file";
    file.filename = "a.txt";
    file.safe_filename = "a.txt";
    file.content_type = "text/plain";
    file.params = apr_table_make(pool, 1);
    file.digests = apr_array_make(pool, 1, sizeof(upool_digest));
    return file;
}

static void test_other_protocols(void)
{
    upool_formbody_options options = { RANDOM, "/srv/pool/id", NULL };
    upool_record *record = upool_record_make(pool, "id");
    apr_array_header_t *fields = apr_array_make(pool, 2, sizeof(upool_field));
    upool_file *file = apr_array_push(record->files);
    upool_field *field = apr_array_push(fields);
    const upool_formbody_piece *pieces;
    const char *detail = NULL;
    upool_formbody body;

    *file = some_file();
    file->filename = "";
    file->safe_filename = "file";
    file->size = 5000000000;
    file->stored = "0-0123456789abcdef0123456789abcdef.bin";
    apr_table_setn(file->params, "charset", "utf-8");
    apr_table_setn(file->params, "x", "a \"b\"");
    memset(field, 0, sizeof(*field));
    field->name = "filename";
    field->value = "a.txt";
    field->len = 5;
    tap_ok(!upool_formbody_make(&body, record, fields, &options, &detail, pool),
           "a stored file");
    tap_ok(body.pieces->nelts == 5, "five pieces");
    pieces = (const upool_formbody_piece *)body.pieces->elts;
    tap_is_str(
        apr_pstrcat(pool, pieces[0].text, pieces[1].text, pieces[2].text,
                    "(file)", pieces[4].text, NULL),
        PART("name=\"filename\"",
             "a.txt") "--" BOUNDARY "\r\nContent-Disposition: form-data;"
                      " name=\"file\"; filename=\"file\"\r\nContent-Type: "
                      "text/plain;"
                      " charset=utf-8; x=\"a \\\"b\\\"\"\r\n\r\n(file)\r\n" END,
        "fields first, a name where the client had none, a whole type");
    tap_ok(pieces[3].file == file && !pieces[3].text, "its bytes are a file's");
    tap_ok(body.length
               == (apr_off_t)(file->size + (apr_off_t)pieces[0].len
                              + (apr_off_t)pieces[1].len
                              + (apr_off_t)pieces[2].len
                              + (apr_off_t)pieces[4].len),
           "the length of all");
}

static void test_elsewhere(void)
{
    upool_formbody_options options = { RANDOM, "/srv/pool/id", NULL };
    upool_record *record = upool_record_make(pool, "id");
    apr_array_header_t *fields = apr_array_make(pool, 2, sizeof(upool_field));
    upool_file *file = apr_array_push(record->files);
    const char *detail = NULL;
    upool_formbody body;

    *file = some_file();
    file->size = 5;
    file->location = "s3://bucket/key";
    tap_ok(upool_formbody_make(&body, record, fields, &options, &detail, pool)
               == UPOOL_REASON_CONFIGURATION,
           "a file that is elsewhere has no bytes");
    says(detail, "field \"file\" elsewhere", "and that is said");
    options.facts = apr_array_make(pool, 1, sizeof(upool_facts_pair));
    tap_ok(!upool_formbody_make(&body, record, fields, &options, &detail, pool),
           "but facts");
}

/* --- Facts ---------------------------------------------------------------- */

static void test_facts(void)
{
    static const upool_facts_pair pairs[] = {
        { "%{field}.path", "%{path}" },
        { "n%{number}%%", "%{identifier}/%{safe-filename}: %{sha-256}%{md5}" },
    };
    apr_array_header_t *list =
        apr_array_make(pool, 2, sizeof(upool_facts_pair));
    taken t;
    apr_size_t len;
    const char *body = PART("name=\"photo_path\"",
                            "/etc/passwd") PART("name=\"title\"", "t")
        TYPED("name=\"photo[]\"; filename=\"a b.txt\"", "text/plain", "hello")
            PART("name=\"none\"; filename=\"\"", "") PART("name=\"z\"", "z")
                PART("name=\"photo.path[]\"", "/etc/passwd") END;
    upool_digest *digest;
    upool_file *file;

    take(&t, body, strlen(body), BOUNDARY);
    file = (upool_file *)t.parts.record->files->elts;
    file->stored = "0-0123456789abcdef0123456789abcdef.bin";
    file->content = NULL;
    digest = apr_array_push(file->digests);
    digest->algorithm = "sha-256";
    digest->hex = "abcd";
    tap_is_str(
        write_again(&t, list, &len),
        PART("name=\"title\"", "t") PART("name=\"photo_name[]\"", "a b.txt")
            PART("name=\"photo_type[]\"", "text/plain")
                PART("name=\"photo_size[]\"", "5")
                    PART("name=\"photo_path[]\"",
                         "/srv/pool/id/0-0123456789abcdef0123456789abcdef.bin")
                        PART("name=\"photo_sha-256[]\"", "abcd")
                            PART("name=\"z\"", "z") END,
        "the usual facts, without what a client says of paths");
    APR_ARRAY_PUSH(list, upool_facts_pair) = pairs[0];
    APR_ARRAY_PUSH(list, upool_facts_pair) = pairs[1];
    tap_is_str(write_again(&t, list, &len),
               PART("name=\"title\"", "t")
                   PART("name=\"photo[].path\"",
                        "/srv/pool/id/0-0123456789abcdef0123456789abcdef.bin")
                       PART("name=\"n0%\"", "id/a_b.txt: abcd")
                           PART("name=\"z\"", "z") END,
               "facts of one's own");
}

static int is_forged(const char *field, const char *name, const char *value)
{
    apr_array_header_t *list =
        apr_array_make(pool, 1, sizeof(upool_facts_pair));
    upool_facts_pair *pair = name ? apr_array_push(list) : NULL;

    if (pair) {
        pair->name = name;
        pair->value = value;
    }
    return upool_facts_is_forged(field, list);
}

static void test_forged(void)
{
    static const char *const usual[] = {
        "a_path",  "a.path",   "a path", "_path",     "a_path[]",   "a_path[x]",
        " a_path", "a_b_path", "a[path", "a_content", "a_location", "a_path[b"
    };
    static const char *const good[] = { "path",   "a_pathology",
                                        "a_name", "a_size",
                                        "",       "a_path2",
                                        "xpath",  "a[b_path]" };
    apr_size_t i;

    for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        tap_ok(is_forged(usual[i], NULL, NULL), "a path: %s", usual[i]);
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap_ok(!is_forged(good[i], NULL, NULL), "none: %s", good[i]);
    }
    tap_ok(is_forged("up.f.p", "up_%{field}_p", "%{path}"), "one's own");
    tap_ok(is_forged("up__p_p_p", "up_%{field}_p", "x%{path}"),
           "more than one");
    tap_ok(!is_forged("down_f_p", "up_%{field}_p", "%{path}"), "another");
    tap_ok(!is_forged("up_f_p", "up_%{field}_p", "%{size}"), "no path in it");
    tap_ok(is_forged("fixed", "fixed", "%{path}"), "without an escape");
    tap_ok(is_forged("100%a", "100%%%{stem}", "%{path}"), "a percent sign");
}

static void test_check(void)
{
    tap_ok(!upool_facts_check("%{field}_path", pool), "good");
    tap_ok(!upool_facts_check("100%%", pool), "good: a percent sign");
    tap_ok(!upool_facts_check("%{SHA-256}", pool), "good: any case");
    says(upool_facts_check("x%{pth}", pool), "has \"%{pth}\"", "unknown");
    says(upool_facts_check("%{path", pool), "no escape", "open");
    says(upool_facts_check("%path", pool), "no escape", "bare");
    says(upool_facts_check("50%", pool), "no escape", "at the end");
    says(upool_facts_check("", pool), "empty", "empty");
}

static void test_text(void)
{
    upool_facts_of of = { NULL, 7, "id", "/srv/pool/id" };
    upool_file file = some_file();
    const apr_array_header_t *usual;
    apr_size_t len;

    file.field = "a[b][]";
    file.content = "x\0y";
    file.size = 3;
    of.file = &file;
    tap_is_str(upool_facts_text("%{field}|%{stem}|%{brackets}|%{number}|%{Size}"
                                "|%%|%{path}|%{md5}|%{charset}",
                                &of, &len, pool),
               "a[b][]|a|[b][]|7|3|%|||", "a text of facts");
    tap_ok(len == 23, "and so long");
    tap_ok(
        !memcmp(upool_facts_text("<%{content}>", &of, &len, pool), "<x\0y>", 6)
            && len == 5,
        "bytes among them");
    usual = upool_facts_default(&file, pool);
    tap_is_str(APR_ARRAY_IDX(usual, 3, upool_facts_pair).value, "%{content}",
               "the usual of a file in memory");
    file.content = NULL;
    file.location = "s3:";
    usual = upool_facts_default(&file, pool);
    tap_is_str(APR_ARRAY_IDX(usual, 3, upool_facts_pair).value, "%{location}",
               "and of one elsewhere");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_as_it_came();
    test_not_as_it_came();
    test_many();
    test_other_protocols();
    test_elsewhere();
    test_facts();
    test_forged();
    test_check();
    test_text();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
