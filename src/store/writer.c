/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/farm.h"
#include "store/resumable_state.h"
#include "store/resumable_own.h"
#include "store/region.h"
#include "store/takeover.h"

/* The most that one call may copy: the kernel copies less at a time anyway. */
#define COPY_MAX ((apr_off_t)1 << 30)

struct upool_writer {
    upool_resumable_look *upload;
    int fd; /* its data file; -1 when it has ended */
    upool_range region;
    apr_off_t start;     /* where it has begun */
    apr_off_t at;        /* where its next byte goes */
    int in_order;        /* it holds the whole file */
    int provisional;     /* what came is not to be counted yet */
    apr_status_t broken; /* the first write error */
};

static const upool_range all = UPOOL_REGION_ALL;

/* --- Region and lock ------------------------------------------------------ */

static void let_go(upool_writer *w)
{
    if (w->fd >= 0) {
        upool_region_release(w->fd);
        upool_fd_close(&w->fd);
    }
}

/* Leaves it as a kill would; but provisional bytes need not wait for the next
 * writer to be removed. */
static apr_status_t leave(void *data)
{
    upool_writer *w = data;

    if (w->provisional && w->in_order && !w->broken
        && ftruncate(w->fd, w->start) < 0) {
        w->broken = upool_fd_error();
    }
    let_go(w);
    return APR_SUCCESS;
}

static upool_writer *make(upool_resumable_look *a)
{
    upool_writer *w = apr_pcalloc(a->pool, sizeof(*w));

    w->upload = a;
    w->fd = -1;
    w->region = all;
    return w;
}

/* Also of one that never began. */
static void end(upool_writer *w)
{
    apr_pool_cleanup_kill(w->upload->pool, w, leave);
    let_go(w);
}

/* In order there is one writer; parts out of order have their bytes alone.  The
 * rest of an upload that has begun out of order is a part too. */
static upool_range region_of(const upool_resumable_look *a,
                             const upool_writer_claim *claim)
{
    upool_range region = all;

    if (claim->out_of_order || a->about->ranges) {
        region.start = claim->start >= 0
                           ? claim->start
                           : upool_resumable_state_offset(a->about, a->size);
        region.end = claim->end >= 0 ? claim->end : APR_INT64_MAX;
    }
    /* A lock of no bytes would lock all bytes. */
    if (region.end <= region.start) {
        region.start -= region.start > 0;
        region.end = region.start + 1;
    }
    return region;
}

/* Under the lock: the region, or APR_EBUSY, without the file. */
static apr_status_t try_region(upool_writer *w)
{
    const upool_resumable_look *a = w->upload;
    apr_status_t rv = upool_fd_own(&w->fd, a->directory.fd,
                                   a->about->file.stored, O_WRONLY, 0);

    rv = rv ? rv : upool_region_take(w->fd, &w->region);
    if (rv) {
        let_go(w);
    }
    return rv;
}

/* APR_SUCCESS: lock and region are ours; a claim of NULL is for all. */
static apr_status_t take_once(upool_writer *w, const upool_writer_claim *claim,
                              apr_time_t deadline)
{
    apr_status_t rv;

    upool_resumable_doubt(w->upload);
    rv = upool_resumable_lock(w->upload, deadline);
    if (rv) {
        return rv;
    }
    if (claim) {
        w->region = region_of(w->upload, claim);
    }
    rv = try_region(w);
    if (rv) {
        upool_resumable_unlock(w->upload);
    }
    return rv;
}

/* Asks whoever has the region to stop, and waits PATIENCE at most.  The lock is
 * held on success. */
static apr_status_t take(upool_writer *w, const upool_writer_claim *claim)
{
    apr_time_t deadline = apr_time_now() + UPOOL_RESUMABLE_PATIENCE;
    int directory = w->upload->directory.fd;
    int asked = 0;
    apr_status_t rv = take_once(w, claim, deadline);

    while (rv == APR_EBUSY && apr_time_now() < deadline) {
        asked = 1;
        upool_takeover_ask(directory, &w->region);
        apr_sleep(UPOOL_TAKEOVER_PAUSE);
        rv = take_once(w, claim, deadline);
    }
    /* Also where we did not ask: a request that asked may have died since. */
    if (asked || !rv) {
        upool_takeover_withdraw(directory);
    }
    return rv;
}

