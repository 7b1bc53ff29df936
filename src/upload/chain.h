/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_CHAIN_H
#define UPOOL_UPLOAD_CHAIN_H

/* The chain of upload handlers at work on one upload: calls them in order,
 * carries out their verdicts, remembers the first refusal and makes sure that
 * everything that was opened is closed, in order.
 *
 * One thread at a time.  Everything lives in the pool of upool_chain_make().
 * Functions that return int return 0 to go on, 1 when the upload is refused
 * (then *refusal of make() says why, and only upool_chain_interrupt() may
 * follow). */

#include "store/bucket.h"
#include "upload/refusal.h"
#include "upload_pool_handler.h"

typedef struct upool_chain upool_chain;

/* An empty chain.  refusal: the upload's own; handlers of this room write their
 * precise reason there, and the chain writes it for others. */
upool_chain *upool_chain_make(const upload_pool_request *request,
                              upool_refusal *refusal, apr_pool_t *p);

/* Appends a handler; data becomes its instance's data. */
void upool_chain_add(upool_chain *chain, const upload_pool_handler *handler,
                     void *data);

/* The data of a handler's instance; NULL: it is not in the chain. */
void *upool_chain_find(const upool_chain *chain,
                       const upload_pool_handler *handler);

/* The upload begins. */
int upool_chain_open(upool_chain *chain);

/* Takes bytes of the body from the handlers that see them raw: 0, or 1 when the
 * upload is refused. */
typedef int upool_chain_parse(void *user, const char *data, apr_size_t len);

/* Bytes of the body, before they are parsed; those that the handlers let out go
 * to parse.  They must stay valid as for data(). */
int upool_chain_raw(upool_chain *chain, const char *data, apr_size_t len,
                    upool_chain_parse *parse, void *user);

/* The body has ended: the same for bytes that were held back. */
int upool_chain_raw_end(upool_chain *chain, upool_chain_parse *parse,
                        void *user);

/* A file begins: its tables of digests and notes are made here. */
int upool_chain_file_begin(upool_chain *chain, upload_pool_file *file);

/* Bytes of the file that has begun; they must stay valid until the next
 * upool_chain_flush(). */
int upool_chain_data(upool_chain *chain, const char *data, apr_size_t len);

/* Lets every handler use the bytes of data() that it still points to. */
int upool_chain_flush(upool_chain *chain);

/* The file is complete.  *kept says where it is and how large; *skipped is 1
 * when no handler keeps it. */
int upool_chain_file_end(upool_chain *chain, upload_pool_kept *kept,
                         int *skipped);

/* The body is complete.  A failure afterwards still interrupts. */
int upool_chain_complete(upool_chain *chain);

/* The upload ended in an error: interrupts every handler that was opened,
 * once. */
void upool_chain_interrupt(upool_chain *chain);

/* Accounting, for the debug log: name, calls and bytes of handler n, counted
 * from 0; 0 when there is none. */
int upool_chain_account(const upool_chain *chain, int n, const char **name,
                        apr_uint64_t *calls, apr_uint64_t *bytes);

/* All that the room's own handlers need for their work on one upload. */
typedef struct upool_handler_site {
    upool_chain *chain;
    upool_refusal *refusal;
    apr_int64_t *memory;  /* what the upload may still keep in memory */
    upool_bucket *bucket; /* open for writing */
    apr_pool_t *p;        /* the upload's */
} upool_handler_site;

#endif
