/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_strings.h>

#include "upload/hashname.h"

#define UPLOAD_ID "upload_id"

/* An identifier given twice has to be the same both times; else it becomes a
 * text that is no identifier. */
static void take_id(upool_chunked *c, const char *value, apr_size_t len)
{
    if (memchr(value, '\0', len)
        || (c->says.named && strcmp(c->says.named, value))) {
        c->says.named = "";
        return;
    }
    c->says.named = value;
}

static void take(upool_chunked *c, const char *name, const char *value,
                 apr_size_t len)
{
    if (!strcmp(name, UPLOAD_ID)) {
        take_id(c, value, len);
        return;
    }
    upool_family_param(&c->says.family, name, value, len);
}

static void take_pair(void *user, const char *name, const char *value,
                      apr_size_t len)
{
    take(user, name, value, len);
}

void upool_chunked_read_query(upool_chunked *c)
{
    upool_family_init(&c->says.family);
    upool_proto_read_pieces(c->r, take_pair, c);
}

void upool_chunked_read_fields(upool_chunked *c,
                               const apr_array_header_t *fields)
{
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(fields, i, upool_field);

        take(c, field->name, field->value, field->len);
    }
}

static void place_by_library(upool_chunked_place *place)
{
    place->by = place->piece.offset < 0 ? UPOOL_CHUNKED_BY_COUNT
                                        : UPOOL_CHUNKED_BY_LIBRARY;
    place->offset = place->piece.offset;
    place->length = place->piece.length;
    place->total = place->piece.total;
}

static void place_by_range(upool_chunked_place *place,
                           const upool_contentrange *range)
{
    place->by = UPOOL_CHUNKED_BY_RANGE;
    place->offset = range->first;
    place->length = upool_contentrange_length(range);
    place->total = range->total;
}

int upool_chunked_place_piece(upool_chunked *c, upool_refusal *refusal)
{
    const upool_contentrange *range = c->says.range;
    upool_chunked_place *place = &c->place;
    int settled = upool_family_settle(&c->says.family, &place->piece);

    place->by = UPOOL_CHUNKED_BY_NOBODY;
    if (!settled && !range && upool_family_is_strange(&c->says.family)) {
        return upool_refusal_set(refusal, UPOOL_REASON_PIECE, 0,
                                 "of a library not known");
    }
    if (settled < 0) {
        return upool_refusal_set(refusal, UPOOL_REASON_CHUNK_HEADER, 0,
                                 "a library's parameters that do not agree");
    }
    /* Other clients use plupload's words too, so there Content-Range wins. */
    if (settled && range && place->piece.kind != UPOOL_FAMILY_PLUPLOAD) {
        return upool_refusal_set(refusal, UPOOL_REASON_CHUNK_HEADER, 0,
                                 "Content-Range and a library's parameters");
    }
    if (range) {
        place_by_range(place, range);
    }
    else if (settled) {
        place_by_library(place);
    }
    else {
        place->by = UPOOL_CHUNKED_BY_NOTHING;
        place->offset = 0;
        place->length = -1;
        place->total = -1;
    }
    return 0;
}

/* A form holds more than the piece: the permitted number of fields, and for
 * each part the header block and delimiters. */
#define AROUND 2097152

static int is_over(apr_off_t bytes, apr_int64_t limit, upool_reason reason,
                   upool_refusal *refusal)
{
    return bytes > limit && upool_refusal_set(refusal, reason, 0, "announced");
}

static int is_file_over(apr_off_t bytes, const upool_limits *limits,
                        upool_refusal *refusal)
{
    return is_over(bytes, limits->body, UPOOL_REASON_BODY_TOO_LARGE, refusal)
           || is_over(bytes, limits->file, UPOOL_REASON_FILE_TOO_LARGE,
                      refusal);
}

/* If its head does not give the length of the piece, the form itself may be no
 * longer than an upload. */