/* --- Its beginning -------------------------------------------------------- */

static int is_sync(const upool_writer *w)
{
    return upool_store_settings(w->upload->store)->sync;
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

/* Bytes behind the offset must not be trusted, and are removed before anything
 * is written there. */
static apr_status_t cut(upool_writer *w, apr_off_t offset)
{
    upool_resumable_look *a = w->upload;
    apr_status_t rv = APR_SUCCESS;

    if (a->size > offset) {
        rv = ftruncate(w->fd, offset) < 0 ? upool_fd_error() : APR_SUCCESS;
        a->size = offset;
    }
    /* Also where the file has lost bytes: other bytes will take their place. */
    drop_midstates(a->about, offset);
    return rv;
}

static apr_status_t check_claim(const upool_resumable_look *a,
                                const upool_writer_claim *claim)
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

static apr_status_t begin_in_order(upool_writer *w,
                                   const upool_writer_claim *claim)
{
    upool_resumable_look *a = w->upload;
    apr_off_t offset = upool_resumable_state_offset(a->about, a->size);
    apr_off_t good = claim->provisional || is_sync(w) ? offset : -1;
    int had = a->about->midstates->nelts;
    apr_status_t rv;

    if (claim->start >= 0 && claim->start != offset) {
        return APR_EMISMATCH;
    }
    rv = check_claim(a, claim);
    if (rv) {
        return rv;
    }
    rv = cut(w, offset);
    w->in_order = 1;
    w->start = offset;
    if (rv || (good == a->about->good && had == a->about->midstates->nelts)) {
        return rv;
    }
    a->about->good = good;
    return upool_resumable_save(a);
}

/* From now on only the ranges that are written down count as there. */
static apr_status_t turn_out_of_order(upool_writer *w)
{
    upool_resumable_look *a = w->upload;
    apr_off_t offset = upool_resumable_state_offset(a->about, a->size);
    apr_status_t rv = cut(w, offset);

    a->about->ranges = upool_ranges_make(a->pool);
    upool_ranges_add(a->about->ranges, 0, offset);
    a->about->good = -1;
    return rv ? rv : upool_resumable_save(a);
}

static apr_status_t begin_part(upool_writer *w, const upool_writer_claim *claim)
{
    const upool_resumable_look *a = w->upload;
    apr_off_t offset = upool_resumable_state_offset(a->about, a->size);

    w->in_order = 0;
    w->start = claim->start >= 0 ? claim->start : offset;
    if (!claim->out_of_order && w->start != offset) {
        return APR_EMISMATCH;
    }
    if (check_claim(a, claim)) {
        return APR_EINVAL;
    }
    return a->about->ranges ? APR_SUCCESS : turn_out_of_order(w);
}

/* Under the lock, with the region. */
static apr_status_t begin(upool_writer *w, const upool_writer_claim *claim)
{
    upool_resumable_look *a = w->upload;
    apr_status_t rv = upool_resumable_look_at_file(a);

    if (rv) {
        return rv;
    }
    rv = claim->out_of_order || a->about->ranges ? begin_part(w, claim)
                                                 : begin_in_order(w, claim);
    if (!rv && lseek(w->fd, w->start, SEEK_SET) < 0) {
        /* EINVAL: behind the end of the largest file that there can be. */
        rv = errno == EINVAL ? EFBIG : upool_fd_error();
    }
    return rv;
}

apr_status_t upool_writer_begin(upool_writer **writer,
                                upool_resumable_look *look,
                                const upool_writer_claim *claim)
{
    upool_writer *w = make(look);
    apr_status_t rv;

    *writer = NULL;
    rv = upool_farm_is_unsafe(look->store) ? ENOLCK : take(w, claim);
    if (rv) {
        return rv;
    }
    rv = begin(w, claim);
    upool_resumable_unlock(look);
    upool_resumable_let_about_go(look);
    if (rv) {
        let_go(w);
        return rv;
    }
    w->at = w->start;
    w->provisional = claim->provisional;
    apr_pool_cleanup_register(look->pool, w, leave, apr_pool_cleanup_null);
    *writer = w;
    return APR_SUCCESS;
}

apr_off_t upool_writer_offset(const upool_writer *writer)
{
    return writer->at;
}

/* --- Its bytes ------------------------------------------------------------ */

/* Writes a piece of a part.  Bytes that are there already stay unchanged, since
 * a request that completes the upload may have digested them. */
static apr_status_t write_part(upool_writer *w, const char *data,
                               apr_size_t len)
{
    apr_off_t end = w->at + (apr_off_t)len;

    while (w->at < end) {
        apr_off_t from = upool_ranges_gap(w->upload->about->ranges, w->at);
        apr_off_t to;
        struct iovec piece;
        apr_status_t rv;

        from = from < end ? from : end;
        to = upool_ranges_next(w->upload->about->ranges, from, end);
        data += from - w->at;
        w->at = from;
        if (from == end) {
            break;
        }
        if (lseek(w->fd, from, SEEK_SET) < 0) {
            return upool_fd_error();
        }
        piece.iov_base = (void *)data;
        piece.iov_len = (apr_size_t)(to - from);
        data += to - from;
        rv = upool_fd_write(w->fd, &piece, 1, &w->at);
        if (rv) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

apr_status_t upool_writer_write(upool_writer *w, struct iovec *vec, int count)
{
    int i;

    if (w->in_order && !w->broken) {
        w->broken = upool_fd_write(w->fd, vec, count, &w->at);
    }
    for (i = 0; !w->in_order && !w->broken && i < count; i++) {
        w->broken = write_part(w, vec[i].iov_base, vec[i].iov_len);
    }
    return w->broken;
}

static apr_status_t write_block(void *user, const char *data, apr_size_t len)
{
    struct iovec piece = { (void *)data, len };

    return upool_writer_write(user, &piece, 1);
}

/* The file system may share the blocks.  *from grows by what was copied; an
 * error does not matter here: the bytes are then copied by hand. */
static void copy_blocks(upool_writer *w, int fd, apr_off_t *from, apr_off_t to)
{
    ssize_t n = 1;

    while (*from < to && n > 0) {
        apr_off_t rest = to - *from;

        n = copy_file_range(fd, from, w->fd, NULL,
                            (apr_size_t)(rest < COPY_MAX ? rest : COPY_MAX), 0);
        w->at += n > 0 ? n : 0;
    }
}

apr_status_t upool_writer_copy(upool_writer *w,
                               const upool_resumable_look *source,
                               apr_off_t length)
{
    apr_off_t from = 0;
    apr_status_t rv;
    int fd;

    if (w->broken) {
        return w->broken;
    }
    rv = upool_resumable_open_file(source, &fd);
    if (rv) {
        return rv;
    }
    copy_blocks(w, fd, &from, length);
    upool_fd_close(&fd);
    return upool_resumable_read(source, from, length, write_block, w);
}

/* By name, not by descriptor: a network file system keeps what is open under
 * another name. */
apr_status_t upool_writer_look_up(const upool_writer *w)
{
    const upool_resumable_look *a = w->upload;
    struct stat st;

    if (upool_fd_stat(&st, a->directory.fd, a->about->file.stored) == ENOENT) {
        return APR_ENOENT;
    }
    if (upool_farm_is_unsafe(a->store)) {
        return ENOLCK;
    }
    return upool_takeover_is_asked(a->directory.fd, &w->region) ? APR_EBUSY
                                                                : APR_SUCCESS;
}

/* --- Its end -------------------------------------------------------------- */

/* Under the lock. */
static apr_status_t note_down(upool_writer *w, apr_off_t good,
                              const apr_array_header_t *midstates)
{
    upool_resumable_look *a = w->upload;

    if (w->in_order) {
        a->about->good = good;
        if (midstates) {
            a->about->midstates = apr_array_copy(a->pool, midstates);
        }
        return upool_resumable_save(a);
    }
    if (upool_ranges_add(a->about->ranges, w->start, w->at)) {
        return ENOSPC;
    }
    return upool_resumable_save(a);
}

static apr_status_t write_down(upool_writer *w, apr_off_t good,
                               const apr_array_header_t *midstates)
{
    upool_resumable_look *a = w->upload;
    apr_status_t rv;

    upool_resumable_doubt(a);
    rv = upool_resumable_lock(a, apr_time_now() + UPOOL_RESUMABLE_PATIENCE);
    if (rv) {
        return rv == APR_EOF ? APR_ENOENT : rv;
    }
    rv = note_down(w, good, midstates);
    upool_resumable_unlock(a);
    return rv;
}

apr_status_t upool_writer_checkpoint(upool_writer *w)
{
    apr_status_t rv;

    if (!is_sync(w) || w->provisional || w->broken) {
        return w->broken;
    }
    rv = upool_fd_sync(w->fd);
    w->broken = rv ? rv : write_down(w, w->at, NULL);
    return w->broken;
}

/* A write that failed has left all that w->at counts: of an upload in order the
 * file may have more, which nobody needs. */
static apr_status_t settle_file(upool_writer *w)
{
    if (w->in_order && w->broken && ftruncate(w->fd, w->at) < 0) {
        return upool_fd_error();
    }
    return is_sync(w) ? upool_fd_sync(w->fd) : APR_SUCCESS;
}

apr_status_t upool_writer_keep(upool_writer *w,
                               const apr_array_header_t *midstates)
{
    upool_resumable_look *a = w->upload;
    apr_status_t rv = settle_file(w);

    /* Else the size says it all, and the look tells whether the file is still
     * there. */
    if (!rv && !(w->in_order && a->about->good < 0 && !midstates)) {
        rv = write_down(w, -1, midstates);
    }
    end(w);
    return rv ? rv : upool_resumable_look_again(a);
}

/* good stays where it is, which is where the file ends now; where it cannot be
 * cut, whoever writes next cuts it. */
void upool_writer_take_back(upool_writer *w)
{
    if (w->in_order && ftruncate(w->fd, w->start) < 0) {
        w->broken = upool_fd_error();
    }
    end(w);
    upool_resumable_look_again(w->upload);
}

static int is_whole(const upool_resumable_look *a)
{
    return a->about->length >= 0
           && upool_resumable_state_offset(a->about, a->size)
                  == a->about->length;
}

apr_status_t upool_writer_complete(upool_writer **writer,
                                   upool_resumable_look *a,
                                   upool_bucket **bucket, apr_pool_t *p)
{
    upool_writer *w = make(a);
    apr_status_t rv = take(w, NULL);

    *writer = NULL;
    if (rv) {
        return rv;
    }
    rv = upool_resumable_look_at_file(a);
    if (!rv && !is_whole(a)) {
        rv = APR_EINCOMPLETE;
    }
    rv = rv ? rv : cut(w, a->about->length);
    upool_resumable_unlock(a);
    upool_resumable_let_about_go(a);
    rv = rv ? rv
            : upool_bucket_adopt(bucket, a->store, a->about, p,
                                 apr_time_now() + UPOOL_RESUMABLE_PATIENCE);
    if (rv) {
        let_go(w);
        return rv;
    }
    apr_pool_cleanup_register(a->pool, w, leave, apr_pool_cleanup_null);
    *writer = w;
    return APR_SUCCESS;
}

apr_status_t upool_writer_release(upool_writer *w)
{
    end(w);
    return upool_resumable_look_again(w->upload);
}
