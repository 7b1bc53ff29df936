/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* One writer at a time: across processes, across descriptors of one process,
 * beside pollers, after a kill; on file systems that cannot lock directories,
 * on those where such a lock keeps nobody out (this program's flock() does so
 * when asked to), and beside a server of before, which locks nothing else. */
#include "store/lock.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "store_kit.h"

/* What a lock of a directory is worth. */
static enum { GOOD, REFUSED, WORTHLESS } directories = GOOD;

/* Takes the place of the C library's. */
int flock(int fd, int operation)
{
    struct stat st;

    if (directories != GOOD && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EBADF;
        return directories == REFUSED ? -1 : 0;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static apr_status_t try_begin(kit *k, const char *id)
{
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, k->p);
    kit_begin(k, id, p, &rv);
    apr_pool_destroy(p);
    return rv;
}

static void test_one_process(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_spool *spool;

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "one", p, &rv);
    upool_spool_create(&spool, bucket, 0);
    tap_is_int(try_begin(k, "one"), APR_EBUSY, "second descriptor is refused");
    tap_is_int(try_begin(k, "two"), APR_SUCCESS, "another bucket is not");
    tap_ok(kit_exists(kit_in(k, "one", upool_spool_name(spool))),
           "the refused one has not touched the files");
    tap_is_str(kit_status(k, "one"), "uploading", "and it goes on");
    upool_bucket_end(bucket);
    tap_is_int(try_begin(k, "one"), APR_SUCCESS, "free after the end");
    apr_pool_destroy(p);
}

/* A child that begins, writes and waits to be killed. */
static pid_t holder(kit *k, const char *id)
{
    int tube[2];
    char c = 0;
    pid_t pid = -1;

    if (pipe(tube) || (pid = fork()) < 0) {
        kit_die("no child");
    }
    if (pid == 0) {
        apr_status_t rv;
        upool_bucket *bucket = kit_begin(k, id, k->p, &rv);
        upool_spool *spool;

        if (!rv && !upool_spool_create(&spool, bucket, 0)
            && !kit_write(spool, "partial", 7)) {
            c = '+';
        }
        rv = write(tube[1], &c, 1) != 1;
        pause();
        _exit(rv);
    }
    if (read(tube[0], &c, 1) != 1 || c != '+') {
        kit_die("child could not begin");
    }
    close(tube[0]);
    close(tube[1]);
    return pid;
}

static void end_holder(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_two_processes(kit *k)
{
    pid_t pid = holder(k, "proc");

    tap_is_int(try_begin(k, "proc"), APR_EBUSY, "held by another process");
    tap_is_str(kit_status(k, "proc"), "uploading", "a poller sees it");
    end_holder(pid);
    tap_is_str(kit_status(k, "proc"), "error: upload was interrupted",
               "the lock dies with its holder");
    tap_is_int(kit_count(kit_in(k, "proc", NULL)), 1,
               "whose file is there still");
    tap_is_int(try_begin(k, "proc"), APR_SUCCESS, "the next may begin");
    tap_is_str(kit_data_name(k, "proc"), NULL, "and has cleaned up");
}

static void test_parent_gone(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    pid_t pid;

    apr_pool_create(&p, k->p);
    kit_begin(k, "fork", p, &rv);
    /* A CGI between fork and exec. */
    pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    apr_pool_destroy(p);
    tap_is_int(try_begin(k, "fork"), APR_SUCCESS,
               "a child's copy of the descriptor does not keep the lock");
    end_holder(pid);
}

static void test_readers(kit *k)
{
    enum { ROUNDS = 300 };
    int busy = 0;
    int i;
    pid_t pid[2];

    kit_upload(k, "poll", "content", 1, k->p);
    unlink(kit_in(k, "poll", "metadata.json"));
    for (i = 0; i < 2; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            for (;;) {
                apr_pool_t *p;
                upool_record *record;

                apr_pool_create(&p, NULL);
                upool_bucket_status(&record, k->store, "poll", p);
                apr_pool_destroy(p);
            }
        }
    }
    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *p;
        apr_status_t rv;
        upool_bucket *bucket;

        apr_pool_create(&p, k->p);
        bucket = kit_begin(k, "poll", p, &rv);
        busy += rv != APR_SUCCESS;
        if (bucket) {
            upool_bucket_fail(bucket,
                              kit_record(p, "poll", UPOOL_STATE_ERROR, 1));
            unlink(kit_in(k, "poll", "attempt.json"));
        }
        apr_pool_destroy(p);
    }
    tap_is_int(busy, 0, "pollers never turn a writer away in %d tries", ROUNDS);
    end_holder(pid[0]);
    end_holder(pid[1]);
}

static void test_shared(kit *k)
{
    int a = open(k->dir, O_RDONLY | O_DIRECTORY);
    int b = open(k->dir, O_RDONLY | O_DIRECTORY);
    int c = open(k->dir, O_RDONLY | O_DIRECTORY);
    upool_lock x;
    upool_lock y;
    upool_lock z;

    tap_is_int(upool_lock_take(&x, a), APR_SUCCESS, "taken");
    tap_is_int(upool_lock_take(&y, b), APR_EBUSY, "not by two");
    tap_is_int(upool_lock_share(&y, b), APR_EBUSY, "not by a reader");
    upool_lock_release(&y);
    tap_is_int(upool_lock_share(&z, c), APR_EBUSY,
               "a refused lock lets nobody else in");
    upool_lock_release(&x);
    upool_lock_release(&x);
    tap_is_int(upool_lock_share(&y, b), APR_SUCCESS, "a reader");
    tap_is_int(upool_lock_share(&z, c), APR_SUCCESS, "and a second");
    tap_is_int(upool_lock_take(&x, a), APR_EBUSY,
               "a reader that stays does keep a writer out");
    upool_lock_release(&y);
    upool_lock_release(&z);
    tap_is_int(upool_lock_take(&x, a), APR_SUCCESS, "free again");
    tap_ok(upool_lock_is_whole(&x), "whole");
    unlinkat(a, "lock", 0);
    tap_ok(!upool_lock_is_whole(&x), "not whole without its file");
    upool_lock_release(&x);
    tap_is_int(upool_lock_share(&y, b), APR_SUCCESS, "no file, no writer");
    tap_is_int(faccessat(a, "lock", F_OK, 0), -1, "and a reader makes none");
    upool_lock_release(&y);
    close(a);
    close(b);
    close(c);
}

