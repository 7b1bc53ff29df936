/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The ledger's file: rows are found whatever came and went, sums are those of
 * the rows, and who is killed, damaged it or wrote an older layout leaves one
 * that is put right. */
#include "store/ledger.h"

#include <signal.h>
#include <stddef.h>

#include <store_quota_kit.h>

#include "store/rebuild.h"
#include "store/recount.h"
#include "store/sums.h"

#define NAMES 500
#define OWNERS 7
#define KILLS 150

static kit k;

static upool_ledger *open_it(upool_ledger *ledger, int make)
{
    if (upool_ledger_open(ledger, k.store, make)) {
        kit_die("cannot open the ledger");
    }
    return ledger;
}

static void set_owner(upool_row *row, int owner)
{
    char text[16];

    snprintf(text, sizeof(text), "owner%d", owner);
    upool_ledger_hash_owner(row->owner, owner ? text : NULL);
}

/* In an open ledger: upload n holds so much. */
static apr_status_t put_row(upool_ledger *ledger, int n, int owner,
                            apr_int64_t stored, apr_int64_t reserved)
{
    upool_row row;
    char id[16];
    int at;
    apr_status_t rv;

    snprintf(id, sizeof(id), "u%d", n);
    rv = upool_ledger_find(ledger, id, UPOOL_ROW_NONE, &row, &at);
    set_owner(&row, owner);
    row.stored = stored;
    row.reserved = reserved;
    row.written = reserved / 2;
    row.token = 1;
    return rv ? rv : upool_ledger_put(ledger, &row, &at);
}

/* Rows as they lie in the file, added up by hand.  NULL: all is as the header
 * and the owners' rows say. */
static const char *what_is_wrong(void)
{
    upool_ledger ledger;
    upool_row_sums sums;
    apr_int64_t owned = 0;
    apr_int64_t owners = 0;
    const char *wrong = NULL;
    upool_row row;
    upool_row found;
    int n;
    int at;

    memset(&sums, 0, sizeof(sums));
    open_it(&ledger, 0);
    for (n = 0; n < (int)ledger.file.header.rows; n++) {
        static const unsigned char nobody[UPOOL_ROW_OWNER];

        if (upool_ledger_read(&ledger, n, &row)) {
            wrong = "a row is damaged";
        }
        else if (!upool_row_is_free(&row)
                 && (upool_row_find(&ledger.file, &row, &at, &found)
                     || at != n)) {
            wrong = "a row is not found";
        }
        else if (row.identifier[0]) {
            sums.stored += row.stored;
            sums.reserved += row.reserved;
            sums.written += row.written;
            sums.uploads++;
            if (memcmp(row.owner, nobody, sizeof(nobody)) != 0) {
                owned += row.stored + row.reserved;
            }
        }
        else {
            owners += row.stored + row.reserved;
        }
    }
    if (memcmp(&sums, &ledger.file.header.sums, sizeof(sums)) != 0) {
        wrong = "the sums are not those of the rows";
    }
    if (owned != owners) {
        wrong = "the owners' rows are not what they hold";
    }
    upool_ledger_close(&ledger);
    return wrong;
}

static void is_right(const char *what)
{
    tap_is_str(what_is_wrong(), NULL, "%s", what);
}

static apr_int64_t of_owner(int owner)
{
    upool_ledger ledger;
    upool_row_sums sums;
    upool_row row;

    memset(&row, 0, sizeof(row));
    set_owner(&row, owner);
    open_it(&ledger, 0);
    if (upool_ledger_of_owner(&ledger, &row, &sums)) {
        kit_die("no owner");
    }
    upool_ledger_close(&ledger);
    return sums.stored + sums.reserved;
}

/* A model beside it: uploads come, change, change hands and go. */
static void test_rows(void)
{
    static apr_int64_t model[NAMES];
    static int whose[NAMES];
    apr_int64_t of[OWNERS] = { 0 };
    upool_ledger ledger;
    unsigned seed = 4711;
    int bad = 0;
    int i;

    kit_start(&k);
    open_it(&ledger, 1);
    for (i = 0; i < 20 * NAMES; i++) {
        int n = rand_r(&seed) % NAMES;

        model[n] = rand_r(&seed) % 3 ? rand_r(&seed) % 1000 + 1 : 0;
        whose[n] = rand_r(&seed) % OWNERS;
        bad += put_row(&ledger, n, whose[n], model[n], 0) != APR_SUCCESS;
        if (i % NAMES == 0) {
            upool_ledger_close(&ledger);
            bad += what_is_wrong() != NULL;
            open_it(&ledger, 0);
        }
    }
    for (i = 0; i < NAMES; i++) {
        upool_row row;
        char id[16];
        int at;

        snprintf(id, sizeof(id), "u%d", i);
        upool_ledger_find(&ledger, id, UPOOL_ROW_NONE, &row, &at);
        bad += row.stored != model[i] || (at == UPOOL_ROW_NONE) != !model[i];
        of[whose[i]] += model[i];
    }
    upool_ledger_close(&ledger);
    tap_is_int(bad, 0, "every upload is found, and what it holds");
    is_right("the sums are right");
    bad = 0;
    for (i = 1; i < OWNERS; i++) {
        bad += of_owner(i) != of[i];
    }
    tap_is_int(bad, 0, "so is each owner's");
    tap_is_int(of_owner(99), 0, "who has nothing has no row");
    open_it(&ledger, 0);
    for (i = 0; i < NAMES; i++) {
        put_row(&ledger, i, whose[i], 0, 0);
    }
    tap_is_int(ledger.file.header.sums.uploads, 0, "all go");
    tap_is_int(ledger.file.header.sums.stored, 0, "and leave nothing");
    upool_ledger_close(&ledger);
    is_right("nor owners' rows");
    finish(&k);
}

