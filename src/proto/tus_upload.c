/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/tus.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/drive.h"
#include "httpd/log.h"
#include "httpd/resuming.h"
#include "parse/base64.h"
#include "parse/names.h"
#include "proto/complete.h"
#include "upload/file.h"

/* --- The bytes ------------------------------------------------------------ */

static int is_partial(const upool_resume *resume)
{
    return upool_resume_about(resume)->concat && !upool_tus_is_final(resume);
}

/* The right offset helps a client that has lost count. */
static int refuse_append(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    if (refusal->reason == UPOOL_REASON_OFFSET) {
        upool_tus_tell_offset(r, upool_tus_of(r, rq)->resume);
    }
    return upool_tus_refuse(r, rq, refusal);
}

static int bytes_are_in(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    return refusal ? upool_tus_refuse(r, rq, refusal) : upool_tus_settle(r, rq);
}

/* 0, or -1 if the digest's algorithm is not known. */
static int expect(upool_resume *resume, const upool_tus_append *append)
{
    return append->algorithm ? upool_resume_expect(resume, append->algorithm,
                                                   append->checksum.value.bytes,
                                                   append->checksum.value.len)
                             : 0;
}

/* Checks a digest that came after the bytes, before they count. */
static upool_reason verify_trailer(void *user, upool_resume *resume)
{
    request_rec *r = user;
    upool_tus_append *append = &upool_tus_of(r, upool_request_get(r))->append;

    /* A digest that came before the bytes was set earlier. */
    if (append->algorithm) {
        return UPOOL_REASON_NONE;
    }
    return upool_tus_trailer_read(r, append) || expect(resume, append)
               ? UPOOL_REASON_DIGEST_SYNTAX
               : UPOOL_REASON_NONE;
}

static int take(request_rec *r, upool_request *rq)
{
    upool_tus *tus = upool_tus_of(r, rq);
    upool_resume_append append = UPOOL_RESUME_APPEND;

    append.offset = tus->append.offset;
    append.content_length = rq->content_length;
    append.stay_open = is_partial(tus->resume);
    if (tus->append.trailer) {
        append.verify = verify_trailer;
        append.user = r;
    }
    append.may_be_refused = tus->append.trailer || tus->append.algorithm;
    if (upool_resume_begin(tus->resume, &append)) {
        return refuse_append(r, rq, upool_resume_refusal(tus->resume));
    }
    expect(tus->resume, &tus->append);
    upool_resume_sink(tus->resume, &rq->sink);
    return upool_drive_run(r, rq, bytes_are_in);
}

/* --- PATCH ---------------------------------------------------------------- */

/* A length that comes late must change nothing if the offset is wrong, so the
 * offset is checked first, while no other request can write and move it. */
static int set_length(upool_tus *tus)
{
    if (tus->append.length < 0) {
        return 0;
    }
    if (upool_resume_settle(tus->resume)) {
        return 1;
    }
    return tus->append.offset == upool_resume_offset(tus->resume)
           && upool_resume_set_length(tus->resume, tus->append.length);
}

/* A complete upload accepts only a repeat of the last PATCH, with an empty
 * body, from a client that has lost its answer. */
static int patch_complete(request_rec *r, upool_request *rq,
                          const upool_tus *tus)
{
    if (tus->append.offset != upool_resume_offset(tus->resume)) {
        upool_tus_tell_offset(r, tus->resume);
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_OFFSET, NULL);
    }
    return upool_drive_empty(r, rq, UPOOL_REASON_OVERRUN, bytes_are_in);
}

