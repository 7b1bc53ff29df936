/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/announced.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "upload/digester.h"

/* Does nothing when there has been a refusal. */
static int refuse(upool_refusal *refusal, upool_reason reason,
                  const char *detail)
{
    if (refusal->reason == UPOOL_REASON_NONE) {
        *refusal = upool_refusal_make(reason, 0, detail);
    }
    return 1;
}

static int broken(upool_refusal *refusal)
{
    return refuse(refusal, UPOOL_REASON_CONFIGURATION,
                  "an announced digest cannot be computed");
}

static int matches(const upool_digestfield_value *announced,
                   const unsigned char *value, apr_size_t len)
{
    return announced->len == len && !memcmp(announced->bytes, value, len);
}

/* --- Of the content ------------------------------------------------------ */

/* One algorithm, and its digests in both header fields. */
typedef struct content_digest {
    upool_digester *digester;
    const upool_digestfield_value *announced[2]; /* NULL: nothing */
} content_digest;

struct upool_content_check {
    content_digest digests[2];
    int count;
    int is_broken;
    upool_refusal *refusal;
};

static void add_digest(upool_content_check *check, const char *algorithm,
                       const upool_digestfield_value *content,
                       const upool_digestfield_value *repr, apr_pool_t *p)
{
    content_digest *digest = &check->digests[check->count];

    digest->announced[0] = content && content->len ? content : NULL;
    digest->announced[1] = repr && repr->len ? repr : NULL;
    if (!digest->announced[0] && !digest->announced[1]) {
        return;
    }
    check->count++;
    digest->digester = upool_digester_make(algorithm, p);
    check->is_broken |=
        !digest->digester || upool_digester_begin(digest->digester);
}

upool_content_check *upool_content_check_make(
    const upool_content_digests *announced, upool_refusal *refusal,
    apr_pool_t *p)
{
    const upool_digestfield *content = announced->content;
    const upool_digestfield *repr = announced->repr;
    upool_content_check *check;

    if (!content && !repr) {
        return NULL;
    }
    check = apr_pcalloc(p, sizeof(*check));
    check->refusal = refusal;
    add_digest(check, "sha-256", content ? &content->sha256 : NULL,
               repr ? &repr->sha256 : NULL, p);
    add_digest(check, "sha-512", content ? &content->sha512 : NULL,
               repr ? &repr->sha512 : NULL, p);
    return check->count ? check : NULL;
}

int upool_content_check_data(upool_content_check *check, const char *data,
                             apr_size_t len)
{
    int i;

    for (i = 0; i < check->count; i++) {
        if (check->is_broken
            || upool_digester_update(check->digests[i].digester, data, len)) {
            return broken(check->refusal);
        }
    }
    return 0;
}

static int content_differs(const content_digest *digest,
                           const unsigned char *value, apr_size_t len)
{
    int i;

    for (i = 0; i < 2; i++) {
        if (digest->announced[i]
            && !matches(digest->announced[i], value, len)) {
            return 1;
        }
    }
    return 0;
}

int upool_content_check_end(upool_content_check *check)
{
    unsigned char value[UPOOL_DIGESTER_MAX];
    int i;

    for (i = 0; i < check->count; i++) {
        upool_digester *digester = check->digests[i].digester;
        apr_size_t len =
            check->is_broken ? 0 : upool_digester_end(digester, value);

        if (!len) {
            return broken(check->refusal);
        }
        if (content_differs(&check->digests[i], value, len)) {
            return refuse(check->refusal, UPOOL_REASON_DIGEST,
                          upool_digester_name(digester));
        }
    }
    return 0;
}

/* --- Of files ------------------------------------------------------------ */

#define ALGORITHMS 2

static const struct {
    const char *name;
    apr_size_t len;
} algorithms[ALGORITHMS] = { { "sha-256", 32 }, { "md5", 16 } };

/* A file that has ended before its value came. */
typedef struct file_digests {
    unsigned char value[ALGORITHMS][32];
} file_digests;

/* A value: its algorithm and digest. */
typedef struct announcement {
    int algorithm;
    unsigned char value[32];
} announcement;

