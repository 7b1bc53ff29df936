/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf_head.h"

#include <string.h>
#include <apr_base64.h>
#include <apr_cstr.h>
#include <apr_escape.h>
#include <apr_strings.h>

#include "parse/digestfield.h"
#include "parse/structured.h"

#define MEDIA_TYPE "application/partial-upload"
#define UUID_LEN 36
#define REPR "Repr-Digest"
#define WANT "Want-Repr-Digest"

#define CODING "Content-Encoding"

/* 1 with *number if the field is an item of that type. */
static int read_item(const apr_table_t *headers, const char *name,
                     upool_structured_type type, long long *number)
{
    const char *text = apr_table_get(headers, name);
    upool_structured_value value;

    if (!text || upool_structured_item(text, strlen(text), &value)
        || value.type != type) {
        return 0;
    }
    *number = value.number;
    return 1;
}

static long long read_count(const apr_table_t *headers, const char *name)
{
    long long number;

    return read_item(headers, name, UPOOL_STRUCTURED_INTEGER, &number)
                   && number >= 0
               ? number
               : -1;
}

/* -1, 0, 1. */
static int read_flag(const apr_table_t *headers, const char *name)
{
    long long number;

    return read_item(headers, name, UPOOL_STRUCTURED_BOOLEAN, &number)
               ? (int)number
               : -1;
}

static int read_interop(const apr_table_t *headers)
{
    long long number = read_count(headers, "Upload-Draft-Interop-Version");

    return number >= UPOOL_IETF_INTEROP_MIN && number <= UPOOL_IETF_INTEROP_MAX
               ? (int)number
               : 0;
}

void upool_ietf_head_read(const apr_table_t *headers, upool_ietf_head *head)
{
    int incomplete;

    head->interop = read_interop(headers);
    head->complete = read_flag(headers, "Upload-Complete");
    if (head->interop == UPOOL_IETF_INTEROP_MIN) {
        incomplete = read_flag(headers, "Upload-Incomplete");
        head->complete = incomplete < 0 ? -1 : !incomplete;
    }
    head->offset = read_count(headers, "Upload-Offset");
    head->length = read_count(headers, "Upload-Length");
}

/* Ignores parameters, since the media type defines none. */
int upool_ietf_is_partial(const char *type)
{
    apr_size_t len = type ? strcspn(type, "; \t") : 0;

    return len == sizeof(MEDIA_TYPE) - 1
           && !ap_cstr_casecmpn(type, MEDIA_TYPE, len);
}

int upool_ietf_is_minted(const char *id)
{
    return strlen(id) == UUID_LEN && id[8] == '-' && id[13] == '-'
           && id[18] == '-' && id[23] == '-';
}

/* --- What is kept of it --------------------------------------------------- */

/* No field of a request holds a line feed. */
static void add_line(request_rec *r, const char **text, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);

    if (value) {
        *text = apr_pstrcat(r->pool, *text ? *text : "", name, ": ", value,
                            "\n", NULL);
    }
}

upool_reason upool_ietf_keep(request_rec *r, const char **text)
{
    const char *repr = apr_table_get(r->headers_in, REPR);
    upool_digestfield digest;

    if (repr && upool_digestfield_parse(repr, strlen(repr), &digest)) {
        return UPOOL_REASON_DIGEST_SYNTAX;
    }
    *text = NULL;
    add_line(r, text, CODING);
    add_line(r, text, REPR);
    add_line(r, text, WANT);
    return UPOOL_REASON_NONE;
}

/* The value of that line, *len bytes; NULL: there is no such line (then *len is
 * undefined). */
static const char *find_line(const upool_resumable *about, const char *name,
                             apr_size_t *len)
{
    const char *line = about->metadata;
    apr_size_t name_len = strlen(name);

    while (line && *line) {
        *len = strcspn(line, "\n");
        if (*len > name_len + 1 && !strncmp(line, name, name_len)
            && line[name_len] == ':') {
            *len -= name_len + 2;
            return line + name_len + 2;
        }
        line += *len + (line[*len] == '\n');
    }
    return NULL;
}

const char *upool_ietf_coding(const upool_resumable *about, apr_pool_t *p)
{
    apr_size_t len;
    const char *text = find_line(about, CODING, &len);

    return text ? apr_pstrmemdup(p, text, len) : NULL;
}

static int check_one(upool_resume *resume, const char *algorithm,
                     const upool_digestfield_value *value)
{
    char hex[2 * UPOOL_DIGESTFIELD_MAX + 1];

    apr_escape_hex(hex, value->bytes, value->len, 0, NULL);
    return value->len > 0 && upool_resume_check(resume, algorithm, hex);
}

int upool_ietf_check_digest(upool_resume *resume)
{
    apr_size_t len;
    const char *text = find_line(upool_resume_about(resume), REPR, &len);
    upool_digestfield digest;

    return text && !upool_digestfield_parse(text, len, &digest)
           && (check_one(resume, "sha-256", &digest.sha256)
               || check_one(resume, "sha-512", &digest.sha512));
}

/* Hex that we have written ourselves, as a byte sequence (RFC 9651 3.3.5). */
static const char *byte_sequence(const char *hex, apr_pool_t *p)
{
    apr_size_t len = 0;
    const unsigned char *bytes = apr_punescape_hex(p, hex, 0, &len);
    char *text = apr_palloc(p, (apr_size_t)apr_base64_encode_len((int)len));

    apr_base64_encode_binary(text, bytes, (int)len);
    return apr_pstrcat(p, ":", text, ":", NULL);
}

/* Digests of the single file, under the names of RFC 9530, which we use too. */
static const char *find_digest(const upool_record *record, const char *name)
{
    const upool_file *file = &APR_ARRAY_IDX(record->files, 0, upool_file);
    int i;

    for (i = 0; i < file->digests->nelts; i++) {
        const upool_digest *digest =
            &APR_ARRAY_IDX(file->digests, i, upool_digest);

        if (!strcmp(digest->algorithm, name)) {
            return digest->hex;
        }
    }
    return NULL;
}

#define ALGORITHMS 2
static const char *const algorithms[ALGORITHMS] = { "sha-512", "sha-256" };

/* RFC 9530 4: a preference of 0 means "not this one".  If a key is given twice
 * the last counts, and a field that does not parse is ignored. */
static void read_wanted(const char *text, apr_size_t len, int *wanted)
{
    upool_structured reader;
    upool_structured_member member;
    int found;
    int i;

    upool_structured_open(&reader, text, len);
    while ((found = upool_structured_next(&reader, &member)) > 0) {
        for (i = 0; i < ALGORITHMS; i++) {
            if (upool_structured_key_is(&member, algorithms[i])) {
                wanted[i] = member.value.type == UPOOL_STRUCTURED_INTEGER
                            && member.value.number > 0;
            }
        }
    }
    for (i = 0; found < 0 && i < ALGORITHMS; i++) {
        wanted[i] = 0;
    }
}

void upool_ietf_tell_digest(const upool_resumable *about,
                            const upool_record *record, apr_table_t *headers,
                            apr_pool_t *p)
{
    apr_size_t len;
    const char *text = find_line(about, WANT, &len);
    int wanted[ALGORITHMS] = { 0, 0 };
    int i;

    if (text) {
        read_wanted(text, len, wanted);
    }
    for (i = 0; i < ALGORITHMS; i++) {
        const char *hex = wanted[i] ? find_digest(record, algorithms[i]) : NULL;

        if (hex) {
            apr_table_mergen(headers, REPR,
                             apr_pstrcat(p, algorithms[i], "=",
                                         byte_sequence(hex, p), NULL));
        }
    }
}