int upool_tus_patch(request_rec *r, upool_request *rq)
{
    int answer;
    const char *bad;
    upool_tus *tus;

    if (!upool_tus_has_bytes(r)) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_NOT_AN_UPLOAD,
                                    "not " UPOOL_TUS_MEDIA_TYPE);
    }
    bad = upool_tus_append_read(r, &upool_tus_of(r, rq)->append);
    if (bad) {
        return upool_tus_refuse_field(r, rq, bad);
    }
    tus = upool_tus_open(r, rq, &answer);
    if (!tus) {
        return answer;
    }
    if (upool_tus_is_final(tus->resume)) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_FINAL, NULL);
    }
    if (upool_resume_is_complete(tus->resume)) {
        return patch_complete(r, rq, tus);
    }
    if (set_length(tus)) {
        return upool_tus_refuse(r, rq, upool_resume_refusal(tus->resume));
    }
    return take(r, rq);
}

/* --- POST ----------------------------------------------------------------- */

/* What the metadata says.  The keys that clients agree upon name the file and
 * its type; both spellings are in use, often at once.  All other pairs become
 * form fields, and so does a second spelling with another value. */
typedef struct described {
    const char *filename;
    const char *content_type;
    const apr_array_header_t *fields;
    upool_reason reason; /* why not */
} described;

static int is_key(const upool_tus_pair *pair, const char *name)
{
    return pair->key_len == strlen(name)
           && !memcmp(pair->key, name, pair->key_len);
}

static char *decode(const upool_tus_pair *pair, apr_size_t *len, apr_pool_t *p)
{
    char *bytes = apr_palloc(p, pair->value_len + 1);

    *len = upool_base64_decode((unsigned char *)bytes, pair->value_len,
                               pair->value, pair->value_len);
    bytes[*len] = '\0';
    return bytes;
}

/* The value of the first of both keys that is present and not empty; or
 * NULL. */
static const char *find(const char *metadata, const char *first,
                        const char *second, apr_pool_t *p)
{
    const char *found = NULL;
    upool_tus_reader reader;
    upool_tus_pair pair;
    apr_size_t len;

    reader.at = metadata;
    reader.end = metadata + strlen(metadata);
    while (upool_tus_pair_next(&reader, &pair) == 1) {
        int is_first = is_key(&pair, first);

        if (is_first || (!found && is_key(&pair, second))) {
            const char *bytes = decode(&pair, &len, p);
            char *text = apr_palloc(p, 3 * len + 1);

            upool_names_repair(text, bytes, len);
            found = *text ? text : found;
            if (is_first && *text) {
                break;
            }
        }
    }
    return found;
}

/* Does the pair repeat what was taken as the file's name or type? */
static int is_told(const upool_tus_pair *pair, const char *value,
                   const described *it)
{
    const char *told = is_key(pair, "name") ? it->filename : NULL;

    if (is_key(pair, "filename")) {
        return 1;
    }
    if (is_key(pair, "filetype") || is_key(pair, "type")) {
        told = it->content_type;
    }
    return told && !strcmp(told, value);
}

static upool_reason add_field(upool_fields *fields, const upool_tus_pair *pair,
                              const described *it, apr_pool_t *p)
{
    apr_size_t len;
    const char *value = decode(pair, &len, p);
    upool_reason reason;

    if (is_told(pair, value, it)) {
        return UPOOL_REASON_NONE;
    }
    upool_fields_begin(fields, apr_pstrmemdup(p, pair->key, pair->key_len));
    reason = upool_fields_data(fields, value, len);
    if (!reason) {
        upool_fields_end(fields);
    }
    return reason;
}

static void read_fields(const char *metadata, const upool_limits *limits,
                        described *it, apr_pool_t *p)
{
    apr_int64_t memory = limits->fields;
    upool_fields *fields = upool_fields_make(limits, &memory, p);
    upool_tus_reader reader;
    upool_tus_pair pair;

    reader.at = metadata;
    reader.end = metadata + strlen(metadata);
    while (!it->reason && upool_tus_pair_next(&reader, &pair) == 1) {
        it->reason = add_field(fields, &pair, it, p);
    }
    it->fields = upool_fields_list(fields);
    if (!it->reason && it->fields->nelts >= limits->parts) {
        it->reason = UPOOL_REASON_TOO_MANY_PARTS;
    }
}