int upool_chunked_judge_head(const upool_chunked *c, upool_refusal *refusal)
{
    upool_limits limits = upool_config_limits(c->rq->conf);
    apr_off_t content = apr_table_get(c->r->headers_in, "Content-Encoding")
                            ? -1
                            : c->rq->content_length;
    upool_family_chunk piece;
    upool_chunked at = *c;

    if (!c->says.range && upool_family_settle(&c->says.family, &piece) != 1) {
        return is_over(content, limits.body, UPOOL_REASON_BODY_TOO_LARGE,
                       refusal);
    }
    if (upool_chunked_place_piece(&at, refusal)) {
        return 1;
    }
    if (at.place.offset >= 0
        && (is_file_over(at.place.total, &limits, refusal)
            || is_file_over(at.place.offset + at.place.length, &limits,
                            refusal))) {
        return 1;
    }
    if (at.place.length < 0) {
        return is_over(content, limits.body, UPOOL_REASON_BODY_TOO_LARGE,
                       refusal);
    }
    return is_over(content - at.place.length - AROUND, limits.fields,
                   UPOOL_REASON_CHUNK_SIZE, refusal);
}

/* --- Which upload --------------------------------------------------------- */

static int check_named(upool_chunked *c, upool_refusal *refusal)
{
    upool_request *rq = c->rq;
    char before[UPOOL_IDENT_MAX + 1];

    memcpy(before, rq->id, sizeof(before));
    rq->refusal.reason = UPOOL_REASON_NONE;
    upool_proto_check_identifier(rq, c->says.named);
    if (!rq->refusal.reason && before[0] && strcmp(before, rq->id)) {
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_DOUBLED);
    }
    if (!rq->refusal.reason) {
        return 0;
    }
    *refusal = rq->refusal;
    return 1;
}

static upool_hashname_part part(const char *bytes, apr_size_t len)
{
    upool_hashname_part made = { bytes, len };

    return made;
}

/* Hashes all that makes the file this user's file, sent to this place. */
static int hash_piece(const upool_chunked *c, char *id)
{
    const upool_request *rq = c->rq;
    const char *owner = rq->owner ? rq->owner : "";
    const char kind = (char)('0' + c->place.piece.kind);
    upool_hashname_part parts[4];

    parts[0] = part(rq->base, strlen(rq->base));
    parts[1] = part(owner, strlen(owner));
    parts[2] = part(&kind, 1);
    parts[3] = part(c->place.piece.id, c->place.piece.id_len);
    return upool_hashname_make(id, parts, 4, c->r->pool);
}

static int name_piece(upool_chunked *c, upool_refusal *refusal)
{
    upool_request *rq = c->rq;

    if (!upool_chunked_may_mint(c)) {
        *refusal = upool_proto_missing();
        return 1;
    }
    if (!rq->owner && !upool_family_is_random(c->place.piece.kind)) {
        return upool_refusal_set(
            refusal, UPOOL_REASON_IDENT_REFUSED, 0,
            "the library's id can be guessed, and nothing tells its"
            " users apart: give X-Progress-ID, or use UploadOwner");
    }
    if (hash_piece(c, rq->id)) {
        return upool_refusal_set(refusal, UPOOL_REASON_MEMORY, 0, NULL);
    }
    return 0;
}

int upool_chunked_name(upool_chunked *c, upool_refusal *refusal)
{
    if (c->says.named) {
        return check_named(c, refusal);
    }
    if (upool_chunked_is_library(c) && !c->rq->id[0]) {
        return name_piece(c, refusal);
    }
    return 0;
}

/* --- Other questions ------------------------------------------------------ */

int upool_chunked_is_auto(const upool_chunked *c)
{
    return upool_chunked_is_library(c) || c->says.session
           || c->kind == UPOOL_CHUNKED_RAW || c->rq->conf->chunked_auto == 1;
}

int upool_chunked_may_mint(const upool_chunked *c)
{
    return !upool_keys_count(upool_config_ident_keys(c->rq->conf))
           || c->rq->conf->mint == 1;
}

int upool_chunked_is_ours(const upool_chunked *c, const char *field)
{
    return !strcmp(field, UPLOAD_ID)
           || (upool_chunked_is_library(c)
               && upool_family_owns(c->place.piece.kind, field));
}
