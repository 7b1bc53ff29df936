/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The life of an upload on disk: begun, written, noted, committed, failed,
 * abandoned, replaced, cleared. */
#include "store_kit.h"

/* EnableSendfile is for the administrator to say: NFS and some devices break
 * with it. */
static void test_sendfile(kit *k, const char *name, apr_pool_t *p)
{
    upool_store_options options = k->options;
    upool_store *store;
    apr_file_t *file;
    const char *why;
    int on;

    for (on = 0; on < 2; on++) {
        options.sendfile = on;
        if (upool_store_open(&store, k->dir, NULL, &options, p, &why)
            || upool_bucket_file_open(&file, store, "first", name, p)) {
            kit_die("no file");
        }
        tap_is_int((apr_file_flags_get(file) & APR_FOPEN_SENDFILE_ENABLED) != 0,
                   on, "sendfile as the options say: %s", on ? "on" : "off");
    }
}

static void test_first_upload(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_record *previous = (upool_record *)k;
    upool_record *record;
    upool_bucket *bucket;
    upool_spool *spool;
    const char *why = "unset";
    const char *name;
    apr_file_t *file;
    char bytes[16] = { 0 };
    apr_size_t len = sizeof(bytes);

    apr_pool_create(&p, k->p);
    tap_is_str(kit_status(k, "first"), "none", "unknown before");
    rv = upool_bucket_begin(&bucket, k->store, "first", 0, p, &previous, &why);
    tap_is_int(rv, APR_SUCCESS, "begin");
    tap_ok(!previous && !why, "nothing is replaced, nothing to complain of");
    tap_is_str(kit_status(k, "first"), "uploading", "held and empty");
    rv = upool_spool_create(&spool, bucket, 0);
    tap_is_int(rv, APR_SUCCESS, "create");
    name = upool_spool_name(spool);
    tap_ok(kit_exists(kit_in(k, "first", name)), "it is in the bucket");
    tap_ok(!strstr(name, "photo") && strlen(name) == 38, "name is random");
    tap_is_int(kit_write(spool, "hello ", 6), APR_SUCCESS, "write");
    tap_is_int(kit_write(spool, "", 0), APR_SUCCESS, "write of nothing");
    tap_is_int(kit_write(spool, "world", 5), APR_SUCCESS, "write again");
    upool_bucket_status(&record, k->store, "first", p);
    tap_is_int(record->state, UPOOL_STATE_UPLOADING, "uploading");
    tap_is_int(record->received, 11, "received counts the files' bytes");
    tap_is_int(record->size, -1, "size is not known");
    record = kit_record(p, "first", UPOOL_STATE_DONE, 1000);
    kit_add_file(record, p, name, 11);
    tap_is_int(upool_spool_close(spool), APR_SUCCESS, "close");
    tap_is_int(upool_spool_close(spool), APR_EBADF, "close twice");
    tap_is_int(kit_write(spool, "x", 1), APR_EBADF, "write after close");
    tap_is_int(upool_bucket_commit(bucket, record), APR_SUCCESS, "commit");
    tap_is_int(upool_bucket_commit(bucket, record), APR_EBADF, "commit twice");
    upool_spool_remove(spool);
    tap_ok(kit_exists(kit_in(k, "first", name)),
           "a committed file is not removed by its spool");
    upool_bucket_end(bucket);
    upool_bucket_end(bucket);
    tap_is_str(kit_status(k, "first"), "done", "done");
    tap_is_int(kit_count(kit_in(k, "first", NULL)), 2, "metadata and one file");
    tap_is_int(upool_bucket_file_open(&file, k->store, "first", name, p),
               APR_SUCCESS, "open for reading");
    apr_file_read(file, bytes, &len);
    tap_is_str(bytes, "hello world", "the bytes are right");
    test_sendfile(k, name, p);
    apr_pool_destroy(p);
}