/* limits lives as long as p. */
static void describe(described *it, const char *metadata,
                     const upool_limits *limits, apr_pool_t *p)
{
    memset(it, 0, sizeof(*it));
    if (metadata) {
        it->filename = find(metadata, "filename", "name", p);
        it->content_type = find(metadata, "filetype", "type", p);
        if (it->content_type && !ap_strchr_c(it->content_type, '/')) {
            it->content_type = NULL;
        }
        read_fields(metadata, limits, it, p);
    }
}

/* The identifiers of a final upload's parts.  A URL is recognised by its last
 * segment, as a proxy may have changed all of the rest.  NULL, with *reason. */
static const apr_array_header_t *list_parts(request_rec *r,
                                            const upool_request *rq,
                                            upool_tus_reader parts,
                                            upool_reason *reason)
{
    apr_array_header_t *list = apr_array_make(r->pool, 4, sizeof(const char *));
    const char *url;
    size_t len;

    while (upool_tus_url_next(&parts, &url, &len)) {
        char text[UPOOL_IDENT_TEXT_MAX + 1];
        char id[UPOOL_IDENT_MAX + 1];

        if (upool_tus_url_name(url, len, text, sizeof(text))
            || upool_ident_check(text, upool_config_ident_keys(rq->conf), id)
                   != UPOOL_IDENT_GOOD) {
            *reason = upool_keys_count(upool_config_ident_keys(rq->conf))
                          ? UPOOL_REASON_IDENT_REFUSED
                          : UPOOL_REASON_IDENT_MALFORMED;
            return NULL;
        }
        APR_ARRAY_PUSH(list, const char *) = apr_pstrdup(r->pool, id);
    }
    return list;
}

/* 0, or 1 when it is refused and nothing is left of it. */
static int concatenate(request_rec *r, const upool_request *rq,
                       upool_resume *resume, const apr_array_header_t *parts)
{
    if (upool_resume_concat(resume, parts) || upool_resume_complete(resume)) {
        return 1;
    }
    upool_rlog(r, DEBUG, 0, 71, "upload %s is made of %d parts",
               upool_log_ident(r->pool, rq->id), parts->nelts);
    return 0;
}

/* One endpoint takes several partial uploads at once, even when its URL carries
 * an identifier that the application has signed: that one says who may upload,
 * and names the final upload.  The parts get new names. */
static int rename_partial(request_rec *r, upool_request *rq,
                          const upool_tus_creation *creation)
{
    if (creation->kind != UPOOL_TUS_CONCAT_PARTIAL || rq->minted) {
        return 0;
    }
    rq->minted = 1;
    return upool_ident_mint(rq->id, r->request_time) != 0;
}

static int answer(request_rec *r, upool_request *rq, upool_tus *tus,
                  const upool_tus_creation *creation,
                  const apr_array_header_t *parts)
{
    const char *location = upool_proto_location(r, rq);

    if (!location) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_IO, "signature");
    }
    /* Sent even if its bytes are refused: the upload exists from now on. */
    apr_table_setn(r->err_headers_out, "Location", location);
    if (upool_tus_has_bytes(r)) {
        return take(r, rq);
    }
    if (parts ? concatenate(r, rq, tus->resume, parts)
              : creation->length == 0
                    && creation->kind != UPOOL_TUS_CONCAT_PARTIAL
                    && upool_resume_complete(tus->resume)) {
        upool_refusal refusal = *upool_resume_refusal(tus->resume);

        apr_table_unset(r->err_headers_out, "Location");
        upool_resume_abandon(tus->resume, UPOOL_ABANDON_UNWRITTEN);
        return upool_tus_refuse(r, rq, &refusal);
    }
    return upool_tus_settle(r, rq);
}

/* Will this request alone, if all goes well, complete what it creates? */
static int completes(const request_rec *r, const upool_request *rq,
                     const upool_tus_creation *creation)
{
    if (creation->kind == UPOOL_TUS_CONCAT_PARTIAL) {
        return 0;
    }
    return creation->kind == UPOOL_TUS_CONCAT_FINAL || creation->length == 0
           || (upool_tus_has_bytes(r)
               && rq->content_length == creation->length);
}