static apr_int64_t bytes_read(void)
{
    char text[512];
    FILE *f = fopen("/proc/self/io", "r");
    long long n = 0;
    size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    if (!f) {
        kit_die("no /proc/self/io");
    }
    fclose(f);
    text[len] = '\0';
    sscanf(text, "rchar: %lld", &n);
    return n;
}

/* What one upload reads of the ledger, in bytes. */
static apr_int64_t cost_of_one(const char *id)
{
    held h = hold(&k, id, "me");
    apr_int64_t before = bytes_read();

    if (ask(&h, 10)) {
        kit_die("refused");
    }
    upool_quota_settle(h.quota);
    before = bytes_read() - before;
    upool_bucket_fail(h.bucket, NULL);
    leave(&h);
    return before;
}

static void test_cost(void)
{
    upool_ledger ledger;
    apr_int64_t most = 0;
    int i;

    kit_start(&k);
    limit(1000000000, 1000000000);
    cost_of_one("first");
    open_it(&ledger, 1);
    for (i = 0; i < 20000; i++) {
        put_row(&ledger, i, i % 5000, 9, 0);
    }
    upool_ledger_close(&ledger);
    is_right("20,000 uploads of 5,000 owners");
    for (i = 0; i < 50; i++) {
        char id[16];
        apr_int64_t cost;

        snprintf(id, sizeof(id), "c%d", i);
        cost = cost_of_one(id);
        most = cost > most ? cost : most;
    }
    /* Two headers, the rows of a few short chains, and /proc/self/io. */
    tap_ok(most < 12000, "%" APR_INT64_T_FMT " bytes are read at most, of 3 MB",
           most);
    finish(&k);
}

static void change_for_ever(unsigned seed)
{
    for (;;) {
        upool_ledger ledger;

        open_it(&ledger, 0);
        put_row(&ledger, rand_r(&seed) % 60, rand_r(&seed) % 4,
                rand_r(&seed) % 3 ? rand_r(&seed) % 100 : 0,
                rand_r(&seed) % 5 ? 0 : 70);
        upool_ledger_close(&ledger);
    }
}

/* Whenever that comes. */
static void test_killed(void)
{
    upool_ledger ledger;
    int bad = 0;
    int dirty = 0;
    int i;

    kit_start(&k);
    upool_ledger_close(open_it(&ledger, 1));
    for (i = 0; i < KILLS; i++) {
        upool_row_header header;
        FILE *f;
        pid_t pid = fork();

        if (pid == 0) {
            change_for_ever((unsigned)i + 1);
        }
        usleep(300 + (useconds_t)i * 7);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        f = fopen(kit_path(&k, "pool/.quota"), "r");
        dirty += fread(&header, sizeof(header), 1, f) == 1 && header.dirty;
        fclose(f);
        bad += what_is_wrong() != NULL;
    }
    tap_is_int(bad, 0, "%d kills, %d in the middle of a change, leave it right",
               KILLS, dirty);
    finish(&k);
}

/* The sums of the header are wrong though its check agrees, or an owner's: what
 * a power cut may leave. */
static void write_header(const upool_row_header *from)
{
    upool_row_header header = *from;
    FILE *f = fopen(kit_path(&k, "pool/.quota"), "r+");

    header.check = upool_row_check(&header, offsetof(upool_row_header, check));
    if (fwrite(&header, sizeof(header), 1, f) != 1 || fclose(f)) {
        kit_die("cannot write");
    }
}

static void count(void)
{
    kit_sweep(&k, 0, k.p);
}

