/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/protocol.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "proto/complete.h"
#include "proto/tus_head.h"
#include "httpd/drive.h"
#include "httpd/intake.h"
#include "httpd/reply.h"
#include "httpd/resuming.h"
#include "parse/mediatype.h"
#include "parse/quantity.h"
#include "parse/query.h"
#include "upload/fieldbody.h"
#include "upload/file.h"
#include "upload/resume.h"

/* FilePond's chunkUploads (https://pqina.nl/filepond), which borrows header
 * fields of tus and nothing else:
 *
 *   POST   U              a form of one field, without the file, and
 *                         Upload-Length: the answer is the identifier, as text
 *   PATCH  U?patch=ID     bytes at Upload-Offset; Upload-Name
 *   HEAD   U?patch=ID     how far it is
 *   DELETE U              with ID as its body: the user takes it back
 *
 * A form that FilePond sends without chunkUploads is like any other. */

#define KIND "filepond"
/* Longer than any identifier: a DELETE of ours has no longer body. */
#define REVERT_MAX 256

typedef struct filepond {
    upool_resume *resume;
    upool_fieldbody *body; /* of POST and DELETE */
    apr_off_t length;
} filepond;

static const char *field(const request_rec *r, const char *name)
{
    return apr_table_get(r->headers_in, name);
}

static filepond *own(request_rec *r, upool_request *rq)
{
    if (!rq->own) {
        rq->own = apr_pcalloc(r->pool, sizeof(filepond));
    }
    return rq->own;
}

/* A form whose file is to follow gives the file's length.  A chunk of another
 * library has Content-Range; the IETF's protocol has Upload-Complete. */
static int is_creation(const request_rec *r, upool_request *rq)
{
    const char *type = field(r, "Content-Type");

    if (!type || !field(r, "Upload-Length") || field(r, "Content-Range")
        || field(r, "Upload-Complete") || field(r, "Upload-Incomplete")
        || upool_mediatype_parse(type, strlen(type), rq->boundary,
                                 &rq->boundary_len)
               != UPOOL_MEDIATYPE_FORM) {
        rq->boundary_len = 0;
        return 0;
    }
    return 1;
}

/* The identifier that FilePond was told, in the query. */
static int is_resource(request_rec *r, upool_request *rq)
{
    char text[UPOOL_IDENT_TEXT_MAX + 8];

    switch (upool_query_find(r->args, "patch", text, sizeof(text))) {
    case UPOOL_QUERY_ABSENT:
        return 0;
    case UPOOL_QUERY_ONCE:
        upool_proto_check_identifier(rq, text);
        break;
    case UPOOL_QUERY_DOUBLED:
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_DOUBLED);
        break;
    case UPOOL_QUERY_BAD:
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_MALFORMED);
        break;
    }
    rq->is_resource = 1;
    return 1;
}

/* A short text, and no identifier anywhere else. */
static int is_revert(const request_rec *r)
{
    const char *type = field(r, "Content-Type");
    const char *length = field(r, "Content-Length");
    long long bytes;

    return !field(r, "X-Progress-ID")
           && upool_query_find(r->args, "X-Progress-ID", NULL, 0)
                  == UPOOL_QUERY_ABSENT
           && type && !apr_cstr_casecmpn(type, "text/plain", 10) && length
           && upool_quantity_decimal(length, &bytes) == UPOOL_QUANTITY_OK
           && bytes > 0 && bytes <= REVERT_MAX;
}

static int recognise(request_rec *r, upool_request *rq)
{
    /* A PATCH with it belongs to tus, which is asked later. */
    if (field(r, "Tus-Resumable")) {
        return 0;
    }
    if (r->method_number == M_POST && is_creation(r, rq)) {
        rq->creates = 1;
        rq->takes_body = 1;
        return 1;
    }
    if (r->method_number == M_PATCH && upool_tus_has_bytes(r)) {
        rq->takes_body = 1;
        return is_resource(r, rq);
    }
    if (r->header_only && r->method_number == M_GET) {
        return is_resource(r, rq);
    }
    if (r->method_number == M_DELETE && is_revert(r)) {
        rq->takes_body = 1;
        return 1;
    }
    return 0;
}

