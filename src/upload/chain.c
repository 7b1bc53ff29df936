/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/chain.h"

#define CHUNK_SIZE_DEFAULT 65536

typedef struct stage {
    upload_pool_instance instance;
    apr_off_t offset; /* in the current file, as this handler saw it */
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
    if (handler->chunk_size && handler->chunk_size < chain->chunk_size) {
        chain->chunk_size = handler->chunk_size;
    }
    APR_ARRAY_PUSH(chain->stages, stage *) = s;
}

/* The first refusal wins; a handler of this room has written its own. */
static int refused(upool_chain *chain, const stage *s,
                   upload_pool_verdict verdict)
{
    if (chain->refusal->reason == UPOOL_REASON_NONE) {
        *chain->refusal = upool_refusal_make(UPOOL_REASON_HANDLER, 0,
                                             s->instance.handler->name);
        if (s->instance.status) {
            chain->refusal->status = s->instance.status;
        }
        if (s->instance.text) {
            chain->refusal->text = s->instance.text;
        }
    }
    if (verdict == UPLOAD_POOL_STOP_RESET) {
        chain->refusal->reset = 1;
    }
    return 1;
}

static int is_stop(upload_pool_verdict verdict)
{
    return verdict == UPLOAD_POOL_STOP || verdict == UPLOAD_POOL_STOP_RESET;
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
        if (is_stop(verdict)) {
            return refused(chain, s, verdict);
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
    file->digests = apr_table_make(file->pool, 1);
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
        if (is_stop(verdict)) {
            return refused(chain, s, verdict);
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

/* Bytes that a handler made itself are gone when it is called again: whoever
 * comes later uses them at once. */
static int flush_from(upool_chain *chain, int first)
{
    int n;

    for (n = first; n < chain->stages->nelts; n++) {
        stage *s = stage_at(chain, n);
        upload_pool_verdict verdict = UPLOAD_POOL_GO_ON;

        if (s->sees_file && s->instance.handler->flush) {
            verdict = s->instance.handler->flush(&s->instance);
        }
        if (is_stop(verdict)) {
            return refused(chain, s, verdict);
        }
    }
    return 0;
}

static int pass_chunk(upool_chain *chain, const char *data, apr_size_t len)
{
    const char *original = data;
    int changed_by = -1;
    int n;

    for (n = 0; n < chain->stages->nelts && len; n++) {
        stage *s = stage_at(chain, n);
        upload_pool_verdict verdict;
        apr_off_t offset = s->offset;

        if (!s->sees_file || !s->instance.handler->receive_data_chunk) {
            continue;
        }
        s->calls++;
        s->bytes += len;
        s->offset += (apr_off_t)len;
        verdict = s->instance.handler->receive_data_chunk(
            &s->instance, chain->file, &data, &len, offset);
        if (is_stop(verdict)) {
            return refused(chain, s, verdict);
        }
        if (verdict == UPLOAD_POOL_SKIP_FILE) {
            drop_file(chain);
            return 0;
        }
        if (data != original && changed_by < 0) {
            changed_by = n;
        }
    }
    return changed_by < 0 ? 0 : flush_from(chain, changed_by + 1);
}

int upool_chain_data(upool_chain *chain, const char *data, apr_size_t len)
{
    chain->file_size += (apr_off_t)len;
    while (len && !chain->skipping) {
        apr_size_t piece = len < chain->chunk_size ? len : chain->chunk_size;

        if (pass_chunk(chain, data, piece)) {
            return 1;
        }
        data += piece;
        len -= piece;
    }
    return 0;
}

int upool_chain_flush(upool_chain *chain)
{
    return chain->file && !chain->skipping ? flush_from(chain, 0) : 0;
}

int upool_chain_file_end(upool_chain *chain, upload_pool_kept *kept,
                         int *skipped)
{
    int n;

    kept->stored = NULL;
    kept->content = NULL;
    for (n = 0; n < chain->stages->nelts && !chain->skipping; n++) {
        stage *s = stage_at(chain, n);
        upload_pool_verdict verdict = UPLOAD_POOL_GO_ON;

        if (!s->sees_file) {
            continue;
        }
        if (s->instance.handler->file_complete) {
            verdict = s->instance.handler->file_complete(
                &s->instance, chain->file, chain->file_size, kept);
        }
        if (is_stop(verdict)) {
            return refused(chain, s, verdict);
        }
        if (verdict == UPLOAD_POOL_SKIP_FILE) {
            drop_file(chain);
        }
    }
    *skipped = chain->skipping || (!kept->stored && !kept->content);
    chain->file = NULL;
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
        if (is_stop(verdict)) {
            return refused(chain, s, verdict);
        }
    }
    /* Done: nothing is left to interrupt. */
    chain->opened = 0;
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
