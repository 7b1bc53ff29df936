/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Writers that are killed at whatever point they happen to be, that come two at
 * a time, and whose last bytes a power cut takes: what counts as there is
 * there, byte for byte, and an upload is completed once. */
#include "store/writer.h"

#include <signal.h>
#include <sys/mman.h>

#include <apr_thread_proc.h>

#include "store_kit.h"

#define KILLS 200
#define PIECE 4099u
#define LENGTH ((apr_off_t)3 << 20)

static unsigned char byte_at(apr_off_t at)
{
    return (unsigned char)((at * 2654435761LL) >> 16 ^ at);
}

static apr_status_t create(kit *k, const char *id, apr_off_t length)
{
    upool_record *previous = NULL;
    const char *why = NULL;
    apr_pool_t *p;
    upool_resumable *about;
    apr_status_t rv;

    apr_pool_create(&p, k->p);
    about = upool_resumable_make(p, id);
    about->protocol = "tus";
    about->created = apr_time_now();
    about->length = length;
    rv = upool_resumable_create(k->store, about, 0, UPOOL_REPLACES_ANY, p,
                                &previous, &why);
    apr_pool_destroy(p);
    return rv;
}

typedef enum manner { PLAIN, PROVISIONAL, PARTS, MANNERS } manner;

static apr_status_t begin(upool_writer **w, upool_resumable_look *a, manner how)
{
    upool_writer_claim claim = { -1, -1, 0, 0 };

    if (how == PARTS) {
        claim.start = upool_resumable_offset(a);
        claim.end = upool_resumable_about(a)->length;
        claim.out_of_order = 1;
    }
    claim.provisional = how == PROVISIONAL;
    return upool_writer_begin(w, a, &claim);
}

static apr_status_t write_piece(upool_writer *w, apr_off_t length)
{
    char piece[PIECE];
    apr_off_t at = upool_writer_offset(w);
    apr_off_t len =
        length - at < (apr_off_t)PIECE ? length - at : (apr_off_t)PIECE;
    struct iovec vec = { piece, (size_t)len };
    apr_off_t i;

    for (i = 0; i < len; i++) {
        piece[i] = (char)byte_at(at + i);
    }
    return upool_writer_write(w, &vec, 1);
}

/* Opens, takes over, writes to the end or until asked to stop.  0, 1: stopped,
 * 2: refused, 3: failed. */
static int write_on(kit *k, const char *id, manner how)
{
    upool_writer *w = NULL;
    upool_resumable_look *a = NULL;
    apr_status_t rv = upool_resumable_open(&a, k->store, id, k->p);
    apr_off_t length;

    if (rv || begin(&w, a, how)) {
        return 2;
    }
    length = upool_resumable_about(a)->length;
    while (!rv && upool_writer_offset(w) < length) {
        rv = write_piece(w, length);
        rv = rv ? rv : upool_writer_look_up(w);
    }
    if (rv && rv != APR_EBUSY) {
        return 3;
    }
    return upool_writer_keep(w, NULL) ? 3 : rv ? 1 : 0;
}

static pid_t start_child(kit *k, const char *id, manner how)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(write_on(k, id, how));
    }
    return pid;
}

/* What is there: offset, and 1 in *right when the bytes are. */
static apr_off_t inspect(kit *k, const char *id, int *right)
{
    apr_pool_t *p;
    upool_resumable_look *a = NULL;
    apr_off_t offset = -1;
    unsigned char *map;
    apr_off_t i;
    int fd;

    *right = 0;
    apr_pool_create(&p, k->p);
    if (!upool_resumable_open(&a, k->store, id, p)) {
        offset = upool_resumable_offset(a);
        fd = open(kit_in(k, id, upool_resumable_about(a)->file.stored),
                  O_RDONLY);
        map = offset ? mmap(NULL, (size_t)offset, PROT_READ, MAP_SHARED, fd, 0)
                     : NULL;
        for (i = 0; i < offset && map[i] == byte_at(i); i++) {
        }
        *right = i == offset;
        if (map) {
            munmap(map, (size_t)offset);
        }
        close(fd);
    }
    apr_pool_destroy(p);
    return offset;
}

/* R6: What counts as there is there. */
static void test_kills(kit *k, manner how, const char *id)
{
    int wrong = 0;
    int back = 0;
    int done = 0;
    int i;
    apr_off_t before = 0;

    create(k, id, LENGTH);
    for (i = 0; i < KILLS; i++) {
        pid_t pid = start_child(k, id, how);
        apr_off_t now;
        int status;
        int right;

        apr_sleep(rand() % 3000);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        now = inspect(k, id, &right);
        wrong += !right;
        back += now < before;
        before = now;
        if (now == LENGTH) {
            done++;
            upool_bucket_remove(k->store, id, k->p);
            create(k, id, LENGTH);
            before = 0;
        }
    }
    tap_is_int(wrong, 0, "%s: what is there after %d kills is right", id,
               KILLS);
    tap_is_int(back, 0, "%s: and never less than before", id);
    tap_is_int(write_on(k, id, how), 0, "%s: the next one goes on", id);
    tap_is_int(inspect(k, id, &wrong), LENGTH, "%s: to the end", id);
    tap_ok(wrong, "%s: which is right, too", id);
    tap_diag("%s: %d of them had got to the end", id, done);
}

/* Each that comes makes the one before it stop. */
static void test_crowd(kit *k)
{
    pid_t pids[8];
    int failed = 0;
    int right;
    int i;

    create(k, "crowd", LENGTH);
    for (i = 0; i < 8; i++) {
        pids[i] = start_child(k, "crowd", PLAIN);
    }
    for (i = 0; i < 8; i++) {
        int status;

        waitpid(pids[i], &status, 0);
        failed += !WIFEXITED(status) || WEXITSTATUS(status) == 3;
    }
    tap_is_int(failed, 0, "eight writers at once");
    write_on(k, "crowd", PLAIN);
    tap_is_int(inspect(k, "crowd", &right), LENGTH, "get to the end");
    tap_ok(right, "and have written over nobody's bytes");
}

