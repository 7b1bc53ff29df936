/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What a quota costs an upload of 64 KiB, and what those that are stored
 * already cost it: a pool without quota, one with a quota and nothing stored,
 * one with as many uploads in its ledger as the first argument says (a
 * million), of a thousand owners; in turns, so that ratios of one run can be
 * believed.  CPU (user and system) and time in microseconds, then the time at
 * which 50 and 99 % of those are done that 16 processes make at once.  The
 * pools lie in the directory of the second argument (else the system's
 * temporary one).  Nothing is asserted. */
#include "store/bucket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "store/ledger.h"
#include "store/quota.h"

#define BYTES ((size_t)64 * 1024)
#define ROUNDS 1000
#define TRIES 5
#define PROCESSES 16
#define EACH 250
#define OWNERS 1000
#define KINDS 3

static char content[BYTES];

typedef struct pool {
    const char *what;
    upool_store *store;
    upool_quota_limits limits;
    double cpu;
    double wall;
    double times[PROCESSES * EACH];
} pool;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double wall_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double cpu_now(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void upload_one(const pool *in, const char *id, apr_pool_t *p)
{
    struct iovec vec = { content, BYTES };
    upool_record *record = upool_record_make(p, id);
    upool_file *file = apr_array_push(record->files);
    upool_record *previous;
    upool_bucket *bucket;
    upool_quota *quota;
    upool_spool *spool;
    const char *why;

    record->state = UPOOL_STATE_DONE;
    record->owner = apr_psprintf(p, "owner%d", id[strlen(id) - 1]);
    if (upool_bucket_begin(&bucket, in->store, id, 0, p, &previous, &why)) {
        die("begin");
    }
    quota = upool_quota_make(in->store, id, record->owner, &in->limits, p);
    if ((upool_quota_is_set(&in->limits)
         && upool_quota_reserve(quota, BYTES, 0))
        || upool_spool_create(&spool, bucket, 0)
        || upool_spool_write(spool, &vec, 1) || upool_spool_close(spool)) {
        die("upload");
    }
    memset(file, 0, sizeof(*file));
    file->field = "file";
    file->filename = "holiday photo.jpg";
    file->safe_filename = "holiday_photo.jpg";
    file->params = apr_table_make(p, 1);
    file->size = BYTES;
    file->stored = upool_spool_name(spool);
    file->digests = apr_array_make(p, 1, sizeof(upool_digest));
    if (upool_bucket_commit(bucket, record)) {
        die("commit");
    }
    upool_quota_settle(quota);
    upool_bucket_end(bucket);
}

/* The pool keeps what the ledger says, and no more of it. */
static void fill(const pool *in, int uploads)
{
    upool_ledger ledger;
    int i;

    if (upool_ledger_open(&ledger, in->store, 1)) {
        die("ledger");
    }
    for (i = 0; i < uploads; i++) {
        char text[64];
        upool_row row;
        int n = UPOOL_ROW_NONE;

        snprintf(text, sizeof(text), "0190a1b2-c3d4-7e5f-8a9b-%012d", i);
        upool_ledger_name(&row, text);
        snprintf(text, sizeof(text), "stored%d", i % OWNERS);
        upool_ledger_hash_owner(row.owner, text);
        row.stored = BYTES;
        if (upool_ledger_put(&ledger, &row, &n)) {
            die("put");
        }
    }
    upool_ledger_header(&ledger)->counted = apr_time_now();
    upool_ledger_save(&ledger);
    upool_ledger_close(&ledger);
}

static void run(pool *in, apr_pool_t *p)
{
    double cpu = cpu_now();
    double wall = wall_now();
    char id[64];
    int i;

    for (i = 0; i < ROUNDS; i++) {
        snprintf(id, sizeof(id), "one-%d", i);
        upload_one(in, id, p);
        apr_pool_clear(p);
    }
    cpu = (cpu_now() - cpu) / ROUNDS;
    wall = (wall_now() - wall) / ROUNDS;
    if (in->cpu <= 0 || cpu < in->cpu) {
        in->cpu = cpu;
        in->wall = wall;
    }
    for (i = 0; i < ROUNDS; i++) {
        snprintf(id, sizeof(id), "one-%d", i);
        upool_bucket_remove(in->store, id, p);
        apr_pool_clear(p);
    }
}

static void run_beside(const pool *in, int who, double *times, apr_pool_t *p)
{
    char id[64];
    int i;

    for (i = 0; i < EACH; i++) {
        double begun = wall_now();

        snprintf(id, sizeof(id), "p%d-%d", who, i);
        upload_one(in, id, p);
        times[i] = wall_now() - begun;
        upool_bucket_remove(in->store, id, p);
        apr_pool_clear(p);
    }
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static void run_together(pool *in, apr_pool_t *p)
{
    double *times = mmap(NULL, sizeof(in->times), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int i;

    if (times == MAP_FAILED) {
        die("mmap");
    }
    for (i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            run_beside(in, i, times + (size_t)i * EACH, p);
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    memcpy(in->times, times, sizeof(in->times));
    munmap(times, sizeof(in->times));
    qsort(in->times, PROCESSES * EACH, sizeof(double), by_size);
}

static void print(const pool *in, const pool *base)
{
    int half = PROCESSES * EACH / 2;
    int most = PROCESSES * EACH * 99 / 100;

    printf("%-28s %7.1f %5.2f %9.1f %10.1f %5.2f %10.1f %5.2f\n", in->what,
           in->cpu, in->cpu / base->cpu, in->wall, in->times[half],
           in->times[half] / base->times[half], in->times[most],
           in->times[most] / base->times[most]);
}

int main(int argc, char **argv)
{
    static pool pools[KINDS];
    int uploads = argc > 1 ? atoi(argv[1]) : 1000000;
    const char *parent = argc > 2 ? argv[2] : "/tmp";
    upool_store_options options;
    apr_pool_t *p;
    apr_pool_t *scratch;
    const char *why = NULL;
    int i;
    int k;

    apr_initialize();
    apr_pool_create(&p, NULL);
    apr_pool_create(&scratch, p);
    memset(&options, 0, sizeof(options));
    options.file_mode = 0600;
    pools[0].what = "no quota";
    pools[1].what = "a quota, nothing stored";
    pools[2].what = apr_psprintf(p, "a quota, %d stored", uploads);
    for (k = 0; k < KINDS; k++) {
        char *dir = apr_pstrcat(p, parent, "/upool-bench-XXXXXX", NULL);

        if (!mkdtemp(dir)
            || upool_store_open(&pools[k].store, dir, NULL, &options, p,
                                &why)) {
            die(why ? why : parent);
        }
        if (k) {
            pools[k].limits.pool = (apr_int64_t)1 << 50;
            pools[k].limits.owner = (apr_int64_t)1 << 50;
            fill(&pools[k], k == 2 ? uploads : 0);
        }
    }
    for (i = 0; i < TRIES; i++) {
        for (k = 0; k < KINDS; k++) {
            run(&pools[(i + k) % KINDS], scratch);
        }
    }
    for (k = 0; k < KINDS; k++) {
        run_together(&pools[k], scratch);
    }
    printf("%-28s %7s %5s %9s %10s %5s %10s %5s\n", "", "CPU us", "", "us",
           "50 % of 16", "", "99 %", "");
    for (k = 0; k < KINDS; k++) {
        print(&pools[k], &pools[1]);
        unlink(
            apr_pstrcat(p, upool_store_path(pools[k].store), "/.quota", NULL));
        rmdir(upool_store_path(pools[k].store));
    }
    return 0;
}
