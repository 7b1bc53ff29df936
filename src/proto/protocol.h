/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_PROTOCOL_H
#define UPOOL_PROTO_PROTOCOL_H

/* The protocols by which an upload arrives.  All run in the worker that serves
 * the request, in its handler phase, after the route has checked the
 * identifier; all return what a handler hook returns.
 *
 * Each word of UploadProtocol but multipart is a upool_protocol, which stands
 * in the list in front/route.c.  Its request goes through these steps:
 *
 *   early     X-HTTP-Method-Override on a POST with Tus-Resumable has become
 *             r->method and r->method_number (front/early.h): no code
 *             asks for it later.  A HEAD made so has r->method "HEAD", but its
 *             answer is framed as that to a POST: r->header_only is 0, so send
 *             no body.
 *   fixups    recognise(): is it mine?  It looks at method, URL and headers
 *             alone, reads nothing and asks no pool, but says in rq what it
 *             found:
 *               rq->is_resource, rq->base, rq->id  by upool_proto_resource()
 *               rq->creates     1: a new upload begins here
 *               rq->takes_body  1: handle() will read the body
 *               rq->refusal     by upool_proto_refuse()
 *             The route then settles what is the same for all: the identifier
 *             in X-Progress-ID (one that contradicts the resource's is
 *             refused), or a minted one for a creation without it, its age,
 *             the owner, Content-Length in rq->content_length, the headers to
 *             set aside.
 *   handler   refuse() if anything of that went wrong, else handle().
 *
 * rq->base is U, the URL that the resources of an upload are named after. */

#include "httpd/request.h"
#include "upload/resume.h"

typedef struct upool_protocol {
    int bit; /* UPOOL_PROTOCOL_…: the word of UploadProtocol that opens it */
    const char *kind; /* what the documents of its uploads call it */
    /* 1 when the request is one of this protocol. */
    int (*recognise)(request_rec *r, upool_request *rq);
    /* The URL of r names an upload of this protocol, even if its headers do not
     * say so (upool_proto_named()): prepares rq->own for handle().  NULL: its
     * uploads have no URL. */
    void (*adopt)(request_rec *r, upool_request *rq);
    /* The protocol is not open here, but r can only be a request of it that
     * changes something, and would be mistaken for another, or get a 404 page.
     * Returns the sentence for its client, with rq->own set for refuse(); NULL:
     * r is no such request, or a server that does not know the protocol may
     * answer it. */
    const char *(*evident)(request_rec *r, upool_request *rq);
    /* Answers it.  If rq->takes_body was set rq->intake is PENDING: code that
     * reads the body after all, or refuses it, changes that; code that answers
     * without reading sets it to UPOOL_INTAKE_NONE. */
    int (*handle)(request_rec *r, upool_request *rq);
    /* Answers rq->refusal, or any other, in the protocol's form: with
     * upool_reply_refusal_as() (httpd/reply.h). */
    int (*refuse)(request_rec *r, upool_request *rq,
                  const upool_refusal *refusal);
    /* The application has answered the request that completed rq's upload
     * (proto/complete.h), now or the first time that it was sent.  r->status
     * and r->headers_out are the application's, nothing is sent yet: adds the
     * protocol's headers to r->headers_out, and may change r->status (and
     * then clears r->status_line).  r may be a request that rq's was redirected
     * to.  has_body: the application has sent content.  1: it goes to the
     * client; 0: it does not, and its description leaves the headers. */
    int (*answer)(request_rec *r, upool_request *rq, int has_body);
} upool_protocol;

/* UploadProtocol resumable: proto/ietf.h.  Asked first: it adds Upload-Limit to
 * every answer to OPTIONS, whoever gives it. */
extern const upool_protocol upool_ietf_protocol;
/* UploadProtocol chunked: proto/chunked.h.  Asked last: it takes any form for
 * its own, unless another protocol knows better. */
extern const upool_protocol upool_chunked_protocol;

/* proto/filepond.c */
extern const upool_protocol upool_filepond_protocol;

/* POST multipart/form-data: takes the upload in, substitutes the request;
 * DECLINED lets the real handler run. */
