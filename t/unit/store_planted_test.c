/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* T3: whatever somebody puts in the place of any file that the room knows,
 * nothing outside is read, written, removed or changed, and nothing waits.
 * What a link leads to is the file itself, moved away, so that whoever followed
 * it would be content with what he finds. */
#include "store/writer.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "store/descriptor.h"
#include "store/directory.h"
#include "store/quota.h"
#include "store/run.h"
#include "store/takeover.h"
#include "store_kit.h"

#define DATA "0-0123456789abcdef0123456789abcdef.bin"
#define ID "planted"
#define HANGS 20 /* s */

static const char *const NAMES[] = {
    "metadata.json", "metadata.new",   "attempt.json",
    "attempt.new",   "resumable.json", "resumable.new",
    "answer.json",   "answer.new",     "run",
    "yield",         "lock",           DATA,
};
enum { NAME_COUNT = sizeof(NAMES) / sizeof(*NAMES) };

typedef enum plant {
    SYMLINK,
    SYMLINK_DIR,
    DANGLING,
    LOOP,
    TO_DEVICE,
    HARDLINK,
    FIFO,
    SOCKET,
    DEVICE,
    SUBDIR,
    FULL_DIR,
    UNREADABLE,
    SPARSE,
    PLANTS
} plant;

static const char *const PLANT[] = { "a link to a file",
                                     "a link to a directory",
                                     "a link to nothing",
                                     "a link to itself",
                                     "a link to a device",
                                     "a hard link",
                                     "a FIFO",
                                     "a socket",
                                     "a device",
                                     "a directory",
                                     "a directory of files",
                                     "an unreadable file",
                                     "a very large file" };

static void make_socket(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
        kit_die("no socket");
    }
    close(fd);
}

static int make_directory(const char *path, int is_full)
{
    char inner[PATH_MAX];

    snprintf(inner, sizeof(inner), "%s/%s", path, "metadata.json");
    return mkdir(path, 0700) || (is_full && !kit_write_file(inner, "{}"));
}

/* Only root may make devices. */
static int make_device(const char *path)
{
    return geteuid() == 0 ? mknod(path, S_IFCHR | 0600, makedev(1, 5))
                          : mkfifo(path, 0);
}

static void plant_one(const kit *k, const char *path, const char *victim,
                      plant what)
{
    int rc = 0;

    switch (what) {
    case SYMLINK:
        rc = symlink(victim, path);
        break;
    case SYMLINK_DIR:
        rc = symlink(kit_path(k, "outside"), path);
        break;
    case DANGLING:
        rc = symlink(kit_path(k, "outside/nowhere"), path);
        break;
    case LOOP:
        rc = symlink(path, path);
        break;
    case TO_DEVICE:
        rc = symlink("/dev/zero", path);
        break;
    case HARDLINK:
        rc = link(victim, path);
        break;
    case FIFO:
        rc = mkfifo(path, 0600);
        break;
    case SOCKET:
        make_socket(path);
        break;
    case DEVICE:
        rc = make_device(path);
        break;
    case SUBDIR:
    case FULL_DIR:
        rc = make_directory(path, what == FULL_DIR);
        break;
    case UNREADABLE:
    case SPARSE:
        rc = !kit_write_file(path, "planted")
             || (what == SPARSE && truncate(path, (off_t)1 << 40))
             || (what == UNREADABLE && chmod(path, 0));
        break;
    case PLANTS:
        break;
    }
    if (rc) {
        kit_die(path);
    }
}

/* --- What is outside ------------------------------------------------------ */

/* All but the number of links and the time of access. */
static const char *fingerprint(const kit *k, const char *victim)
{
    struct stat file;
    struct stat dir;

    if (lstat(victim, &file) || lstat(kit_path(k, "outside"), &dir)) {
        return "gone";
    }
    return apr_psprintf(
        k->p, "%s|%o %d %d %ld %ld|%o %ld %d", kit_read_file(k, victim),
        file.st_mode, (int)file.st_uid, (int)file.st_gid, (long)file.st_size,
        (long)file.st_mtim.tv_nsec, dir.st_mode, (long)dir.st_mtim.tv_nsec,
        kit_count(kit_path(k, "outside")));
}

/* --- What is done in its presence ----------------------------------------- */