static void test_planted_lock(kit *k)
{
    struct stat st;

    kit_upload(k, "plant", "content", 1, k->p);
    unlink(kit_in(k, "plant", "lock"));
    mkfifo(kit_in(k, "plant", "lock"), 0600);
    tap_ok(try_begin(k, "plant") != APR_SUCCESS, "a FIFO as lock file");
    unlink(kit_in(k, "plant", "lock"));
    kit_write_file(kit_path(k, "victim"), "victim");
    tap_ok(symlink(kit_path(k, "victim"), kit_in(k, "plant", "lock")) == 0
               && try_begin(k, "plant") != APR_SUCCESS,
           "a link as lock file");
    tap_ok(stat(kit_path(k, "victim"), &st) == 0 && st.st_size == 6,
           "whose target is untouched");
    tap_is_int(upool_bucket_remove(k->store, "plant", k->p), APR_SUCCESS,
               "clear");
    tap_ok(!kit_exists(kit_in(k, "plant", NULL))
               && kit_exists(kit_path(k, "victim")),
           "removes the link alone");
}

static void test_cleared_lock_file(kit *k)
{
    apr_pool_t *p;
    apr_status_t rv;
    upool_bucket *bucket;
    upool_bucket *second;

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "file", p, &rv);
    tap_ok(kit_exists(kit_in(k, "file", "lock")), "the lock file is used");
    kit_write_file(kit_in(k, "file", "README"), "keeps the directory");
    upool_bucket_remove(k->store, "file", p);
    second = kit_begin(k, "file", p, &rv);
    tap_is_int(rv, APR_SUCCESS, "a second holder after a clear");
    tap_is_int(
        upool_bucket_commit(bucket, kit_record(p, "file", UPOOL_STATE_DONE, 1)),
        APR_ENOENT, "the first one cannot commit");
    tap_is_int(upool_bucket_note(
                   bucket, kit_record(p, "file", UPOOL_STATE_UPLOADING, 1)),
               APR_ENOENT, "nor note");
    tap_is_int(
        upool_bucket_commit(second, kit_record(p, "file", UPOOL_STATE_DONE, 1)),
        APR_SUCCESS, "the second can");
    apr_pool_destroy(p);
}

/* Taken by the one, and the other comes when its file has just gone. */
static void test_unlinked(kit *k)
{
    int a = open(k->dir, O_RDONLY | O_DIRECTORY);
    int b = open(k->dir, O_RDONLY | O_DIRECTORY);
    upool_lock x;
    upool_lock y;

    tap_is_int(upool_lock_take(&x, a), APR_SUCCESS, "taken");
    unlinkat(a, "lock", 0);
    tap_is_int(upool_lock_take(&y, b),
               directories == GOOD ? APR_EBUSY : APR_SUCCESS,
               "what is unlinked keeps nobody out");
    tap_ok(!upool_lock_is_whole(&x), "and its holder can tell");
    upool_lock_release(&x);
    upool_lock_release(&y);
    tap_is_int(upool_lock_take(&y, b), APR_SUCCESS, "the next file");
    tap_ok(upool_lock_is_whole(&y), "is whole");
    upool_lock_release(&y);
    close(a);
    close(b);
}

/* It holds the directory, and knows of no lock file. */
static void test_old_server(kit *k)
{
    int old = open(k->dir, O_RDONLY | O_DIRECTORY);
    int a = open(k->dir, O_RDONLY | O_DIRECTORY);
    upool_lock x;

    flock(old, LOCK_EX | LOCK_NB);
    tap_is_int(upool_lock_take(&x, a), APR_EBUSY, "an old writer is one");
    tap_is_int(upool_lock_share(&x, a), APR_EBUSY, "for readers too");
    flock(old, LOCK_UN);
    tap_is_int(upool_lock_take(&x, a), APR_SUCCESS, "its lock is let go");
    tap_is_int(flock(old, LOCK_EX | LOCK_NB), -1, "ours keeps it out");
    upool_lock_release(&x);
    tap_is_int(flock(old, LOCK_EX | LOCK_NB), 0, "until we let go");
    close(old);
    close(a);
}

static void test_all(kit *k)
{
    int before = kit_descriptors();

    test_one_process(k);
    test_two_processes(k);
    test_parent_gone(k);
    test_readers(k);
    test_shared(k);
    test_unlinked(k);
    tap_is_int(kit_descriptors(), before, "no descriptor is left open");
}

static void start_again(kit *k, const char *what)
{
    tap_diag("%s", what);
    kit_wipe(k->dir);
    mkdir(k->dir, 0700);
    kit_open(k);
}

int main(void)
{
    kit k;

    kit_start(&k);
    test_all(&k);
    test_old_server(&k);
    directories = REFUSED;
    start_again(&k, "directories cannot be locked:");
    test_all(&k);
    test_planted_lock(&k);
    test_cleared_lock_file(&k);
    directories = WORTHLESS;
    start_again(&k, "their locks keep nobody out:");
    test_all(&k);
    return kit_done(&k);
}
