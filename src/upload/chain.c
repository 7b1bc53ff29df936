/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/chain.h"

#include <string.h>
#include <apr_strings.h>

#include "parse/names.h"

/* What apr_base64 and its int can take. */
#define CONTENT_MAX ((apr_off_t)1 << 30)
#define CHUNK_SIZE_DEFAULT 65536

typedef struct stage {
    upload_pool_instance instance;
    apr_off_t offset; /* in the current file, as this handler saw it */
    apr_off_t raw;    /* the same in the body */
    int sees_file;    /* no earlier handler took the current file */
    apr_uint64_t calls;
    apr_uint64_t bytes;
} stage;

struct upool_chain {
    const upload_pool_request *request;
    upool_refusal *refusal;
    apr_array_header_t *stages; /* of stage * */
    apr_size_t chunk_size;
    upload_pool_file *file; /* the current one, NULL between files */
    apr_off_t file_size;
    int opened;   /* how many stages were opened */
    int skipping; /* the current file is dropped */
    int tells;    /* there is a handler that may describe a file */
};

upool_chain *upool_chain_make(const upload_pool_request *request,
                              upool_refusal *refusal, apr_pool_t *p)
{
    upool_chain *chain = apr_pcalloc(p, sizeof(*chain));

    chain->request = request;
    chain->refusal = refusal;
    chain->stages = apr_array_make(p, 4, sizeof(stage *));
    chain->chunk_size = CHUNK_SIZE_DEFAULT;
    return chain;
}

static stage *stage_at(const upool_chain *chain, int n)
{
    return APR_ARRAY_IDX(chain->stages, n, stage *);
}

void upool_chain_add(upool_chain *chain, const upload_pool_handler *handler,
                     void *data)
{
    stage *s = apr_pcalloc(chain->request->pool, sizeof(*s));

    s->instance.handler = handler;
    s->instance.request = chain->request;
    s->instance.data = data;
    /* Tables are large for uploads that wait by the thousand. */
    if (strcmp(handler->name, "spool") && strcmp(handler->name, "accept")) {
        chain->tells = 1;
    }
    if (handler->chunk_size && handler->chunk_size < chain->chunk_size) {
        chain->chunk_size = handler->chunk_size;
    }
    APR_ARRAY_PUSH(chain->stages, stage *) = s;
}

void *upool_chain_find(const upool_chain *chain,
                       const upload_pool_handler *handler)
{
    int n;

    for (n = 0; n < chain->stages->nelts; n++) {
        if (stage_at(chain, n)->instance.handler == handler) {
            return stage_at(chain, n)->instance.data;
        }
    }
    return NULL;
}

static int is_client_status(int status)
{
    return status >= 400 && status <= 599;
}

/* The first refusal wins; a handler of this room has written its own.  Values
 * that others set are not trusted to be an error, or text. */
static int refused(upool_chain *chain, const stage *s,
                   upload_pool_verdict verdict)
{
    const upload_pool_instance *self = &s->instance;

    if (chain->refusal->reason == UPOOL_REASON_NONE) {
        *chain->refusal =
            upool_refusal_make(UPOOL_REASON_HANDLER, 0, self->handler->name);
        if (is_client_status(self->status)) {
            chain->refusal->status = self->status;
        }
        if (self->text && upool_names_is_utf8(self->text, strlen(self->text))) {
            chain->refusal->text = self->text;
        }
    }
    if (verdict == UPLOAD_POOL_STOP_RESET) {
        chain->refusal->reset = 1;
    }
    return 1;
}

/* A handler that breaks its contract may have had to check something: its file
 * must not pass for checked. */
static int broken(upool_chain *chain, const stage *s, const char *what)
{
    if (chain->refusal->reason == UPOOL_REASON_NONE) {
        *chain->refusal = upool_refusal_make(
            UPOOL_REASON_CONFIGURATION, 0,
            apr_pstrcat(chain->request->pool, "upload handler ",
                        s->instance.handler->name, " ", what, NULL));
    }
    return 1;
}