struct upool_file_check {
    const char *name;
    upool_refusal *refusal;
    upool_digester *digesters[ALGORITHMS]; /* made when first needed */
    int runs[ALGORITHMS];                  /* for the file that has begun */
    apr_array_header_t *values;            /* of announcement */
    apr_array_header_t *files;             /* of file_digests */
    apr_pool_t *p;
};

upool_file_check *upool_file_check_make(const char *name,
                                        upool_refusal *refusal, apr_pool_t *p)
{
    upool_file_check *check;

    if (!name) {
        return NULL;
    }
    check = apr_pcalloc(p, sizeof(*check));
    check->name = name;
    check->refusal = refusal;
    check->values = apr_array_make(p, 1, sizeof(announcement));
    check->files = apr_array_make(p, 1, sizeof(file_digests));
    check->p = p;
    return check;
}

static int read_announcement(const upool_field *field, announcement *a)
{
    upool_digestfield_named named;

    if (upool_digestfield_named_parse(field->value, field->len, &named)) {
        return 0;
    }
    for (a->algorithm = 0; a->algorithm < ALGORITHMS; a->algorithm++) {
        if (!strcmp(named.name, algorithms[a->algorithm].name)
            && named.value.len == algorithms[a->algorithm].len) {
            memcpy(a->value, named.value.bytes, named.value.len);
            return 1;
        }
    }
    return 0;
}

/* File n and value n are both there. */
static int compare(const upool_file_check *check, int n)
{
    const announcement *a = &APR_ARRAY_IDX(check->values, n, announcement);
    const file_digests *file = &APR_ARRAY_IDX(check->files, n, file_digests);

    return memcmp(a->value, file->value[a->algorithm],
                  algorithms[a->algorithm].len)
               ? refuse(check->refusal, UPOOL_REASON_FILE_DIGEST,
                        apr_psprintf(check->p, "%s of file %d",
                                     algorithms[a->algorithm].name, n))
               : 0;
}

int upool_file_check_field(upool_file_check *check, const upool_field *field)
{
    announcement a;

    if (strcmp(field->name, check->name) != 0 || !field->len) {
        return 0;
    }
    if (!read_announcement(field, &a)) {
        return refuse(check->refusal, UPOOL_REASON_FILE_DIGEST_SYNTAX, NULL);
    }
    APR_ARRAY_PUSH(check->values, announcement) = a;
    return check->values->nelts <= check->files->nelts
               ? compare(check, check->values->nelts - 1)
               : 0;
}

int upool_file_check_begin(upool_file_check *check)
{
    int n = check->files->nelts;
    int i;

    for (i = 0; i < ALGORITHMS; i++) {
        check->runs[i] =
            check->values->nelts <= n
            || APR_ARRAY_IDX(check->values, n, announcement).algorithm == i;
        if (check->runs[i] && !check->digesters[i]) {
            check->digesters[i] =
                upool_digester_make(algorithms[i].name, check->p);
        }
        if (check->runs[i]
            && (!check->digesters[i]
                || upool_digester_begin(check->digesters[i]))) {
            return broken(check->refusal);
        }
    }
    return 0;
}

int upool_file_check_data(upool_file_check *check, const char *data,
                          apr_size_t len)
{
    int i;

    for (i = 0; i < ALGORITHMS; i++) {
        if (check->runs[i]
            && upool_digester_update(check->digesters[i], data, len)) {
            return broken(check->refusal);
        }
    }
    return 0;
}

int upool_file_check_end(upool_file_check *check)
{
    file_digests *file = apr_array_push(check->files);
    unsigned char value[UPOOL_DIGESTER_MAX];
    int i;

    for (i = 0; i < ALGORITHMS; i++) {
        if (!check->runs[i]) {
            continue;
        }
        if (upool_digester_end(check->digesters[i], value)
            != algorithms[i].len) {
            return broken(check->refusal);
        }
        memcpy(file->value[i], value, algorithms[i].len);
    }
    return check->files->nelts <= check->values->nelts
               ? compare(check, check->files->nelts - 1)
               : 0;
}

int upool_file_check_finish(upool_file_check *check)
{
    return check->values->nelts > check->files->nelts
               ? refuse(check->refusal, UPOOL_REASON_FILE_DIGEST,
                        "there are more digests than files")
               : 0;
}
