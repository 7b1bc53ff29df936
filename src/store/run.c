/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/directory.h"
#include "store/document.h"
#include "store/bucket_own.h"
#include "store/inuse.h"
#include "store/layout.h"
#include "store/members.h"
#include "store/region.h"
#include "store/removal.h"

/* Longest text of "run" that is read. */
#define RUN_MAX 256

struct upool_run {
    upool_store *store;
    const char *id;
    upool_directory directory;
    int fd; /* of run; holds the region; -1: ended */
    apr_time_t created;
    apr_pool_t *pool;
};

static int is_record(apr_status_t rv, const upool_record *found,
                     const upool_record *record)
{
    return !rv && found->state == UPOOL_STATE_DONE
           && found->created == record->created;
}

/* Opens the bucket, if it still is that of record. */
static apr_status_t enter(upool_directory *directory, const upool_store *store,
                          const upool_record *record, apr_pool_t *p)
{
    upool_record *found = NULL;
    apr_status_t rv =
        upool_directory_enter(directory, store, record->identifier);

    if (rv) {
        return rv == ENOTDIR ? APR_ENOENT : rv;
    }
    rv = upool_inuse_is_cleared(directory->fd)
             ? APR_ENOENT
             : upool_document_load(&found, directory->fd, UPOOL_LAYOUT_METADATA,
                                   record->identifier, p);
    if (is_record(rv, found, record)) {
        return APR_SUCCESS;
    }
    upool_fd_close(&directory->fd);
    return rv ? rv : APR_ENOENT;
}

static apr_status_t open_run(int *fd, int directory, int flags)
{
    return upool_fd_own(fd, directory, UPOOL_LAYOUT_RUN, flags,
                        S_IRUSR | S_IWUSR);
}

static void decode_run(upool_answer *answer, const char *text, size_t len,
                       apr_time_t created, apr_pool_t *p)
{
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    upool_reader in = upool_reader_of(root, p);
    apr_int64_t of = upool_reader_number(&in, "created");
    apr_int64_t status = upool_reader_number(&in, "status");
    const json_t *final = upool_reader_take(&in, "final");

    if (upool_reader_done(&in) && json_is_boolean(final) && of == created
        && status >= 200 && status <= 599) {
        answer->status = (int)status;
        answer->final = json_is_true(final);
    }
    json_decref(root);
}

/* Reads what run says of the upload made at created; *answer is untouched where
 * it says nothing.  A failure to read it does not mean that it says nothing:
 * the application may have run. */
static apr_status_t read_run(upool_answer *answer, int fd, apr_time_t created,
                             apr_pool_t *p)
{
    char text[RUN_MAX];
    apr_size_t len;
    apr_status_t rv = upool_fd_read(fd, text, sizeof(text), 0, &len);

    if (rv) {
        return rv;
    }
    decode_run(answer, text, len, created, p);
    return APR_SUCCESS;
}

static upool_answer no_answer(void)
{
    upool_answer none = { 0, 0, 0, NULL, NULL, 0 };

    return none;
}

/* APR_EEXIST when the application has answered finally: *answer says what. */
static apr_status_t check_over(upool_answer *answer, int directory, int fd,
                               apr_time_t created, apr_pool_t *p)
{
    upool_answer found = no_answer();
    apr_status_t rv = read_run(&found, fd, created, p);

    if (rv || !found.final) {
        return rv;
    }
    upool_answer_load(&found, directory, created, apr_time_now(), p);
    *answer = found;
    return APR_EEXIST;
}

static apr_status_t take(upool_run *run, upool_answer *answer, apr_pool_t *p)
{
    static const upool_range all = UPOOL_REGION_ALL;
    apr_status_t rv = open_run(&run->fd, run->directory.fd, O_RDWR | O_CREAT);

    rv = rv ? rv
            : check_over(answer, run->directory.fd, run->fd, run->created, p);
    rv = rv ? rv : upool_region_take(run->fd, &all);
    /* Its holder may have ended it since. */
    return rv ? rv
              : check_over(answer, run->directory.fd, run->fd, run->created, p);
}

static upool_run *make(upool_store *store, const upool_record *record,
                       apr_pool_t *p)
{
    upool_run *run = apr_palloc(p, sizeof(*run));

    run->store = store;
    run->id = apr_pstrdup(p, record->identifier);
    run->directory.fd = -1;
    run->fd = -1;
    run->pool = p;
    run->created = record->created;
    return run;
}

