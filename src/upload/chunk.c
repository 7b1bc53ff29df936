/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/chunk.h"

#include "upload/file.h"
#include "upload/parts.h"

struct upool_chunk {
    upool_chunk_options options;
    apr_pool_t *p;
    upool_parts *parser;
    upool_fields *fields;
    apr_int64_t memory;
    upool_content_check *check; /* NULL: no digest was announced */
    upool_refusal refusal;
    upool_part_kind kind;
    upool_file file;
    int has_file;
    upool_sink inner; /* ops NULL: no file yet */
    apr_off_t length; /* -1: any */
    apr_off_t passed; /* bytes of the file */
    apr_off_t received;
    int finished;
};

static void keep_refusal(upool_chunk *chunk, upool_reason reason,
                         apr_status_t rv, const char *detail)
{
    if (chunk->refusal.reason == UPOOL_REASON_NONE) {
        chunk->refusal = upool_refusal_make(reason, rv, detail);
    }
}

/* The reader of the body knows why it has ended: the bytes that came may be
 * right. */
static void chunk_refuse(void *self, upool_reason reason, apr_status_t rv,
                         const char *detail)
{
    upool_chunk *chunk = self;

    if (chunk->finished) {
        return;
    }
    keep_refusal(chunk, reason, rv, detail);
    if (chunk->inner.ops) {
        upool_sink_refuse(&chunk->inner, reason, rv, detail);
    }
}

/* The form is wrong, so nothing of its file is believed. */
static int refuse(upool_chunk *chunk, upool_reason reason, const char *detail)
{
    keep_refusal(chunk, reason, 0, detail);
    if (chunk->inner.ops) {
        upool_sink_refuse(&chunk->inner, UPOOL_REASON_CHUNK_SIZE, 0, detail);
    }
    return 1;
}

/* Either the append has ended itself, and says why; or the form has ended, and
 * the append is told. */
static int refused(upool_chunk *chunk)
{
    if (chunk->refusal.reason == UPOOL_REASON_NONE && chunk->inner.ops) {
        chunk->refusal = *upool_sink_refusal(&chunk->inner);
    }
    return refuse(chunk, UPOOL_REASON_INTERRUPTED, NULL);
}

static int file_begins(upool_chunk *chunk)
{
    chunk->kind = UPOOL_PART_FILE;
    if (chunk->has_file) {
        return refuse(chunk, UPOOL_REASON_CHUNK_FILES, NULL);
    }
    chunk->has_file = 1;
    return chunk->options.begins(chunk->options.user, &chunk->file,
                                 &chunk->inner, &chunk->length,
                                 &chunk->refusal);
}

static int on_begin(void *user, const upool_part *part)
{
    upool_chunk *chunk = user;

    if (!part->filename) {
        chunk->kind = UPOOL_PART_FIELD;
        upool_fields_begin(chunk->fields, part->name);
        return 0;
    }
    if (chunk->has_file) {
        /* A refusal that is being told stays unchanged. */
        chunk->kind = UPOOL_PART_NAMELESS;
        return part->filename[0] ? file_begins(chunk) : 0;
    }
    chunk->file = upool_file_of_part(part, 0, chunk->p);
    chunk->kind = UPOOL_PART_NAMELESS;
    return part->filename[0] ? file_begins(chunk) : 0;
}

static int file_data(upool_chunk *chunk, const char *data, apr_size_t len)
{
    if (chunk->length >= 0 && (apr_off_t)len > chunk->length - chunk->passed) {
        return refuse(chunk, UPOOL_REASON_CHUNK_SIZE, "more than announced");
    }
    chunk->passed += (apr_off_t)len;
    /* The append is told at once, as the parser would give its own reason for
     * stopping. */
    return upool_sink_feed(&chunk->inner, data, len) ? refused(chunk) : 0;
}

static int on_data(void *user, const char *data, apr_size_t len)
{
    upool_chunk *chunk = user;
    upool_reason reason;

    if (chunk->kind == UPOOL_PART_FIELD) {
        reason = upool_fields_data(chunk->fields, data, len);
        return reason ? refuse(chunk, reason, NULL) : 0;
    }
    if (chunk->kind == UPOOL_PART_NAMELESS && file_begins(chunk)) {
        return 1;
    }
    return file_data(chunk, data, len);
}