int upool_proto_form(request_rec *r, upool_request *rq);

/* Its two halves, for a front that finds out while the body comes that it is a
 * form's: begins the upload, so that the body goes to rq->sink (0, or 1 with
 * *refusal), even if httpd/intake.h holds it already; and a
 * upool_drive_then. */
int upool_proto_form_begin(request_rec *r, upool_request *rq,
                           upool_refusal *refusal);
int upool_proto_form_end(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal);

/* GET or POST U?clear, DELETE U. */
int upool_proto_clear(request_rec *r, upool_request *rq);

/* --- For those who recognise and answer protocols ------------------------ */

/* Sets rq->refusal, unless there is one: the first stays. */
void upool_proto_refuse(upool_request *rq, upool_reason reason);

/* "/a/b/status" is the endpoint "status" of "/a/b": 1, with rq->base set. */
int upool_proto_is_endpoint(request_rec *r, upool_request *rq,
                            const char *name);

/* Takes the path for an upload resource, "U/ID[:SIG]", the form that
 * upool_proto_location() writes: sets rq->base to U, rq->is_resource, and
 * rq->id where the identifier is good; else rq->refusal (403, or 400 where it
 * is malformed and there is no key).  Whether there is such an upload is for
 * handle() to find out.  0: the path ends in a slash, nothing was set.
 *
 * Nothing but the shape of its last segment tells a resource from another
 * URL of the application's, so call it only where the protocol's own headers
 * have said that it is one. */
int upool_proto_resource(request_rec *r, upool_request *rq);

/* The URL of an upload belongs to its protocol, even if a client of the final
 * standard, or a proxy, leaves the version out.  For a HEAD, GET, DELETE or
 * OPTIONS whose URL names an existing upload of one of protocols (a list that
 * ends with NULL) that is open here, returns that protocol, with the resource
 * and rq->own set.  NULL: r is anything else.  Asks the pool, but only if the
 * path's last segment is a good identifier. */
const upool_protocol *upool_proto_named(request_rec *r, upool_request *rq,
                                        const upool_protocol *const *protocols);

/* Opens rq's upload, which must be one of rq->protocol.  NULL with *refusal:
 * NOT_FOUND where it is another protocol's, or as upool_resume_open(). */
upool_resume *upool_proto_open(request_rec *r, upool_request *rq,
                               upool_refusal *refusal);

/* The request was not ours after all: passes it, unread and unchanged, to the
 * next handler.  Returns what the handler hook returns. */
int upool_proto_pass(request_rec *r, upool_request *rq);

/* 1 where mod_dav would answer r. */
int upool_proto_is_for_dav(const request_rec *r);

/* What a creating request says of the URL that is run on completion: path
 * (*uri, with its %XX) and query (*args, NULL for none) as the client sent
 * them. */
void upool_proto_target(request_rec *r, const char **uri, const char **args);

/* The last segment of the path, decoded, in r->uri; NULL: there is none. */
const char *upool_proto_last_segment(const request_rec *r);

/* Checks text as the identifier of rq (contract 1): sets rq->id, or
 * rq->refusal. */
void upool_proto_check_identifier(upool_request *rq, const char *text);

/* The refusal of a request that has no identifier signed by the application,
 * but needs one. */
upool_refusal upool_proto_missing(void);

/* The URL of rq's upload, path-only (a proxy that terminates TLS would make
 * anything more wrong), escaped, in r->pool; NULL: it cannot be signed. */
const char *upool_proto_location(request_rec *r, const upool_request *rq);

/* ID[:SIG] of rq's upload, by which its client may know it, in r->pool; NULL:
 * it cannot be signed. */
const char *upool_proto_identifier(request_rec *r, const upool_request *rq);

/* plainform.c: reports what the query says of pieces, and the headers that some
 * libraries use instead.  Values live as long as the request. */
typedef void upool_proto_pair(void *user, const char *name, const char *value,
                              apr_size_t len);
void upool_proto_read_pieces(request_rec *r, upool_proto_pair *visit,
                             void *user);

#endif
