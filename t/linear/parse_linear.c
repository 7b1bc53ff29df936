/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* P2: what the parsers do for twice as many bytes is at most 2.3 times
 * as much, for every shape that made another parser quadratic, by work that is
 * counted (count.h), from 64 KiB to 16 MiB. */
#include <stdio.h>
#include <stdlib.h>

#include "t/linear/count.h"
#include "t/linear/shapes.h"
#include "t/unit/tap.h"

#include "parse/base64.h"
#include "parse/contentrange.h"
#include "parse/digestfield.h"
#include "parse/disposition.h"
#include "parse/family.h"
#include "parse/mediatype.h"
#include "parse/names.h"
#include "parse/origin.h"
#include "parse/part.h"
#include "parse/query.h"
#include "parse/structured.h"
#include "parse/tusfields.h"

#define KIB ((size_t)1024)
#define FIRST (64 * KIB)
#define LAST (16 * KIB * KIB)
/* The fields of a header: httpd takes 8 KiB each by default. */
#define FIELD_FIRST (4 * KIB)
#define FIELD_LAST (1 * KIB * KIB)

/* What is done with a text; 0 when that was not what it should have been. */
typedef int worker(char *text, size_t len, size_t piece);

static char *room; /* of LAST and more */
static char *copy; /* what the worker may write to */

/* --- Judging -------------------------------------------------------------- */

typedef struct verdict {
    double worst; /* of all ratios */
    size_t at;    /* the smaller of the two lengths */
    unsigned long long most;
    int done; /* 0: a worker did not do what it should */
} verdict;

static void judge(const verdict *v, const char *name, const char *way)
{
    if (!tap_ok_at(__FILE__, __LINE__, v->done && v->worst < COUNT_RATIO,
                   "%s, %s: %.2f times the work for twice the bytes", name, way,
                   v->worst)) {
        tap_diag("%s; worst from %zu bytes on; at the most %llu steps",
                 v->done ? "done" : "not done", v->at, v->most);
    }
}

static void note(verdict *v, size_t size, unsigned long long before,
                 unsigned long long now)
{
    double ratio = before > 0 ? (double)now / (double)before : 0;

    v->most = now;
    if (ratio > v->worst) {
        v->worst = ratio;
        v->at = size / 2;
    }
}

/* --- Bodies --------------------------------------------------------------- */

typedef struct holder {
    char *block;
    size_t len;
    unsigned long long data;
} holder;

static int on_begin(void *user, const char *block, size_t len)
{
    (void)user;
    (void)block;
    (void)len;
    return 0;
}

static int on_data(void *user, const char *data, size_t len)
{
    (void)data;
    ((holder *)user)->data += len;
    return 0;
}

static int on_end(void *user)
{
    (void)user;
    return 0;
}

/* As the form has it: new memory, and what was there is copied. */
static char *on_hold(void *user, char *old, size_t have, size_t want)
{
    char *block = want > 0 ? malloc(want) : NULL;

    (void)user;
    if (block != NULL && have > 0) {
        memcpy(block, old, have);
    }
    free(old);
    return block;
}

static const upool_multipart_events events = { on_begin, on_data, on_end,
                                               on_hold };
static const char *boundary;

static int take_body(char *text, size_t len, size_t piece)
{
    holder h = { NULL, 0, 0 };
    upool_multipart mp;
    size_t at;

    upool_multipart_init(&mp, boundary, strlen(boundary), &shapes_limits,
                         &events, &h);
    for (at = 0; at < len; at += piece) {
        if (upool_multipart_feed(&mp, text + at,
                                 len - at < piece ? len - at : piece)) {
            return 0;
        }
    }
    return upool_multipart_end(&mp) == UPOOL_MULTIPART_OK;
}

