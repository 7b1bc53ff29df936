/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Whoever can write into the pool, or swap what is in it, gains nothing:
 * planted links, FIFOs, directories, hard links; races. */
#include "store/bucket.h"

#include <signal.h>

#include "store_kit.h"

#define DATA "0-0123456789abcdef0123456789abcdef.bin"

static const char *const NAMES[] = { "metadata.json", "attempt.json",
                                     "metadata.new", "attempt.new", DATA };
enum { NAME_COUNT = sizeof(NAMES) / sizeof(*NAMES) };

typedef enum plant { SYMLINK, DANGLING, HARDLINK, FIFO, SUBDIR, PLANTS } plant;

static const char *const PLANT[] = { "symlink", "dangling symlink", "hard link",
                                     "FIFO", "directory" };

static void plant_one(const kit *k, const char *path, int what)
{
    int rc = -1;

    switch ((plant)what) {
    case SYMLINK:
        rc = symlink(kit_path(k, "victim"), path);
        break;
    case DANGLING:
        rc = symlink(kit_path(k, "nowhere"), path);
        break;
    case HARDLINK:
        rc = link(kit_path(k, "victim"), path);
        break;
    case FIFO:
        rc = mkfifo(path, 0600);
        break;
    case SUBDIR:
        rc = mkdir(path, 0700);
        break;
    case PLANTS:
        break;
    }
    if (rc) {
        kit_die("cannot plant");
    }
}

static int victim_is_well(const kit *k)
{
    return strcmp(kit_read_file(k, kit_path(k, "victim")), "victim") == 0
           && !kit_exists(kit_path(k, "nowhere"));
}

static void test_inside(kit *k, const char *name, int what)
{
    const char *id = "planted";
    const char *path = kit_in(k, id, name);
    upool_record *record;
    apr_file_t *file;
    const char *status;
    int is_document = strstr(name, ".json") != NULL;
    int blocks = what == SUBDIR && strcmp(name, DATA) != 0;

    alarm(20);
    mkdir(kit_in(k, id, NULL), 0700);
    plant_one(k, path, what);
    status = kit_status(k, id);
    tap_is_str(status,
               is_document ? "error: stored file is damaged"
                           : "error: upload was interrupted",
               "%s as %s: status", PLANT[what], name);
    tap_is_int(upool_bucket_complete(&record, k->store, id, k->p), APR_ENOENT,
               "nothing is complete");
    tap_ok(upool_bucket_file_open(&file, k->store, id, DATA, k->p)
                   != APR_SUCCESS
               || (what == HARDLINK && strcmp(name, DATA) == 0),
           "nor opened");
    tap_is_int(kit_upload(k, id, "content", 1, k->p) == NULL, blocks,
               "an upload %s", blocks ? "is refused" : "works");
    tap_is_int(upool_bucket_remove(k->store, id, k->p), APR_SUCCESS, "clear");
    tap_is_int(kit_exists(path), what == SUBDIR, "removes it%s",
               what == SUBDIR ? " not" : "");
    tap_ok(victim_is_well(k), "and the victim is well");
    alarm(0);
    kit_wipe(kit_in(k, id, NULL));
}

static void test_bucket_name(kit *k, int what)
{
    const char *id = "bucket";
    const char *path = kit_in(k, id, NULL);
    apr_file_t *file;
    const char *stored;

    plant_one(k, path, what);
    tap_is_str(kit_status(k, id), "none", "%s as bucket: status", PLANT[what]);
    tap_ok(!kit_upload(k, id, "content", 1, k->p), "no upload");
    tap_is_int(upool_bucket_file_open(&file, k->store, id, DATA, k->p),
               APR_ENOENT, "no file");
    tap_is_int(upool_bucket_remove(k->store, id, k->p), APR_SUCCESS, "clear");
    tap_ok(kit_exists(path) && victim_is_well(k), "touches nothing");
    unlink(path);
    /* A link to a real bucket elsewhere, which would look good. */
    mkdir(kit_path(k, "elsewhere"), 0700);
    stored = kit_upload(k, id, "content", 1, k->p);
    if (!stored || rename(path, kit_path(k, "elsewhere/bucket"))
        || symlink(kit_path(k, "elsewhere/bucket"), path)) {
        kit_die("no link to a bucket");
    }
    tap_is_str(kit_status(k, id), "none", "a link to a bucket elsewhere");
    tap_is_int(upool_bucket_file_open(&file, k->store, id, stored, k->p),
               APR_ENOENT, "its file");
    upool_bucket_remove(k->store, id, k->p);
    tap_is_int(kit_count(kit_path(k, "elsewhere/bucket")), 2, "is not cleared");
    unlink(path);
    kit_wipe(kit_path(k, "elsewhere"));
}

