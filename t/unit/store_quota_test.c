/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Quotas: nobody gets room twice, whoever dies or goes away gives it back, and
 * a ledger that is lost, damaged or out of date is put right from the pool. */

#include <signal.h>
#include <sys/statvfs.h>

#include <store_quota_kit.h>

#define ROUNDS 20
#define RIVALS 4

/* The same, as often as it takes: a count waits eight times as long as the
 * last one lasted, which is not short where others have the processor. */
static int put_soon(kit *k, const char *id, const char *owner, apr_size_t bytes)
{
    int tries;

    for (tries = 0; tries < 1000; tries++) {
        if (put(k, id, owner, bytes)) {
            return 1;
        }
        apr_sleep(10000);
    }
    return 0;
}

static upool_quota_answer ask_soon(const held *h, apr_int64_t blocks)
{
    upool_quota_answer answer = UPOOL_QUOTA_POOL;
    int tries;

    for (tries = 0; answer && tries < 1000; tries++) {
        answer = ask(h, blocks);
        if (answer) {
            apr_sleep(10000);
        }
    }
    return answer;
}

static void test_limits(void)
{
    kit k;
    held a, b;

    kit_start(&k);
    limit(0, 0);
    tap_ok(!upool_quota_is_set(&limits), "no limit is set");
    limits.spare = 1;
    tap_ok(upool_quota_is_set(&limits), "free space is one");
    limit(100, 0);
    tap_ok(upool_quota_is_set(&limits), "the pool's is one");
    a = hold(&k, "a", NULL);
    b = hold(&k, "b", NULL);
    tap_is_int(ledger_sum(&k), -1, "no ledger before it is needed");
    upool_quota_settle(a.quota);
    tap_is_int(ledger_sum(&k), -1, "nor by settling nothing");
    tap_is_int(ask(&a, 101), UPOOL_QUOTA_POOL, "more than all is refused");
    tap_is_int(ask(&a, 60), UPOOL_QUOTA_GRANTED, "a part is granted");
    tap_is_int(upool_quota_reserved(a.quota), 60 * BLOCK, "and remembered");
    tap_is_int(ask(&b, 60), UPOOL_QUOTA_POOL, "not to two");
    tap_is_int(upool_quota_reserved(b.quota), 0, "who then has nothing");
    tap_is_int(ask(&b, 40), UPOOL_QUOTA_GRANTED, "the rest is granted");
    tap_is_int(ask(&b, 41), UPOOL_QUOTA_POOL, "and cannot be raised");
    tap_is_int(upool_quota_reserved(b.quota), 40 * BLOCK, "but stays");
    leave(&b);
    tap_is_int(ask(&a, 100), UPOOL_QUOTA_GRANTED, "until the other leaves");
    tap_is_int(ledger_sum(&k), 100, "the ledger knows");
    upool_quota_settle(a.quota);
    upool_quota_settle(a.quota);
    tap_is_int(ledger_sum(&k), 0, "nothing is left of it");
    leave(&a);
    tap_is_int(ledger_entries(&k), 0, "and no entry");
    finish(&k);
}

static void test_stored(void)
{
    kit k;
    held h;
    const char *name;

    kit_start(&k);
    limit(100, 0);
    tap_ok(put(&k, "a", NULL, 60), "an upload of 60 of 100");
    tap_is_int(ledger_sum(&k), 60, "weighs 60");
    tap_ok(!put(&k, "b", NULL, 60), "another does not fit");
    h = hold(&k, "a", NULL);
    tap_is_int(ask(&h, 60), UPOOL_QUOTA_POOL, "not as a replacement either");
    tap_is_int(ask(&h, 40), UPOOL_QUOTA_GRANTED, "a smaller one does");
    tap_is_int(ledger_sum(&k), 100, "old and new count until the commit");
    store_as(&h, "a", NULL, 30);
    tap_is_int(ledger_sum(&k), 30, "then only what is there");
    upool_bucket_remove(k.store, "a", k.p);
    tap_is_int(ledger_sum(&k), 0, "a removed upload gives its room back");
    tap_ok(put(&k, "b", NULL, 100), "all of it");
    tap_ok(!put(&k, "c", NULL, 1), "and not a byte more");
    name = kit_data_name(&k, "b");
    unlink(kit_in(&k, "b", name));
    tap_ok(put_soon(&k, "c", NULL, 70), "files that the application took away"
                                        " free their room");
    tap_is_int(ledger_sum(&k), 71, "as soon as it is asked for");
    finish(&k);
}