/* 0 to go on with the verdict, 1 when the upload is refused. */
static int judge(upool_chain *chain, const stage *s,
                 upload_pool_verdict verdict, upload_pool_verdict most)
{
    switch (verdict) {
    case UPLOAD_POOL_GO_ON:
        return 0;
    case UPLOAD_POOL_STOP:
    case UPLOAD_POOL_STOP_RESET:
        return refused(chain, s, verdict);
    case UPLOAD_POOL_HANDLED:
        if (most == UPLOAD_POOL_HANDLED) {
            return 0;
        }
        break;
    case UPLOAD_POOL_SKIP_FILE:
        if (most != UPLOAD_POOL_GO_ON) {
            return 0;
        }
        break;
    }
    return broken(chain, s, "gave a verdict that has no meaning here");
}

/* Tells every handler that saw the current file that it ends without being
 * complete. */
static void drop_file(upool_chain *chain)
{
    int n;

    for (n = 0; n < chain->stages->nelts; n++) {
        stage *s = stage_at(chain, n);

        if (s->sees_file && s->instance.handler->upload_interrupted) {
            s->instance.handler->upload_interrupted(&s->instance, chain->file);
        }
        s->sees_file = 0;
    }
    chain->skipping = 1;
}

int upool_chain_open(upool_chain *chain)
{
    int n;

    for (n = 0; n < chain->stages->nelts; n++) {
        stage *s = stage_at(chain, n);
        upload_pool_verdict verdict = UPLOAD_POOL_GO_ON;

        chain->opened = n + 1;
        if (s->instance.handler->handle_raw_input) {
            verdict = s->instance.handler->handle_raw_input(&s->instance);
        }
        if (judge(chain, s, verdict, UPLOAD_POOL_GO_ON)) {
            return 1;
        }
    }
    return 0;
}

int upool_chain_file_begin(upool_chain *chain, upload_pool_file *file)
{
    int n;

    chain->file = file;
    chain->file_size = 0;
    chain->skipping = 0;
    file->digests = chain->tells ? apr_table_make(file->pool, 1) : NULL;
    file->notes = chain->tells ? apr_table_make(file->pool, 1) : NULL;
    for (n = 0; n < chain->stages->nelts; n++) {
        stage_at(chain, n)->sees_file = 0;
    }
    for (n = 0; n < chain->stages->nelts; n++) {
        stage *s = stage_at(chain, n);
        upload_pool_verdict verdict = UPLOAD_POOL_GO_ON;

        s->offset = 0;
        s->sees_file = 1;
        if (s->instance.handler->new_file) {
            verdict = s->instance.handler->new_file(&s->instance, file);
        }
        if (judge(chain, s, verdict, UPLOAD_POOL_HANDLED)) {
            return 1;
        }
        if (verdict == UPLOAD_POOL_SKIP_FILE) {
            drop_file(chain);
            return 0;
        }
        if (verdict == UPLOAD_POOL_HANDLED) {
            break;
        }
    }
    return 0;
}

/* Lets the handlers from first on use the bytes that they still point to. */
static int flush_from(upool_chain *chain, int first)
{
    int n;

    for (n = first; n < chain->stages->nelts; n++) {
        stage *s = stage_at(chain, n);
        upload_pool_verdict verdict = UPLOAD_POOL_GO_ON;

        if (s->sees_file && s->instance.handler->flush) {
            verdict = s->instance.handler->flush(&s->instance);
        }
        if (judge(chain, s, verdict, UPLOAD_POOL_GO_ON)) {
            return 1;
        }
    }
    return 0;
}

static int pass(upool_chain *chain, int n, const char *data, apr_size_t len);

/* One handler and all behind it get at most a chunk.  Bytes that a handler made
 * itself are gone when it is called again, so the handlers behind it use them
 * before that. */
