/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/resume_own.h"

#include <errno.h>
#include <string.h>

/* While bytes flow, how often to look whether anybody wants this request to
 * stop. */
#define LOOK_INTERVAL apr_time_from_msec(250)
/* With UploadSync, what a power cut may take of one request. */
#define SURE_BYTES ((apr_off_t)64 << 20)
#define SURE_INTERVAL apr_time_from_sec(5)

/* Bytes that came before it was found out that they must not count. */
static int is_taken_back(const upool_resume *resume)
{
    switch ((int)resume->refusal.reason) {
    case UPOOL_REASON_NONE:
        return 0;
    case UPOOL_REASON_CHECKSUM:
    case UPOOL_REASON_DIGEST:
    case UPOOL_REASON_DIGEST_SYNTAX:
    case UPOOL_REASON_FILE_DIGEST:
    case UPOOL_REASON_CHUNK_SIZE:
        return 1;
    default:
        /* In an append with a checksum it is not known yet whether they are
         * right. */
        return resume->what.may_be_refused || resume->check;
    }
}

static apr_status_t write_out(upool_resume *resume)
{
    apr_status_t rv =
        resume->vector.count ? upool_writer_write(
            resume->writer, resume->vector.vec, resume->vector.count)
                             : APR_SUCCESS;

    upool_vector_clear(&resume->vector);
    return rv;
}

static void tell_end(upool_resume *resume)
{
    upool_record *record = resume->record;

    if (resume->refusal.reason == UPOOL_REASON_CLEARED) {
        record->state = UPOOL_STATE_ERROR;
        record->error = resume->refusal.text;
        upool_account_end(&resume->account, record, UPOOL_REASON_CLEARED);
        return;
    }
    upool_account_pause(&resume->account, record);
}

/* Releases the region late, so that a newcomer finds bytes and documents
 * settled; only then the quota, which asks who holds a region, and the slot.
 * 0, or 1 where the bytes that came may be lost. */
static int let_go(upool_resume *resume)
{
    apr_status_t rv = APR_SUCCESS;

    if (is_taken_back(resume)) {
        upool_vector_clear(&resume->vector);
        upool_writer_take_back(resume->writer);
    }
    else {
        /* An error stays with the writer. */
        write_out(resume);
        rv = upool_writer_keep(resume->writer,
                               upool_resume_digests_put_down(resume));
    }
    resume->writer = NULL;
    if (rv == ENOENT) {
        upool_resume_turn_down(resume, UPOOL_REASON_CLEARED, 0, NULL);
    }
    else if (rv) {
        upool_resume_turn_down_for(resume, rv,
                                   "the upload cannot be written down");
    }
    upool_resume_settle_quota(resume);
    upool_resume_describe(resume);
    tell_end(resume);
    return rv != APR_SUCCESS;
}

static int stop(upool_resume *resume, upool_reason reason, apr_status_t rv,
                const char *detail)
{
    upool_resume_turn_down(resume, reason, rv, detail);
    if (resume->writer) {
        let_go(resume);
    }
    return 1;
}

static apr_status_t interrupt(void *data)
{
    upool_resume *resume = data;

    if (resume->writer) {
        /* What it points to may be gone. */
        upool_vector_clear(&resume->vector);
        stop(resume, UPOOL_REASON_INTERRUPTED, 0, NULL);
    }
    return APR_SUCCESS;
}

/* --- Its beginning -------------------------------------------------------- */

static apr_off_t end_of(const upool_resume *resume)
{
    return resume->what.content_length < 0
               ? -1
               : resume->start + resume->what.content_length;
}

static int judge_end(upool_resume *resume)
{
    apr_off_t length = upool_resume_length(resume);
    apr_off_t end = end_of(resume);

    if (end < 0) {
        return 0;
    }
    if (length >= 0 && end > length) {
        return upool_resume_turn_down(resume, UPOOL_REASON_OVERRUN, 0, NULL);
    }
    if (length >= 0 && resume->what.last && end != length) {
        return upool_resume_turn_down(resume, UPOOL_REASON_UPLOAD_LENGTH, 0,
                                      NULL);
    }
    return upool_resume_judge_size(resume, end);
}

/* The size to which this request may bring the upload; parts beside each other
 * may bring it to its full size.  It is asked for now, and reserved when the
 * first byte is there: a client that sends nothing keeps nothing from
 * others. */
static int ask_room(upool_resume *resume)
{
    resume->room = end_of(resume);
    if (!upool_resume_open_quota(resume)) {
        return 0;
    }
    if (resume->what.out_of_order || upool_resume_about(resume)->ranges) {
        resume->room = upool_resume_length(resume);
    }
    if (resume->room < 0) {
        resume->room = resume->start + 1;
    }
    return upool_resume_ask_room(resume, resume->room);
}

