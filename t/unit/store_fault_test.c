/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Every system call that the store makes is made to fail: the first, the
 * second, … once each, and then from there on, until no call is left to fail;
 * so are jansson's allocations.  Whatever fails, no upload is complete with
 * wrong bytes, the one before stays, nothing leaks, and the next one works.
 *
 * The functions below take the places of the C library's. */
#undef _FORTIFY_SOURCE
#include "store/metadata.h"

#include <dlfcn.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/uio.h>

#include <jansson.h>

#include "store_kit.h"

typedef enum call_kind {
    RESTARTABLE = 1, /* may say EINTR */
    WRITING = 2,     /* may write less */
    OTHER = 4
} call_kind;

static struct {
    int armed;
    unsigned kinds; /* that may fail */
    int error;      /* 0: write less */
    long at;        /* which call fails, counted from 1 */
    int onwards;    /* and all after it */
    long calls;
    long fired;
} fault;

static int fails(call_kind kind)
{
    if (!fault.armed || !(fault.kinds & kind)) {
        return 0;
    }
    fault.calls++;
    if (fault.calls != fault.at && !(fault.onwards && fault.calls > fault.at)) {
        return 0;
    }
    fault.fired++;
    errno = fault.error;
    return 1;
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function) {
        abort();
    }
    return function;
}

/* A pointer to a function out of one to data, as POSIX has it. */
#define REAL(type, name, arguments) \
    type(*next) arguments; \
    *(void **)&next = real(name)

int openat(int fd, const char *name, int flags, ...)
{
    va_list ap;
    mode_t mode;
    REAL(int, "openat", (int, const char *, int, ...));

    va_start(ap, flags);
    mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return fails(RESTARTABLE) ? -1 : next(fd, name, flags, mode);
}

int flock(int fd, int operation)
{
    REAL(int, "flock", (int, int));

    return fails(RESTARTABLE) ? -1 : next(fd, operation);
}

ssize_t writev(int fd, const struct iovec *vec, int count)
{
    struct iovec half;
    REAL(ssize_t, "writev", (int, const struct iovec *, int));

    if (!fails((call_kind)(RESTARTABLE | WRITING))) {
        return next(fd, vec, count);
    }
    if (fault.error) {
        return -1;
    }
    half = vec[0];
    half.iov_len = (half.iov_len + 1) / 2;
    return next(fd, &half, 1);
}

ssize_t read(int fd, void *buffer, size_t len)
{
    REAL(ssize_t, "read", (int, void *, size_t));

    return fails(RESTARTABLE) ? -1 : next(fd, buffer, len);
}

/* Thousands of times, and nobody here cuts the power: that it could be done is
 * enough. */
int fsync(int fd)
{
    return fails(RESTARTABLE) || fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    REAL(int, "mkdirat", (int, const char *, mode_t));

    return fails(OTHER) ? -1 : next(fd, name, mode);
}

int fstat(int fd, struct stat *st)
{
    REAL(int, "fstat", (int, struct stat *));

    return fails(OTHER) ? -1 : next(fd, st);
}

int fstatat(int fd, const char *name, struct stat *st, int flags)
{
    REAL(int, "fstatat", (int, const char *, struct stat *, int));

    return fails(OTHER) ? -1 : next(fd, name, st, flags);
}

int statx(int fd, const char *name, int flags, unsigned mask, struct statx *st)
{
    REAL(int, "statx", (int, const char *, int, unsigned, struct statx *));

    return fails(OTHER) ? -1 : next(fd, name, flags, mask, st);
}

int fchmod(int fd, mode_t mode)
{
    REAL(int, "fchmod", (int, mode_t));

    return fails(OTHER) ? -1 : next(fd, mode);
}

int renameat(int from, const char *old, int to, const char *new)
{
    REAL(int, "renameat", (int, const char *, int, const char *));

    return fails(OTHER) ? -1 : next(from, old, to, new);
}

int unlinkat(int fd, const char *name, int flags)
{
    REAL(int, "unlinkat", (int, const char *, int));

    return fails(OTHER) ? -1 : next(fd, name, flags);
}

DIR *fdopendir(int fd)
{
    REAL(DIR *, "fdopendir", (int));

    return fails(OTHER) ? NULL : next(fd);
}

struct dirent *readdir(DIR *stream)
{
    REAL(struct dirent *, "readdir", (DIR *));

    return fails(OTHER) ? NULL : next(stream);
}

ssize_t getrandom(void *buffer, size_t len, unsigned flags)
{
    REAL(ssize_t, "getrandom", (void *, size_t, unsigned));

    return fails(OTHER) ? -1 : next(buffer, len, flags);
}

/* The descriptor is gone even when this fails. */
int close(int fd)
{
    int failing = fails(OTHER);
    int error = errno;
    int rc;
    REAL(int, "close", (int));

    rc = next(fd);
    if (failing) {
        errno = error;
        return -1;
    }
    return rc;
}

typedef enum outcome { NOT_BEGUN, REFUSED, COMMITTED } outcome;