static void test_owner(void)
{
    kit k;

    kit_start(&k);
    limit(0, 100);
    tap_ok(put(&k, "a", "ann", 60), "ann has 60");
    tap_ok(!put(&k, "b", "ann", 60), "and gets no more");
    tap_ok(put(&k, "c", "bob", 60), "bob does");
    tap_ok(put(&k, "d", NULL, 200), "nobody's have no limit");
    tap_ok(!put(&k, "b", "ann", 41), "ann neither");
    tap_ok(put(&k, "b", "ann", 40), "but up to hers");
    unlink(kit_path(&k, "pool/.quota"));
    tap_ok(!put(&k, "e", "bob", 41), "owners are found on the disk");
    tap_ok(put(&k, "e", "bob", 40), "with what is theirs");
    limit(400, 100);
    tap_ok(!put(&k, "f", "cid", 1), "the pool's limit holds beside it");
    finish(&k);
}

static void test_spare(void)
{
    kit k;
    held a, b;
    struct statvfs fs;
    apr_int64_t left;

    kit_start(&k);
    statvfs(k.dir, &fs);
    left = (apr_int64_t)(fs.f_bavail * fs.f_frsize) / BLOCK;
    limit(0, 0);
    limits.spare = 1;
    a = hold(&k, "a", NULL);
    b = hold(&k, "b", NULL);
    tap_is_int(ask(&a, 2 * left + 1), UPOOL_QUOTA_SPARE,
               "what the disk does not have");
    tap_is_int(ask(&a, left / 2), UPOOL_QUOTA_GRANTED, "half of it");
    tap_is_int(ask(&b, left / 4 * 3), UPOOL_QUOTA_SPARE,
               "what is reserved and not yet written is taken");
    upool_quota_reserve(a.quota, left / 2 * BLOCK, left / 2 * BLOCK);
    tap_is_int(ask(&b, left / 4 * 3), UPOOL_QUOTA_GRANTED,
               "what is written the file system counts by itself");
    leave(&a);
    leave(&b);
    limits.spare = 2 * left * BLOCK;
    a = hold(&k, "a", NULL);
    tap_is_int(ask(&a, 0), UPOOL_QUOTA_SPARE, "below the floor nothing goes");
    leave(&a);
    finish(&k);
}

/* The child reserves, says so, and waits to be killed. */
static pid_t doomed(kit *k, const char *id, apr_int64_t bytes)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe(ready)) {
        kit_die("pipe");
    }
    pid = fork();
    if (pid == 0) {
        held h = hold(k, id, NULL);

        byte = ask(&h, bytes) ? 'n' : 'y';
        spool(&h, NULL, 10);
        if (write(ready[1], &byte, 1) == 1) {
            pause();
        }
        _exit(1);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1 || byte != 'y') {
        kit_die("child");
    }
    close(ready[0]);
    return pid;
}

static void test_killed(void)
{
    kit k;
    held h;
    pid_t pid;
    int status;

    kit_start(&k);
    limit(100, 0);
    pid = doomed(&k, "dead", 60);
    h = hold(&k, "b", NULL);
    tap_is_int(ask(&h, 60), UPOOL_QUOTA_POOL, "a living process has its room");
    tap_is_int(ask(&h, 40), UPOOL_QUOTA_GRANTED, "and no more");
    leave(&h);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    tap_ok(WIFSIGNALED(status), "it is killed");
    h = hold(&k, "b", NULL);
    tap_is_int(ask(&h, 91), UPOOL_QUOTA_POOL, "what it has written counts");
    tap_is_int(ask_soon(&h, 90), UPOOL_QUOTA_GRANTED,
               "what it has not is free");
    leave(&h);
    finish(&k);
}

/* An upload that was cleared and begun again by somebody else: the first must
 * not give the second's room away when it ends. */
