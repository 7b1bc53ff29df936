/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A full disk: a small file system of its own where one can be mounted (in a
 * mount namespace, so that nothing of it outlives the program), else a limit
 * on the size of files. */
#include "store/bucket.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "store_kit.h"

#define MEGABYTE ((apr_size_t)1024 * 1024)

static int mount_small(const kit *k, const char *options)
{
    return unshare(CLONE_NEWNS) == 0
           && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
           && mount("none", k->dir, "tmpfs", 0, options) == 0;
}

/* Writes megabytes until an error, at most 64. */
static apr_status_t fill_up(upool_spool *spool, const char *bytes)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; !rv && i < 64; i++) {
        rv = kit_write(spool, bytes, MEGABYTE);
    }
    return rv;
}

/* D4: A full disk leaves nothing. */
static void test_overflow(kit *k, const char *bytes, apr_status_t want,
                          const char *small)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;
    upool_record *record;

    apr_pool_create(&p, k->p);
    tap_ok(kit_upload(k, "full", small, 1, p) != NULL, "a small upload");
    bucket = kit_begin(k, "full", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    tap_is_int(fill_up(spool, bytes), want, "a large one ends as it should");
    tap_is_int(kit_write(spool, "x", 1), want, "and the error is final");
    tap_is_int(upool_spool_close(spool), want, "for close");
    record = kit_record(p, "full", UPOOL_STATE_DONE, 1);
    tap_is_int(upool_bucket_commit(bucket, record), want, "and for commit");
    record->state = UPOOL_STATE_ERROR;
    record->error = "disk is full";
    upool_bucket_fail(bucket, record);
    upool_bucket_end(bucket);
    tap_is_str(kit_status(k, "full"), "error: disk is full",
               "there is room for the reason again");
    tap_is_int(upool_bucket_complete(&record, k->store, "full", p), APR_SUCCESS,
               "the small one is complete still");
    tap_ok(kit_upload(k, "full", small, 1, p) != NULL, "the next one works");
    tap_is_int(kit_count(kit_in(k, "full", NULL)), 2, "nothing is left");
    apr_pool_destroy(p);
}

/* No room for metadata.json itself. */
static void test_no_room_for_metadata(kit *k, const char *bytes)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;
    upool_record *record;
    FILE *f = fopen(kit_in(k, "ballast", NULL), "w");

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "tight", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    kit_write(spool, "content", 7);
    upool_spool_close(spool);
    setvbuf(f, NULL, _IONBF, 0);
    while (fwrite(bytes, 1, 4096, f) == 4096) {
    }
    record = kit_record(p, "tight", UPOOL_STATE_DONE, 1);
    kit_add_file(record, p, upool_spool_name(spool), 7);
    tap_is_int(upool_bucket_commit(bucket, record), ENOSPC,
               "no room for metadata");
    record->state = UPOOL_STATE_ERROR;
    record->error = "disk is full";
    upool_bucket_fail(bucket, record);
    upool_bucket_end(bucket);
    tap_ok(!strncmp(kit_status(k, "tight"), "error: ", 7), "is an error");
    tap_is_str(kit_data_name(k, "tight"), NULL, "without files");
    tap_ok(!kit_upload(k, "next", "content", 1, p),
           "full before the start is an error too");
    fclose(f);
    unlink(kit_in(k, "ballast", NULL));
    tap_ok(kit_upload(k, "tight", "content", 1, p) != NULL,
           "with room again it works");
    apr_pool_destroy(p);
}

static void test_no_inodes(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv = APR_SUCCESS;
    upool_bucket *bucket;
    upool_spool *spool;
    int i;

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "inodes", p, &rv);
    for (i = 0; !rv && i < 1000; i++) {
        rv = upool_spool_create(&spool, bucket, i);
        rv = rv ? rv : upool_spool_close(spool);
    }
    tap_is_int(rv, ENOSPC, "inodes run out");
    tap_ok(i > 3, "after %d files", i);
    apr_pool_destroy(p);
    tap_ok(!kit_exists(kit_in(k, "inodes", NULL)), "all go again");
    tap_ok(kit_upload(k, "inodes", "content", 1, k->p) != NULL,
           "and the next one works");
}

int main(void)
{
    struct rlimit limit = { 3 * MEGABYTE, 3 * MEGABYTE };
    kit k;
    char *bytes;
    char *small;

    kit_start(&k);
    bytes = apr_pcalloc(k.p, MEGABYTE);
    small = apr_pcalloc(k.p, 10001);
    memset(small, 's', 10000);
    signal(SIGXFSZ, SIG_IGN);
    if (mount_small(&k, "size=4m,nr_inodes=64")) {
        kit_open(&k);
        test_overflow(&k, bytes, ENOSPC, small);
        test_no_room_for_metadata(&k, bytes);
        test_no_inodes(&k);
        apr_pool_clear(k.p);
        umount2(k.dir, MNT_DETACH);
    }
    else {
        tap_diag("no file system can be mounted: a limit instead");
        setrlimit(RLIMIT_FSIZE, &limit);
        test_overflow(&k, bytes, EFBIG, small);
    }
    return kit_done(&k);
}
