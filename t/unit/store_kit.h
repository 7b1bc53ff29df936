/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_T_UNIT_STORE_KIT_H
#define UPOOL_T_UNIT_STORE_KIT_H

/* What the tests of the store share: a pool directory of their own under the
 * system's temporary directory, records, short ways to write, look
 * and count.  Everything is removed at the end. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "store/bucket.h"
#include "store/resumable.h"
#include "store/sweep.h"
#include "tap.h"

typedef struct kit {
    apr_pool_t *p;
    char root[PATH_MAX]; /* temporary; holds the pool and what is outside */
    char dir[PATH_MAX + 8];
    upool_store *store;
    upool_store_options options;
} kit;

static inline int kit_unlink(const char *path, const struct stat *st, int type,
                             struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void kit_wipe(const char *path)
{
    nftw(path, kit_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((noreturn)) static inline void kit_die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

static inline void kit_open(kit *k)
{
    const char *why = NULL;

    if (upool_store_open(&k->store, k->dir, NULL, &k->options, k->p, &why)) {
        kit_die(why);
    }
}

static inline void kit_start(kit *k)
{
    memset(k, 0, sizeof(*k));
    apr_initialize();
    apr_pool_create(&k->p, NULL);
    k->options.file_mode = 0600;
    snprintf(k->root, sizeof(k->root), "%s/upool-store-XXXXXX", P_tmpdir);
    if (!mkdtemp(k->root)) {
        kit_die("no temporary directory");
    }
    snprintf(k->dir, sizeof(k->dir), "%s/pool", k->root);
    if (mkdir(k->dir, 0700)) {
        kit_die("no pool directory");
    }
    kit_open(k);
}

static inline int kit_done(kit *k)
{
    apr_pool_destroy(k->p);
    kit_wipe(k->root);
    apr_terminate();
    return tap_done();
}

/* Path below the temporary root, in k->p. */
static inline const char *kit_path(const kit *k, const char *name)
{
    return apr_pstrcat(k->p, k->root, "/", name, NULL);
}

static inline const char *kit_in(const kit *k, const char *id, const char *name)
{
    return apr_pstrcat(k->p, k->dir, "/", id, name ? "/" : "", name ? name : "",
                       NULL);
}

static inline int kit_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* Entries of a directory, without a bucket's lock file, which stays for its
 * next holder; -1 when it is not there. */
static inline int kit_count(const char *path)
{
    const struct dirent *e;
    DIR *d = opendir(path);
    int n = 0;

    if (!d) {
        return -1;
    }
    while ((e = readdir(d)) != NULL) {
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..")
             && strcmp(e->d_name, "lock");
    }
    closedir(d);
    return n;
}

/* Name of the first data file there, in k->p, or NULL. */
static inline const char *kit_data_name(const kit *k, const char *id)
{
    const struct dirent *e;
    const char *name = NULL;
    DIR *d = opendir(kit_in(k, id, NULL));

    while (d && !name && (e = readdir(d)) != NULL) {
        if (strstr(e->d_name, ".bin")) {
            name = apr_pstrdup(k->p, e->d_name);
        }
    }
    if (d) {
        closedir(d);
    }
    return name;
}

static inline int kit_write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (!f) {
        return 0;
    }
    fputs(text, f);
    return fclose(f) == 0;
}

/* Whole content in k->p ("" where it cannot be read). */
static inline char *kit_read_file(const kit *k, const char *path)
{
    char *text = apr_pcalloc(k->p, 65536);
    FILE *f = fopen(path, "r");

    if (f) {
        text[fread(text, 1, 65535, f)] = '\0';
        fclose(f);
    }
    return text;
}

static inline upool_record *kit_record(apr_pool_t *p, const char *id,
                                       upool_state state, apr_time_t when)
{
    upool_record *record = upool_record_make(p, id);

    record->state = state;
    record->filename = "photo.jpg";
    record->content_type = "image/jpeg";
    record->created = when;
    record->updated = when;
    return record;
}

static inline upool_file *kit_add_file(upool_record *record, apr_pool_t *p,
                                       const char *stored, apr_off_t size)
{
    upool_file *file = apr_array_push(record->files);

    memset(file, 0, sizeof(*file));
    file->field = "file";
    file->filename = "photo.jpg";
    file->safe_filename = "photo.jpg";
    file->content_type = "image/jpeg";
    file->params = apr_table_make(p, 1);
    file->digests = apr_array_make(p, 1, sizeof(upool_digest));
    file->size = size;
    file->stored = stored;
    return file;
}

static inline upool_resumable *kit_resumable(apr_pool_t *p, const char *id,
                                             apr_off_t length)
{
    upool_resumable *about = upool_resumable_make(p, id);

    about->protocol = "tus";
    about->created = apr_time_now();
    about->length = length;
    about->uri = "/u";
    about->file.field = "file";
    about->file.filename = "a.txt";
    about->file.safe_filename = "a.txt";
    return about;
}

static inline apr_status_t kit_write(upool_spool *spool, const char *bytes,
                                     apr_size_t len)
{
    struct iovec vec = { (void *)bytes, len };

    return upool_spool_write(spool, &vec, 1);
}

static inline upool_bucket *kit_begin(kit *k, const char *id, apr_pool_t *p,
                                      apr_status_t *rv)
{
    upool_bucket *bucket = NULL;
    upool_record *previous;
    const char *why;

    *rv = upool_bucket_begin(&bucket, k->store, id, 0, p, &previous, &why);
    return bucket;
}

/* A whole round, a few entries at a time: the number of buckets that went. */
static inline long long kit_sweep(kit *k, apr_time_t deadline, apr_pool_t *p)
{
    upool_sweep_result result = { 0, 0, 0 };
    upool_sweep *round;
    long long removed = 0;

    if (upool_sweep_begin(&round, k->store, p)) {
        kit_die("no sweep");
    }
    while (!result.finished) {
        upool_sweep_step(round, 10, deadline, &result);
        removed += (long long)result.removed;
    }
    return removed;
}

/* A whole upload of one file.  Its stored name in p, or NULL. */
static inline const char *kit_upload(kit *k, const char *id,
                                     const char *content, apr_time_t when,
                                     apr_pool_t *p)
{
    apr_status_t rv;
    upool_bucket *bucket = kit_begin(k, id, p, &rv);
    upool_spool *spool = NULL;
    upool_record *record = kit_record(p, id, UPOOL_STATE_DONE, when);
    const char *name;

    if (rv || upool_spool_create(&spool, bucket, 0)) {
        return NULL;
    }
    name = upool_spool_name(spool);
    kit_add_file(record, p, name, (apr_off_t)strlen(content));
    rv = kit_write(spool, content, strlen(content));
    rv = rv ? rv : upool_spool_close(spool);
    rv = rv ? rv : upool_bucket_commit(bucket, record);
    upool_bucket_end(bucket);
    return rv ? NULL : name;
}

/* "done", "error: text", "none", …: what a poller sees, in k->p. */
static inline const char *kit_status(kit *k, const char *id)
{
    upool_record *record = NULL;
    apr_status_t rv = upool_bucket_status(&record, k->store, id, k->p);

    if (rv == APR_ENOENT) {
        return "none";
    }
    if (rv) {
        return apr_psprintf(k->p, "failed %d", rv);
    }
    if (record->state == UPOOL_STATE_ERROR) {
        return apr_pstrcat(k->p, "error: ", record->error, NULL);
    }
    return upool_state_name(record->state);
}

/* Open descriptors of this process. */
static inline int kit_descriptors(void)
{
    return kit_count("/proc/self/fd");
}

#endif