static int refuse(request_rec *r, upool_request *rq,
                  const upool_refusal *refusal)
{
    /* FilePond shows it to the user as it is, and cannot read JSON. */
    return upool_reply_refusal_as(r, rq, refusal, refusal->status,
                                  "text/plain; charset=utf-8", refusal->text);
}

static int refuse_for(request_rec *r, upool_request *rq, upool_reason reason,
                      const char *detail)
{
    upool_refusal refusal = upool_refusal_make(reason, 0, detail);

    return refuse(r, rq, &refusal);
}

/* 1 when there is one; else *answer is what the handler returns. */
static int open_upload(request_rec *r, upool_request *rq, int *answer)
{
    filepond *pond = own(r, rq);
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    pond->resume = upool_proto_open(r, rq, &refusal);
    if (!refusal.reason) {
        return 1;
    }
    *answer = refuse(r, rq, &refusal);
    return 0;
}

static void tell_offset(request_rec *r, const upool_resume *resume)
{
    apr_table_setn(r->headers_out, "Upload-Offset",
                   apr_off_t_toa(r->pool, upool_resume_offset(resume)));
}

/* --- POST ----------------------------------------------------------------- */

/* FilePond sends the file's name with every piece, but not with the POST. */
static int set_name(request_rec *r, upool_resume *resume)
{
    const char *name = field(r, "Upload-Name");

    return upool_resume_set_name(resume, name ? name : "");
}

/* If no byte is to come, no PATCH follows that could name the file. */
static void complete_empty(request_rec *r, upool_resume *resume,
                           upool_refusal *refusal)
{
    if (set_name(r, resume) || upool_resume_complete(resume)) {
        *refusal = *upool_resume_refusal(resume);
        upool_resume_abandon(resume, UPOOL_ABANDON_EMPTY);
    }
}

static int create(request_rec *r, upool_request *rq)
{
    filepond *pond = own(r, rq);
    upool_resume_start start = UPOOL_RESUME_START;
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    const char *text = upool_proto_identifier(r, rq);

    start.protocol = KIND;
    start.length = pond->length;
    upool_proto_target(r, &start.uri, &start.args);
    start.fields = upool_fieldbody_fields(pond->body);
    if (start.fields->nelts) {
        /* Its one field has the name that the file would have. */
        start.file =
            upool_file_of_head(APR_ARRAY_IDX(start.fields, 0, upool_field).name,
                               NULL, NULL, r->pool);
    }
    start.name_follows = 1;
    pond->resume = upool_resuming_create(r, rq, &start, &refusal);
    if (!refusal.reason && pond->length == 0) {
        complete_empty(r, pond->resume, &refusal);
    }
    if (refusal.reason || !text) {
        return refusal.reason ? refuse(r, rq, &refusal)
                              : refuse_for(r, rq, UPOOL_REASON_IO, "signature");
    }
    rq->intake = UPOOL_INTAKE_NONE;
    return pond->length == 0 ? upool_complete_run(r, rq, pond->resume)
                             : upool_reply_text(r, HTTP_OK, "text/plain", text);
}

static int form_is_in(request_rec *r, upool_request *rq,
                      const upool_refusal *refusal)
{
    return refusal ? refuse(r, rq, refusal) : create(r, rq);
}

static int read_form(request_rec *r, upool_request *rq)
{
    filepond *pond = own(r, rq);
    upool_limits *limits = apr_palloc(r->pool, sizeof(*limits));
    long long length;

    if (upool_quantity_decimal(field(r, "Upload-Length"), &length)
        != UPOOL_QUANTITY_OK) {
        return refuse_for(r, rq, UPOOL_REASON_UPLOAD_HEADER, "Upload-Length");
    }
    pond->length = length;
    *limits = upool_config_limits(rq->conf);
    pond->body = upool_fieldbody_make(UPOOL_FIELDBODY_FORM, rq->boundary,
                                      rq->boundary_len, limits, r->pool);
    rq->sink = upool_fieldbody_sink(pond->body);
    return upool_drive_run(r, rq, form_is_in);
}