static apr_status_t end_with_pool(void *run)
{
    upool_run_end(run);
    return APR_SUCCESS;
}

static void keep(upool_run *run)
{
    apr_pool_cleanup_register(run->pool, run, end_with_pool,
                              apr_pool_cleanup_null);
}

apr_status_t upool_run_take(upool_run **run, upool_answer *answer,
                            upool_store *store, const upool_record *record,
                            apr_pool_t *p)
{
    upool_run *t = make(store, record, p);
    apr_status_t rv;

    rv = enter(&t->directory, store, record, p);
    if (rv) {
        return rv;
    }
    rv = take(t, answer, p);
    /* It was cleared meanwhile: the region of a file that cannot be found again
     * is not the run. */
    rv = rv ? rv
            : upool_directory_check(&t->directory, store, record->identifier);
    if (rv) {
        upool_fd_close(&t->fd);
        upool_fd_close(&t->directory.fd);
        return rv;
    }
    keep(t);
    *run = t;
    return APR_SUCCESS;
}

apr_status_t upool_run_begin(upool_run **run, const upool_bucket *bucket,
                             const upool_record *record, apr_pool_t *p)
{
    static const upool_range all = UPOOL_REGION_ALL;
    upool_run *t = make(bucket->store, record, p);
    apr_status_t rv =
        upool_directory_enter(&t->directory, bucket->store, bucket->id);

    rv = rv ? rv : open_run(&t->fd, t->directory.fd, O_RDWR | O_CREAT);
    rv = rv ? rv : upool_region_take(t->fd, &all);
    if (rv) {
        upool_fd_close(&t->fd);
        upool_fd_close(&t->directory.fd);
        return rv;
    }
    keep(t);
    *run = t;
    return APR_SUCCESS;
}

/* Empty in between: a crash means that it has not answered. */
static apr_status_t write_run(const upool_run *run, char *text, apr_size_t len)
{
    struct iovec piece = { text, len };
    apr_off_t written = 0;

    if (len > RUN_MAX) {
        return APR_EINVAL;
    }
    if (ftruncate(run->fd, 0) < 0 || lseek(run->fd, 0, SEEK_SET) < 0) {
        return upool_fd_error();
    }
    return upool_fd_write(run->fd, &piece, 1, &written);
}

apr_status_t upool_run_tell(upool_run *run, const upool_answer *answer)
{
    json_t *root;
    char *text = NULL;
    apr_size_t len = 0;
    apr_status_t rv;

    if (run->fd < 0) {
        return APR_EBADF;
    }
    if (answer->final) {
        upool_answer_save(answer, run->directory.fd, run->created, run->pool);
    }
    root = json_pack("{s:I, s:i, s:b}", "created", (json_int_t)run->created,
                     "status", answer->status, "final", answer->final);
    rv = root ? upool_members_dump(&text, &len, root) : APR_ENOMEM;
    if (!rv) {
        rv = write_run(run, text, len);
    }
    free(text);
    return rv;
}

void upool_run_end(upool_run *run)
{
    if (run->fd < 0) {
        return;
    }
    /* Unlocks explicitly, as in lock.c. */
    upool_region_release(run->fd);
    upool_fd_close(&run->fd);
    if (upool_inuse_is_cleared(run->directory.fd)) {
        upool_removal_finish(&run->directory, run->store, run->id, run->pool);
    }
    upool_fd_close(&run->directory.fd);
    apr_pool_cleanup_kill(run->pool, run, end_with_pool);
}

apr_status_t upool_run_look(upool_answer *answer, upool_store *store,
                            const upool_record *record, apr_pool_t *p)
{
    static const upool_range all = UPOOL_REGION_ALL;
    upool_directory directory;
    apr_status_t rv = enter(&directory, store, record, p);
    int fd = -1;

    *answer = no_answer();
    if (rv) {
        return rv;
    }
    rv = open_run(&fd, directory.fd, O_RDONLY);
    if (!rv) {
        rv = read_run(answer, fd, record->created, p);
        if (!rv && !answer->final) {
            rv = upool_region_look(fd, &all);
        }
    }
    upool_fd_close(&fd);
    upool_fd_close(&directory.fd);
    return rv == ENOENT ? APR_SUCCESS : rv;
}