static void test_shape(const shape *s, const char *way, size_t piece,
                       size_t last)
{
    verdict v = { 0, 0, 0, 1 };
    unsigned long long before = 0;
    size_t size;

    boundary = s->boundary;
    for (size = FIRST; size <= last; size *= 2) {
        size_t len = shapes_body(room, s, size);
        unsigned long long began = count_now();
        unsigned long long spent;

        v.done &= take_body(room, len, piece);
        spent = count_now() - began;
        note(&v, size, before, spent);
        before = spent;
    }
    judge(&v, s->name, way);
}

static void test_shapes(void)
{
    size_t i;

    for (i = 0; i < SHAPES; i++) {
        test_shape(&shapes[i], "in one piece", LAST * 2, LAST);
        test_shape(&shapes[i], "in pieces of 8,000", 8000, LAST / 4);
        /* Of which no delimiter has a multiple. */
        test_shape(&shapes[i], "in pieces of 43", 43, LAST / 16);
        test_shape(&shapes[i], "byte by byte", 1, LAST / 32);
    }
}

/* --- Fields --------------------------------------------------------------- */

static char *scratch;

static int take_part(char *text, size_t len, size_t piece)
{
    upool_part part;

    (void)piece;
    return upool_part_parse(&part, text, len, scratch, UPOOL_PART_SCRATCH(len))
           <= UPOOL_PART_ENCODED;
}

static int take_type(char *text, size_t len, size_t piece)
{
    char out[UPOOL_BOUNDARY_MAX + 1];
    size_t out_len;

    (void)piece;
    return upool_mediatype_parse(text, len, out, &out_len)
           <= UPOOL_MEDIATYPE_BROKEN;
}

static int take_query(char *text, size_t len, size_t piece)
{
    upool_query_pair pair;
    char *at = text;

    (void)piece;
    upool_query_find(text, "X-Progress-ID", scratch, 256);
    while (upool_query_take(&at, text + len, &pair) > 0) {
    }
    return 1;
}

static int take_names(char *text, size_t len, size_t piece)
{
    (void)piece;
    upool_names_is_utf8(text, len);
    scratch[upool_names_repair(scratch, text, len)] = '\0';
    upool_names_safe(copy, scratch);
    upool_names_safe_utf8(copy, scratch);
    upool_names_is_callback(text);
    return 1;
}

static int take_disposition(char *text, size_t len, size_t piece)
{
    (void)piece;
    upool_disposition_filename(text, len, scratch);
    return 1;
}

static int take_structured(char *text, size_t len, size_t piece)
{
    upool_structured_member member;
    upool_structured_value value;
    upool_structured reader;
    upool_digestfield field;

    (void)piece;
    upool_structured_open(&reader, text, len);
    while (upool_structured_next(&reader, &member) > 0) {
    }
    upool_structured_item(text, len, &value);
    upool_digestfield_parse(text, len, &field);
    return 1;
}

static int take_tus(char *text, size_t len, size_t piece)
{
    upool_digestfield_named sum;
    upool_tus_reader reader;
    upool_tus_pair pair;
    const char *url;
    size_t url_len;

    (void)piece;
    reader.at = text;
    reader.end = text + len;
    while (upool_tus_pair_next(&reader, &pair) > 0) {
    }
    upool_tus_metadata_is_good(text, len);
    upool_tus_checksum_parse(text, len, &sum);
    if (upool_tus_concat_parse(text, len, &reader) == UPOOL_TUS_CONCAT_FINAL) {
        while (upool_tus_url_next(&reader, &url, &url_len) > 0) {
            upool_tus_url_name(url, url_len, scratch, 256);
        }
    }
    return 1;
}

static int take_others(char *text, size_t len, size_t piece)
{
    upool_contentrange range;
    upool_digestfield_named named;
    upool_family family;
    upool_family_chunk chunk;

    (void)piece;
    upool_contentrange_parse(text, len, &range);
    upool_digestfield_named_parse(text, len, &named);
    upool_base64_decode((unsigned char *)scratch, len, text, len);
    upool_origin_is_valid(text);
    upool_origin_is_names(text);
    upool_family_init(&family);
    upool_family_param(&family, "dzuuid", text, len);
    upool_family_param(&family, "dztotalfilesize", text, len);
    upool_family_settle(&family, &chunk);
    return 1;
}