static void test_wrong_sums(void)
{
    upool_ledger ledger;
    upool_row_header header;
    upool_row row;
    upool_row of;
    int n;

    kit_start(&k);
    limit(100000000, 0);
    put(&k, "a", "me", 10);
    put(&k, "b", "me", 20);
    put(&k, "c", "you", 30);
    open_it(&ledger, 0);
    header = ledger.file.header;
    upool_ledger_close(&ledger);
    header.sums.stored += 4711;
    write_header(&header);
    tap_ok(what_is_wrong() != NULL, "the sums are wrong");
    count();
    is_right("a count puts them right");
    memset(&of, 0, sizeof(of));
    upool_ledger_hash_owner(of.owner, "you");
    open_it(&ledger, 0);
    upool_row_find(&ledger.file, &of, &n, &row);
    row.stored += 5;
    upool_row_write(&ledger.file, n, &row);
    upool_ledger_close(&ledger);
    tap_ok(what_is_wrong() != NULL, "an owner's row is wrong");
    count();
    is_right("a count puts it right");
    open_it(&ledger, 0);
    upool_ledger_find(&ledger, "b", UPOOL_ROW_NONE, &row, &n);
    row.first = 0;
    row.next = 0;
    upool_row_write(&ledger.file, n, &row);
    upool_ledger_read(&ledger, 0, &row);
    row.first = 0;
    upool_row_write(&ledger.file, 0, &row);
    upool_ledger_close(&ledger);
    count();
    is_right("chains that lead nowhere are made anew");
    tap_is_int(ledger_entries(&k), 3, "nobody is there twice");
    header.dirty = 1;
    header.sums.stored = 0;
    write_header(&header);
    is_right("so is what somebody left in the middle of a change");
    finish(&k);
}

/* Layout 1, as versions before it was given up wrote it. */
static apr_uint32_t check_1(const void *data, apr_size_t len)
{
    apr_uint64_t hash = APR_UINT64_C(0x31746f7571706c75);
    apr_uint64_t word;
    apr_size_t i;

    for (i = 0; i + 8 <= len; i += 8) {
        memcpy(&word, (const char *)data + i, 8);
        hash = (hash ^ word) * APR_UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (apr_uint32_t)hash;
}

static void write_layout_1(int uploads, int damaged)
{
    FILE *f = fopen(kit_path(&k, "pool/.quota"), "w");
    struct {
        apr_uint64_t mark;
        apr_int64_t counted;
        apr_int64_t cost;
        apr_uint64_t next_token;
        apr_uint32_t check;
        char fill[92];
    } header;
    int i;

    memset(&header, 0, sizeof(header));
    header.mark = APR_UINT64_C(0x31746f7571706c75);
    header.counted = apr_time_now() - 1000;
    header.next_token = 9;
    header.check = check_1(&header, 32);
    fwrite(&header, 128, 1, f);
    for (i = 0; i < uploads; i++) {
        upool_row row;

        memset(&row, 0, sizeof(row));
        if (i % 3) {
            snprintf(row.identifier, 16, "u%d", i);
            set_owner(&row, i % 2);
            row.stored = (apr_int64_t)i * BLOCK;
        }
        row.check = check_1(&row, 120) + (i == damaged);
        fwrite(&row, sizeof(row), 1, f);
    }
    fclose(f);
}

static void test_old_layout(void)
{
    upool_ledger ledger;

    kit_start(&k);
    write_layout_1(100, -1);
    is_right("a ledger of the older layout is read");
    tap_is_int(ledger_entries(&k), 66, "all of it");
    tap_is_int(ledger_sum(&k), 99 * 100 / 2 - 3 * 33 * 34 / 2, "for its sum");
    open_it(&ledger, 0);
    tap_ok(ledger.file.header.counted > 0, "it was counted");
    tap_is_int(ledger.file.header.next_token, 9, "tokens go on");
    upool_ledger_close(&ledger);
    write_layout_1(100, 50);
    is_right("one that was damaged, too");
    tap_is_int(ledger_entries(&k), 65, "but what was");
    open_it(&ledger, 0);
    tap_is_int(ledger.file.header.counted, 0, "which is to be counted");
    upool_ledger_close(&ledger);
    finish(&k);
}

/* One that was large and is not any more is packed by the next count. */
static void test_packed(void)
{
    upool_ledger ledger;
    struct stat st;
    int i;

    kit_start(&k);
    limit(100000000, 0);
    put(&k, "a", "me", 10);
    open_it(&ledger, 1);
    for (i = 0; i < 1000; i++) {
        put_row(&ledger, i, i % 9, 9, 0);
    }
    upool_ledger_close(&ledger);
    count();
    is_right("uploads that are gone are out of it");
    tap_is_int(ledger_entries(&k), 1, "one is left");
    stat(kit_path(&k, "pool/.quota"), &st);
    tap_is_int(st.st_size, 256 + 2 * 128, "in a row, with its owner's");
    finish(&k);
}

int main(void)
{
    test_rows();
    test_cost();
    test_killed();
    test_wrong_sums();
    test_old_layout();
    test_packed();
    return tap_done();
}