static void test_cleared(void)
{
    kit k;
    held first, second, third;

    kit_start(&k);
    limit(100, 0);
    first = hold(&k, "a", NULL);
    tap_is_int(ask(&first, 60), UPOOL_QUOTA_GRANTED, "one reserves");
    upool_bucket_remove(k.store, "a", k.p);
    tap_is_int(ledger_sum(&k), 0, "cleared, it has no room any more");
    second = hold(&k, "a", NULL);
    tap_is_int(ask(&second, 80), UPOOL_QUOTA_GRANTED, "its name is taken");
    leave(&first);
    third = hold(&k, "b", NULL);
    tap_is_int(ask(&third, 30), UPOOL_QUOTA_POOL, "the second keeps its room");
    leave(&third);
    upool_quota_forget(k.store, "a", k.p);
    tap_is_int(ledger_sum(&k), 80, "also when it is thought to be removed");
    store_as(&second, "a", NULL, 80);
    tap_is_int(ledger_sum(&k), 80, "and fills it");
    finish(&k);
}

static void test_recount(void)
{
    static const char *const damage[] = { "", "quota", "\1\2\3" };
    kit k;
    apr_size_t i;
    FILE *f;
    char noise[1000];

    kit_start(&k);
    limit(100, 0);
    kit_sweep(&k, 0, k.p);
    tap_is_int(ledger_sum(&k), -1, "no ledger, no count");
    tap_ok(kit_upload(&k, "old", "0123456789", apr_time_now(), k.p) != NULL,
           "an upload from before there was a quota");
    tap_ok(!put(&k, "a", NULL, 99), "counts");
    tap_ok(put(&k, "a", NULL, 98), "for what it is");
    for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        kit_write_file(kit_path(&k, "pool/.quota"), damage[i]);
        tap_ok(!put(&k, "b", NULL, 1), "a ledger of '%s' is made anew",
               damage[i]);
        tap_is_int(ledger_sum(&k), 100, "and right");
    }
    memset(noise, 'x', sizeof(noise));
    f = fopen(kit_path(&k, "pool/.quota"), "r+");
    fseek(f, 256, SEEK_SET);
    fwrite(noise, 1, sizeof(noise), f);
    fclose(f);
    tap_ok(!put(&k, "b", NULL, 1), "entries of noise are none");
    tap_is_int(ledger_sum(&k), 100, "what they were is counted");
    kit_upload(&k, "more", "0123456789", apr_time_now(), k.p);
    tap_is_int(ledger_sum(&k), 100, "an upload without quota is not seen");
    kit_sweep(&k, 0, k.p);
    tap_is_int(ledger_sum(&k), 102, "but by the next sweep");
    unlink(kit_in(&k, "more", kit_data_name(&k, "more")));
    limits.since = apr_time_now() + 1;
    limits.pool = 102 * BLOCK;
    tap_ok(put(&k, "b", NULL, 1), "an old count is not believed");
    tap_is_int(ledger_sum(&k), 102, "all is well");
    finish(&k);
}

/* What a count finds and loses again leaves no hole: the entry behind it would
 * be one that the ledger in memory does not have. */
static void test_found_and_lost(void)
{
    kit k;
    held h;
    struct stat st;

    kit_start(&k);
    limit(100, 0);
    mkdir(kit_path(&k, "pool/lost"), 0700);
    h = hold(&k, "a", NULL);
    tap_ok(!ask(&h, 1), "a first reservation counts");
    tap_ok(stat(kit_path(&k, "pool/.quota"), &st) == 0, "a ledger");
    tap_is_int(st.st_size, 256 + 128, "of a header and one row");
    leave(&h);
    finish(&k);
}

static void test_planted(void)
{
    kit k;
    held h;

    kit_start(&k);
    limit(100, 0);
    kit_write_file(kit_path(&k, "outside"), "precious");
    if (symlink(kit_path(&k, "outside"), kit_path(&k, "pool/.quota"))) {
        kit_die("symlink");
    }
    h = hold(&k, "a", NULL);
    tap_is_int(ask(&h, 1), UPOOL_QUOTA_FAILED, "a link is not followed");
    tap_is_int(upool_quota_error(h.quota), APR_EACCES, "it says so");
    tap_is_str(kit_read_file(&k, kit_path(&k, "outside")), "precious",
               "what it points to is untouched");
    unlink(kit_path(&k, "pool/.quota"));
    mkfifo(kit_path(&k, "pool/.quota"), 0600);
    tap_is_int(ask(&h, 1), UPOOL_QUOTA_FAILED, "nor is a pipe waited for");
    unlink(kit_path(&k, "pool/.quota"));
    tap_is_int(ask(&h, 1), UPOOL_QUOTA_GRANTED, "then it is made");
    leave(&h);
    finish(&k);
}