/* The upload is complete; its request has come again for the answer. */
static int answer_again(request_rec *r, upool_request *rq)
{
    const upool_resume *resume = upool_tus_of(r, rq)->resume;
    const char *location = upool_proto_location(r, rq);

    if (!location) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_IO, "signature");
    }
    apr_table_setn(r->err_headers_out, "Location", location);
    /* A concatenation brings no bytes. */
    return upool_drive_drop(r, rq,
                            upool_resume_about(resume)->concat
                                ? NULL
                                : upool_complete_repeat(r, rq, resume),
                            bytes_are_in);
}

static int create(request_rec *r, upool_request *rq,
                  const upool_tus_creation *creation,
                  const apr_array_header_t *parts)
{
    upool_tus *tus = upool_tus_of(r, rq);
    upool_limits *limits = apr_palloc(r->pool, sizeof(*limits));
    upool_resume_start start = UPOOL_RESUME_START;
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    int repeated = 0;
    described it;

    *limits = upool_config_limits(rq->conf);
    describe(&it, creation->metadata, limits, r->pool);
    if (it.reason) {
        return upool_tus_refuse_for(r, rq, it.reason, "Upload-Metadata");
    }
    start.protocol = UPOOL_TUS_PROTOCOL;
    start.length = creation->length;
    start.file =
        upool_file_of_head(NULL, it.filename, it.content_type, r->pool);
    upool_proto_target(r, &start.uri, &start.args);
    start.fields = it.fields;
    start.metadata = creation->metadata;
    start.concat = creation->concat;
    start.name_follows = creation->kind == UPOOL_TUS_CONCAT_PARTIAL;
    tus->resume =
        completes(r, rq, creation)
            ? upool_complete_create(r, rq, &start, &repeated, &refusal)
            : upool_resuming_create(r, rq, &start, &refusal);
    if (refusal.reason) {
        return upool_tus_refuse(r, rq, &refusal);
    }
    return repeated ? answer_again(r, rq) : answer(r, rq, tus, creation, parts);
}

/* NULL, or the header field that is bad. */
static const char *read_head(request_rec *r, upool_request *rq,
                             upool_tus_creation *creation)
{
    const char *bad = upool_tus_creation_read(r, creation);

    if (bad || !upool_tus_has_bytes(r)) {
        return bad;
    }
    return creation->kind == UPOOL_TUS_CONCAT_FINAL
               ? "Content-Type"
               : upool_tus_append_read(r, &upool_tus_of(r, rq)->append);
}

static int create_as_said(request_rec *r, upool_request *rq,
                          const upool_tus_creation *creation)
{
    const apr_array_header_t *parts = NULL;
    upool_reason reason = UPOOL_REASON_NONE;

    if (rename_partial(r, rq, creation)) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_IO, "no randomness");
    }
    if (creation->kind == UPOOL_TUS_CONCAT_FINAL) {
        parts = list_parts(r, rq, creation->parts, &reason);
    }
    return reason ? upool_tus_refuse_for(r, rq, reason, "a part's URL")
                  : create(r, rq, creation, parts);
}

static int nothing_came(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    upool_tus_creation creation;

    if (refusal) {
        return upool_tus_refuse(r, rq, refusal);
    }
    read_head(r, rq, &creation);
    return create_as_said(r, rq, &creation);
}

int upool_tus_create(request_rec *r, upool_request *rq)
{
    upool_tus_creation creation;
    const char *bad = read_head(r, rq, &creation);

    if (bad) {
        return upool_tus_refuse_field(r, rq, bad);
    }
    return upool_tus_has_bytes(r)
               ? create_as_said(r, rq, &creation)
               : upool_drive_empty(r, rq, UPOOL_REASON_NOT_AN_UPLOAD,
                                   nothing_came);
}