static int pass_chunk(upool_chain *chain, int n, const char *data,
                      apr_size_t len)
{
    stage *s = stage_at(chain, n);
    const char *given = data;
    apr_off_t offset = s->offset;
    upload_pool_verdict verdict;

    s->offset += (apr_off_t)len;
    if (!s->instance.handler->receive_data_chunk) {
        return pass(chain, n + 1, data, len);
    }
    s->calls++;
    s->bytes += len;
    verdict = s->instance.handler->receive_data_chunk(&s->instance, chain->file,
                                                      &data, &len, offset);
    if (judge(chain, s, verdict, UPLOAD_POOL_SKIP_FILE)) {
        return 1;
    }
    if (verdict == UPLOAD_POOL_SKIP_FILE) {
        drop_file(chain);
        return 0;
    }
    return pass(chain, n + 1, data, len)
           || (data != given && flush_from(chain, n + 1));
}

/* Hands bytes to handler n and those behind it.  The depth is that of the
 * chain; data that one of them makes larger comes to the next in chunks
 * again. */
static int pass(upool_chain *chain, int n, const char *data, apr_size_t len)
{
    if (n >= chain->stages->nelts || !stage_at(chain, n)->sees_file) {
        return 0;
    }
    while (len && !chain->skipping) {
        apr_size_t piece = len < chain->chunk_size ? len : chain->chunk_size;

        if (pass_chunk(chain, n, data, piece)) {
            return 1;
        }
        data += piece;
        len -= piece;
    }
    return 0;
}

int upool_chain_data(upool_chain *chain, const char *data, apr_size_t len)
{
    chain->file_size += (apr_off_t)len;
    return pass(chain, 0, data, len);
}

int upool_chain_flush(upool_chain *chain)
{
    return chain->file && !chain->skipping ? flush_from(chain, 0) : 0;
}

/* Passes the bytes that handlers have held back through those behind them. */
static int end_data(upool_chain *chain)
{
    int n;

    for (n = 0; n < chain->stages->nelts && !chain->skipping; n++) {
        stage *s = stage_at(chain, n);
        const char *data = NULL;
        apr_size_t len = 0;
        upload_pool_verdict verdict;

        if (!s->sees_file || !s->instance.handler->end_of_data) {
            continue;
        }
        verdict = s->instance.handler->end_of_data(&s->instance, chain->file,
                                                   &data, &len);
        if (judge(chain, s, verdict, UPLOAD_POOL_SKIP_FILE)) {
            return 1;
        }
        if (verdict == UPLOAD_POOL_SKIP_FILE) {
            drop_file(chain);
        }
        else if (len
                 && (pass(chain, n + 1, data, len)
                     || flush_from(chain, n + 1))) {
            return 1;
        }
    }
    return 0;
}

static int is_kept(const upload_pool_kept *kept)
{
    return kept->stored || kept->content || kept->location;
}

/* The first that keeps the file wins, whatever a later one writes. */
static int complete_file(upool_chain *chain, stage *s, upload_pool_kept *kept)
{
    upload_pool_kept offered = *kept;
    upload_pool_verdict verdict = s->instance.handler->file_complete(
        &s->instance, chain->file, s->offset, &offered);

    if (judge(chain, s, verdict, UPLOAD_POOL_SKIP_FILE)) {
        return 1;
    }
    if (verdict == UPLOAD_POOL_SKIP_FILE) {
        drop_file(chain);
        return 0;
    }
    if (is_kept(kept) || !is_kept(&offered)) {
        return 0;
    }
    if (offered.size < 0 || (offered.content && offered.size > CONTENT_MAX)) {
        return broken(chain, s, "keeps a file of an impossible size");
    }
    *kept = offered;
    return 0;
}

