/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/resume.h"

#include <errno.h>
#include <string.h>

#include <apr_strings.h>

#include "upload/file.h"
#include "upload/resume_own.h"

int upool_resume_turn_down(upool_resume *resume, upool_reason reason,
                           apr_status_t rv, const char *detail)
{
    if (resume->refusal.reason == UPOOL_REASON_NONE) {
        resume->refusal = upool_refusal_make(reason, rv, detail);
    }
    return 1;
}

int upool_resume_turn_down_for(upool_resume *resume, apr_status_t rv,
                               const char *detail)
{
    switch (rv) {
    case APR_EBUSY:
        return upool_resume_turn_down(resume, UPOOL_REASON_BUSY, 0, NULL);
    case APR_EOF:
        return upool_resume_turn_down(resume, UPOOL_REASON_COMPLETE, 0, NULL);
    case APR_EMISMATCH:
        return upool_resume_turn_down(resume, UPOOL_REASON_OFFSET, 0, NULL);
    case APR_EINCOMPLETE:
        return upool_resume_turn_down(resume, UPOOL_REASON_NOT_WHOLE, 0, NULL);
    case APR_EINVAL:
        return upool_resume_turn_down(resume, UPOOL_REASON_OVERRUN, 0, NULL);
    case EFBIG:
        return upool_resume_turn_down(resume, UPOOL_REASON_FILE_TOO_LARGE, 0,
                                      detail);
    case APR_ENOENT:
    case APR_EGENERAL:
        return upool_resume_turn_down(resume, UPOOL_REASON_NOT_FOUND, 0, NULL);
    default:
        return upool_resume_turn_down(resume, upool_refusal_of_errno(rv), rv,
                                      detail);
    }
}

const upool_refusal *upool_resume_refusal(const upool_resume *resume)
{
    return &resume->refusal;
}

upool_resume *upool_resume_make(const upool_resume_options *options,
                                apr_pool_t *p)
{
    upool_resume *resume = apr_pcalloc(p, sizeof(*resume));

    resume->options = *options;
    resume->p = p;
    upool_vector_init(&resume->vector, p);
    resume->record = upool_record_make(p, options->identifier);
    resume->record->state = UPOOL_STATE_UPLOADING;
    resume->fields = apr_array_make(p, 2, sizeof(upool_field));
    resume->midways = apr_array_make(p, 1, sizeof(upool_midway *));
    return resume;
}

/* --- What is known -------------------------------------------------------- */

const upool_resumable *upool_resume_about(const upool_resume *resume)
{
    return upool_resumable_about(resume->look);
}

apr_off_t upool_resume_offset(const upool_resume *resume)
{
    return resume->writer ? upool_writer_offset(resume->writer)
                          : upool_resumable_offset(resume->look);
}

apr_off_t upool_resume_length(const upool_resume *resume)
{
    return upool_resume_about(resume)->length;
}

apr_off_t upool_resume_held(const upool_resume *resume)
{
    return upool_resumable_held(resume->look);
}

int upool_resume_is_whole(const upool_resume *resume)
{
    return upool_resume_length(resume) >= 0
           && upool_resume_offset(resume) == upool_resume_length(resume);
}

int upool_resume_is_complete(const upool_resume *resume)
{
    return resume->look && upool_resumable_record(resume->look) != NULL;
}

int upool_resume_completed_now(const upool_resume *resume)
{
    return resume->completed_now;
}

apr_time_t upool_resume_expires(const upool_resume *resume)
{
    apr_time_t expires =
        upool_resumable_activity(resume->look) + resume->options.expires;

    if (!resume->options.expires
        || (upool_resumable_is_part(upool_resume_about(resume))
            && upool_resume_is_whole(resume)
            && expires < resume->options.now())) {
        return 0;
    }
    return expires;
}

const upool_record *upool_resume_record(const upool_resume *resume)
{
    /* Data that is only in memory (inline, notes) is known only to the request
     * that completed the upload. */
    return resume->completed_now ? resume->record
                                 : upool_resumable_record(resume->look);
}

