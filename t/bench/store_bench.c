/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What the store costs per upload of 64 KiB: microseconds of CPU (user and
 * system) and of time, in the directories given as arguments (else the
 * system's temporary one), against the floor of the same bytes written to a
 * file of its own in a directory of its own.  Nothing is asserted.  For the
 * system calls: strace -c -f. */
#include "store/bucket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "store/sweep.h"

#define BYTES ((size_t)64 * 1024)
#define ROUNDS 2000
#define TRIES 5

static char content[BYTES];

typedef struct bench {
    upool_store *store;
    const char *dir;
    int fd;
    apr_pool_t *p; /* for one round */
} bench;

typedef struct cost {
    double cpu;
    double wall;
} cost;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static cost now(void)
{
    struct rusage usage;
    struct timespec ts;
    cost c;

    getrusage(RUSAGE_SELF, &usage);
    clock_gettime(CLOCK_MONOTONIC, &ts);
    c.cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6
            + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    c.wall = (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
    return c;
}

static const char *name_of(const bench *b, int i)
{
    return apr_psprintf(b->p, "0190a1b2-c3d4-7e5f-8a9b-%012d", i);
}

static void floor_one(const bench *b, int i)
{
    const char *name = name_of(b, i);
    int fd;

    if (mkdirat(b->fd, name, 0700)) {
        die("mkdir");
    }
    fd = openat(b->fd, apr_pstrcat(b->p, name, "/data", NULL),
                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, content, BYTES) != (ssize_t)BYTES || close(fd)) {
        die("floor");
    }
}

static void floor_remove(const bench *b, int i)
{
    const char *name = name_of(b, i);

    unlinkat(b->fd, apr_pstrcat(b->p, name, "/data", NULL), 0);
    unlinkat(b->fd, name, AT_REMOVEDIR);
}

static upool_record *record_of(const bench *b, const char *id,
                               const char *stored)
{
    upool_record *record = upool_record_make(b->p, id);
    upool_file *file = apr_array_push(record->files);
    upool_digest *digest;

    record->state = UPOOL_STATE_DONE;
    record->filename = "holiday photo.jpg";
    record->content_type = "image/jpeg";
    record->size = BYTES + 200;
    record->received = BYTES + 200;
    record->owner = "user:somebody";
    record->created = 1732186500123456;
    record->updated = 1732186500123456;
    memset(file, 0, sizeof(*file));
    file->field = "file";
    file->filename = "holiday photo.jpg";
    file->safe_filename = "holiday_photo.jpg";
    file->content_type = "image/jpeg";
    file->params = apr_table_make(b->p, 1);
    file->size = BYTES;
    file->stored = stored;
    file->digests = apr_array_make(b->p, 1, sizeof(upool_digest));
    digest = apr_array_push(file->digests);
    digest->algorithm = "sha-256";
    digest->hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
                  "b855";
    return record;
}

static void upload_one(const bench *b, int i)
{
    /* As nine of httpd's buckets. */
    struct iovec vec[9];
    const char *id = name_of(b, i);
    upool_record *previous;
    upool_bucket *bucket;
    upool_spool *spool;
    const char *why;
    size_t at;
    int n = 0;

    for (at = 0; at < BYTES; at += vec[n++].iov_len) {
        vec[n].iov_base = content + at;
        vec[n].iov_len = BYTES - at < 8000 ? BYTES - at : 8000;
    }
    if (upool_bucket_begin(&bucket, b->store, id, 0, b->p, &previous, &why)
        || upool_spool_create(&spool, bucket, 0)
        || upool_spool_write(spool, vec, n) || upool_spool_close(spool)
        || upool_bucket_commit(bucket,
                               record_of(b, id, upool_spool_name(spool)))) {
        die("upload");
    }
    upool_bucket_end(bucket);
}

static void status_one(const bench *b, int i)
{
    upool_record *record;

    if (upool_bucket_status(&record, b->store, name_of(b, i), b->p)
        || record->state != UPOOL_STATE_DONE) {
        die("status");
    }
}

static void unknown_one(const bench *b, int i)
{
    upool_record *record;

    if (upool_bucket_status(&record, b->store, name_of(b, i + ROUNDS), b->p)
        != APR_ENOENT) {
        die("unknown");
    }
}

static void remove_one(const bench *b, int i)
{
    if (upool_bucket_remove(b->store, name_of(b, i), b->p)) {
        die("remove");
    }
}

static void sweep_share(const bench *b, int i)
{
    upool_sweep_result result;
    upool_sweep *sweep;

    /* All in one go, so that the average is that of one bucket. */
    if (i == 0
        && (upool_sweep_begin(&sweep, b->store, b->p)
            || upool_sweep_step(sweep, ROUNDS + 1, 0, &result) || result.removed
            || result.seen != ROUNDS)) {
        die("sweep");
    }
}

static cost run(bench *b, void (*one)(const bench *, int))
{
    cost start = now();
    cost end;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        one(b, i);
        apr_pool_clear(b->p);
    }
    end = now();
    end.cpu = (end.cpu - start.cpu) / ROUNDS;
    end.wall = (end.wall - start.wall) / ROUNDS;
    return end;
}

static void keep_best(cost *best, cost c)
{
    if (best->cpu <= 0 || c.cpu < best->cpu) {
        *best = c;
    }
}

static void print(const char *name, cost c)
{
    printf("%-28s %7.1f us CPU %8.1f us\n", name, c.cpu, c.wall);
}

static void bench_directory(const char *parent, int sync, apr_pool_t *p)
{
    enum { FLOOR, UPLOAD, REPLACE, STATUS, UNKNOWN, SWEEP, REMOVE, ALL };
    static const char *const NAME[ALL] = {
        "floor",  "upload, new",     "upload, replacing",
        "status", "status, unknown", "sweep, kept",
        "clear"
    };
    upool_store_options options = { 0600, 0 };
    cost best[ALL] = { { 0, 0 } };
    const char *why = NULL;
    bench b;
    int i;

    options.sync = sync;
    b.dir = apr_pstrcat(p, parent, "/upool-bench-XXXXXX", NULL);
    apr_pool_create(&b.p, p);
    if (!mkdtemp((char *)b.dir)
        || upool_store_open(&b.store, b.dir, NULL, &options, p, &why)) {
        die(why ? why : parent);
    }
    b.fd = upool_store_fd(b.store);
    for (i = 0; i < TRIES; i++) {
        keep_best(&best[FLOOR], run(&b, floor_one));
        run(&b, floor_remove);
        keep_best(&best[UPLOAD], run(&b, upload_one));
        keep_best(&best[REPLACE], run(&b, upload_one));
        keep_best(&best[STATUS], run(&b, status_one));
        keep_best(&best[UNKNOWN], run(&b, unknown_one));
        keep_best(&best[SWEEP], run(&b, sweep_share));
        keep_best(&best[REMOVE], run(&b, remove_one));
    }
    printf("%s, sync %s, best of %d times %d\n", parent, sync ? "on" : "off",
           TRIES, ROUNDS);
    for (i = 0; i < ALL; i++) {
        print(NAME[i], best[i]);
    }
    rmdir(b.dir);
}

int main(int argc, char **argv)
{
    apr_pool_t *p;
    int i;

    apr_initialize();
    apr_pool_create(&p, NULL);
    memset(content, 'x', BYTES);
    for (i = 1; i < argc || i == 1; i++) {
        bench_directory(argc > 1 ? argv[i] : P_tmpdir, 0, p);
    }
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