static int on_end(void *user)
{
    upool_chunk *chunk = user;

    if (chunk->kind == UPOOL_PART_FIELD) {
        upool_fields_end(chunk->fields);
    }
    return 0;
}

static const upool_parts_events events = {
    .begin = on_begin,
    .data = on_data,
    .end = on_end,
};

static int chunk_feed(void *self, const char *data, apr_size_t len)
{
    upool_chunk *chunk = self;

    if (chunk->refusal.reason) {
        return 1;
    }
    chunk->received += (apr_off_t)len;
    if ((chunk->check && upool_content_check_data(chunk->check, data, len))
        || upool_parts_feed(chunk->parser, data, len)) {
        return refused(chunk);
    }
    return 0;
}

static int chunk_flush(void *self)
{
    upool_chunk *chunk = self;

    if (chunk->refusal.reason) {
        return 1;
    }
    return chunk->inner.ops && upool_sink_flush(&chunk->inner) ? refused(chunk)
                                                               : 0;
}

static int chunk_finish(void *self)
{
    upool_chunk *chunk = self;

    if (chunk->refusal.reason) {
        return 1;
    }
    if (upool_parts_end(chunk->parser)
        || (chunk->check && upool_content_check_end(chunk->check))) {
        return refused(chunk);
    }
    if (chunk->has_file && chunk->length >= 0
        && chunk->passed != chunk->length) {
        return refuse(chunk, UPOOL_REASON_CHUNK_SIZE, "less than announced");
    }
    if (chunk->options.ends(chunk->options.user, chunk->has_file,
                            &chunk->refusal)
        || (chunk->inner.ops && upool_sink_finish(&chunk->inner))) {
        return refused(chunk);
    }
    chunk->finished = 1;
    return 0;
}

static int chunk_is_unwanted(void *self)
{
    upool_chunk *chunk = self;

    if (chunk->refusal.reason) {
        return 1;
    }
    return chunk->inner.ops && upool_sink_is_unwanted(&chunk->inner)
               ? refused(chunk)
               : 0;
}

static void chunk_park(void *self, int parked)
{
    const upool_chunk *chunk = self;

    if (chunk->inner.ops) {
        upool_sink_park(&chunk->inner, parked);
    }
}

static apr_off_t chunk_received(const void *self)
{
    const upool_chunk *chunk = self;

    return chunk->received;
}

static const upool_refusal *chunk_refusal(void *self)
{
    upool_chunk *chunk = self;

    return &chunk->refusal;
}

static const upool_sink_ops ops = {
    .feed = chunk_feed,
    .flush = chunk_flush,
    .finish = chunk_finish,
    .refuse = chunk_refuse,
    .is_unwanted = chunk_is_unwanted,
    .park = chunk_park,
    .received = chunk_received,
    .refusal = chunk_refusal,
};

upool_chunk *upool_chunk_make(const upool_chunk_options *options, apr_pool_t *p)
{
    upool_chunk *chunk = apr_pcalloc(p, sizeof(*chunk));

    chunk->options = *options;
    chunk->p = p;
    chunk->memory = upool_limits_memory(&options->limits);
    chunk->length = -1;
    chunk->fields =
        upool_fields_make(&chunk->options.limits, &chunk->memory, p);
    chunk->check =
        upool_content_check_make(&options->digests, &chunk->refusal, p);
    chunk->parser = upool_parts_make(options->boundary, options->boundary_len,
                                     &chunk->options.limits, &chunk->refusal,
                                     &events, chunk, p);
    return chunk;
}

upool_sink upool_chunk_sink(upool_chunk *chunk)
{
    upool_sink sink;

    sink.ops = &ops;
    sink.self = chunk;
    return sink;
}

const apr_array_header_t *upool_chunk_fields(const upool_chunk *chunk)
{
    return upool_fields_list(chunk->fields);
}
