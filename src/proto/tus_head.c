/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/tus_head.h"

#include <string.h>
#include <apr_cstr.h>

#include "parse/quantity.h"

static const char *field(const request_rec *r, const char *name)
{
    return apr_table_get(r->headers_in, name);
}

int upool_tus_has_bytes(const request_rec *r)
{
    static const char type[] = UPOOL_TUS_MEDIA_TYPE;
    const char *given = field(r, "Content-Type");
    apr_size_t len = given ? strcspn(given, "; \t") : 0;

    return len == sizeof(type) - 1 && !apr_cstr_casecmpn(given, type, len);
}

static int speaks(const request_rec *r)
{
    const char *version = field(r, "Tus-Resumable");

    return version && !strcmp(version, UPOOL_TUS_VERSION);
}

/* 0, with *value -1 if the field is absent; or 1 when it is no number. */
static int read_number(const request_rec *r, const char *name, apr_off_t *value)
{
    const char *text = field(r, name);
    long long number;

    *value = -1;
    if (!text) {
        return 0;
    }
    if (upool_quantity_decimal(text, &number) != UPOOL_QUANTITY_OK) {
        return 1;
    }
    *value = number;
    return 0;
}

/* Requires exactly one of: the length, its being deferred, parts that have
 * it. */
static const char *read_length(const request_rec *r,
                               upool_tus_creation *creation)
{
    const char *defer = field(r, "Upload-Defer-Length");
    int final = creation->kind == UPOOL_TUS_CONCAT_FINAL;

    if (read_number(r, "Upload-Length", &creation->length)) {
        return "Upload-Length";
    }
    if (defer && (strcmp(defer, "1") || final || field(r, "Upload-Length"))) {
        return "Upload-Defer-Length";
    }
    return (creation->length >= 0) + (defer != NULL) + final == 1
               ? NULL
               : "Upload-Length";
}

const char *upool_tus_creation_read(const request_rec *r,
                                    upool_tus_creation *creation)
{
    memset(creation, 0, sizeof(*creation));
    creation->concat = field(r, "Upload-Concat");
    if (creation->concat) {
        creation->kind = upool_tus_concat_parse(
            creation->concat, strlen(creation->concat), &creation->parts);
        if (creation->kind == UPOOL_TUS_CONCAT_BAD) {
            return "Upload-Concat";
        }
    }
    creation->metadata = field(r, "Upload-Metadata");
    /* A client without metadata may send an empty field (tuspy does). */
    if (creation->metadata && !*creation->metadata) {
        creation->metadata = NULL;
    }
    if (creation->metadata
        && !upool_tus_metadata_is_good(creation->metadata,
                                       strlen(creation->metadata))) {
        return "Upload-Metadata";
    }
    return read_length(r, creation);
}

static const struct algorithm {
    const char *name;   /* on the wire */
    const char *digest; /* in UploadDigest */
    apr_size_t len;
} algorithms[] = {
    { "sha1", "sha-1", 20 },
    { "sha256", "sha-256", 32 },
    { "md5", "md5", 16 },
};

/* 0, or 1 when it is malformed, names an unknown algorithm, or has the wrong
 * length: each of these means 400, and no byte is taken. */
static int read_checksum(const char *text, upool_tus_append *append)
{
    apr_size_t i;

    if (!text) {
        return 0;
    }
    if (upool_tus_checksum_parse(text, strlen(text), &append->checksum)) {
        return 1;
    }
    for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (!strcmp(algorithms[i].name, append->checksum.name)) {
            append->algorithm = algorithms[i].digest;
            return append->checksum.value.len != algorithms[i].len;
        }
    }
    return 1;
}

/* 1 if Trailer (RFC 9110 6.6.2) promises the checksum; only a chunked body can
 * have a trailer. */
static int has_trailer(const request_rec *r)
{
    static const char name[] = "Upload-Checksum";
    const char *at = field(r, "Trailer");

    if (!at || !field(r, "Transfer-Encoding")) {
        return 0;
    }
    while (*at) {
        apr_size_t len;

        at += strspn(at, ", \t");
        len = strcspn(at, ", \t");
        if (len == sizeof(name) - 1 && !apr_cstr_casecmpn(at, name, len)) {
            return 1;
        }
        at += len;
    }
    return 0;
}

const char *upool_tus_append_read(const request_rec *r,
                                  upool_tus_append *append)
{
    int is_post = r->method_number == M_POST;

    memset(append, 0, sizeof(*append));
    append->length = -1;
    if (!is_post
        && (read_number(r, "Upload-Offset", &append->offset)
            || append->offset < 0)) {
        return "Upload-Offset";
    }
    if (!is_post && read_number(r, "Upload-Length", &append->length)) {
        return "Upload-Length";
    }
    append->trailer = has_trailer(r);
    return read_checksum(field(r, "Upload-Checksum"), append)
               ? "Upload-Checksum"
               : NULL;
}

const char *upool_tus_trailer_read(const request_rec *r,
                                   upool_tus_append *append)
{
    const char *text = apr_table_get(r->trailers_in, "Upload-Checksum");

    /* MergeTrailers puts trailers among the other fields. */
    if (!text && !append->algorithm) {
        text = field(r, "Upload-Checksum");
    }
    /* It was promised, but a proxy may have dropped it. */
    return !text || read_checksum(text, append) ? "Upload-Checksum" : NULL;
}

/* For a request that only asks, or deletes, the upload's URL is enough; the
 * specification requires the version in requests that change it. */
int upool_tus_is_understood(const request_rec *r)
{
    return speaks(r)
           || (!apr_table_get(r->headers_in, "Tus-Resumable")
               && r->method_number != M_POST && r->method_number != M_PATCH);
}
