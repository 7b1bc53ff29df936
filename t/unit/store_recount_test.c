/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A pool that is counted a bucket at a time: what is missing from the ledger
 * comes into it, what is gone goes out of it, and those who come and go
 * meanwhile are where they belong. */
#include "store/recount.h"

#include <signal.h>
#include <sys/file.h>

#include <store_quota_kit.h>

#include "store/layout.h"

#define ROUNDS 12
#define BUSY 3 /* processes */

static void count(kit *k)
{
    kit_sweep(k, 0, k->p);
}

static apr_off_t ledger_size(kit *k)
{
    struct stat st;

    return stat(kit_path(k, "pool/.quota"), &st) ? -1 : st.st_size;
}

static void wipe(kit *k, const char *id)
{
    kit_wipe(kit_in(k, id, NULL));
}

/* What really lies in the pool, in blocks. */
static apr_int64_t weight;

static int add_weight(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    upool_entry entry = upool_layout_entry(path + at->base);

    if (type == FTW_F
        && (entry == UPOOL_ENTRY_DATA || entry == UPOOL_ENTRY_METADATA
            || entry == UPOOL_ENTRY_TEMPORARY)) {
        weight += st->st_size < BLOCK ? 1 : st->st_size / BLOCK;
    }
    return 0;
}

static apr_int64_t pool_sum(kit *k)
{
    weight = 0;
    nftw(kit_path(k, "pool"), add_weight, 16, FTW_PHYS);
    return weight;
}

static int is_believed(kit *k)
{
    upool_quota_sum sum;

    return !upool_quota_read(&sum, k->store) && sum.counted > 0;
}

static void test_none(void)
{
    upool_recount *recount = NULL;
    kit k;

    kit_start(&k);
    tap_is_int(upool_recount_begin(&recount, k.store, k.p), APR_ENOENT,
               "a pool without a ledger is not counted");
    tap_ok(!recount, "there is no count");
    finish(&k);
}

