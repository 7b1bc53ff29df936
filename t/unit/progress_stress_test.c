/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The table under fire: processes of several threads that claim, describe,
 * publish, finish, drop and are killed at any instant, and readers that believe
 * nothing.  Then the same with threads alone, which is what ThreadSanitizer
 * sees ("make tsan"). */
#include "progress/table.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <tap.h>

#define SLOTS 24
#define IDS 40      /* more than slots: records are evicted */
#define DROPPED 10  /* the identifiers below are dropped now and then */
#define PROCESSES 3 /* of writers */
#define WRITERS 2   /* threads in each */
#define READERS 2
#define KILLS 60
#define ROUNDS 20000 /* of a writer in the mode of threads alone */

#define LOOKS 4000 /* of a reader, at least */

/* What all processes share beside the table; only changed atomically. */
typedef struct fire {
    apr_uint64_t clock; /* gives each claim a time of its own */
    apr_uint64_t stop;
    apr_uint64_t flying[IDS]; /* who is uploading, by its own account */
    apr_uint64_t claims, busy, full, lookups, found;
    apr_uint64_t torn, backward, early, twice, lost, unseen;
} fire;

static fire *shared;
static upool_table *table;

static apr_uint64_t count(apr_uint64_t *word)
{
    return __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
}

static apr_uint64_t value(apr_uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static int alive(apr_int64_t process)
{
    return kill((pid_t)process, 0) == 0;
}

static unsigned dice(apr_uint64_t *seed, unsigned sides)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)((*seed >> 20) % sides);
}

static void id_text(char *id, unsigned n)
{
    snprintf(id, 48, "0190a5b2-7c11-7def-8123-%012u", n);
}

/* Texts whose every byte follows from the first, so that a mixture shows. */
static void pattern(char *text, char letter, size_t most)
{
    size_t len = ((size_t)(letter - 'A') * 37 + 5) % most;

    memset(text, letter, len);
    text[len] = '\0';
    text[0] = letter;
}

static int patterned(const upool_slot_record *r)
{
    char name[UPOOL_SLOT_FILENAME + 1], type[UPOOL_SLOT_TYPE + 1];
    char error[UPOOL_SLOT_ERROR + 1];

    if (r->filename[0]) {
        pattern(name, r->filename[0], sizeof(name));
        pattern(type, r->filename[0], sizeof(type));
        if (strcmp(name, r->filename) != 0
            || strcmp(type, r->content_type) != 0) {
            return 0;
        }
    }
    if (r->error[0]) {
        pattern(error, r->error[0], sizeof(error));
        if (strcmp(error, r->error) != 0) {
            return 0;
        }
    }
    return (r->filename[0] != '\0') == (r->content_type[0] != '\0')
           && (r->error[0] != '\0') == (r->state == UPOOL_SLOT_ERROR_STATE)
           && atoll(r->owner) == r->process;
}

static void describe(const upool_ticket *ticket, apr_uint64_t *seed)
{
    char name[UPOOL_SLOT_FILENAME + 1], type[UPOOL_SLOT_TYPE + 1];
    char letter = (char)('A' + dice(seed, 26));

    pattern(name, letter, sizeof(name));
    pattern(type, letter, sizeof(type));
    upool_table_describe(table, ticket, name, type);
}

static void end_upload(upool_ticket *ticket, unsigned n, apr_int64_t size,
                       apr_uint64_t *seed)
{
    char error[UPOOL_SLOT_ERROR + 1];
    apr_time_t now = (apr_time_t)value(&shared->clock);
    int good = 1;

    switch (dice(seed, 4)) {
    case 0:
        upool_table_release(table, ticket);
        break;
    case 1:
        pattern(error, (char)('A' + dice(seed, 26)), sizeof(error));
        good = upool_table_finish(table, ticket, UPOOL_SLOT_ERROR_STATE, 0,
                                  error, now);
        break;
    default:
        good =
            upool_table_finish(table, ticket, UPOOL_SLOT_DONE, size, NULL, now);
    }
    if (!good && n >= DROPPED) {
        count(&shared->lost);
    }
}

/* The middle of an upload; 0: it was dropped. */
static int carry_on(const upool_ticket *ticket, unsigned n, apr_int64_t size,
                    apr_uint64_t *seed)
{
    apr_int64_t bytes;

    for (bytes = 0; bytes < size; bytes += 1 + dice(seed, 9)) {
        if (dice(seed, 5) == 0) {
            describe(ticket, seed);
        }
        if (!upool_table_publish(table, ticket, bytes,
                                 (apr_time_t)value(&shared->clock))) {
            if (n >= DROPPED) {
                count(&shared->lost);
            }
            return 0;
        }
    }
    return 1;
}

