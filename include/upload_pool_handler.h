/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPLOAD_POOL_HANDLER_H
#define UPLOAD_POOL_HANDLER_H

/**
 * @file  upload_pool_handler.h
 * @brief Upload handlers: what happens to the files of an upload.
 *
 * Everything behind the multipart parser is a chain of upload handlers, the
 * built-in ones (accept, clamd, spool, …) included.  A handler is a table of
 * functions; for each upload the chain makes one instance of each handler and
 * calls them in the order of UploadHandler:
 *
 *     handle_raw_input
 *       receive_raw_data …, end_of_raw_data, of a form before it is parsed
 *       for each file: new_file, receive_data_chunk …, end_of_data,
 *                      file_complete
 *     upload_complete, or upload_interrupted
 *
 * All functions are optional.  They run in the worker that reads the request,
 * in its handler phase, one upload at a time per instance, never two at once;
 * when a slow client lets the upload wait, the next call may come in another
 * thread, and instances of other uploads run at the same time.  They should
 * not wait for the network, and never without a bound (clamd has one).
 * They allocate everything from the pools that they are given.
 *
 * The first STOP wins, and its status and text are the client's answer.  After
 * it only upload_interrupted is called for the upload, on every handler whose
 * handle_raw_input was called.
 *
 * This header needs APR alone; it knows the request as an opaque type.
 */

#include <apr_pools.h>
#include <apr_tables.h>

#ifdef __cplusplus
extern "C" {
#endif

struct request_rec;

/** First member of every table; marks it as a handler table. */
#define UPLOAD_POOL_HANDLER_MAGIC 0x55504c31U /* "UPL1" */

/** What every table begins with, in the manner of STANDARD20_MODULE_STUFF:
 *  @code
 *  static const upload_pool_handler shout = {
 *      UPLOAD_POOL_HANDLER_STUFF("shout"),
 *      .receive_data_chunk = shout_chunk,
 *  };
 *  @endcode */
#define UPLOAD_POOL_HANDLER_STUFF(handler_name) \
    UPLOAD_POOL_HANDLER_MAGIC, sizeof(upload_pool_handler), handler_name

/** What a handler decides.  A verdict that a function may not give, or a value
 *  outside this list, ends the upload with 500. */
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
    /** the request, for its configuration (ap_get_module_config() of its
     *  per_dir_config), headers and log; its body is not to be read.  NULL in
     *  tests without a server */
    struct request_rec *r;
    /** lives as long as the upload */
    apr_pool_t *pool;
    /** bare identifier, without signature */
    const char *identifier;
    /** announced bytes of the request body, -1 when unknown */
    apr_off_t content_length;
    /** what stands between the parts of a multipart body, without "--"; NULL
     *  for an upload in several requests, which has no body to parse */
    const char *boundary;
} upload_pool_request;

/** One file, as handlers see it.  All strings are valid UTF-8. */
typedef struct upload_pool_file {
    /** lives as long as the upload */
    apr_pool_t *pool;
    /** place among the files that the application gets, from 0; a file that
     *  nobody keeps leaves its place to the next */
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
     *  add its own in file_complete.  UTF-8 */
    apr_table_t *digests;
    /** what handlers want the application to know of the file: name -> text
     *  in UTF-8, "notes" in the JSON, any function of the file may add */
    apr_table_t *notes;
    /** type/subtype that its first bytes look like, where UploadSniff asks
     *  and libmagic knows (for handlers behind sniff, when 2 KiB or the
     *  file's end have passed); else NULL */
    const char *sniffed_content_type;
    /** bytes that the file will have, as far as the client has said so: the
     *  Content-Length of its part, or the length of an upload in several
     *  requests; -1 unknown.  The length of a part is hearsay: few clients send
     *  one (RFC 7578, 4.8), and nobody holds them to it */
    apr_off_t content_length;
} upload_pool_file;

/** Where a file ended up.  A handler that keeps it fills one of the three
 *  texts, and size where it differs. */
