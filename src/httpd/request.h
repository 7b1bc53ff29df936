/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_REQUEST_H
#define UPOOL_HTTPD_REQUEST_H

/* What the module knows of one request.  The route makes it in fixups, in
 * r->pool; the module ignores a request without one.  After an internal
 * redirect (mod_rewrite in .htaccess, UploadPass, …) the new request_rec finds
 * the one of the request that the client sent through r->prev. */

#include <httpd.h>

#include "config/config.h"
#include "ident/ident.h"
#include "parse/multipart.h"
#include "upload/sink.h"
#include "upload/upload.h"

/* Who answers.  All but NONE and FORM are endpoints of our own. */
typedef enum upool_front {
    UPOOL_FRONT_NONE = 0, /* passes untouched */
    UPOOL_FRONT_FORM,     /* multipart upload: taken in, then the handler */
    UPOOL_FRONT_STATUS,
    UPOOL_FRONT_CLEAR,
    UPOOL_FRONT_MINT,
    UPOOL_FRONT_SERVE,
    UPOOL_FRONT_PROTOCOL /* rq->protocol */
} upool_front;

typedef enum upool_intake {
    UPOOL_INTAKE_NONE = 0,    /* no upload in this request */
    UPOOL_INTAKE_PENDING,     /* awaits the handler phase */
    UPOOL_INTAKE_TAKING,      /* awaits bytes from the client */
    UPOOL_INTAKE_SUBSTITUTED, /* another body stands in for the client's */
    UPOOL_INTAKE_REFUSED      /* answered with an error */
} upool_intake;

/* An upload that is done, however it came in, as its application is told. */
typedef struct upool_outcome {
    const upool_record *record;       /* NULL: not yet */
    const apr_array_header_t *fields; /* of upool_field */
    const char *path;                 /* of its bucket, absolute */
    const char *coding;               /* its Content-Encoding; NULL: none */
    int status; /* the application's own, where it is known; else 0 */
    int again;  /* the application may run again: this is not final */
} upool_outcome;

typedef struct upool_request upool_request;

/* What a front does when the body is in or refused: see httpd/drive.h. */
typedef int upool_drive_then(request_rec *r, upool_request *rq,
                             const upool_refusal *refusal);

struct upool_request {
    const upool_dir_conf *conf;
    upool_front front;
    const struct upool_protocol *protocol; /* proto/protocol.h; NULL */
    void *own;                             /* what that front keeps here */
    upool_refusal refusal;        /* of the route, told by the handler */
    char id[UPOOL_IDENT_MAX + 1]; /* bare; "" where there is none */
    int minted;                   /* id is new, and made by us */
    int is_resource;              /* id was the last segment of the URL */
    int creates;                  /* a new upload begins here */
    int takes_body;               /* the protocol's front will read it */
    int may_pass;                 /* it may still be the application's */
    const char *base;             /* U: the URL without /status and such */
    const char *callback;         /* JSONP, checked; NULL */
    const char *owner;            /* opaque; NULL: nobody owns it */
    upool_store *store;           /* httpd/lookup.h keeps it; NULL */
    /* the upload: */
    upool_intake intake;
    char boundary[UPOOL_BOUNDARY_MAX + 1];
    apr_size_t boundary_len;      /* 0: the type is not valid */
    apr_off_t content_length;     /* -1 unknown */
    const apr_table_t *set_aside; /* X-Upload-… → original values */
    upool_upload *upload;         /* NULL in fronts other than the form's */
    /* the body, while it comes in: */
    upool_sink sink;               /* where it goes */
    struct upool_body *body;       /* its reading: httpd/body.h */
    int keeps_coding;              /* a content coding is part of the bytes */
    int keeps_body;                /* for sub-requests: KeptBodySize */
    int redirects;                 /* to what runs the application */
    apr_interval_time_t awaited;   /* for what others do: httpd/drive.h */
    struct upool_handoff *handoff; /* what stands in for the body; NULL */
    upool_outcome outcome;
    struct upool_answering *answering; /* httpd/capture.h; NULL */
    int watches; /* whether the application looks at the files */
    int claimed; /* by the application, with UploadKeep claimed */
    const struct upool_resume *completes; /* proto/complete.c; NULL */
};

/* The data of this very request, or NULL. */
upool_request *upool_request_get(const request_rec *r);
/* Makes it. */
upool_request *upool_request_make(request_rec *r, const upool_dir_conf *conf);
/* The data of this request, or of an earlier one that it was redirected from,
 * whose body was substituted; NULL when there is none. */
upool_request *upool_request_substituted(const request_rec *r);

/* Names the section that configures what r uploads, for progress/notices.h; in
 * r->pool. */
const char *upool_request_section(const request_rec *r,
                                  const upool_dir_conf *conf);

/* Opaque text for the owner of what r uploads, by UploadOwner; NULL when nobody
 * owns it. */
const char *upool_request_owner(request_rec *r, const upool_dir_conf *conf);

/* Opens the pool of the context.  NULL with *refusal set when it cannot. */
upool_store *upool_request_store(request_rec *r, const upool_dir_conf *conf,
                                 upool_refusal *refusal);

#endif