const apr_array_header_t *upool_resume_fields(const upool_resume *resume)
{
    const upool_resumable *about = upool_resume_about(resume);
    apr_array_header_t *list = apr_array_make(
        resume->p, about->fields->nelts + 1, sizeof(upool_field));
    int i;

    for (i = 0; i < about->fields->nelts; i++) {
        const upool_resumable_field *from =
            &APR_ARRAY_IDX(about->fields, i, upool_resumable_field);
        upool_field *field = apr_array_push(list);

        field->name = from->name;
        field->value = from->value;
        field->len = from->len;
        memset(&field->written, 0, sizeof(field->written));
    }
    apr_array_cat(list, resume->fields);
    return list;
}

const char *upool_resume_path(const upool_resume *resume, const char *stored,
                              apr_pool_t *p)
{
    return apr_pstrcat(p, upool_store_path(resume->options.store), "/",
                       resume->options.identifier, stored ? "/" : NULL, stored,
                       NULL);
}

void upool_resume_add_field(upool_resume *resume, const upool_field *field)
{
    APR_ARRAY_PUSH(resume->fields, upool_field) = *field;
}

void upool_resume_describe(upool_resume *resume)
{
    const upool_resumable *about = upool_resume_about(resume);
    upool_record *record = resume->record;

    upool_record_name_by(record, &about->file);
    record->size = about->length;
    record->received = upool_resumable_held(resume->look);
    record->owner = about->owner;
    record->created = about->created;
    record->updated = resume->options.now();
}

/* --- Limits --------------------------------------------------------------- */

int upool_resume_judge_size(upool_resume *resume, apr_off_t size)
{
    const upool_limits *limits = &resume->options.limits;

    if (size > limits->body) {
        return upool_resume_turn_down(resume, UPOOL_REASON_BODY_TOO_LARGE, 0,
                                      NULL);
    }
    if (size > limits->file) {
        return upool_resume_turn_down(resume, UPOOL_REASON_FILE_TOO_LARGE, 0,
                                      NULL);
    }
    return resume->rules ? upool_rules_file_size(resume->rules, size) : 0;
}

static int judge_quota(upool_resume *resume, upool_quota_answer answer)
{
    upool_refusal said =
        upool_refusal_of_quota(answer, upool_quota_error(resume->quota));

    return said.reason ? upool_resume_turn_down(resume, said.reason, said.rv,
                                                said.detail)
                       : 0;
}

int upool_resume_open_quota(upool_resume *resume)
{
    const upool_resume_options *o = &resume->options;

    if (!upool_quota_is_set(&o->quota)) {
        return 0;
    }
    resume->quota = upool_quota_make(o->store, o->identifier,
                                     upool_resume_about(resume)->owner,
                                     &o->quota, resume->p);
    upool_quota_count_from_start(resume->quota);
    return 1;
}

/* Of the file, however small, and of the record of the complete upload. */
static apr_int64_t room_for(apr_off_t bytes)
{
    return bytes > APR_INT64_MAX - 2 * UPOOL_QUOTA_BLOCK
               ? APR_INT64_MAX
               : bytes + 2 * UPOOL_QUOTA_BLOCK;
}

int upool_resume_ask_room(upool_resume *resume, apr_off_t bytes)
{
    return resume->quota
           && judge_quota(resume,
                          upool_quota_ask(resume->quota, room_for(bytes),
                                          upool_resume_offset(resume)));
}

int upool_resume_reserve(upool_resume *resume, apr_off_t bytes)
{
    apr_off_t written = upool_resume_offset(resume);
    apr_int64_t room = room_for(bytes);

    if (!resume->quota || room <= upool_quota_reserved(resume->quota)) {
        return 0;
    }
    return judge_quota(
        resume, upool_resume_length(resume) < 0
                    ? upool_quota_reserve_ahead(resume->quota, room, written)
                    : upool_quota_reserve(resume->quota, room, written));
}

void upool_resume_settle_quota(upool_resume *resume)
{
    if (resume->quota) {
        upool_quota_forget(resume->options.store, resume->options.identifier,
                           resume->p);
        resume->quota = NULL;
    }
}

/* --- Open, create --------------------------------------------------------- */

static int is_expired(const upool_resume *resume)
{
    apr_time_t expires = upool_resume_expires(resume);

    return expires && expires < resume->options.now();
}