typedef struct upload_pool_kept {
    /** name inside the bucket; for the built-in handler spool alone */
    const char *stored;
    /** the bytes themselves, size of them, in the upload's pool, at most 1
     *  GiB: "content" in the JSON */
    const char *content;
    /** where else it is, as the application understands it, UTF-8, in the
     *  upload's pool (a URL, a key): "location" in the JSON */
    const char *location;
    /** bytes that are kept; preset to what the client sent */
    apr_off_t size;
} upload_pool_kept;

typedef struct upload_pool_handler upload_pool_handler;

/** One handler at work on one upload. */
typedef struct upload_pool_instance {
    /** the table that was registered: one that is the first member of a
     *  larger structure leads to the rest of it */
    const upload_pool_handler *handler;
    const upload_pool_request *request;
    /** the handler's own, NULL at first */
    void *data;
    /** set before a STOP verdict: HTTP status, 400 to 599 (else 403), and
     *  text for the client, valid UTF-8, static or in the upload's pool (else
     *  a general one) */
    int status;
    const char *text;
} upload_pool_instance;

/** A handler: made static, or living as long as the configuration.  New
 *  members come at the end only. */
struct upload_pool_handler {
    /** UPLOAD_POOL_HANDLER_MAGIC */
    apr_uint32_t magic;
    /** sizeof(upload_pool_handler), as the handler was compiled */
    apr_size_t struct_size;
    /** name, as UploadHandler knows it and as it is registered */
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
    /** Bytes of the file; never none.
     *  @param data   in: the bytes, not to be changed in place; out: the bytes
     *                for the next handler, which stay valid until this
     *                instance is called again
     *  @param len    in and out: how many; 0 out: nothing for the next handler
     *  @param offset where in the file, as this handler sees it
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
    /** The file is complete: in chain order, after every end_of_data.
     *  @param size the file's bytes as this handler saw them
     *  @param kept filled by a handler that keeps the file; the first in the
     *              chain that fills it wins; later ones see kept filled and
     *              let go of what they have
     *  @return GO_ON, SKIP_FILE, STOP or STOP_RESET */
    upload_pool_verdict (*file_complete)(upload_pool_instance *self,
                                         upload_pool_file *file, apr_off_t size,
                                         upload_pool_kept *kept);
    /** The whole body was read and is well formed; the upload is done when
     *  every handler agrees and the pool has taken it; upload_interrupted
     *  follows when not.  @return GO_ON, STOP or STOP_RESET */
    upload_pool_verdict (*upload_complete)(upload_pool_instance *self);
    /** The upload ended in an error (file NULL): called once, in chain order,
     *  for every instance whose handle_raw_input was called.  Or a SKIP_FILE
     *  ended this file: called for every instance that has seen it, the one
     *  that said so included.  Let go of what is open. */
    void (*upload_interrupted)(upload_pool_instance *self,
                               upload_pool_file *file);
    /** No more bytes of this file will come: the rest that a handler has held
     *  back (the last block of a compression) goes to the next handlers.
     *  @param data   out: the bytes, valid as above
     *  @param len    in: 0; out: how many
     *  @return GO_ON, SKIP_FILE, STOP or STOP_RESET */
    upload_pool_verdict (*end_of_data)(upload_pool_instance *self,
                                       upload_pool_file *file,
                                       const char **data, apr_size_t *len);
    /** Bytes of the request body, before they are parsed; never none.  Only of
     *  an upload that comes as one form; what comes in several requests is a
     *  file already.  A handler that takes over the parsing gives on a form of
     *  its own making, with request->boundary: its files and fields go the way
     *  of all others, past every guard, and what it makes may not be larger
     *  than UploadMaxSize and the quota let in.  Progress counts what the
     *  client sends.
     *  @param data, len as for receive_data_chunk
     *  @param offset    where in the body, as this handler sees it
     *  @return GO_ON, STOP or STOP_RESET */
    upload_pool_verdict (*receive_raw_data)(upload_pool_instance *self,
                                            const char **data, apr_size_t *len,
                                            apr_off_t offset);
    /** No more bytes of the body will come: the rest that a handler has held
     *  back goes to the next ones, and is parsed.
     *  @param data, len as for end_of_data
     *  @return GO_ON, STOP or STOP_RESET */
    upload_pool_verdict (*end_of_raw_data)(upload_pool_instance *self,
                                           const char **data, apr_size_t *len);
};

#ifdef __cplusplus
}
#endif

#endif