/* In a sticky pool another user may make a directory of a good name. */
static void test_stranger(kit *k)
{
    const char *path = kit_in(k, "stranger", NULL);

    if (geteuid() != 0) {
        tap_ok(geteuid() != 0, "strangers' buckets are tested as root");
        return;
    }
    tap_ok(kit_upload(k, "stranger", "content", 1, k->p) != NULL, "a bucket");
    if (chown(path, 12345, (gid_t)-1)) {
        kit_die("no chown");
    }
    tap_is_str(kit_status(k, "stranger"), "none", "a stranger's: status");
    tap_ok(!kit_upload(k, "stranger", "content", 1, k->p), "no upload");
    tap_is_int(upool_bucket_remove(k->store, "stranger", k->p), APR_SUCCESS,
               "clear");
    tap_is_int(kit_count(path), 2, "touches nothing");
}

/* Somebody exchanges the bucket for a link and back as fast as he can. */
static pid_t swapper(kit *k, const char *id)
{
    const char *path = kit_in(k, id, NULL);
    const char *decoy = kit_path(k, "decoy");
    const char *trap = kit_path(k, "trap");
    pid_t pid;

    mkdir(trap, 0700);
    if (symlink(trap, decoy)) {
        kit_die("no decoy");
    }
    pid = fork();
    if (pid == 0) {
        unsigned i;

        for (i = 0;; i++) {
            renameat2(AT_FDCWD, path, AT_FDCWD, decoy, RENAME_EXCHANGE);
            /* Now and then long enough for an upload, however slow it is, with
             * the bucket where it belongs. */
            usleep(i % 64 == 63 ? 50000 : i % 512);
        }
    }
    return pid;
}

/* T3: Nobody's symlink is followed. */
static void test_swap_race(kit *k)
{
    enum { ROUNDS = 1500 };
    const char *id = "swap";
    pid_t pid = swapper(k, id);
    unsigned good = 0;
    unsigned bad = 0;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *p;
        const char *status;

        apr_pool_create(&p, k->p);
        good += kit_upload(k, id, "content", 1, p) != NULL;
        status = kit_status(k, id);
        /* Moved about, it may be any of these; never another's. */
        bad += strcmp(status, "done") != 0 && strcmp(status, "none") != 0
               && strcmp(status, "uploading") != 0
               && strncmp(status, "error: ", 7) != 0;
        if (i % 3 == 0) {
            upool_bucket_remove(k->store, id, p);
        }
        apr_pool_destroy(p);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    tap_is_int(bad, 0, "%d uploads in a bucket that is swapped", ROUNDS);
    tap_ok(good > 0, "%u of them complete", good);
    tap_is_int(kit_count(kit_path(k, "trap")), 0,
               "nothing was written or removed through the link");
    kit_wipe(kit_in(k, id, NULL));
    kit_wipe(kit_path(k, "decoy"));
    tap_ok(kit_upload(k, id, "content", 1, k->p) != NULL,
           "and works when it stops");
}

