/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_RESUME_OWN_H
#define UPOOL_UPLOAD_RESUME_OWN_H

/* What the files resume*.c share, for them alone.  Functions that return int
 * return 0 to go on, 1 when the request is refused. */

#include "store/vector.h"
#include "store/writer.h"
#include "upload/midway.h"
#include "upload/resume.h"

struct upool_resume {
    upool_resume_options options;
    apr_pool_t *p;
    upool_refusal refusal;
    upool_resumable_look *look; /* NULL: there is no such upload */
    upool_writer *writer; /* of its bytes, while there is one; else NULL */
    upool_record *record; /* for progress, and of the result */
    upool_account account;
    apr_array_header_t *fields; /* of upool_field; added by this request */
    upool_rules *rules;         /* NULL: none */
    int completed_now;
    /* while appending */
    upool_resume_append what;
    upool_quota *quota;  /* NULL: none is set */
    apr_off_t room;      /* that it reserves before it needs it */
    apr_off_t start;     /* where it began */
    apr_off_t fed;       /* bytes fed since */
    apr_time_t looked;   /* when it last asked whether it must stop */
    apr_time_t checked;  /* when it last wrote to disk (UploadSync) */
    apr_off_t sure;      /* how far that went */
    upool_vector vector; /* bytes that are not written yet */
    /* digests */
    apr_array_header_t *midways; /* of upool_midway *, of the whole file */
    upool_content_check *check;  /* NULL: nothing was announced */
    upool_digester *checksum;    /* of this append; NULL: none */
    const char *expected_name;   /* algorithm of the checksum; NULL: none */
    unsigned char expected[UPOOL_DIGESTER_MAX];
    apr_size_t expected_len;
};

/* An upool_resume that knows nothing yet. */
upool_resume *upool_resume_make(const upool_resume_options *options,
                                apr_pool_t *p);
/* Finds the upload, and checks whose it is. */
int upool_resume_find(upool_resume *resume);

/* Sets the refusal unless there is one; returns 1. */
int upool_resume_turn_down(upool_resume *resume, upool_reason reason,
                           apr_status_t rv, const char *detail);

/* The same for an error of store/resumable_look.h. */
int upool_resume_turn_down_for(upool_resume *resume, apr_status_t rv,
                               const char *detail);

/* Would size bytes in all be too many?  size is announced, or there already. */
int upool_resume_judge_size(upool_resume *resume, apr_off_t size);

/* Opens the ledger, in which everything that the upload holds counts.  1, or 0
 * where there is no quota. */
int upool_resume_open_quota(upool_resume *resume);
/* Reserves room for the whole upload, bytes of its file.  Does nothing without
 * a quota. */
int upool_resume_reserve(upool_resume *resume, apr_off_t bytes);
/* Would that be granted? */
int upool_resume_ask_room(upool_resume *resume, apr_off_t bytes);
/* The writer's region was released: the bytes on the disk count. */
void upool_resume_settle_quota(upool_resume *resume);

/* Brings the record up to what is known. */
void upool_resume_describe(upool_resume *resume);

/* Digests of the whole file: taken up at the start of an append in order, fed,
 * and put down for upool_writer_keep() (of upool_midstate; NULL: none). */
void upool_resume_digests_begin(upool_resume *resume);
void upool_resume_digests_data(upool_resume *resume, const char *data,
                               apr_size_t len);
const apr_array_header_t *upool_resume_digests_put_down(upool_resume *resume);
/* One digest of the whole file, in hex; NULL: it is not available. */
const char *upool_resume_digest(upool_resume *resume, const char *algorithm);

/* Checksum of the append: of the bytes fed, or read again. */
int upool_resume_checksum_data(upool_resume *resume, const char *data,
                               apr_size_t len);
int upool_resume_checksum_end(upool_resume *resume);

#endif