int upool_chain_file_end(upool_chain *chain, upload_pool_kept *kept,
                         int *skipped)
{
    int n;

    memset(kept, 0, sizeof(*kept));
    kept->size = chain->file_size;
    if (end_data(chain)) {
        return 1;
    }
    for (n = 0; n < chain->stages->nelts && !chain->skipping; n++) {
        stage *s = stage_at(chain, n);

        if (s->sees_file && s->instance.handler->file_complete
            && complete_file(chain, s, kept)) {
            return 1;
        }
    }
    *skipped = chain->skipping || !is_kept(kept);
    chain->file = NULL;
    return 0;
}

/* Hands raw bytes to handler n and those behind it, and at last to the parser;
 * a receiver of bytes that a handler has made uses them at once. */
static int pass_raw(upool_chain *chain, int n, const char *data, apr_size_t len,
                    upool_chain_parse *parse, void *user)
{
    while (n < chain->stages->nelts
           && !stage_at(chain, n)->instance.handler->receive_raw_data) {
        n++;
    }
    if (n >= chain->stages->nelts) {
        return len ? parse(user, data, len) : 0;
    }
    while (len) {
        stage *s = stage_at(chain, n);
        apr_size_t piece = len < chain->chunk_size ? len : chain->chunk_size;
        apr_size_t made_len = piece;
        const char *made = data;
        upload_pool_verdict verdict = s->instance.handler->receive_raw_data(
            &s->instance, &made, &made_len, s->raw);

        s->raw += (apr_off_t)piece;
        if (judge(chain, s, verdict, UPLOAD_POOL_GO_ON)
            || pass_raw(chain, n + 1, made, made_len, parse, user)
            || (made != data && upool_chain_flush(chain))) {
            return 1;
        }
        data += piece;
        len -= piece;
    }
    return 0;
}

int upool_chain_raw(upool_chain *chain, const char *data, apr_size_t len,
                    upool_chain_parse *parse, void *user)
{
    return pass_raw(chain, 0, data, len, parse, user);
}

int upool_chain_raw_end(upool_chain *chain, upool_chain_parse *parse,
                        void *user)
{
    int n;

    for (n = 0; n < chain->stages->nelts; n++) {
        stage *s = stage_at(chain, n);
        const char *data = NULL;
        apr_size_t len = 0;
        upload_pool_verdict verdict;

        if (!s->instance.handler->end_of_raw_data) {
            continue;
        }
        verdict =
            s->instance.handler->end_of_raw_data(&s->instance, &data, &len);
        if (judge(chain, s, verdict, UPLOAD_POOL_GO_ON)
            || pass_raw(chain, n + 1, data, len, parse, user)
            || upool_chain_flush(chain)) {
            return 1;
        }
    }
    return 0;
}

int upool_chain_complete(upool_chain *chain)
{
    int n;

    for (n = 0; n < chain->stages->nelts; n++) {
        stage *s = stage_at(chain, n);
        upload_pool_verdict verdict = UPLOAD_POOL_GO_ON;

        if (s->instance.handler->upload_complete) {
            verdict = s->instance.handler->upload_complete(&s->instance);
        }
        if (judge(chain, s, verdict, UPLOAD_POOL_GO_ON)) {
            return 1;
        }
    }
    return 0;
}

void upool_chain_interrupt(upool_chain *chain)
{
    int n;
    int opened = chain->opened;

    chain->opened = 0;
    for (n = 0; n < opened; n++) {
        stage *s = stage_at(chain, n);

        if (s->instance.handler->upload_interrupted) {
            s->instance.handler->upload_interrupted(&s->instance, NULL);
        }
    }
}

int upool_chain_account(const upool_chain *chain, int n, const char **name,
                        apr_uint64_t *calls, apr_uint64_t *bytes)
{
    const stage *s;

    if (n >= chain->stages->nelts) {
        return 0;
    }
    s = stage_at(chain, n);
    *name = s->instance.handler->name;
    *calls = s->calls;
    *bytes = s->bytes;
    return 1;
}
