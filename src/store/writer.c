/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/append.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/farm.h"
#include "store/incomplete.h"
#include "store/opened.h"
#include "store/takeover.h"

static int is_sync(const upool_append *a)
{
    return upool_store_settings(a->store)->sync;
}

static void drop_midstates(upool_resumable *about, apr_off_t offset)
{
    int kept = 0;
    int i;

    for (i = 0; i < about->midstates->nelts; i++) {
        upool_midstate m = APR_ARRAY_IDX(about->midstates, i, upool_midstate);

        if (m.offset <= offset) {
            APR_ARRAY_IDX(about->midstates, kept++, upool_midstate) = m;
        }
    }
    about->midstates->nelts = kept;
}

/* What is behind the offset is not to be trusted, and goes before anything is
 * written there. */
static apr_status_t cut(upool_append *a, apr_off_t offset)
{
    apr_status_t rv = APR_SUCCESS;

    if (a->size > offset) {
        rv = ftruncate(a->fd, offset) < 0 ? upool_fd_error() : APR_SUCCESS;
        a->size = offset;
    }
    /* Also where the file has lost bytes: others will come in their place. */
    drop_midstates(a->about, offset);
    return rv;
}

static apr_status_t check_claim(const upool_append *a,
                                const upool_append_claim *claim)
{
    apr_off_t length = a->about->length;

    if (claim->end >= 0
        && (claim->end < claim->start
            || (length >= 0 && claim->end > length))) {
        return APR_EINVAL;
    }
    return claim->out_of_order && (claim->start < 0 || claim->end < 0)
               ? APR_EINVAL
               : APR_SUCCESS;
}

static apr_status_t begin_in_order(upool_append *a,
                                   const upool_append_claim *claim)
{
    apr_off_t offset = upool_incomplete_offset(a->about, a->size);
    apr_off_t good = claim->provisional || is_sync(a) ? offset : -1;
    int had = a->about->midstates->nelts;
    apr_status_t rv;

    if (claim->start >= 0 && claim->start != offset) {
        return APR_EMISMATCH;
    }
    rv = check_claim(a, claim);
    if (rv) {
        return rv;
    }
    rv = cut(a, offset);
    a->in_order = 1;
    a->start = offset;
    if (rv || (good == a->about->good && had == a->about->midstates->nelts)) {
        return rv;
    }
    a->about->good = good;
    return upool_append_save(a);
}

/* From now on what is there is what is written down. */
static apr_status_t turn_out_of_order(upool_append *a)
{
    apr_off_t offset = upool_incomplete_offset(a->about, a->size);
    apr_status_t rv = cut(a, offset);

    a->about->ranges = upool_ranges_make(a->pool);
    upool_ranges_add(a->about->ranges, 0, offset);
    a->about->good = -1;
    return rv ? rv : upool_append_save(a);
}

static apr_status_t begin_part(upool_append *a, const upool_append_claim *claim)
{
    apr_off_t offset = upool_incomplete_offset(a->about, a->size);

    a->in_order = 0;
    a->start = claim->start >= 0 ? claim->start : offset;
    if (!claim->out_of_order && a->start != offset) {
        return APR_EMISMATCH;
    }
    if (check_claim(a, claim)) {
        return APR_EINVAL;
    }
    return a->about->ranges ? APR_SUCCESS : turn_out_of_order(a);
}

apr_status_t upool_append_begin(upool_append *a,
                                const upool_append_claim *claim)
{
    apr_status_t rv =
        upool_farm_is_unsafe(a->store) ? ENOLCK : upool_append_take(a, claim);

    if (rv) {
        return rv;
    }
    upool_append_doubt(a);
    rv = upool_append_look(a);
    if (!rv) {
        rv = claim->out_of_order || a->about->ranges ? begin_part(a, claim)
                                                     : begin_in_order(a, claim);
    }
    if (rv) {
        upool_append_let_go(a);
    }
    upool_append_unlock(a);
    a->at = a->start;
    a->provisional = claim->provisional;
    a->broken = 0;
    if (!rv && lseek(a->fd, a->at, SEEK_SET) < 0) {
        /* EINVAL: behind the end of the largest file that there can be. */
        rv = errno == EINVAL ? EFBIG : upool_fd_error();
        upool_append_let_go(a);
    }
    return rv;
}

/* A piece of a part: what is there already stays as it is, for whoever asked to
 * complete the upload may have digested it. */