static void fail_upload(upool_bucket *bucket, apr_pool_t *p)
{
    upool_record *record = kit_record(p, "fault", UPOOL_STATE_ERROR, 1);

    record->error = "injected";
    upool_bucket_fail(bucket, record);
}

static outcome upload_two(kit *k, apr_pool_t *p)
{
    static const char *const CONTENT[] = { "first new file", "second" };
    apr_status_t rv;
    upool_bucket *bucket = kit_begin(k, "fault", p, &rv);
    upool_record *record = kit_record(p, "fault", UPOOL_STATE_UPLOADING, 2);
    int n;

    if (rv) {
        return NOT_BEGUN;
    }
    upool_bucket_note(bucket, record);
    for (n = 0; !rv && n < 2; n++) {
        upool_spool *spool;

        rv = upool_spool_create(&spool, bucket, n);
        rv = rv ? rv : kit_write(spool, CONTENT[n], strlen(CONTENT[n]));
        rv = rv ? rv : upool_spool_close(spool);
        if (!rv) {
            kit_add_file(record, p, upool_spool_name(spool),
                         (apr_off_t)strlen(CONTENT[n]));
        }
    }
    record->state = UPOOL_STATE_DONE;
    rv = rv ? rv : upool_bucket_commit(bucket, record);
    if (rv) {
        fail_upload(bucket, p);
    }
    upool_bucket_end(bucket);
    return rv ? REFUSED : COMMITTED;
}

/* "old", "new", "none", or "wrong": what is complete, by its bytes. */
static const char *complete_one(kit *k)
{
    upool_record *record;
    const upool_file *file;
    const char *content;

    if (upool_bucket_complete(&record, k->store, "fault", k->p)) {
        return "none";
    }
    file = &APR_ARRAY_IDX(record->files, 0, const upool_file);
    content = kit_read_file(k, kit_in(k, "fault", file->stored));
    if (record->files->nelts == 1) {
        return strcmp(content, "old file") == 0 ? "old" : "wrong";
    }
    file = &APR_ARRAY_IDX(record->files, 1, const upool_file);
    return strcmp(content, "first new file") == 0
                   && strcmp(kit_read_file(k, kit_in(k, "fault", file->stored)),
                             "second")
                          == 0
               ? "new"
               : "wrong";
}

static int is_right(outcome got, const char *is, const char *was, int onwards)
{
    if (got == COMMITTED) {
        return strcmp(is, "new") == 0;
    }
    /* When nothing works any more, undoing does not either. */
    return strcmp(is, was) == 0
           || (onwards && got == REFUSED && strcmp(is, "wrong") != 0);
}

static void disarm(void)
{
    fault.armed = 0;
}

static void arm(unsigned kinds, int error, long at, int onwards)
{
    fault.kinds = kinds;
    fault.error = error;
    fault.at = at;
    fault.onwards = onwards;
    fault.calls = 0;
    fault.fired = 0;
    fault.armed = 1;
}

/* One upload with one fault; 0 when all is as it should be after it. */
static int upload_run(kit *k, const char *was, unsigned kinds, int error,
                      long at, int onwards)
{
    apr_pool_t *parent = k->p;
    int before = kit_descriptors();
    apr_pool_t *p;
    const char *is;
    outcome got;
    long fired;
    int bad;

    apr_pool_create(&k->p, parent);
    upool_bucket_remove(k->store, "fault", k->p);
    if (strcmp(was, "old") == 0) {
        kit_upload(k, "fault", "old file", 1, k->p);
    }
    apr_pool_create(&p, k->p);
    arm(kinds, error, at, onwards);
    got = upload_two(k, p);
    apr_pool_destroy(p);
    disarm();
    fired = fault.fired;
    is = complete_one(k);
    bad = !is_right(got, is, was, onwards)
          || !strcmp(kit_status(k, "fault"), "uploading")
          || (fired && (error == EINTR || error == 0) && got != COMMITTED)
          || !kit_upload(k, "fault", "old file", 1, k->p)
          || kit_count(kit_in(k, "fault", NULL)) != 2
          || strcmp(complete_one(k), "old") != 0 || kit_descriptors() != before;
    if (bad) {
        tap_diag("call %ld%s, error %d: outcome %d, %s was, %s is", at,
                 onwards ? " and on" : "", error, (int)got, was, is);
    }
    apr_pool_destroy(k->p);
    k->p = parent;
    fault.fired = fired;
    return bad;
}

static void upload_loop(kit *k, const char *was, unsigned kinds, int error,
                        int onwards, const char *name)
{
    int bad = 0;
    long at = 0;

    do {
        at++;
        bad += upload_run(k, was, kinds, error, at, onwards);
    } while (fault.fired && at < 1000);
    tap_is_int(bad, 0, "%s over %s, %s", name, was,
               onwards ? "and on" : "once");
    tap_ok(at > 3 && at < 1000, "%ld runs", at);
}