/* --- Completing ---------------------------------------------------------- */

static int complete(kit *k, const char *id)
{
    upool_writer *w = NULL;
    upool_resumable_look *a = NULL;
    upool_bucket *bucket = NULL;
    apr_status_t rv = upool_resumable_open(&a, k->store, id, k->p);
    upool_record *record;

    rv = rv ? rv : upool_writer_complete(&w, a, &bucket, k->p);
    if (rv) {
        return rv == APR_EOF ? 1 : 2;
    }
    record = kit_record(k->p, id, UPOOL_STATE_DONE,
                        upool_resumable_about(a)->created);
    kit_add_file(record, k->p, upool_resumable_about(a)->file.stored, 0);
    rv = upool_bucket_commit(bucket, record);
    upool_bucket_end(bucket);
    upool_writer_release(w);
    return rv ? 3 : 0;
}

static void test_races(kit *k)
{
    int once = 0;
    int wrong = 0;
    int round;

    for (round = 0; round < 100; round++) {
        const char *id = apr_psprintf(k->p, "race-%d", round);
        pid_t pids[3];
        int won = 0;
        int start[2];
        int i;

        create(k, id, 0);
        if (pipe(start)) {
            kit_die("pipe");
        }
        for (i = 0; i < 3; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                char c;

                close(start[1]);
                (void)!read(start[0], &c, 1);
                _exit(complete(k, id));
            }
        }
        close(start[0]);
        close(start[1]);
        for (i = 0; i < 3; i++) {
            int status;

            waitpid(pids[i], &status, 0);
            won += WEXITSTATUS(status) ? 0 : 1;
            wrong += WEXITSTATUS(status) > 1 ? 1 : 0;
        }
        once += won == 1;
    }
    tap_is_int(once, 100, "of three that complete at once, one does");
    tap_is_int(wrong, 0, "and the others learn that it is complete");
}

/* --- Making --------------------------------------------------------------- */

#define MAKERS 3
#define ROUNDS 400

typedef struct meeting {
    int come[ROUNDS]; /* makers that wait for the round to begin */
    int made[ROUNDS]; /* how many have made the upload */
} meeting;

/* All make the same upload at the same moment, round for round. */
static void make_all(kit *k, meeting *m)
{
    int round;

    for (round = 0; round < ROUNDS; round++) {
        const char *id = apr_psprintf(k->p, "made-%d", round);

        __atomic_add_fetch(&m->come[round], 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&m->come[round], __ATOMIC_SEQ_CST) < MAKERS) {
            apr_thread_yield();
        }
        if (create(k, id, LENGTH) == APR_SUCCESS) {
            __atomic_add_fetch(&m->made[round], 1, __ATOMIC_SEQ_CST);
        }
    }
}

/* Who makes the directory is not always the first to lock it: the second must
 * not make the upload anew, under the hands of the first. */
static void test_makers(kit *k)
{
    meeting *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[MAKERS];
    int once = 0;
    int i;

    if (m == MAP_FAILED) {
        kit_die("mmap");
    }
    for (i = 0; i < MAKERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            make_all(k, m);
            _exit(0);
        }
    }
    for (i = 0; i < MAKERS; i++) {
        waitpid(pids[i], NULL, 0);
    }
    for (i = 0; i < ROUNDS; i++) {
        once += m->made[i] == 1;
    }
    munmap(m, sizeof(*m));
    tap_is_int(once, ROUNDS, "of three that make an upload at once, one does");
}

/* --- Power --------------------------------------------------------------- */

/* What was written since the last sync reads as zeros, as on a file system that
 * had grown the file but not written its blocks. */
static void cut_power(kit *k, const char *id, apr_off_t from)
{
    const char *path = kit_in(k, id, kit_data_name(k, id));
    struct stat st;

    if (stat(path, &st) || truncate(path, from) || truncate(path, st.st_size)) {
        kit_die("truncate");
    }
}

static void test_power(kit *k)
{
    upool_writer *w = NULL;
    apr_off_t length = 20 * PIECE;
    int right;
    int cuts;

    k->options.sync = 1;
    kit_open(k);
    create(k, "power", length);
    for (cuts = 1; cuts <= 3; cuts++) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
            upool_resumable_look *a = NULL;

            upool_resumable_open(&a, k->store, "power", k->p);
            begin(&w, a, PLAIN);
            write_piece(w, length);
            write_piece(w, length);
            upool_writer_checkpoint(w);
            write_piece(w, length);
            write_piece(w, length);
            kill(getpid(), SIGKILL);
        }
        waitpid(pid, &status, 0);
        cut_power(k, "power", (apr_off_t)(2 * PIECE) * cuts);
        tap_is_int(inspect(k, "power", &right), (apr_off_t)(2 * PIECE) * cuts,
                   "cut %d: what was synced counts", cuts);
        tap_ok(right, "cut %d: and is there", cuts);
    }
    tap_is_int(write_on(k, "power", PLAIN), 0, "the next one goes on");
    tap_is_int(inspect(k, "power", &right), length, "to the end");
    tap_ok(right, "and no zeros are left");
}

int main(void)
{
    kit k;

    kit_start(&k);
    test_kills(&k, PLAIN, "plain");
    test_kills(&k, PROVISIONAL, "provisional");
    test_kills(&k, PARTS, "parts");
    test_crowd(&k);
    test_races(&k);
    test_makers(&k);
    test_power(&k);
    return kit_done(&k);
}