static int is_in_order(const upool_resume *resume)
{
    return !upool_resume_about(resume)->ranges;
}

/* Parts come beside each other, so the bucket tells their progress. */
static void open_account(upool_resume *resume)
{
    upool_account_options options = resume->options.account;

    if (!is_in_order(resume)) {
        options.table = NULL;
    }
    upool_resume_describe(resume);
    resume->record->received = resume->start;
    /* Without a slot where another of that name still has one. */
    upool_account_claim(&resume->account, &options, resume->record);
    upool_account_begin(&resume->account, resume->record);
    upool_account_name(&resume->account, resume->record);
}

static int claim_region(upool_resume *resume)
{
    const upool_resume_append *what = &resume->what;
    upool_writer_claim claim;
    apr_status_t rv;

    claim.start = what->offset;
    claim.end = -1;
    claim.out_of_order = what->out_of_order;
    claim.provisional =
        what->may_be_refused || what->announced.content || what->announced.repr;
    if (what->content_length >= 0) {
        apr_off_t start =
            what->offset < 0 ? upool_resume_offset(resume) : what->offset;

        if (what->content_length > APR_INT64_MAX - 1 - start) {
            return upool_resume_turn_down(resume,
                                          start == upool_resume_offset(resume)
                                              ? UPOOL_REASON_BODY_TOO_LARGE
                                              : UPOOL_REASON_OFFSET,
                                          0, NULL);
        }
        claim.end = what->offset < 0 ? -1 : start + what->content_length;
    }
    rv = upool_writer_begin(&resume->writer, resume->look, &claim);
    return rv ? upool_resume_turn_down_for(resume, rv,
                                           "the upload cannot be written to")
              : 0;
}

int upool_resume_begin(upool_resume *resume, const upool_resume_append *append)
{
    if (resume->refusal.reason || resume->writer) {
        return 1;
    }
    resume->what = *append;
    if (claim_region(resume)) {
        return 1;
    }
    resume->start = upool_resume_offset(resume);
    resume->fed = 0;
    upool_vector_clear(&resume->vector);
    resume->sure = resume->start;
    resume->looked = resume->options.now();
    resume->checked = resume->looked;
    if (judge_end(resume) || ask_room(resume)) {
        upool_writer_take_back(resume->writer);
        resume->writer = NULL;
        upool_resume_settle_quota(resume);
        return 1;
    }
    apr_array_clear(resume->midways);
    if (is_in_order(resume)) {
        upool_resume_digests_begin(resume);
    }
    resume->check = upool_content_check_make(&append->announced,
                                             &resume->refusal, resume->p);
    apr_pool_pre_cleanup_register(resume->p, resume, interrupt);
    open_account(resume);
    return 0;
}

/* --- Its bytes ------------------------------------------------------------ */

static int gather(upool_resume *resume, const char *data, apr_size_t len)
{
    apr_status_t rv = upool_vector_add(&resume->vector, data, len)
                          ? write_out(resume)
                          : APR_SUCCESS;

    return rv ? stop(resume, upool_refusal_of_errno(rv), rv,
                     "the file cannot be written in the pool")
              : 0;
}

static int judge_bytes(upool_resume *resume, apr_size_t len)
{
    apr_off_t length = upool_resume_length(resume);
    apr_off_t end = resume->start + resume->fed;

    if ((apr_off_t)len > APR_INT64_MAX - end
        || (length >= 0 && (apr_off_t)len > length - end)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_OVERRUN, 0, NULL);
    }
    end += (apr_off_t)len;
    if (end_of(resume) >= 0 && end > end_of(resume)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_OVERRUN, 0, NULL);
    }
    return upool_resume_judge_size(resume, end)
           || (resume->quota
               && upool_resume_reserve(
                   resume, end > resume->room ? end : resume->room));
}

static int feed(void *self, const char *data, apr_size_t len)
{
    upool_resume *resume = self;

    if (!resume->writer) {
        return 1;
    }
    if (!len) {
        return 0;
    }
    if (judge_bytes(resume, len)
        || upool_resume_checksum_data(resume, data, len)) {
        return stop(resume, UPOOL_REASON_IO, 0, NULL);
    }
    upool_resume_digests_data(resume, data, len);
    resume->fed += (apr_off_t)len;
    return gather(resume, data, len);
}