static apr_status_t begin_resumable(kit *k, apr_pool_t *p)
{
    upool_record *previous = NULL;
    const char *why = NULL;

    return upool_resumable_create(k->store, kit_resumable(p, ID, 10), 0,
                                  UPOOL_REPLACES_ANY, p, &previous, &why);
}

static void append_in(kit *k, apr_pool_t *p)
{
    upool_writer *w = NULL;
    upool_writer_claim claim = { -1, -1, 0, 0 };
    struct iovec piece = { (void *)"abc", 3 };
    upool_resumable_look *a = NULL;

    if (upool_resumable_open(&a, k->store, ID, p)) {
        return;
    }
    upool_resumable_settle(a);
    if (!upool_writer_begin(&w, a, &claim)) {
        upool_writer_write(w, &piece, 1);
        upool_writer_look_up(w);
        upool_writer_keep(w, NULL);
    }
}

static void append(kit *k)
{
    apr_pool_t *p;

    apr_pool_create(&p, k->p);
    append_in(k, p);
    apr_pool_destroy(p);
}

static void ask(const kit *k)
{
    upool_range region = { 0, 10 };
    upool_directory dir;

    if (!upool_directory_enter(&dir, k->store, ID)) {
        upool_takeover_ask(dir.fd, &region);
        upool_takeover_is_asked(dir.fd, &region);
        upool_fd_close(&dir.fd);
    }
}

static void run(kit *k, const upool_record *record, apr_pool_t *p)
{
    upool_answer answer = { 201, 1, 0, NULL, "an answer", 9 };
    upool_answer seen;
    upool_run *t = NULL;

    answer.answered = apr_time_now();
    answer.headers = apr_table_make(p, 1);
    upool_run_look(&seen, k->store, record, p);
    if (!upool_run_take(&t, &answer, k->store, record, p)) {
        upool_run_tell(t, &answer);
        upool_run_end(t);
    }
}

static void serve(kit *k, const upool_record *record, apr_pool_t *p)
{
    char bytes[64];
    apr_size_t len = sizeof(bytes);
    apr_file_t *file;
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        const char *name = APR_ARRAY_IDX(record->files, i, upool_file).stored;

        if (name && !upool_bucket_file_open(&file, k->store, ID, name, p)) {
            apr_file_read(file, bytes, &len);
        }
    }
}

/* 1: a look has told what only a file outside could tell. */
static int do_all(kit *k, upool_record *record)
{
    upool_quota_sum sum;
    upool_record *found;
    const char *status;
    apr_pool_t *p;
    int told;

    apr_pool_create(&p, k->p);
    status = kit_status(k, ID);
    told = !strcmp(status, "done");
    /* First, for whoever appends withdraws it. */
    ask(k);
    append(k);
    run(k, record, p);
    serve(k, record, p);
    upool_bucket_complete(&found, k->store, ID, p);
    kit_sweep(k, apr_time_now() - apr_time_from_sec(60), p);
    upool_quota_read(&sum, k->store);
    begin_resumable(k, p);
    append(k);
    apr_pool_destroy(p);
    return told;
}

/* --- The cases ------------------------------------------------------------ */

/* A bucket as it may be when somebody gets at it, with what a name means at
 * that moment; returns the record of what is, or would be, complete. */
static upool_record *furnish(kit *k, const char *name, int is_resumable)
{
    upool_record *record = kit_record(k->p, ID, UPOOL_STATE_DONE, 1);
    apr_pool_t *p;

    apr_pool_create(&p, k->p);
    if (is_resumable) {
        if (begin_resumable(k, p)) {
            kit_die("nothing to resume");
        }
        append(k);
    }
    else {
        kit_upload(k, ID, "content", 1, p);
        upool_bucket_complete(&record, k->store, ID, k->p);
        /* Once it has run, nobody writes to it. */
        if (strcmp(name, "run") != 0) {
            run(k, record, p);
        }
    }
    apr_pool_destroy(p);
    return record;
}

/* Where the file is; its data file has a name of its own. */
static const char *place_of(const kit *k, const char *name)
{
    const char *data = strcmp(name, DATA) ? name : kit_data_name(k, ID);

    return kit_in(k, ID, data ? data : DATA);
}

