/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/resume_own.h"

#include <string.h>

/* One part: its bytes must not change until they are copied, and they do not,
 * since nothing can be appended to a whole part. */
typedef struct piece {
    upool_resumable_look *look;
    apr_off_t length;
} piece;

static int is_part_of(const upool_resume *resume, const upool_resume *part)
{
    const upool_resumable *about = upool_resume_about(part);

    return strcmp(about->protocol, upool_resume_about(resume)->protocol) == 0
           && upool_resumable_is_part(about);
}

static int find_piece(upool_resume *resume, piece *found, const char *id)
{
    upool_resume_options options = resume->options;
    upool_resume *part;

    options.identifier = id;
    /* A part is judged like the upload that it becomes a part of. */
    memset(&options.rules, 0, sizeof(options.rules));
    part = upool_resume_open(&options, resume->p);
    if (part->refusal.reason) {
        return upool_resume_turn_down(resume, part->refusal.reason,
                                      part->refusal.rv, part->refusal.detail);
    }
    if (!is_part_of(resume, part)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_NOT_FOUND, 0,
                                      "not a partial upload");
    }
    if (!upool_resume_is_whole(part)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_NOT_WHOLE, 0, NULL);
    }
    found->look = part->look;
    found->length = upool_resume_length(part);
    return 0;
}

/* All of them, before a byte is copied.  One may come twice. */
static int find_pieces(upool_resume *resume, apr_array_header_t *pieces,
                       const apr_array_header_t *parts, apr_off_t *sum)
{
    int i;

    *sum = 0;
    for (i = 0; i < parts->nelts; i++) {
        piece *found = apr_array_push(pieces);

        if (find_piece(resume, found, APR_ARRAY_IDX(parts, i, const char *))) {
            return 1;
        }
        if (found->length > APR_INT64_MAX - 1 - *sum) {
            return upool_resume_turn_down(resume, UPOOL_REASON_BODY_TOO_LARGE,
                                          0, NULL);
        }
        *sum += found->length;
    }
    return upool_resume_judge_size(resume, *sum);
}

static apr_status_t copy_pieces(upool_resume *resume,
                                const apr_array_header_t *pieces)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; !rv && i < pieces->nelts; i++) {
        const piece *from = &APR_ARRAY_IDX(pieces, i, piece);

        rv = upool_writer_look_up(resume->writer);
        rv = rv == APR_EBUSY ? APR_SUCCESS : rv;
        rv = rv ? rv
                : upool_writer_copy(resume->writer, from->look, from->length);
    }
    return rv;
}

/* What a part is there, is; and nothing else is digested on the way. */
static int copy(upool_resume *resume, const apr_array_header_t *pieces,
                apr_off_t sum)
{
    static const upool_writer_claim all = { 0, -1, 0, 0 };
    apr_status_t rv = upool_writer_begin(&resume->writer, resume->look, &all);
    apr_status_t kept;

    if (rv) {
        return upool_resume_turn_down_for(resume, rv,
                                          "the upload cannot be written to");
    }
    upool_resume_open_quota(resume);
    rv = upool_resume_reserve(resume, sum) ? APR_EGENERAL
                                           : copy_pieces(resume, pieces);
    kept = upool_writer_keep(resume->writer, NULL);
    resume->writer = NULL;
    upool_resume_settle_quota(resume);
    rv = rv ? rv : kept;
    return rv ? upool_resume_turn_down_for(resume,
                                           rv == APR_EOF ? APR_ENOENT : rv,
                                           "the parts cannot be copied")
              : 0;
}

int upool_resume_concat(upool_resume *resume, const apr_array_header_t *parts)
{
    apr_array_header_t *pieces =
        apr_array_make(resume->p, parts->nelts, sizeof(piece));
    apr_off_t sum;

    return resume->refusal.reason || find_pieces(resume, pieces, parts, &sum)
           || copy(resume, pieces, sum) || upool_resume_set_length(resume, sum);
}
