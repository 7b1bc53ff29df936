/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/resume_own.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_escape.h>
#include <apr_strings.h>

/* What one request reads again before its first byte, so that a digest that
 * fell behind (its process was killed) goes on with the bytes.  More than that
 * is read when the upload is complete. */
#define CATCH_UP_MAX ((apr_off_t)16 << 20)

static upool_midway *midway_at(const upool_resume *resume, int i)
{
    return APR_ARRAY_IDX(resume->midways, i, upool_midway *);
}

static apr_status_t visit_midway(void *user, const char *data, apr_size_t len)
{
    upool_midway_update(user, data, len);
    return APR_SUCCESS;
}

/* Goes on where it was put down; from the beginning where no state fits. */
static void take_up(const upool_resume *resume, upool_midway *midway,
                    apr_off_t most)
{
    const apr_array_header_t *list = upool_resume_about(resume)->midstates;
    int i;

    for (i = 0; i < list->nelts; i++) {
        const upool_midstate *m = &APR_ARRAY_IDX(list, i, upool_midstate);

        if (m->offset <= most
            && strcmp(m->algorithm, upool_midway_name(midway)) == 0
            && !upool_midway_take_up(midway, m->state, m->offset)) {
            return;
        }
    }
}

/* Reads the bytes that it has not seen, up to to; 0, or -1 when it cannot. */
static int catch_up(const upool_resume *resume, upool_midway *midway,
                    apr_off_t to)
{
    return upool_resumable_read(resume->look, upool_midway_offset(midway), to,
                                visit_midway, midway)
               ? -1
               : 0;
}

void upool_resume_digests_begin(upool_resume *resume)
{
    const apr_array_header_t *names = resume->options.digests;
    int i;

    apr_array_clear(resume->midways);
    for (i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        upool_midway *midway = upool_midway_make(name, resume->p);

        if (!midway) {
            continue;
        }
        take_up(resume, midway, resume->start);
        if (resume->start - upool_midway_offset(midway) <= CATCH_UP_MAX) {
            catch_up(resume, midway, resume->start);
        }
        APR_ARRAY_PUSH(resume->midways, upool_midway *) = midway;
    }
}

/* A digest that has not seen all bytes before these waits for the end. */
void upool_resume_digests_data(upool_resume *resume, const char *data,
                               apr_size_t len)
{
    int i;

    for (i = 0; i < resume->midways->nelts; i++) {
        upool_midway *midway = midway_at(resume, i);

        if (upool_midway_offset(midway) == resume->start + resume->fed) {
            upool_midway_update(midway, data, len);
        }
    }
}

/* The state is not kept if bytes did not reach the file (the disk was full):
 * that of the request before still holds. */
const apr_array_header_t *upool_resume_digests_put_down(upool_resume *resume)
{
    apr_off_t offset = upool_resume_offset(resume);
    apr_array_header_t *list;
    int i;

    if (!resume->midways->nelts) {
        return NULL;
    }
    list = apr_array_make(resume->p, resume->midways->nelts,
                          sizeof(upool_midstate));
    for (i = 0; i < resume->midways->nelts; i++) {
        const upool_midway *midway = midway_at(resume, i);

        if (upool_midway_offset(midway) == offset) {
            upool_midstate *m = apr_array_push(list);

            m->algorithm = upool_midway_name(midway);
            m->offset = offset;
            m->state = upool_midway_put_down(midway, resume->p);
        }
    }
    return list->nelts ? list : NULL;
}

static apr_status_t visit_digester(void *user, const char *data, apr_size_t len)
{
    return upool_digester_update(user, data, len) ? APR_EGENERAL : APR_SUCCESS;
}

/* Of [from, to), read for it alone. */
static apr_size_t digest_range(const upool_resume *resume, const char *name,
                               apr_off_t from, apr_off_t to,
                               unsigned char value[UPOOL_DIGESTER_MAX])
{
    upool_digester *digester = upool_digester_make(name, resume->p);

    if (!digester || upool_digester_begin(digester)
        || upool_resumable_read(resume->look, from, to, visit_digester,
                                digester)) {
        return 0;
    }
    return upool_digester_end(digester, value);
}

const char *upool_resume_digest(upool_resume *resume, const char *algorithm)
{
    unsigned char value[UPOOL_DIGESTER_MAX];
    upool_midway *midway = upool_midway_make(algorithm, resume->p);
    apr_off_t length = upool_resume_length(resume);
    apr_size_t len;

    if (!midway) {
        len = digest_range(resume, algorithm, 0, length, value);
        return len ? apr_pescape_hex(resume->p, value, len, 0) : NULL;
    }
    take_up(resume, midway, length);
    if (catch_up(resume, midway, length)) {
        return NULL;
    }
    len = upool_midway_end(midway, value);
    return apr_pescape_hex(resume->p, value, len, 0);
}

int upool_resume_check(upool_resume *resume, const char *algorithm,
                       const char *hex)
{
    const char *is;

    if (!upool_resume_is_whole(resume)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_NOT_WHOLE, 0, NULL);
    }
    is = upool_resume_digest(resume, algorithm);
    if (!is) {
        return upool_resume_turn_down(resume, UPOOL_REASON_IO, 0,
                                      "a digest cannot be computed");
    }
    return apr_cstr_casecmp(is, hex) == 0
               ? 0
               : upool_resume_turn_down(resume, UPOOL_REASON_FILE_DIGEST, 0,
                                        NULL);
}

/* --- Of an append --------------------------------------------------------- */

int upool_resume_expect(upool_resume *resume, const char *algorithm,
                        const unsigned char *value, apr_size_t len)
{
    const char *name = upool_digester_known(algorithm);

    if (!name || len > sizeof(resume->expected)) {
        return -1;
    }
    resume->expected_name = name;
    memcpy(resume->expected, value, len);
    resume->expected_len = len;
    resume->checksum = NULL;
    if (resume->fed == 0) {
        resume->checksum = upool_digester_make(name, resume->p);
        if (resume->checksum && upool_digester_begin(resume->checksum)) {
            resume->checksum = NULL;
        }
    }
    return 0;
}

int upool_resume_checksum_data(upool_resume *resume, const char *data,
                               apr_size_t len)
{
    return (resume->check && upool_content_check_data(resume->check, data, len))
           || (resume->checksum
               && upool_digester_update(resume->checksum, data, len)
               && upool_resume_turn_down(resume, UPOOL_REASON_MEMORY, 0,
                                         "a digest cannot be updated"));
}

int upool_resume_checksum_end(upool_resume *resume)
{
    unsigned char value[UPOOL_DIGESTER_MAX];
    apr_size_t len;

    if (resume->check && upool_content_check_end(resume->check)) {
        return 1;
    }
    if (!resume->expected_name) {
        return 0;
    }
    len = resume->checksum
              ? upool_digester_end(resume->checksum, value)
              : digest_range(resume, resume->expected_name, resume->start,
                             resume->start + resume->fed, value);
    return len && len == resume->expected_len
                   && memcmp(value, resume->expected, len) == 0
               ? 0
               : upool_resume_turn_down(resume, UPOOL_REASON_CHECKSUM, 0, NULL);
}