/* Somebody may have cleared the upload, or may want to go on with it. */
static int look_up(upool_resume *resume)
{
    apr_status_t rv = upool_writer_look_up(resume->writer);

    resume->looked = resume->options.now();
    switch (rv) {
    case APR_SUCCESS:
        return 0;
    case APR_EBUSY:
        return stop(resume, UPOOL_REASON_TAKEN, 0, NULL);
    case ENOLCK:
        return stop(resume, UPOOL_REASON_IO, rv, "the pool is unsafe");
    default:
        return stop(resume, UPOOL_REASON_CLEARED, 0, NULL);
    }
}

static int is_due(apr_time_t last, apr_time_t now, apr_interval_time_t interval)
{
    return now - last >= interval || now < last;
}

/* With UploadSync. */
static int make_sure(upool_resume *resume, apr_time_t now)
{
    apr_off_t at = upool_resume_offset(resume);
    apr_status_t rv;

    /* While it only waits there is nothing more to sync. */
    if (at == resume->sure
        || (at - resume->sure < SURE_BYTES
            && !is_due(resume->checked, now, SURE_INTERVAL))) {
        return 0;
    }
    resume->sure = at;
    resume->checked = now;
    rv = upool_writer_checkpoint(resume->writer);
    return rv ? stop(resume, upool_refusal_of_errno(rv), rv,
                     "the file cannot be synced")
              : 0;
}

static int tell_progress(upool_resume *resume, apr_time_t now)
{
    upool_record *record = resume->record;

    record->received = upool_resume_offset(resume);
    record->updated = now;
    return upool_account_publish(&resume->account, record)
               ? 0
               : stop(resume, UPOOL_REASON_CLEARED, 0, NULL);
}

/* Out of memory, and known to others. */
static int put_out(upool_resume *resume, apr_time_t now)
{
    apr_status_t rv;

    if (!resume->writer) {
        return 1;
    }
    rv = write_out(resume);
    if (rv) {
        return stop(resume, upool_refusal_of_errno(rv), rv,
                    "the file cannot be written in the pool");
    }
    return tell_progress(resume, now) || make_sure(resume, now);
}

/* A request that wants this one to stop only has to wait for its end: if it
 * took over now, this client would be told of a conflict, and no client that
 * the upload is complete.  A clear is noticed when the bytes are kept. */
static int is_all_in(const upool_resume *resume)
{
    return resume->fed == resume->what.content_length;
}

static int flush(void *self)
{
    upool_resume *resume = self;
    apr_time_t now = resume->options.now();

    return put_out(resume, now)
           || (is_due(resume->looked, now, LOOK_INTERVAL) && !is_all_in(resume)
               && look_up(resume));
}

static int is_unwanted(void *self)
{
    upool_resume *resume = self;

    return flush(self) || look_up(resume);
}

/* --- Its end -------------------------------------------------------------- */

static int judge_append(upool_resume *resume)
{
    upool_reason reason = resume->what.verify
                              ? resume->what.verify(resume->what.user, resume)
                              : UPOOL_REASON_NONE;

    if (reason) {
        return upool_resume_turn_down(resume, reason, 0, NULL);
    }
    if (resume->fed < resume->what.content_length) {
        return upool_resume_turn_down(resume, UPOOL_REASON_INCOMPLETE, 0, NULL);
    }
    return upool_resume_checksum_end(resume);
}

/* The end of the last append is that of the upload. */
static int close_upload(upool_resume *resume)
{
    apr_off_t end = resume->start + resume->fed;

    return resume->what.last && upool_resume_set_length(resume, end);
}

static int finish(void *self)
{
    upool_resume *resume = self;

    if (put_out(resume, resume->options.now())) {
        return 1;
    }
    if (judge_append(resume)) {
        return stop(resume, UPOOL_REASON_IO, 0, NULL);
    }
    if (let_go(resume) || close_upload(resume)) {
        return 1;
    }
    if (resume->what.stay_open
        || upool_resumable_is_part(upool_resume_about(resume))
        || !upool_resume_is_whole(resume)) {
        return 0;
    }
    return upool_resume_complete(resume);
}

static void refuse(void *self, upool_reason reason, apr_status_t rv,
                   const char *detail)
{
    stop(self, reason, rv, detail);
}

static void park(void *self, int parked)
{
    upool_resume *resume = self;

    upool_account_park(&resume->account, parked);
}

static apr_off_t received(const void *self)
{
    const upool_resume *resume = self;

    return resume->fed;
}

static const upool_refusal *refusal(void *self)
{
    return upool_resume_refusal(self);
}

static const upool_sink_ops ops = {
    .feed = feed,
    .flush = flush,
    .finish = finish,
    .refuse = refuse,
    .is_unwanted = is_unwanted,
    .park = park,
    .received = received,
    .refusal = refusal,
};

void upool_resume_sink(upool_resume *resume, upool_sink *sink)
{
    sink->ops = &ops;
    sink->self = resume;
}