/* Died with a reservation, and with its bucket. */
static void test_dead(void)
{
    kit k;
    pid_t child;

    kit_start(&k);
    limit(100, 0);
    child = fork();
    if (child == 0) {
        held h = hold(&k, "dead", NULL);

        ask(&h, 60);
        spool(&h, NULL, 7);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    put(&k, "gone", NULL, 10);
    put(&k, "stays", NULL, 5);
    tap_is_int(ledger_sum(&k), 75, "a reservation, two uploads");
    wipe(&k, "gone");
    count(&k);
    tap_is_int(ledger_sum(&k), 12, "what there is");
    kit_write_file(kit_in(&k, "dead", "metadata.new"), "{");
    count(&k);
    tap_is_int(ledger_sum(&k), 13, "a document half made takes a block too");
    tap_is_int(ledger_entries(&k), 2, "of two");
    wipe(&k, "dead");
    wipe(&k, "stays");
    count(&k);
    tap_is_int(ledger_sum(&k), 0, "nothing is left");
    tap_is_int(ledger_size(&k), 256, "and of the ledger its header");
    finish(&k);
}

/* A writer that replaces an upload holds the files of both for a moment. */
static void test_replaced(void)
{
    kit k;
    held h;

    kit_start(&k);
    limit(1000, 0);
    h = hold(&k, "a", NULL);
    ask(&h, 3);
    spool(&h, NULL, 50);
    count(&k);
    tap_is_int(ledger_sum(&k), 50, "nothing that is there is forgotten");
    upool_bucket_fail(h.bucket, NULL);
    leave(&h);
    finish(&k);
}

/* More than go into the ledger together, of two owners. */
static void test_strangers(void)
{
    kit k;
    int i;

    kit_start(&k);
    limit(100000, 5000);
    put(&k, "a", "me", 10);
    for (i = 0; i < 1100; i++) {
        apr_pool_t *p;
        held h;

        apr_pool_create(&p, k.p);
        h = hold(&k, apr_psprintf(p, "s%d", i), i % 2 ? "me" : "you");
        store_as(&h, apr_psprintf(p, "s%d", i), i % 2 ? "me" : "you", 9);
        apr_pool_destroy(p);
    }
    tap_is_int(ledger_sum(&k), 10, "uploads that were not reserved");
    count(&k);
    tap_is_int(ledger_sum(&k), 10 + 1100 * 9, "are found");
    tap_ok(!put(&k, "b", "me", 41), "they are their owner's");
    tap_ok(put(&k, "b", "me", 40), "and no more than that");
    count(&k);
    tap_is_int(ledger_entries(&k), 1102, "nobody is counted twice");
    tap_ok(is_believed(&k), "the ledger says that all was counted");
    finish(&k);
}

/* Buckets without a byte get no entry, nor leave a hole where one would be. */
static void test_empty(void)
{
    kit k;
    int i;

    kit_start(&k);
    limit(100000, 0);
    put(&k, "a", NULL, 1);
    for (i = 0; i < 40; i++) {
        mkdir(kit_in(&k, apr_psprintf(k.p, "e%d", i), NULL), 0700);
        kit_upload(&k, apr_psprintf(k.p, "f%d", i), "12", apr_time_now(), k.p);
    }
    count(&k);
    tap_is_int(ledger_sum(&k), 81, "between them others are counted");
    tap_is_int(ledger_entries(&k), 41, "each once");
    tap_ok(is_believed(&k), "and every entry of the ledger can be read");
    finish(&k);
}

/* Rows 1 and 2, of uploads that are gone. */
static void damage(kit *k)
{
    FILE *f = fopen(kit_path(k, "pool/.quota"), "r+");
    int n;

    for (n = 1; n <= 2; n++) {
        fseek(f, 256 + n * 128, SEEK_SET);
        fputs("damage", f);
    }
    fclose(f);
}

/* Rows that nobody can read. */
static void test_damaged(void)
{
    kit k;

    kit_start(&k);
    limit(1000, 0);
    put(&k, "a", NULL, 1);
    put(&k, "b", NULL, 2);
    put(&k, "c", NULL, 2);
    put(&k, "d", NULL, 4);
    wipe(&k, "b");
    wipe(&k, "c");
    damage(&k);
    count(&k);
    tap_ok(is_believed(&k), "a count mends it");
    tap_is_int(ledger_sum(&k), 5, "it is right");
    tap_is_int(ledger_entries(&k), 2, "without them");
    finish(&k);
}

/* A step does little even where nothing but entries is left, and leaves the
 * ledger to others. */
static void test_bounded(void)
{
    upool_sweep_result result = { 0, 0, 0 };
    upool_sweep *sweep;
    kit k;
    int steps = 0;
    int taken = 0;
    int fd;
    int i;

    kit_start(&k);
    limit(100000, 0);
    for (i = 0; i < 500; i++) {
        put(&k, apr_psprintf(k.p, "v%d", i), NULL, 1);
        wipe(&k, apr_psprintf(k.p, "v%d", i));
    }
    fd = open(kit_path(&k, "pool/.quota"), O_RDWR);
    upool_sweep_begin(&sweep, k.store, k.p);
    upool_sweep_stop_at(sweep, 1);
    while (!result.finished) {
        upool_sweep_step(sweep, 1000, 0, &result);
        taken += flock(fd, LOCK_EX | LOCK_NB) != 0;
        flock(fd, LOCK_UN);
        steps++;
    }
    close(fd);
    tap_ok(steps >= 500 / 16, "%d steps for 500 entries", steps);
    tap_is_int(taken, 0, "the ledger is free between them");
    tap_is_int(ledger_size(&k), 256, "in the end there is none");
    finish(&k);
}

static void come_and_go(kit *k, unsigned who)
{
    unsigned seed = who;
    char id[16];

    for (;;) {
        unsigned n = (unsigned)rand_r(&seed);

        snprintf(id, sizeof(id), "n%u-%u", who, n % 12);
        if (n / 16 % 3 == 0) {
            upool_bucket_remove(k->store, id, k->p);
        }
        else {
            put(k, id, NULL, n / 64 % 50 + 1);
        }
    }
}

/* One round after another while others come and go, and are killed. */
static void test_beside(void)
{
    pid_t busy[BUSY];
    kit k;
    int i;

    kit_start(&k);
    limit(100000, 0);
    put(&k, "first", NULL, 1);
    for (i = 0; i < BUSY; i++) {
        busy[i] = fork();
        if (busy[i] == 0) {
            come_and_go(&k, (unsigned)i + 1);
        }
    }
    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *p;

        apr_pool_create(&p, k.p);
        kit_sweep(&k, 0, p);
        apr_pool_destroy(p);
        usleep(1000);
    }
    for (i = 0; i < BUSY; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
    tap_ok(ledger_sum(&k) >= pool_sum(&k), "the ledger never says too little");
    count(&k);
    tap_is_int(ledger_sum(&k), pool_sum(&k), "in the end it is right");
    finish(&k);
}

int main(void)
{
    test_none();
    test_dead();
    test_replaced();
    test_strangers();
    test_empty();
    test_damaged();
    test_bounded();
    test_beside();
    return tap_done();
}