typedef struct field {
    const char *name;
    worker *work;
    const char *before;
    const char *unit;
    const char *behind;
} field;

#define CD "Content-Disposition: form-data; name=\"f\""
#define LINE "\r\n"

/* clang-format off */
static const field fields[] = {
    /* CVE-2024-24762 is the first of these. */
    { "parameters ;x=\"\\\\", take_type, "multipart/form-data", ";x=\"\\\\",
      "; boundary=b" },
    { "parameters ;x=\"\\\\\"", take_type, "multipart/form-data",
      ";x=\"\\\\\"", "; boundary=b" },
    { "semicolons", take_type, "multipart/form-data", ";", "boundary=b" },
    { "blanks", take_type, "multipart/form-data", " ", "; boundary=b" },
    { "parameters without value", take_type, "multipart/form-data", ";a",
      ";boundary=b" },
    { "parameters, all different or not", take_type, "multipart/form-data",
      ";a=1;b=2;c=3", ";boundary=b" },
    { "boundary that does not end", take_type,
      "multipart/form-data; boundary=\"", "b", "\"" },
    { "a type of slashes", take_type, "", "/", "" },
    { "a quote that does not end", take_part, CD "; filename=\"", "\\\"", LINE },
    { "backslashes", take_part, CD "; filename=\"", "\\", "\"" LINE },
    { "quotes as %22", take_part, CD "; filename=\"", "%22", "\"" LINE },
    { "half of a %", take_part, CD "; filename=\"", "%2", "\"" LINE },
    { "an extended name", take_part, CD "; filename*=utf-8''", "%e2%82%ac",
      LINE },
    { "an extended name that is no UTF-8", take_part,
      CD "; filename*=utf-8''", "%e2%82", LINE },
    { "an extended name in latin-1", take_part, CD "; filename*=iso-8859-1''",
      "%ff", LINE },
    { "a name of broken UTF-8", take_part, CD "; filename=\"", "\xf0\x9f\x98",
      "\"" LINE },
    { "parameters of the disposition", take_part, CD, "; x=y", LINE },
    { "parameters without end", take_part, CD, ";x=\"\\\\", LINE },
    { "parameters of the type", take_part, CD LINE "Content-Type: text/plain",
      "; abc=d", LINE },
    { "header lines", take_part, CD LINE, "X: y" LINE, "" },
    { "header lines without a name", take_part, CD LINE, ": " LINE, "" },
    { "folded lines", take_part, CD LINE, " x" LINE, "" },
    { "dispositions", take_part, "", CD LINE, "" },
    { "a filename of dots and slashes", take_names, "", "../", "x" },
    { "a filename of slashes", take_names, "", "/", "" },
    { "a filename of blanks", take_names, "", " ", "" },
    { "a filename of underscores", take_names, "a", "_.", "b" },
    { "a filename of broken UTF-8", take_names, "", "\xe2\x82\xf0\x9f", "" },
    { "a filename of accents", take_names, "", "e\xcc\x81", ".txt" },
    { "a filename of devices", take_names, "", "CON.", "" },
    { "a callback", take_names, "", "a.", "" },
    { "pairs", take_query, "", "a=b&", "X-Progress-ID=x" },
    { "the identifier again and again", take_query, "", "X-Progress-ID=x&", "" },
    { "ampersands", take_query, "", "&", "" },
    { "equal signs", take_query, "", "=", "" },
    { "names of %", take_query, "", "%58", "=1" },
    { "a broken %", take_query, "", "%", "" },
    { "pluses", take_query, "a=", "+", "" },
    { "a Content-Disposition of parameters", take_disposition, "inline",
      "; a=b", "; filename=x" },
    { "a Content-Disposition of escapes", take_disposition,
      "inline; filename=\"", "\\\"", "\"" },
    { "a dictionary", take_structured, "", "a=1, ", "b=2" },
    { "a dictionary of parameters", take_structured, "a", ";b", "" },
    { "an inner list", take_structured, "a=(", "1 ", ")" },
    { "inner lists that do not end", take_structured, "a=", "(", "" },
    { "a byte sequence", take_structured, "sha-256=:", "AAAA", ":" },
    { "a string", take_structured, "a=\"", "\\\\", "\"" },
    { "digests", take_structured, "", "sha-256=:AAAA:, ", "b=2" },
    { "an integer", take_structured, "", "9", "" },
    { "metadata", take_tus, "", "key YQ==,", "k YQ==" },
    { "metadata of one key", take_tus, "key ", "YWFh", "" },
    { "metadata without values", take_tus, "", "k,", "k" },
    { "metadata of commas", take_tus, "", ",", "" },
    { "a final concatenation", take_tus, "final;", "/u/abc ", "/u/abc" },
    { "a final concatenation of slashes", take_tus, "final;", "/", "" },
    { "a checksum", take_tus, "sha1 ", "AAAA", "" },
    { "digits", take_others, "bytes ", "9", "-9/9" },
    { "blanks before a range", take_others, "bytes", " ", "1-9/9" },
    { "base64", take_others, "", "AAAA", "==" },
    { "origins", take_others, "", "https://a ", "" },
    { "labels of an origin", take_others, "https://", "a.", "b" },
};
/* clang-format on */

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static size_t field_text(const field *f, size_t size)
{
    size_t unit = strlen(f->unit);
    size_t len = strlen(f->before);

    memcpy(room, f->before, len);
    while (len < size) {
        memcpy(room + len, f->unit, unit);
        len += unit;
    }
    memcpy(room + len, f->behind, strlen(f->behind) + 1);
    return len + strlen(f->behind);
}

