/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPLOAD_POOL_HANDLER_H
#define UPLOAD_POOL_HANDLER_H

/**
 * @file  upload_pool_handler.h
 * @brief Upload handlers: what happens to the files of an upload.
 *
 * Everything behind the multipart parser is a chain of upload handlers, the
 * built-in ones (accept, digest, inline, spool) included.  A handler is a
 * table of functions; for each upload the chain makes one instance of each
 * handler and calls them in order:
 *
 *     handle_raw_input
 *       for each file: new_file, receive_data_chunk …, file_complete
 *     upload_complete, or upload_interrupted
 *
 * All functions but the name are optional.  They run in the worker that reads
 * the request, one upload at a time per instance, never two at once; when a
 * slow client lets the upload wait, the next call may come in another thread.
 * They must not block on the network.  Everything that they allocate belongs
 * into the pools that they are given.
 *
 * This header needs APR alone; it knows the request as an opaque type.
 */

#include <apr_pools.h>
#include <apr_tables.h>

#ifdef __cplusplus
extern "C" {
#endif

struct request_rec;

/** What a handler decides. */
typedef enum upload_pool_verdict {
    /** The next handler goes on with it. */
    UPLOAD_POOL_GO_ON = 0,
    /** No later handler sees this file (Django's StopFutureHandlers);
     *  new_file only. */
    UPLOAD_POOL_HANDLED,
    /** Nobody keeps this file; its bytes are read and dropped (SkipFile). */
    UPLOAD_POOL_SKIP_FILE,
    /** The upload ends here, with instance->status and text; the rest of the
     *  body is read within a bound, then the answer is sent (StopUpload). */
    UPLOAD_POOL_STOP,
    /** The same, but the connection is closed after the answer. */
    UPLOAD_POOL_STOP_RESET
} upload_pool_verdict;

/** The upload, as handlers see it.  Lives as long as the request. */
typedef struct upload_pool_request {
    /** the request; NULL in tests without a server */
    struct request_rec *r;
    /** lives as long as the upload */
    apr_pool_t *pool;
    /** bare identifier, without signature */
    const char *identifier;
    /** announced bytes of the request body, -1 when unknown */
    apr_off_t content_length;
} upload_pool_request;

/** One file, as handlers see it.  All strings are valid UTF-8. */
typedef struct upload_pool_file {
    /** lives as long as the upload */
    apr_pool_t *pool;
    /** counts the upload's files from 0 */
    int index;
    /** name of the form field */
    const char *field;
    /** as the client sent it: data, never a path to use */
    const char *filename;
    /** harmless form of it */
    const char *safe_filename;
    /** type/subtype in lower case, NULL where the part had none */
    const char *content_type;
    /** charset parameter, NULL where none */
    const char *charset;
    /** all parameters of Content-Type */
    const apr_table_t *params;
    /** digests computed so far: algorithm -> lower-case hex; a handler may
     *  add its own in file_complete */
    apr_table_t *digests;
} upload_pool_file;

/** Where a file ended up; filled by the handler that keeps it. */
typedef struct upload_pool_kept {
    /** name inside the bucket, for files that the spool handler keeps */
    const char *stored;
    /** the bytes themselves, in the upload's pool, for files kept in memory */
    const char *content;
} upload_pool_kept;

typedef struct upload_pool_handler upload_pool_handler;

/** One handler at work on one upload. */
typedef struct upload_pool_instance {
    const upload_pool_handler *handler;
    const upload_pool_request *request;
    /** the handler's own */
    void *data;
    /** set before a STOP verdict: HTTP status (0: 403) and text for the
     *  client, static or in the upload's pool */
    int status;
    const char *text;
} upload_pool_instance;

/** A handler. */
struct upload_pool_handler {
    /** name, as UploadHandler knows it */
    const char *name;
    /** receive_data_chunk gets at most so many bytes at once; the smallest
     *  of the chain wins; 0: no wish (65536) */
    apr_size_t chunk_size;
    /** The upload begins, nothing has been read.
     *  @return GO_ON, or STOP, STOP_RESET */
    upload_pool_verdict (*handle_raw_input)(upload_pool_instance *self);
    /** A file begins.  @return any verdict */
    upload_pool_verdict (*new_file)(upload_pool_instance *self,
                                    upload_pool_file *file);
    /** Bytes of the file.
     *  @param data   in: the bytes; out: the bytes for the next handler, which
     *                stay valid until this instance is called again
     *  @param len    in and out: how many; 0 out: nothing for the next handler
     *  @param offset where in the file, as this handler saw it
     *  @return GO_ON, SKIP_FILE, STOP or STOP_RESET */
    upload_pool_verdict (*receive_data_chunk)(upload_pool_instance *self,
                                              upload_pool_file *file,
                                              const char **data,
                                              apr_size_t *len,
                                              apr_off_t offset);
    /** The bytes handed over since the last flush are about to go: whoever
     *  still points to them uses them now.
     *  @return GO_ON, STOP or STOP_RESET */
    upload_pool_verdict (*flush)(upload_pool_instance *self);
    /** The file is complete.
     *  @param size the file's bytes as the client sent them
     *  @param kept filled by a handler that keeps the file; the first in the
     *              chain that fills it wins; later ones see kept filled and
     *              must not keep it again
     *  @return GO_ON, SKIP_FILE, STOP or STOP_RESET */
    upload_pool_verdict (*file_complete)(upload_pool_instance *self,
                                         upload_pool_file *file, apr_off_t size,
                                         upload_pool_kept *kept);
    /** The whole body was read and is well formed; the upload is done when
     *  every handler agrees.  @return GO_ON, STOP or STOP_RESET */
    upload_pool_verdict (*upload_complete)(upload_pool_instance *self);
    /** The upload ended in an error (file NULL): called once, in chain order,
     *  for every instance whose handle_raw_input ran.  Or a SKIP_FILE ended
     *  this file: called for every instance that has seen it, the one that
     *  said so included.  Let go of what is open. */
    void (*upload_interrupted)(upload_pool_instance *self,
                               upload_pool_file *file);
};

#ifdef __cplusplus
}
#endif

#endif