/* One upload, from the claim to its end. */
static void upload(unsigned me, apr_uint64_t *seed)
{
    unsigned n = dice(seed, IDS);
    apr_int64_t size = 1 + dice(seed, 200);
    apr_uint64_t token = ((apr_uint64_t)getpid() << 8) | (me + 1), old;
    apr_time_t now = (apr_time_t)count(&shared->clock);
    char id[48], owner[24];
    upool_slot_record r;
    upool_ticket ticket;
    upool_claim got;

    id_text(id, n);
    snprintf(owner, sizeof(owner), "%ld", (long)getpid());
    got = upool_table_claim(table, id, owner, size, getpid(), now, alive,
                            &ticket);
    if (got != UPOOL_CLAIMED) {
        count(got == UPOOL_CLAIM_BUSY ? &shared->busy : &shared->full);
        return;
    }
    count(&shared->claims);
    if (n < DROPPED) {
        if (carry_on(&ticket, n, size, seed)) {
            end_upload(&ticket, n, size, seed);
        }
        return;
    }
    old = __atomic_exchange_n(&shared->flying[n], token, __ATOMIC_SEQ_CST);
    if (old && alive((apr_int64_t)(old >> 8))) {
        count(&shared->twice);
    }
    if (!upool_table_lookup(table, id, &r) || r.created != now) {
        count(&shared->unseen);
    }
    carry_on(&ticket, n, size, seed);
    __atomic_store_n(&shared->flying[n], 0, __ATOMIC_SEQ_CST);
    end_upload(&ticket, n, size, seed);
}

static void *writer_run(void *data)
{
    unsigned me = *(unsigned *)data, round;
    apr_uint64_t seed = 88172645463325252U + me * 7919U + (unsigned)getpid();

    for (round = 0; round < ROUNDS || me >= 100; round++) {
        char id[48];

        upload(me, &seed);
        if (dice(&seed, 20) == 0) {
            id_text(id, dice(&seed, DROPPED));
            upool_table_drop(table, id);
        }
        if (value(&shared->stop)) {
            break;
        }
    }
    return NULL;
}

#define PASTS 8

/* What the reader believed of each identifier when it last looked.  Times of
 * claims are unique but not in order: a claim may be slow. */
typedef struct belief {
    apr_time_t created;
    apr_int64_t received;
    int state;
    unsigned turn;
    apr_time_t past[PASTS]; /* records that had been replaced by then */
} belief;

static int backward(const upool_slot_record *r, belief *b)
{
    unsigned n;

    if (r->created == b->created) {
        return r->received < b->received || r->state < b->state;
    }
    for (n = 0; n < PASTS; n++) {
        if (b->past[n] == r->created) {
            return 1;
        }
    }
    b->past[b->turn++ % PASTS] = b->created;
    return 0;
}

static void believe(const char *id, belief *b)
{
    upool_slot_record r;

    count(&shared->lookups);
    if (!upool_table_lookup(table, id, &r)) {
        return;
    }
    count(&shared->found);
    if (strcmp(r.identifier, id) != 0 || r.received > r.size
        || !patterned(&r)) {
        count(&shared->torn);
    }
    if (r.state == UPOOL_SLOT_DONE && r.received != r.size) {
        count(&shared->early);
    }
    if (backward(&r, b)) {
        count(&shared->backward);
    }
    b->created = r.created;
    b->received = r.received;
    b->state = r.state;
}

static void *reader_run(void *data)
{
    belief beliefs[IDS];
    upool_slot_record list[4];
    apr_uint64_t seed = 2463534242U + *(unsigned *)data;
    apr_size_t n, got;
    unsigned round;
    char id[48];

    memset(beliefs, 0, sizeof(beliefs));
    for (round = 0; round < LOOKS || !value(&shared->stop); round++) {
        unsigned which = dice(&seed, IDS);

        id_text(id, which);
        believe(id, &beliefs[which]);
        if (dice(&seed, 50) == 0) {
            got = upool_table_list(table, UPOOL_SLOT_DONE, list, 4);
            for (n = 0; n < got; n++) {
                if (!patterned(&list[n]) || list[n].received != list[n].size) {
                    count(&shared->torn);
                }
            }
        }
    }
    return NULL;
}

static void threads_run(void *(*run)(void *), unsigned *names, unsigned many,
                        pthread_t *threads)
{
    unsigned n;

    for (n = 0; n < many; n++) {
        pthread_create(&threads[n], NULL, run, &names[n]);
    }
}