/* Processes that all want 60 of 100 at the same time; how many got it. */
static int race(kit *k, int round)
{
    int go[2];
    int granted = 0;
    int status;
    int i;
    char byte;

    if (pipe(go)) {
        kit_die("pipe");
    }
    for (i = 0; i < RIVALS; i++) {
        if (fork() == 0) {
            char id[16];

            snprintf(id, sizeof(id), "r%d-%d", round, i);
            close(go[1]);
            (void)!read(go[0], &byte, 1);
            _exit(put(k, id, NULL, 60) ? 7 : 0);
        }
    }
    close(go[0]);
    close(go[1]);
    for (i = 0; i < RIVALS; i++) {
        wait(&status);
        granted += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    for (i = 0; i < RIVALS; i++) {
        char id[16];

        snprintf(id, sizeof(id), "r%d-%d", round, i);
        upool_bucket_remove(k->store, id, k->p);
    }
    return granted;
}

/* D5: Nobody gets room that somebody has. */
static void test_races(void)
{
    kit k;
    int round;

    kit_start(&k);
    limit(100, 0);
    for (round = 0; round < ROUNDS; round++) {
        tap_is_int(race(&k, round), 1, "round %d: one of %d", round, RIVALS);
    }
    tap_is_int(ledger_sum(&k), 0, "all is free again");
    finish(&k);
}

static void test_many(void)
{
    kit k;
    char id[16];
    int i;
    int bad = 0;

    kit_start(&k);
    limit(1000000, 0);
    for (i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        bad += !put(&k, id, i % 2 ? "odd" : "even", 10);
    }
    tap_is_int(bad, 0, "many uploads");
    tap_is_int(ledger_sum(&k), 3000, "weigh what they weigh");
    for (i = 0; i < 290; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        upool_bucket_remove(k.store, id, k.p);
    }
    tap_is_int(ledger_entries(&k), 10, "removed ones leave no entry");
    kit_wipe(kit_in(&k, "m299", NULL));
    kit_sweep(&k, 0, k.p);
    tap_is_int(ledger_entries(&k), 9, "nor do lost ones");
    tap_ok(put(&k, "again", NULL, 10), "a free entry is taken again");
    tap_is_int(ledger_sum(&k), 100, "the sum is right");
    finish(&k);
}

static void test_swept(void)
{
    kit k;

    kit_start(&k);
    limit(100, 0);
    put(&k, "a", NULL, 60);
    tap_is_int(kit_sweep(&k, apr_time_now() + apr_time_from_sec(1), k.p), 1,
               "a sweep removes it");
    tap_is_int(ledger_sum(&k), 0, "its room is free");
    tap_ok(kit_exists(kit_path(&k, "pool/.quota")), "the ledger stays");
    finish(&k);
}

/* What a person is shown of the ledger. */
static void test_read(void)
{
    upool_quota_sum sum;
    upool_quota *quota;
    kit k;

    kit_start(&k);
    tap_is_int(upool_quota_read(&sum, k.store), APR_ENOENT, "no ledger");
    tap_ok(!kit_exists(kit_path(&k, "pool/.quota")), "none is made either");
    limit(100, 0);
    put(&k, "a", NULL, 30);
    put(&k, "b", NULL, 12);
    tap_is_int(upool_quota_read(&sum, k.store), 0, "a ledger");
    tap_is_int(sum.stored, 42 * BLOCK, "what is stored");
    tap_is_int(sum.reserved, 0, "nothing is reserved");
    tap_is_int(sum.uploads, 2, "by two");
    quota = upool_quota_make(k.store, "c", NULL, &limits, k.p);
    tap_is_int(upool_quota_reserve(quota, 20, 5), UPOOL_QUOTA_GRANTED, "more");
    tap_is_int(upool_quota_read(&sum, k.store), 0, "again");
    tap_is_int(sum.reserved, 20, "reserved");
    tap_is_int(sum.written, 5, "of which is written");
    tap_is_int(sum.uploads, 3, "by three");
    kit_sweep(&k, 0, k.p);
    upool_quota_read(&sum, k.store);
    tap_ok(sum.counted > apr_time_now() - apr_time_from_sec(60), "counted");
    finish(&k);
}

/* An upload that does not say what it will come to reserves about as much again
 * as it has brought. */
static void test_ahead(void)
{
    const apr_int64_t least = BLOCK;
    const apr_int64_t most = (apr_int64_t)4 << 20;
    held a;
    held b;
    kit k;

    kit_start(&k);
    limit(2 * most / BLOCK, 0);
    a = hold(&k, "a", NULL);
    tap_is_int(upool_quota_reserve_ahead(a.quota, 5, 0), UPOOL_QUOTA_GRANTED,
               "five bytes of nobody knows how many");
    tap_is_int(upool_quota_reserved(a.quota), 5 + least, "and a small step");
    b = hold(&k, "b", NULL);
    tap_is_int(upool_quota_reserve(b.quota, 2 * most - least - 5, 0),
               UPOOL_QUOTA_GRANTED, "keep little from others");
    leave(&b);
    upool_quota_reserve_ahead(a.quota, 2 * least, 0);
    tap_is_int(upool_quota_reserved(a.quota), 4 * least, "as much again");
    tap_is_int(upool_quota_reserve_ahead(a.quota, most + 11, 9),
               UPOOL_QUOTA_GRANTED, "more, where no step has room");
    tap_is_int(upool_quota_reserved(a.quota), most + 11, "is just that");
    tap_is_int(upool_quota_reserve_ahead(a.quota, 2 * most + 1, 9),
               UPOOL_QUOTA_POOL, "more than there is");
    tap_is_int(upool_quota_reserve_ahead(a.quota, APR_INT64_MAX, 9),
               UPOOL_QUOTA_POOL, "more than can be counted");
    tap_is_int(upool_quota_reserved(a.quota), most + 11, "change nothing");
    upool_quota_reserve_ahead(a.quota, 1, 0);
    limits.pool = 3 * most;
    leave(&a);
    a = hold(&k, "c", NULL);
    upool_quota_reserve_ahead(a.quota, most + 1, 0);
    tap_is_int(upool_quota_reserved(a.quota), 2 * most + 1, "a step is 4 MiB");
    leave(&a);
    finish(&k);
}

/* What is only asked for stays everybody's. */
static void test_asked(void)
{
    held a;
    kit k;

    kit_start(&k);
    limit(100, 0);
    a = hold(&k, "a", NULL);
    tap_is_int(upool_quota_ask(a.quota, 100 * BLOCK, 0), UPOOL_QUOTA_GRANTED,
               "all would be granted");
    tap_is_int(ledger_sum(&k), 0, "and is not taken");
    tap_is_int(upool_quota_ask(a.quota, 100 * BLOCK + 1, 0), UPOOL_QUOTA_POOL,
               "more would not");
    tap_ok(put(&k, "b", NULL, 100), "another takes it");
    tap_is_int(ask(&a, 1), UPOOL_QUOTA_POOL, "then it is his");
    leave(&a);
    finish(&k);
}

/* What a client can cause counts, whatever file it is in. */
static void test_small(void)
{
    static char text[3 * BLOCK];
    upool_spool *file = NULL;
    upool_record *record;
    upool_quota_sum sum;
    kit k;
    held h;

    kit_start(&k);
    limit(100, 0);
    h = hold(&k, "a", NULL);
    ask(&h, 90);
    record = kit_record(h.p, "a", UPOOL_STATE_DONE, apr_time_now());
    memset(text, 'n', sizeof(text) - 1);
    record->filename = text;
    upool_spool_create(&file, h.bucket, 0);
    upool_spool_close(file);
    kit_add_file(record, h.p, upool_spool_name(file), 0);
    tap_is_int(upool_bucket_commit(h.bucket, record), 0, "an empty file");
    leave(&h);
    upool_quota_read(&sum, k.store);
    tap_ok(sum.stored > 4 * BLOCK && sum.stored < 5 * BLOCK,
           "counts a block, and its record of three what that takes");
    h = hold(&k, "b", NULL);
    ask(&h, 1);
    record = kit_record(h.p, "b", UPOOL_STATE_ERROR, apr_time_now());
    record->error = "text";
    upool_bucket_fail(h.bucket, record);
    leave(&h);
    upool_quota_read(&sum, k.store);
    tap_ok(sum.stored > 5 * BLOCK && sum.stored < 6 * BLOCK,
           "the note of a failed one a block");
    kit_sweep(&k, 0, k.p);
    upool_quota_read(&sum, k.store);
    tap_ok(sum.stored > 5 * BLOCK && sum.stored < 6 * BLOCK,
           "a count says the same");
    finish(&k);
}

/* What has expired is in nobody's way, and what has not stays. */
static void test_expired(void)
{
    kit k;
    held h;
    upool_record *record;

    kit_start(&k);
    limit(100, 0);
    limits.expires = apr_time_from_sec(3600);
    h = hold(&k, "old", NULL);
    ask(&h, 60);
    record = kit_record(h.p, "old", UPOOL_STATE_DONE,
                        apr_time_now() - apr_time_from_sec(7200));
    spool(&h, record, 59);
    upool_bucket_commit(h.bucket, record);
    leave(&h);
    tap_ok(put(&k, "young", NULL, 30), "30 beside what has expired");
    tap_ok(put_soon(&k, "b", NULL, 65), "which goes before a refusal");
    tap_ok(!kit_exists(kit_in(&k, "old", NULL)), "it is gone");
    tap_ok(kit_exists(kit_in(&k, "young", NULL)), "and nothing else");
    tap_is_int(ledger_sum(&k), 95, "the sum is right");
    tap_ok(!put(&k, "c", NULL, 10), "what has not expired is in the way");
    finish(&k);
}

static upool_store *open_beside(kit *k, const char *name)
{
    upool_store *store = NULL;
    const char *why;

    mkdir(kit_path(k, name), 0700);
    if (upool_store_open(&store, kit_path(k, name), NULL, &k->options, k->p,
                         &why)) {
        kit_die(why);
    }
    return store;
}

/* Two pools below one root: what one holds, the other cannot. */
static void test_root(void)
{
    kit k;
    upool_store *one;
    upool_store *two;
    held h;

    kit_start(&k);
    one = k.store;
    limit(60, 0);
    limits.root = k.root;
    limits.below = 100 * BLOCK;
    two = open_beside(&k, "two");
    tap_ok(put(&k, "a", NULL, 50), "50 in one pool");
    tap_ok(!put(&k, "b", NULL, 20), "of which each has a limit");
    k.store = two;
    tap_ok(put(&k, "c", NULL, 30), "30 in the other");
    h = hold(&k, "d", NULL);
    tap_is_int(ask(&h, 21), UPOOL_QUOTA_ROOT, "no more than both may hold");
    tap_is_int(ask(&h, 20), UPOOL_QUOTA_GRANTED, "but all of it");
    k.store = one;
    tap_ok(!put(&k, "e", NULL, 1), "which counts before it is there");
    k.store = two;
    upool_bucket_fail(h.bucket, NULL);
    leave(&h);
    k.store = one;
    tap_ok(put_soon(&k, "f", NULL, 10), "and no longer when it does not come");
    k.store = two;
    tap_ok(put(&k, "g", NULL, 10), "to the last block");
    tap_ok(!put(&k, "h", NULL, 1), "and there it ends");
    /* The books of the other pool say more than there is. */
    k.store = one;
    kit_wipe(kit_in(&k, "a", NULL));
    k.store = two;
    tap_ok(put_soon(&k, "i", NULL, 20), "nobody is refused before all count");
    /* The root is a pool too. */
    k.store = open_beside(&k, NULL);
    tap_ok(!put(&k, "k", NULL, 41), "what is below the root is full for it");
    tap_ok(put(&k, "k", NULL, 30), "which it may fill");
    k.store = one;
    tap_ok(!put(&k, "l", NULL, 11), "and it counts for those below");
    k.store = two;
    limits.root = "/nowhere/at/all";
    limits.pool = 0;
    h = hold(&k, "j", NULL);
    tap_is_int(ask(&h, 1), UPOOL_QUOTA_FAILED, "a root that is not there");
    tap_is_int(upool_quota_error(h.quota), ENOENT, "is an error, and no limit");
    leave(&h);
    finish(&k);
}

int main(void)
{
    test_root();
    test_read();
    test_ahead();
    test_asked();
    test_small();
    test_expired();
    test_limits();
    test_stored();
    test_owner();
    test_spare();
    test_killed();
    test_cleared();
    test_recount();
    test_found_and_lost();
    test_planted();
    test_races();
    test_many();
    test_swept();
    return tap_done();
}