int upool_resume_find(upool_resume *resume)
{
    apr_status_t rv =
        upool_resumable_open(&resume->look, resume->options.store,
                             resume->options.identifier, resume->p);

    if (rv) {
        return upool_resume_turn_down_for(resume, rv,
                                          "the upload cannot be looked at");
    }
    /* The owner is checked before anything else, so that a stranger learns
     * nothing. */
    if (!upool_record_is_open_to(upool_resume_about(resume)->owner,
                                 resume->options.owner)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_OWNER, 0,
                                      "owned by another user");
    }
    if (is_expired(resume)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_EXPIRED, 0, NULL);
    }
    resume->rules =
        upool_rules_make(&resume->options.rules, &resume->refusal, resume->p);
    /* A part has no name or type of its own to judge. */
    if (resume->rules && !upool_resume_is_complete(resume)
        && !upool_resumable_is_part(upool_resume_about(resume))
        && upool_rules_file_begin(
            resume->rules,
            upool_file_show(&upool_resume_about(resume)->file,
                            upool_resume_length(resume), resume->p))) {
        return 1;
    }
    upool_resume_describe(resume);
    return 0;
}

upool_resume *upool_resume_open(const upool_resume_options *options,
                                apr_pool_t *p)
{
    upool_resume *resume = upool_resume_make(options, p);

    upool_resume_find(resume);
    return resume;
}

/* --- Without bytes -------------------------------------------------------- */

int upool_resume_settle(upool_resume *resume)
{
    apr_status_t rv = upool_resumable_settle(resume->look);

    if (rv) {
        return upool_resume_turn_down_for(resume, rv,
                                          "the upload cannot be looked at");
    }
    upool_resume_describe(resume);
    return 0;
}

static apr_status_t change_length(void *user, upool_resumable *about)
{
    const apr_off_t *length = user;

    if (about->length == *length) {
        return APR_SUCCESS;
    }
    if (about->length >= 0) {
        return APR_EMISMATCH;
    }
    about->length = *length;
    return APR_SUCCESS;
}

int upool_resume_set_length(upool_resume *resume, apr_off_t length)
{
    apr_status_t rv;

    if (upool_resume_length(resume) == length) {
        return 0;
    }
    if (upool_resume_length(resume) >= 0 || length < 0
        || length < upool_resume_offset(resume)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_UPLOAD_LENGTH, 0,
                                      NULL);
    }
    if (upool_resume_judge_size(resume, length)) {
        return 1;
    }
    rv = upool_resumable_update(resume->look, change_length, &length);
    if (rv == APR_EMISMATCH) {
        return upool_resume_turn_down(resume, UPOOL_REASON_UPLOAD_LENGTH, 0,
                                      NULL);
    }
    if (rv) {
        return upool_resume_turn_down_for(resume, rv,
                                          "resumable.json cannot be written");
    }
    upool_resume_describe(resume);
    return 0;
}

static apr_status_t change_metadata(void *user, upool_resumable *about)
{
    about->metadata = user;
    return APR_SUCCESS;
}

int upool_resume_set_metadata(upool_resume *resume, const char *text)
{
    apr_status_t rv = upool_resumable_update(resume->look, change_metadata,
                                             apr_pstrdup(resume->p, text));

    return rv ? upool_resume_turn_down_for(resume, rv,
                                           "resumable.json cannot be written")
              : 0;
}

static int count_as_error(upool_resume *resume, upool_reason reason)
{
    resume->record->state = UPOOL_STATE_ERROR;
    resume->record->error = upool_refusal_make(reason, 0, NULL).text;
    resume->record->updated = resume->options.now();
    return 0;
}

/* rv tells whether its files were removed, so that their room is free.  One
 * that is gone has been removed or completed by another request, which has
 * settled what it takes. */
static int let_room_go(upool_resume *resume, apr_status_t rv)
{
    if (!rv) {
        upool_quota_forget(resume->options.store, resume->options.identifier,
                           resume->p);
    }
    if (rv && rv != ENOENT) {
        return upool_resume_turn_down_for(resume, rv,
                                          "the upload cannot be removed");
    }
    return 0;
}

int upool_resume_discard(upool_resume *resume, upool_reason reason)
{
    upool_resume_describe(resume);
    count_as_error(resume, reason);
    return let_room_go(
        resume,
        upool_resumable_discard(resume->look, reason ? resume->record : NULL));
}

int upool_resume_abandon(upool_resume *resume, upool_abandon which)
{
    apr_status_t rv = upool_resumable_abandon(resume->look, which);

    return rv == EEXIST ? 1 : let_room_go(resume, rv);
}