static void test_one(kit *k, const char *name, int what, int is_resumable)
{
    int is_dir = what == SUBDIR || what == FULL_DIR;
    upool_record *record = furnish(k, name, is_resumable);
    const char *path = place_of(k, name);
    const char *victim = kit_path(k, "outside/victim");
    const char *before;
    int told;

    alarm(HANGS);
    mkdir(kit_path(k, "outside"), 0700);
    if (rename(path, victim)) {
        kit_write_file(victim, "victim");
    }
    plant_one(k, path, victim, (plant)what);
    before = fingerprint(k, victim);
    told = do_all(k, record);
    /* A hard link is no other file. */
    tap_ok(what == HARDLINK || strcmp(name, "metadata.json") || !told,
           "%s as %s: it tells nothing", PLANT[what], name);
    upool_bucket_remove(k->store, ID, k->p);
    tap_is_str(fingerprint(k, victim), before, "what is outside is as it was");
    tap_is_int(kit_exists(path), is_dir, "a clear removes %s",
               is_dir ? "no directory" : "it");
    if (is_dir) {
        kit_wipe(path);
    }
    tap_ok(kit_upload(k, ID, "content", 1, k->p) != NULL, "then all is well");
    alarm(0);
    kit_wipe(kit_in(k, ID, NULL));
    kit_wipe(kit_path(k, "outside"));
}

/* The same where nothing but the sweep comes by. */
static void test_swept(kit *k, const char *name, int what)
{
    int is_ours = what == UNREADABLE || what == SPARSE || what == HARDLINK;
    const char *victim = kit_path(k, "outside/victim");
    const char *path;
    const char *before;

    furnish(k, name, 0);
    path = place_of(k, name);
    mkdir(kit_path(k, "outside"), 0700);
    kit_write_file(victim, "victim");
    unlink(path);
    plant_one(k, path, victim, (plant)what);
    before = fingerprint(k, victim);
    alarm(HANGS);
    kit_sweep(k, apr_time_now() + apr_time_from_sec(60), k->p);
    alarm(0);
    tap_is_str(fingerprint(k, victim), before, "%s as %s, swept", PLANT[what],
               name);
    tap_is_int(kit_exists(path), !is_ours, "it %s",
               is_ours ? "goes with the bucket" : "is a stranger's, and stays");
    kit_wipe(kit_in(k, ID, NULL));
    kit_wipe(kit_path(k, "outside"));
}

static int has_room(kit *k, apr_pool_t *p)
{
    upool_quota_limits limits = { 1000, 0, 0, 0 };
    upool_quota *quota = upool_quota_make(k->store, ID, NULL, &limits, p);
    int granted = upool_quota_reserve(quota, 100, 0) == UPOOL_QUOTA_GRANTED;

    upool_quota_settle(quota);
    return granted;
}

static void test_ledger(kit *k, int what)
{
    const char *victim = kit_path(k, "outside/victim");
    const char *path = kit_in(k, ".quota", NULL);
    int is_ours = what == UNREADABLE || what == SPARSE;
    const char *before;
    apr_pool_t *p;

    apr_pool_create(&p, k->p);
    mkdir(kit_path(k, "outside"), 0700);
    kit_write_file(victim, "victim");
    plant_one(k, path, victim, (plant)what);
    before = fingerprint(k, victim);
    alarm(HANGS);
    tap_ok(is_ours || !has_room(k, p), "%s as .quota: no room is given",
           PLANT[what]);
    upool_bucket_remove(k->store, ID, p);
    kit_sweep(k, apr_time_now() + apr_time_from_sec(60), p);
    alarm(0);
    tap_is_str(fingerprint(k, victim), before, "what is outside is as it was");
    apr_pool_destroy(p);
    kit_wipe(path);
    kit_wipe(kit_path(k, "outside"));
}

int main(void)
{
    int before;
    int what;
    int i;
    kit k;

    kit_start(&k);
    before = kit_descriptors();
    for (what = 0; what < PLANTS; what++) {
        for (i = 0; i < NAME_COUNT; i++) {
            test_one(&k, NAMES[i], what, 0);
            test_one(&k, NAMES[i], what, 1);
            test_swept(&k, NAMES[i], what);
        }
        test_ledger(&k, what);
    }
    apr_pool_clear(k.p);
    tap_is_int(kit_descriptors(), before - 1, "no descriptor is left open");
    return kit_done(&k);
}