/* What a minted identifier leaves out must show only where it cannot matter. */
static void test_minted(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_record *previous;
    upool_bucket *bucket;
    upool_spool *spool;
    const char *why;

    apr_pool_create(&p, k->p);
    rv = upool_bucket_begin(&bucket, k->store, "mint", 1, p, &previous, &why);
    tap_is_int(rv, APR_SUCCESS, "begin under a minted identifier");
    tap_ok(!previous && !why, "nothing is replaced");
    kit_begin(k, "mint", p, &rv);
    tap_is_int(rv, APR_EBUSY, "it is locked all the same");
    tap_is_str(kit_status(k, "mint"), "uploading", "and seen");
    kit_wipe(kit_in(k, "mint", NULL));
    tap_is_int(upool_spool_create(&spool, bucket, 0), APR_ENOENT,
               "no file is made in a directory that has gone");
    upool_bucket_end(bucket);
    tap_is_str(kit_status(k, "mint"), "none", "nor is it made again");
    tap_ok(kit_upload(k, "mint", "content", 5000, p) != NULL, "an upload");
    rv = upool_bucket_begin(&bucket, k->store, "mint", 1, p, &previous, &why);
    tap_ok(!rv && previous && previous->updated == 5000,
           "what is there is found, whatever the caller says");
    upool_bucket_end(bucket);
    tap_is_str(kit_status(k, "mint"), "done", "and stays");
    apr_pool_destroy(p);
}

static void test_replace(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_record *previous;
    upool_record *record;
    upool_bucket *bucket;
    upool_spool *spool;
    const char *why;
    const char *old;
    const char *new;

    apr_pool_create(&p, k->p);
    old = kit_upload(k, "again", "old content", 5000, p);
    tap_ok(old != NULL, "an upload to be replaced");
    rv = upool_bucket_begin(&bucket, k->store, "again", 0, p, &previous, &why);
    tap_is_int(rv, APR_SUCCESS, "begin again");
    tap_ok(previous && previous->updated == 5000 && previous->files->nelts == 1,
           "previous is told");
    upool_spool_create(&spool, bucket, 0);
    new = upool_spool_name(spool);
    tap_ok(strcmp(new, old) != 0, "another stored name");
    kit_write(spool, "new", 3);
    upool_spool_close(spool);
    tap_is_str(kit_status(k, "again"), "done", "old one is still done");
    tap_is_int(upool_bucket_complete(&record, k->store, "again", p),
               APR_SUCCESS, "old one is complete");
    tap_is_str(APR_ARRAY_IDX(record->files, 0, upool_file).stored, old,
               "with its own file");
    tap_is_str(kit_read_file(k, kit_in(k, "again", old)), "old content",
               "readable until commit");
    record = kit_record(p, "again", UPOOL_STATE_DONE, 6000);
    kit_add_file(record, p, new, 3);
    tap_is_int(upool_bucket_commit(bucket, record), APR_SUCCESS, "commit");
    upool_bucket_end(bucket);
    tap_ok(!kit_exists(kit_in(k, "again", old)), "old file is gone");
    tap_is_int(kit_count(kit_in(k, "again", NULL)), 2, "nothing else left");
    upool_bucket_complete(&record, k->store, "again", p);
    tap_is_int(record->updated, 6000, "the new record");
    apr_pool_destroy(p);
}