static apr_status_t write_part(upool_append *a, const char *data,
                               apr_size_t len)
{
    apr_off_t end = a->at + (apr_off_t)len;

    while (a->at < end) {
        apr_off_t from = upool_ranges_gap(a->about->ranges, a->at);
        apr_off_t to;
        struct iovec piece;
        apr_status_t rv;

        from = from < end ? from : end;
        to = upool_ranges_next(a->about->ranges, from, end);
        data += from - a->at;
        a->at = from;
        if (from == end) {
            break;
        }
        if (lseek(a->fd, from, SEEK_SET) < 0) {
            return upool_fd_error();
        }
        piece.iov_base = (void *)data;
        piece.iov_len = (apr_size_t)(to - from);
        data += to - from;
        rv = upool_fd_write(a->fd, &piece, 1, &a->at);
        if (rv) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

apr_status_t upool_append_write(upool_append *a, struct iovec *vec, int count)
{
    int i;

    if (a->fd < 0) {
        return APR_EBADF;
    }
    if (a->in_order && !a->broken) {
        a->broken = upool_fd_write(a->fd, vec, count, &a->at);
    }
    for (i = 0; !a->in_order && !a->broken && i < count; i++) {
        a->broken = write_part(a, vec[i].iov_base, vec[i].iov_len);
    }
    return a->broken;
}

/* By name, not by descriptor: a network file system keeps what is open under
 * another name. */
apr_status_t upool_append_look_up(const upool_append *a)
{
    struct stat st;

    if (a->fd < 0) {
        return APR_SUCCESS;
    }
    if (upool_fd_stat(&st, a->directory.fd, a->about->file.stored) == ENOENT) {
        return APR_ENOENT;
    }
    if (upool_farm_is_unsafe(a->store)) {
        return ENOLCK;
    }
    return upool_takeover_is_asked(a->directory.fd, &a->region) ? APR_EBUSY
                                                                : APR_SUCCESS;
}

static void set_midstates(upool_append *a, const apr_array_header_t *midstates)
{
    if (midstates) {
        a->about->midstates = apr_array_copy(a->pool, midstates);
    }
}

/* Under the lock. */
static apr_status_t note_down(upool_append *a, apr_off_t good,
                              const apr_array_header_t *midstates)
{
    if (a->in_order) {
        a->about->good = good;
        set_midstates(a, midstates);
        return upool_append_save(a);
    }
    if (upool_ranges_add(a->about->ranges, a->start, a->at)) {
        return ENOSPC;
    }
    return upool_append_save(a);
}

static apr_status_t write_down(upool_append *a, apr_off_t good,
                               const apr_array_header_t *midstates)
{
    apr_status_t rv;

    upool_append_doubt(a);
    rv = upool_append_lock(a, apr_time_now() + UPOOL_APPEND_PATIENCE);
    if (rv) {
        return rv == APR_EOF ? APR_ENOENT : rv;
    }
    rv = note_down(a, good, midstates);
    upool_append_unlock(a);
    return rv;
}

apr_status_t upool_append_checkpoint(upool_append *a)
{
    apr_status_t rv;

    if (!is_sync(a) || a->provisional || a->broken) {
        return a->broken;
    }
    rv = upool_fd_sync(a->fd);
    a->broken = rv ? rv : write_down(a, a->at, NULL);
    return a->broken;
}

/* A write that failed has left all that a->at counts: of an upload in order the
 * file may have more, which nobody needs. */
static apr_status_t settle_file(upool_append *a)
{
    if (a->in_order && a->broken && ftruncate(a->fd, a->at) < 0) {
        return upool_fd_error();
    }
    return is_sync(a) ? upool_fd_sync(a->fd) : APR_SUCCESS;
}

apr_status_t upool_append_keep(upool_append *a,
                               const apr_array_header_t *midstates)
{
    apr_status_t rv;

    if (a->fd < 0) {
        return APR_EBADF;
    }
    rv = settle_file(a);
    if (!rv && a->in_order && a->about->good < 0 && !midstates) {
        /* The size says it all. */
        rv = upool_append_look_up(a) == APR_ENOENT ? APR_ENOENT : APR_SUCCESS;
    }
    else if (!rv) {
        rv = write_down(a, -1, midstates);
    }
    a->provisional = 0;
    upool_append_let_go(a);
    return rv ? rv : upool_append_look(a);
}

/* good stays where it is, which is where the file ends now. */
void upool_append_take_back(upool_append *a)
{
    if (a->fd >= 0 && a->in_order && ftruncate(a->fd, a->start) < 0) {
        /* Whoever writes next cuts it. */
        a->size = a->at;
    }
    a->provisional = 0;
    upool_append_let_go(a);
    upool_append_look(a);
}

static int is_whole(const upool_append *a)
{
    return a->about->length >= 0
           && upool_incomplete_offset(a->about, a->size) == a->about->length;
}

apr_status_t upool_append_complete(upool_append *a, upool_bucket **bucket,
                                   apr_pool_t *p)
{
    apr_status_t rv = upool_append_take(a, NULL);

    if (rv) {
        return rv;
    }
    upool_append_doubt(a);
    rv = upool_append_look(a);
    a->start = a->at = a->size;
    a->in_order = 1;
    if (!rv && !is_whole(a)) {
        rv = APR_EINCOMPLETE;
    }
    rv = rv ? rv : cut(a, a->about->length);
    upool_append_unlock(a);
    rv = rv ? rv
            : upool_bucket_adopt(bucket, a->store, a->about, p,
                                 apr_time_now() + UPOOL_APPEND_PATIENCE);
    if (rv) {
        upool_append_let_go(a);
    }
    return rv;
}

apr_status_t upool_append_release(upool_append *a)
{
    upool_append_let_go(a);
    return upool_append_look(a);
}