/* The same with a file of the bucket. */
static void test_file_race(kit *k)
{
    enum { ROUNDS = 1000 };
    const char *id = "file-swap";
    const char *path = kit_in(k, id, "metadata.json");
    const char *temporary = kit_in(k, id, "metadata.new");
    unsigned wrong = 0;
    pid_t pid;
    int i;

    kit_upload(k, id, "content", 1, k->p);
    pid = fork();
    if (pid == 0) {
        for (;;) {
            unlink(temporary);
            symlink(kit_path(k, "victim"), temporary);
            if (symlink(kit_path(k, "victim"), path)) {
                unlink(path);
            }
        }
    }
    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *p;
        upool_record *record = NULL;

        apr_pool_create(&p, k->p);
        kit_upload(k, id, "content", 1, p);
        wrong += upool_bucket_complete(&record, k->store, id, p) == APR_SUCCESS
                 && record->files->nelts != 1;
        apr_pool_destroy(p);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    tap_is_int(wrong, 0, "%d uploads with links planted meanwhile", ROUNDS);
    tap_ok(victim_is_well(k), "the victim is well");
    kit_wipe(kit_in(k, id, NULL));
}

/* Uploads of one identifier, clears and pollers at once. */
static void busy_child(kit *k, int n, int rounds)
{
    const char *content = apr_psprintf(k->p, "content of %d", n);
    unsigned wrong = 0;
    int i;

    for (i = 0; i < rounds; i++) {
        upool_record *record;
        apr_pool_t *p;

        apr_pool_create(&p, NULL);
        if (n == 3) {
            upool_bucket_remove(k->store, "race", p);
        }
        else if (n == 2) {
            apr_status_t rv = upool_bucket_status(&record, k->store, "race", p);

            wrong += rv && rv != APR_ENOENT;
            wrong += !rv && record->state == UPOOL_STATE_ERROR
                     && strstr(record->error, "damaged");
        }
        else {
            kit_upload(k, "race", content, 1, p);
        }
        apr_pool_destroy(p);
    }
    _exit(wrong > 200 ? 200 : (int)wrong);
}

static void test_identifier_race(kit *k, int children, const char *name)
{
    enum { ROUNDS = 2000 };
    const char *status;
    const char *stored;
    const char *content;
    pid_t pid[4];
    int bad = 0;
    int n;

    for (n = 0; n < children; n++) {
        pid[n] = fork();
        if (pid[n] == 0) {
            busy_child(k, n, ROUNDS);
        }
    }
    for (n = 0; n < children; n++) {
        int code = -1;

        waitpid(pid[n], &code, 0);
        bad += code != 0;
    }
    tap_is_int(bad, 0, "%s: no child saw a damaged upload", name);
    status = kit_status(k, "race");
    tap_ok(!strcmp(status, "done") || (children > 3 && !strcmp(status, "none")),
           "the last one counts: %s", status);
    stored = kit_data_name(k, "race");
    content = stored ? kit_read_file(k, kit_in(k, "race", stored)) : "none";
    tap_ok(strncmp(content, "content of ", 11) == 0 ? strlen(content) == 12
                                                    : children > 3,
           "never two in one");
    tap_ok(kit_count(kit_in(k, "race", NULL)) <= 2, "nothing is left over");
    upool_bucket_remove(k->store, "race", k->p);
}

int main(void)
{
    int before;
    int what;
    int i;
    kit k;

    kit_start(&k);
    kit_write_file(kit_path(&k, "victim"), "victim");
    before = kit_descriptors();
    for (what = 0; what < PLANTS; what++) {
        for (i = 0; i < NAME_COUNT; i++) {
            test_inside(&k, NAMES[i], what);
        }
        if (what != SUBDIR) {
            test_bucket_name(&k, what);
        }
    }
    test_stranger(&k);
    test_identifier_race(&k, 3, "two writers and a poller");
    test_identifier_race(&k, 4, "and one who clears");
    test_swap_race(&k);
    test_file_race(&k);
    apr_pool_clear(k.p);
    tap_is_int(kit_descriptors(), before - 1, "no descriptor is left open");
    return kit_done(&k);
}