static void look_and_clear(kit *k, apr_pool_t *p)
{
    upool_sweep_result result = { 0, 0, 0 };
    upool_record *record;
    upool_sweep *sweep;
    apr_status_t rv;
    int i;

    rv = upool_bucket_status(&record, k->store, "fault", p);
    if (!rv && record->state != UPOOL_STATE_DONE
        && record->state != UPOOL_STATE_ERROR) {
        abort();
    }
    upool_bucket_complete(&record, k->store, "fault", p);
    if (!upool_sweep_begin(&sweep, k->store, p)) {
        for (i = 0; i < 5 && !result.finished; i++) {
            upool_sweep_step(sweep, 1, 0, &result);
        }
    }
    upool_bucket_remove(k->store, "fault", p);
}

static void look_loop(kit *k, int error, int onwards)
{
    int before = kit_descriptors();
    int bad = 0;
    long at = 0;
    long fired;

    do {
        apr_pool_t *p;

        at++;
        apr_pool_create(&p, k->p);
        kit_upload(k, "fault", "old file", 1, p);
        arm(RESTARTABLE | OTHER, error, at, onwards);
        look_and_clear(k, p);
        disarm();
        fired = fault.fired;
        bad += upool_bucket_remove(k->store, "fault", p) != APR_SUCCESS;
        bad += kit_exists(kit_in(k, "fault", NULL));
        apr_pool_destroy(p);
        bad += kit_descriptors() != before;
    } while (fired && at < 1000);
    tap_is_int(bad, 0, "looks and clears with error %d, %s", error,
               onwards ? "and on" : "once");
    tap_ok(at > 20 && at < 1000, "%ld runs", at);
}

static long allocations;
static long allocation_fails;
static long outstanding;

static void *failing_malloc(size_t size)
{
    if (++allocations == allocation_fails) {
        return NULL;
    }
    outstanding++;
    return malloc(size);
}

static void counting_free(void *memory)
{
    outstanding -= memory != NULL;
    free(memory);
}

/* D3: Every call may fail. */
static void test_memory(kit *k)
{
    upool_record *record = kit_record(k->p, "memory", UPOOL_STATE_DONE, 1);
    upool_record *read = NULL;
    const char *good = NULL;
    apr_size_t len = 0;
    apr_size_t good_len = 0;
    apr_status_t rv;
    char *text;
    int bad = 0;

    kit_add_file(record, k->p, "0-0123456789abcdef0123456789abcdef.bin", 1);
    apr_table_set(APR_ARRAY_IDX(record->files, 0, upool_file).params, "a", "b");
    json_set_alloc_funcs(failing_malloc, counting_free);
    do {
        allocations = 0;
        allocation_fails++;
        rv = upool_metadata_encode(&text, &len, record);
        bad += rv != APR_SUCCESS && rv != APR_ENOMEM && rv != APR_EINVAL;
        good = rv ? good : apr_pstrmemdup(k->p, text, len);
        good_len = rv ? good_len : len;
        free(text);
        bad += outstanding != 0;
    } while (allocations >= allocation_fails);
    tap_ok(!bad && allocation_fails > 40, "%ld allocations while encoding",
           allocation_fails);
    allocation_fails = 0;
    do {
        allocations = 0;
        allocation_fails++;
        rv = upool_metadata_decode(&read, good, good_len, "memory", k->p);
        bad += rv != APR_SUCCESS && rv != APR_EGENERAL;
        bad += outstanding != 0;
    } while (allocations >= allocation_fails);
    tap_ok(!bad && !rv && allocation_fails > 40,
           "%ld allocations while decoding", allocation_fails);
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    static const int ERRORS[] = { EIO, ENOSPC, EMFILE, EACCES };
    const unsigned all = RESTARTABLE | WRITING | OTHER;
    size_t i;
    int sync;
    kit k;

    kit_start(&k);
    for (sync = 0; sync < 2; sync++) {
        k.options.sync = sync;
        k.options.file_mode = sync ? 0640 : 0600;
        kit_open(&k);
        for (i = 0; i < sizeof(ERRORS) / sizeof(*ERRORS); i++) {
            upload_loop(&k, "none", all, ERRORS[i], 0, strerror(ERRORS[i]));
            upload_loop(&k, "none", all, ERRORS[i], 1, strerror(ERRORS[i]));
            upload_loop(&k, "old", all, ERRORS[i], 0, strerror(ERRORS[i]));
            upload_loop(&k, "old", all, ERRORS[i], 1, strerror(ERRORS[i]));
        }
        upload_loop(&k, "old", RESTARTABLE, EINTR, 0, "interrupted");
        upload_loop(&k, "old", WRITING, 0, 0, "short write");
        upload_loop(&k, "none", WRITING, 0, 1, "short writes");
    }
    look_loop(&k, EIO, 0);
    look_loop(&k, EIO, 1);
    look_loop(&k, EMFILE, 0);
    look_loop(&k, EMFILE, 1);
    test_memory(&k);
    return kit_done(&k);
}