/* Writers and readers in this process; the writers run out. */
static void in_threads(void)
{
    unsigned names[] = { 0, 1, 2, 3 }, n;
    pthread_t writers[4], readers[READERS];

    threads_run(writer_run, names, 4, writers);
    threads_run(reader_run, names, READERS, readers);
    for (n = 0; n < 4; n++) {
        pthread_join(writers[n], NULL);
    }
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    for (n = 0; n < READERS; n++) {
        pthread_join(readers[n], NULL);
    }
}

/* A child whose threads go on until it is told to stop or killed. */
static pid_t child_start(void *(*run)(void *), unsigned many)
{
    unsigned names[8], n;
    pthread_t threads[8];
    pid_t child = fork();

    if (child != 0) {
        return child;
    }
    for (n = 0; n < many; n++) {
        names[n] = 100 + n;
    }
    threads_run(run, names, many, threads);
    for (n = 0; n < many; n++) {
        pthread_join(threads[n], NULL);
    }
    _exit(0);
}

static int in_processes(void)
{
    pid_t writers[PROCESSES], reader, victim;
    apr_uint64_t seed = 521288629;
    int kills = 0, status = 1;
    unsigned n;

    for (n = 0; n < PROCESSES; n++) {
        writers[n] = child_start(writer_run, WRITERS);
    }
    reader = child_start(reader_run, READERS);
    /* The more where they are killed before they get anywhere. */
    while (kills < KILLS
           || (kills < 20 * KILLS && value(&shared->claims) < 2000)) {
        n = dice(&seed, PROCESSES);
        usleep(5000 + dice(&seed, 40000));
        victim = writers[n];
        kill(victim, SIGKILL);
        waitpid(victim, NULL, 0);
        kills++;
        if (dice(&seed, 4) == 0) {
            upool_table_reap(table, getpid(), 1, alive, "AAAAA");
        }
        writers[n] = child_start(writer_run, WRITERS);
    }
    for (n = 0; n < PROCESSES; n++) {
        kill(writers[n], SIGKILL);
        waitpid(writers[n], NULL, 0);
    }
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    waitpid(reader, &status, 0);
    tap_is_int(status, 0, "the reader came through");
    return kills;
}

/* D9: No record is torn. */
/* All writers are dead: whatever they left can be taken. */
static void test_takeover(void)
{
    upool_ticket tickets[IDS];
    upool_slot_record r;
    unsigned n, taken = 0, full = 0, wrong = 0;
    char id[48];

    for (n = 0; n < IDS; n++) {
        upool_claim got;

        id_text(id, n);
        got = upool_table_claim(table, id, "", 7, getpid(), 1, alive,
                                &tickets[n]);
        taken += got == UPOOL_CLAIMED;
        full += got == UPOOL_CLAIM_FULL;
        wrong += got == UPOOL_CLAIMED
                 && (!upool_table_lookup(table, id, &r) || r.size != 7);
    }
    tap_is_int(taken, SLOTS, "all %d slots are taken over from the dead",
               SLOTS);
    tap_is_int(full, IDS - SLOTS, "and there are no more");
    tap_is_int(wrong, 0, "each is known as what it is now");
}

static void report(void)
{
    tap_diag("%llu claims, %llu busy, %llu full, %llu look-ups, %llu found",
             (unsigned long long)shared->claims,
             (unsigned long long)shared->busy, (unsigned long long)shared->full,
             (unsigned long long)shared->lookups,
             (unsigned long long)shared->found);
    tap_ok(shared->claims > 1000, "there was something to see");
    tap_ok(shared->found > 1000, "and somebody saw it");
    tap_is_int(shared->torn, 0, "no torn record");
    tap_is_int(shared->backward, 0, "nothing went backwards");
    tap_is_int(shared->early, 0, "no done without all its bytes");
    tap_is_int(shared->twice, 0, "no identifier uploaded twice at once");
    tap_is_int(shared->lost, 0, "no upload lost its slot");
    tap_is_int(shared->unseen, 0, "every upload saw its own record");
}

int main(void)
{
    apr_size_t bytes = upool_table_bytes(SLOTS);
    char *memory = mmap(NULL, bytes + sizeof(fire), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return 1;
    }
    apr_initialize();
    shared = (fire *)(void *)memory;
    table = upool_table_init(memory + sizeof(fire), bytes, SLOTS);
    /* Processes first: a sanitizer cannot follow threads over a fork. */
    tap_ok(in_processes() >= KILLS, "%d writers killed", KILLS);
    report();
    test_takeover();
    memset(memory, 0, bytes + sizeof(fire));
    table = upool_table_init(memory + sizeof(fire), bytes, SLOTS);
    in_threads();
    report();
    return tap_done();
}