static void test_fields(void)
{
    size_t i;

    for (i = 0; i < FIELDS; i++) {
        verdict v = { 0, 0, 0, 1 };
        unsigned long long before = 0;
        size_t size;

        for (size = FIELD_FIRST; size <= FIELD_LAST; size *= 2) {
            size_t len = field_text(&fields[i], size);
            unsigned long long began = count_now();
            unsigned long long spent;

            v.done &= fields[i].work(room, len, 0);
            spent = count_now() - began;
            note(&v, size, before, spent);
            before = spent;
        }
        judge(&v, fields[i].name, "of a field");
    }
}

/* --- That the measure measures -------------------------------------------- */

/* Looks for the end of each line from the beginning, as those did that were
 * quadratic. */
static int take_again(char *text, size_t len, size_t piece)
{
    size_t at;

    for (at = 0; at < len; at += piece) {
        if (memchr(text, '!', at) != NULL) {
            return 0;
        }
    }
    return 1;
}

static void test_measure(void)
{
    unsigned long long began;
    unsigned long long small;
    unsigned long long large;
    double ratio;
    int done;

    memset(room, 'x', 2 * FIRST);
    began = count_now();
    done = take_again(room, FIRST, 1024);
    small = count_now() - began;
    began = count_now();
    done &= take_again(room, 2 * FIRST, 1024);
    large = count_now() - began;
    ratio = (double)large / (double)small;
    tap_ok_at(__FILE__, __LINE__, done && ratio > 3.8 && ratio < 4.2,
              "what is quadratic is found out: %.2f", ratio);
    boundary = "b";
    began = count_now();
    take_body(room, FIRST, FIRST);
    tap_ok_at(__FILE__, __LINE__, count_now() - began > FIRST / 64,
              "the parser's own steps are counted");
}

int main(void)
{
    room = malloc(SHAPES_ROOM(LAST));
    copy = malloc(SHAPES_ROOM(LAST));
    scratch = malloc(UPOOL_PART_SCRATCH(SHAPES_ROOM(FIELD_LAST)));
    if (room == NULL || copy == NULL || scratch == NULL) {
        return 1;
    }
    test_measure();
    test_shapes();
    test_fields();
    free(room);
    free(copy);
    free(scratch);
    return tap_done();
}