static void test_replace_fails(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;
    upool_record *record;
    const char *old;

    apr_pool_create(&p, k->p);
    old = kit_upload(k, "keep", "precious", 5000, p);
    bucket = kit_begin(k, "keep", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    kit_write(spool, "junk", 4);
    record = kit_record(p, "keep", UPOOL_STATE_ERROR, 7000);
    record->error = "client went away";
    upool_bucket_fail(bucket, record);
    tap_is_int(kit_write(spool, "x", 1), APR_EBADF, "no write after fail");
    tap_is_int(upool_spool_create(&spool, bucket, 1), APR_EBADF,
               "no create after fail");
    upool_bucket_end(bucket);
    tap_is_str(kit_status(k, "keep"), "error: client went away",
               "the attempt reads as error");
    tap_is_int(upool_bucket_complete(&record, k->store, "keep", p), APR_SUCCESS,
               "the old upload is complete still");
    tap_is_str(kit_read_file(k, kit_in(k, "keep", old)), "precious",
               "with its bytes");
    tap_is_int(kit_count(kit_in(k, "keep", NULL)), 3,
               "metadata, attempt, one file");
    tap_ok(kit_upload(k, "keep", "third", 8000, p) != NULL, "a third attempt");
    tap_is_str(kit_status(k, "keep"), "done", "and the error is forgotten");
    tap_is_int(kit_count(kit_in(k, "keep", NULL)), 2, "nothing else left");
    apr_pool_destroy(p);
}

static void test_fail_without_record(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "trace", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    upool_bucket_note(bucket, kit_record(p, "trace", UPOOL_STATE_UPLOADING, 1));
    upool_bucket_fail(bucket, NULL);
    upool_bucket_end(bucket);
    tap_ok(!kit_exists(kit_in(k, "trace", NULL)), "no trace is left");
    apr_pool_destroy(p);
}

static void test_abandon(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;
    int before = kit_descriptors();

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "gone", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    upool_spool_create(&spool, bucket, 1);
    kit_write(spool, "junk", 4);
    tap_ok(kit_descriptors() >= before + 3, "three descriptors in use");
    apr_pool_destroy(p);
    tap_is_int(kit_descriptors(), before, "all closed with the pool");
    tap_ok(!kit_exists(kit_in(k, "gone", NULL)),
           "files and directory go with the pool");
    apr_pool_create(&p, k->p);
    kit_upload(k, "gone", "precious", 1, p);
    bucket = kit_begin(k, "gone", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    apr_pool_destroy(p);
    tap_is_int(kit_count(kit_in(k, "gone", NULL)), 2,
               "a complete upload outlives the next attempt");
    tap_is_str(kit_status(k, "gone"), "done", "and is done");
}

static void test_note(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_record *record;
    upool_spool *spool;
    upool_record *seen;

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "note", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    record = kit_record(p, "note", UPOOL_STATE_UPLOADING, 3000);
    record->size = 1000;
    record->received = 77;
    tap_is_int(upool_bucket_note(bucket, record), APR_SUCCESS, "note");
    upool_bucket_status(&seen, k->store, "note", p);
    tap_ok(seen->state == UPOOL_STATE_UPLOADING && seen->received == 77
               && seen->size == 1000,
           "a poller sees what was noted");
    record->state = UPOOL_STATE_DONE;
    tap_is_int(upool_bucket_note(bucket, record), APR_EINVAL,
               "only uploading can be noted");
    tap_is_int(upool_bucket_look(bucket), APR_SUCCESS, "it is still there");
    upool_bucket_end(bucket);
    tap_is_int(upool_bucket_look(bucket), APR_EBADF, "no matter to others");
    tap_is_int(kit_count(kit_in(k, "note", NULL)), 1, "only the note is left");
    tap_is_str(kit_status(k, "note"), "error: upload was interrupted",
               "without holder it reads as interrupted");
    upool_bucket_status(&seen, k->store, "note", p);
    tap_is_int(seen->received, 77, "with what was known");
    bucket = kit_begin(k, "note", p, &rv);
    tap_is_str(kit_status(k, "note"), "uploading",
               "a new attempt forgets the note");
    record->state = UPOOL_STATE_UPLOADING;
    upool_bucket_note(bucket, record);
    record->state = UPOOL_STATE_DONE;
    record->received = 0;
    tap_is_int(upool_bucket_commit(bucket, record), APR_SUCCESS,
               "an upload of no files");
    upool_bucket_end(bucket);
    tap_is_int(kit_count(kit_in(k, "note", NULL)), 1, "metadata alone");
    tap_is_str(kit_status(k, "note"), "done", "done");
    apr_pool_destroy(p);
}

static void test_clear(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_bucket *second;
    upool_spool *spool;
    upool_spool *late;
    upool_record *record;

    apr_pool_create(&p, k->p);
    tap_is_int(upool_bucket_remove(k->store, "clear", p), APR_SUCCESS,
               "clear of nothing");
    kit_upload(k, "clear", "content", 1, p);
    tap_is_int(upool_bucket_remove(k->store, "clear", p), APR_SUCCESS,
               "clear of a complete upload");
    tap_ok(!kit_exists(kit_in(k, "clear", NULL)), "nothing is left");
    bucket = kit_begin(k, "clear", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    kit_write(spool, "content", 7);
    tap_is_int(upool_bucket_remove(k->store, "clear", p), APR_SUCCESS,
               "clear while it is written");
    tap_is_str(kit_status(k, "clear"), "none", "unknown again");
    tap_is_int(kit_write(spool, "content", 7), APR_SUCCESS,
               "the writer does not notice yet");
    second = kit_begin(k, "clear", p, &rv);
    tap_is_int(rv, APR_SUCCESS, "a new upload may begin at once");
    tap_is_int(upool_spool_close(spool), APR_SUCCESS, "close");
    record = kit_record(p, "clear", UPOOL_STATE_DONE, 1);
    kit_add_file(record, p, upool_spool_name(spool), 14);
    tap_is_int(upool_spool_create(&late, bucket, 1), APR_ENOENT,
               "the cleared writer cannot make files");
    tap_is_int(upool_bucket_commit(bucket, record), APR_ENOENT, "nor commit");
    record->state = UPOOL_STATE_ERROR;
    record->error = "cleared";
    upool_bucket_fail(bucket, record);
    upool_bucket_end(bucket);
    tap_is_str(kit_status(k, "clear"), "uploading",
               "nor disturb its successor");
    upool_bucket_end(second);
    tap_ok(!kit_exists(kit_in(k, "clear", NULL)), "nothing is left");
    apr_pool_destroy(p);
}

static void test_clear_keeps_foreign(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;
    upool_record *record;

    apr_pool_create(&p, k->p);
    kit_upload(k, "mixed", "content", 1, p);
    kit_write_file(kit_in(k, "mixed", "README"), "not ours");
    mkdir(kit_in(k, "mixed", "sub"), 0700);
    kit_write_file(kit_in(k, "mixed", "sub/metadata.json"), "not ours");
    bucket = kit_begin(k, "mixed", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    upool_spool_close(spool);
    tap_is_int(upool_bucket_remove(k->store, "mixed", p), APR_SUCCESS,
               "clear of a bucket with foreign files");
    tap_is_int(kit_count(kit_in(k, "mixed", NULL)), 2, "those stay");
    tap_ok(kit_exists(kit_in(k, "mixed", "sub/metadata.json")),
           "sub-directories are not entered");
    record = kit_record(p, "mixed", UPOOL_STATE_DONE, 1);
    kit_add_file(record, p, upool_spool_name(spool), 0);
    tap_is_int(upool_bucket_commit(bucket, record), APR_ENOENT,
               "and the writer cannot commit there");
    upool_bucket_fail(bucket, NULL);
    upool_bucket_end(bucket);
    tap_is_int(kit_count(kit_in(k, "mixed", NULL)), 2, "nothing new either");
    apr_pool_destroy(p);
}

static void test_commit_refuses(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;
    upool_record *record;
    upool_file *file;
    const char *old;

    apr_pool_create(&p, k->p);
    old = kit_upload(k, "strict", "old", 1, p);
    bucket = kit_begin(k, "strict", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    kit_write(spool, "four", 4);
    upool_spool_close(spool);
    record = kit_record(p, "strict", UPOOL_STATE_DONE, 2);
    file = kit_add_file(record, p, upool_spool_name(spool), 5);
    tap_is_int(upool_bucket_commit(bucket, record), APR_EGENERAL,
               "a size that is not the file's");
    upool_bucket_end(bucket);
    tap_is_str(kit_status(k, "strict"), "done", "the old one stays");
    bucket = kit_begin(k, "strict", p, &rv);
    file->stored = old;
    file->size = 3;
    tap_is_int(upool_bucket_commit(bucket, record), APR_EINVAL,
               "a file of the upload before");
    upool_bucket_end(bucket);
    bucket = kit_begin(k, "strict", p, &rv);
    file->stored = "../strict/x";
    tap_is_int(upool_bucket_commit(bucket, record), APR_EINVAL,
               "a name that is a path");
    upool_bucket_end(bucket);
    bucket = kit_begin(k, "strict", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    upool_spool_close(spool);
    file->stored = upool_spool_name(spool);
    file->size = 0;
    kit_add_file(record, p, file->stored, 0);
    tap_is_int(upool_bucket_commit(bucket, record), APR_EINVAL,
               "one file listed twice");
    upool_bucket_end(bucket);
    bucket = kit_begin(k, "strict", p, &rv);
    tap_is_int(upool_bucket_commit(bucket,
                                   kit_record(p, "other", UPOOL_STATE_DONE, 1)),
               APR_EINVAL, "another upload's record");
    upool_bucket_end(bucket);
    bucket = kit_begin(k, "strict", p, &rv);
    tap_is_int(upool_bucket_commit(
                   bucket, kit_record(p, "strict", UPOOL_STATE_ERROR, 1)),
               APR_EINVAL, "a record that is not done");
    upool_bucket_end(bucket);
    tap_is_str(kit_read_file(k, kit_in(k, "strict", old)), "old",
               "through all of it the old one stays");
    apr_pool_destroy(p);
}

static void test_files(kit *k)
{
    enum { FILES = 40 };
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket = kit_begin(k, "many", k->p, &rv);
    upool_record *record = kit_record(k->p, "many", UPOOL_STATE_DONE, 1);
    upool_spool *spool;
    int bad = 0;
    int i;

    apr_pool_create(&p, k->p);
    for (i = 0; i < FILES; i++) {
        bad |= upool_spool_create(&spool, bucket, i);
        bad |= kit_write(spool, "0123456789", 10);
        bad |= upool_spool_close(spool);
        if (i % 4 == 0) {
            upool_spool_remove(spool);
        }
        else if (i % 4 != 1) {
            kit_add_file(record, k->p, upool_spool_name(spool), 10);
        }
    }
    kit_add_file(record, k->p, NULL, 3)->content = "abc";
    tap_ok(!bad, "40 files");
    tap_is_int(upool_bucket_commit(bucket, record), APR_SUCCESS, "commit");
    upool_bucket_end(bucket);
    tap_is_int(kit_count(kit_in(k, "many", NULL)), FILES / 2 + 1,
               "removed and unlisted ones are gone");
    upool_bucket_complete(&record, k->store, "many", p);
    tap_is_int(record->files->nelts, FILES / 2 + 1, "all are in the record");
    tap_ok(!APR_ARRAY_IDX(record->files, FILES / 2, upool_file).stored,
           "one of them in memory");
    apr_pool_destroy(p);
}

static void test_many_pieces(kit *k)
{
    enum { PIECES = 3000 };
    apr_status_t rv;
    upool_bucket *bucket = kit_begin(k, "pieces", k->p, &rv);
    struct iovec *vec = apr_palloc(k->p, PIECES * sizeof(*vec));
    upool_spool *spool;
    char *text;
    int bad = 0;
    int i;

    for (i = 0; i < PIECES; i++) {
        vec[i].iov_base = (void *)&"abc"[i % 3];
        vec[i].iov_len = (size_t)(i % 2);
    }
    upool_spool_create(&spool, bucket, 0);
    rv = upool_spool_write(spool, vec, PIECES);
    tap_is_int(rv, APR_SUCCESS, "more pieces than one call takes");
    text = kit_read_file(k, kit_in(k, "pieces", upool_spool_name(spool)));
    for (i = 1; i < PIECES; i += 2) {
        bad |= text[i / 2] != "abc"[i % 3];
    }
    tap_ok(!bad && strlen(text) == PIECES / 2, "all in their order");
    upool_bucket_end(bucket);
}

/* One more than a name may have. */
#define LONG_NAME \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef4"

static void test_arguments(kit *k)
{
    static const char *const BAD[] = { "",       ".",        "..",    "../pool",
                                       "a/b",    "/etc",     "a.b",   "a b",
                                       "a\nb",   "\xc3\xa9", "-\x01", ".a",
                                       "%2e%2e", "a%00",     "~",     "*",
                                       "a_b",    LONG_NAME };
    upool_record *record;
    upool_bucket *bucket;
    apr_file_t *file;
    const char *why;
    int bad = 0;
    size_t i;

    for (i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
        bad |= upool_bucket_begin(&bucket, k->store, BAD[i], 0, k->p, &record,
                                  &why)
               != APR_EINVAL;
        bad |=
            upool_bucket_status(&record, k->store, BAD[i], k->p) != APR_EINVAL;
        bad |= upool_bucket_complete(&record, k->store, BAD[i], k->p)
               != APR_EINVAL;
        bad |= upool_bucket_remove(k->store, BAD[i], k->p) != APR_EINVAL;
        bad |= upool_bucket_file_open(&file, k->store, BAD[i],
                                      "0-00000000000000000000000000000000.bin",
                                      k->p)
               != APR_EINVAL;
        if (bad) {
            tap_diag("'%s'", BAD[i]);
            break;
        }
    }
    tap_ok(!bad, "%d names of buckets are refused everywhere", (int)i);
    tap_is_int(upool_bucket_file_open(&file, k->store, "first",
                                      "../first/metadata.json", k->p),
               APR_EINVAL, "a path as stored name");
    tap_is_int(
        upool_bucket_file_open(&file, k->store, "first", "metadata.json", k->p),
        APR_EINVAL, "metadata as stored name");
    tap_is_int(upool_bucket_file_open(&file, k->store, "first",
                                      "0-00000000000000000000000000000000.bin",
                                      k->p),
               APR_ENOENT, "a file that is not there");
}

static void test_modes(kit *k)
{
    static const struct {
        int mode;
        mode_t mask;
        mode_t directory;
    } TABLE[] = { { 0600, 022, 0700 }, { 0600, 077, 0700 }, { 0600, 0, 0700 },
                  { 0640, 077, 0710 }, { 0644, 077, 0711 }, { 0660, 022, 0710 },
                  { 0666, 0177, 0711 } };
    struct stat st;
    size_t i;

    for (i = 0; i < sizeof(TABLE) / sizeof(*TABLE); i++) {
        apr_pool_t *p;
        mode_t mask = umask(TABLE[i].mask);
        const char *id = apr_psprintf(k->p, "mode-%d", (int)i);
        const char *name;

        apr_pool_create(&p, k->p);
        k->options.file_mode = TABLE[i].mode;
        kit_open(k);
        name = kit_upload(k, id, "content", 1, p);
        umask(mask);
        lstat(kit_in(k, id, name ? name : "?"), &st);
        tap_is_int(st.st_mode & 07777, TABLE[i].mode, "%o under umask %o",
                   (unsigned)TABLE[i].mode, (unsigned)TABLE[i].mask);
        lstat(kit_in(k, id, NULL), &st);
        tap_is_int(st.st_mode & 07777, TABLE[i].directory, "its directory");
        lstat(kit_in(k, id, "metadata.json"), &st);
        tap_is_int(st.st_mode & 07777, 0600 & ~TABLE[i].mask & 0777,
                   "its metadata");
        apr_pool_destroy(p);
    }
    k->options.file_mode = 0600;
    kit_open(k);
}

static void test_sync(kit *k)
{
    apr_pool_t *p;

    apr_pool_create(&p, k->p);
    k->options.sync = 1;
    kit_open(k);
    tap_ok(kit_upload(k, "sync", "content", 1, p) != NULL,
           "an upload with syncs");
    tap_ok(kit_upload(k, "sync", "content", 1, p) != NULL, "and a second");
    tap_is_str(kit_status(k, "sync"), "done", "done");
    k->options.sync = 0;
    kit_open(k);
    apr_pool_destroy(p);
}

static void test_damage(kit *k)
{
    apr_pool_t *p;
    const char *name;
    const char *path;
    upool_record *record;
    upool_bucket *bucket;
    upool_spool *spool;
    apr_file_t *file;
    apr_status_t rv;

    apr_pool_create(&p, k->p);
    name = kit_upload(k, "harm", "content", 1, p);
    path = kit_in(k, "harm", name);
    tap_ok(truncate(path, 6) == 0, "a stored file is cut");
    tap_is_str(kit_status(k, "harm"), "error: stored file is damaged",
               "shorter");
    tap_is_int(upool_bucket_complete(&record, k->store, "harm", p), APR_ENOENT,
               "not complete");
    tap_ok(truncate(path, 8) == 0, "is grown");
    tap_is_str(kit_status(k, "harm"), "error: stored file is damaged",
               "longer");
    upool_bucket_status(&record, k->store, "harm", p);
    tap_ok(record->files->nelts == 0, "such a record has no files");
    unlink(path);
    tap_is_str(kit_status(k, "harm"), "done",
               "missing: the application has moved it away");
    tap_is_int(upool_bucket_file_open(&file, k->store, "harm", name, p),
               APR_ENOENT, "there is nothing to open");
    kit_write_file(kit_in(k, "harm", "metadata.json"), "{}");
    tap_is_str(kit_status(k, "harm"), "error: stored file is damaged",
               "metadata broken");
    kit_write_file(path, "mended?");
    bucket = kit_begin(k, "harm", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    tap_is_str(kit_status(k, "harm"), "uploading", "while it is replaced");
    upool_bucket_end(bucket);
    tap_is_int(kit_count(kit_in(k, "harm", NULL)), 2,
               "an attempt that fails leaves it as it was");
    tap_ok(kit_upload(k, "harm", "fresh", 1, p) != NULL,
           "a new upload replaces it");
    tap_is_int(kit_count(kit_in(k, "harm", NULL)), 2, "all of it");
    apr_pool_destroy(p);
}

int main(void)
{
    int before;
    kit k;

    kit_start(&k);
    before = kit_descriptors();
    test_first_upload(&k);
    test_minted(&k);
    test_replace(&k);
    test_replace_fails(&k);
    test_fail_without_record(&k);
    test_abandon(&k);
    test_note(&k);
    test_clear(&k);
    test_clear_keeps_foreign(&k);
    test_commit_refuses(&k);
    test_files(&k);
    test_many_pieces(&k);
    test_arguments(&k);
    test_damage(&k);
    tap_is_int(kit_descriptors(), before, "no descriptor is left open");
    test_modes(&k);
    test_sync(&k);
    return kit_done(&k);
}