/* --- PATCH, HEAD ---------------------------------------------------------- */

static int piece_is_in(request_rec *r, upool_request *rq,
                       const upool_refusal *refusal)
{
    const upool_resume *resume = own(r, rq)->resume;

    if (refusal) {
        return refuse(r, rq, refusal);
    }
    rq->intake = UPOOL_INTAKE_NONE;
    if (upool_resume_is_complete(resume)) {
        return upool_complete_run(r, rq, resume);
    }
    tell_offset(r, resume);
    return upool_reply_text(r, HTTP_NO_CONTENT, NULL, "");
}

static int take_piece(request_rec *r, upool_request *rq)
{
    int answer;
    filepond *pond = own(r, rq);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    const char *text = field(r, "Upload-Offset");
    long long offset;

    if (!text || upool_quantity_decimal(text, &offset) != UPOOL_QUANTITY_OK) {
        return refuse_for(r, rq, UPOOL_REASON_UPLOAD_HEADER, "Upload-Offset");
    }
    if (!open_upload(r, rq, &answer)) {
        return answer;
    }
    if (upool_resume_is_complete(pond->resume)
        && offset == upool_resume_offset(pond->resume)) {
        return upool_drive_empty(r, rq, UPOOL_REASON_COMPLETE, piece_is_in);
    }
    append.offset = offset;
    append.content_length = rq->content_length;
    if ((!upool_resume_is_complete(pond->resume) && set_name(r, pond->resume))
        || upool_resume_begin(pond->resume, &append)) {
        return refuse(r, rq, upool_resume_refusal(pond->resume));
    }
    upool_resume_sink(pond->resume, &rq->sink);
    return upool_drive_run(r, rq, piece_is_in);
}

static int answer_offset(request_rec *r, upool_request *rq)
{
    int answer;
    filepond *pond = own(r, rq);

    if (!open_upload(r, rq, &answer)) {
        return answer;
    }
    if (upool_resume_settle(pond->resume)) {
        return refuse(r, rq, upool_resume_refusal(pond->resume));
    }
    tell_offset(r, pond->resume);
    return upool_reply_text(r, HTTP_OK, NULL, "");
}

/* --- DELETE --------------------------------------------------------------- */

static int revert_is_in(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    const apr_array_header_t *fields;
    const upool_field *only;

    if (refusal) {
        return refuse(r, rq, refusal);
    }
    rq->intake = UPOOL_INTAKE_NONE;
    fields = upool_fieldbody_fields(own(r, rq)->body);
    only = &APR_ARRAY_IDX(fields, 0, upool_field);
    upool_proto_check_identifier(
        rq, fields->nelts == 1 && only->len == 0 ? only->name : "");
    return rq->refusal.reason ? refuse(r, rq, &rq->refusal)
                              : upool_proto_clear(r, rq);
}

/* An identifier is parsed like a query of one name without a value. */
static int read_revert(request_rec *r, upool_request *rq)
{
    filepond *pond = own(r, rq);
    upool_limits *limits = apr_palloc(r->pool, sizeof(*limits));

    *limits = upool_config_limits(rq->conf);
    pond->body =
        upool_fieldbody_make(UPOOL_FIELDBODY_QUERY, NULL, 0, limits, r->pool);
    rq->sink = upool_fieldbody_sink(pond->body);
    return upool_drive_run(r, rq, revert_is_in);
}

static int handle(request_rec *r, upool_request *rq)
{
    switch (r->method_number) {
    case M_POST:
        return read_form(r, rq);
    case M_PATCH:
        return take_piece(r, rq);
    case M_DELETE:
        return read_revert(r, rq);
    default:
        return answer_offset(r, rq);
    }
}

static int answer(request_rec *r, upool_request *rq, int has_body)
{
    tell_offset(r, own(r, rq)->resume);
    return has_body;
}

const upool_protocol upool_filepond_protocol = {
    .bit = UPOOL_PROTOCOL_CHUNKED,
    .kind = KIND,
    .recognise = recognise,
    .handle = handle,
    .refuse = refuse,
    .answer = answer,
};
