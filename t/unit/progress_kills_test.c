/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A writer is killed at a random instant, some thousand times, and each time
 * the table is judged by what is left: no torn record, nothing "uploading" once
 * it is reaped, no slot lost, and no way for what the dead one held to reach
 * its successor, even under the same process number. */
#include "progress/table.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_general.h>
#include <tap.h>
#include "progress/atomic.h"

#define SLOTS 8
#define IDS 6
#define KILLS 4000
#define KILLS_LEAST 500
#define SECONDS 4
#define SIZE 40
/* All writers say that they are this process: the worst of all reuses. */
#define PROCESS 4711

typedef struct scene {
    apr_uint64_t step;  /* of the writer */
    apr_uint64_t clock; /* gives each upload a time of its own */
    upool_ticket ticket;
} scene;

static scene *shared;
static upool_table *table;

static int is_dead(apr_int64_t process)
{
    return process != PROCESS;
}

static unsigned dice(apr_uint64_t *seed, unsigned sides)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)((*seed >> 20) % sides);
}

static const char *id_of(unsigned n)
{
    static const char *const ids[IDS + SLOTS] = { "a", "b", "c", "d", "e",
                                                  "f", "0", "1", "2", "3",
                                                  "4", "5", "6", "7" };

    return ids[n];
}

/* Text whose every byte follows from its first. */
static void pattern(char *text, size_t room, char letter)
{
    size_t len = (size_t)(letter - 'a') * 9 + 8;

    memset(text, letter, len < room ? len : room - 1);
    text[len < room ? len : room - 1] = '\0';
}

static int is_pattern(const char *text, size_t room)
{
    char want[UPOOL_SLOT_FILENAME + 1];

    if (!*text) {
        return 1;
    }
    pattern(want, room, *text);
    return strcmp(want, text) == 0;
}

static void did_step(void)
{
    upool_add(&shared->step, 1);
}

static void upload(apr_uint64_t *seed)
{
    char name[UPOOL_SLOT_FILENAME + 1], type[UPOOL_SLOT_TYPE + 1];
    char letter = (char)('a' + dice(seed, 26));
    apr_time_t now;
    apr_int64_t bytes;
    upool_ticket ticket;

    upool_add(&shared->clock, 1);
    now = (apr_time_t)upool_load(&shared->clock);
    if (upool_table_claim(table, id_of(dice(seed, IDS)), "me", SIZE, PROCESS,
                          now, is_dead, &ticket)
        != UPOOL_CLAIMED) {
        return;
    }
    shared->ticket = ticket;
    did_step();
    pattern(name, sizeof(name), letter);
    pattern(type, sizeof(type), letter);
    upool_table_describe(table, &ticket, name, type);
    for (bytes = 0; bytes <= SIZE; bytes += 10) {
        did_step();
        upool_table_publish(table, &ticket, bytes, now);
    }
    did_step();
    switch (dice(seed, 4)) {
    case 0:
        upool_table_release(table, &ticket);
        break;
    case 1:
        upool_table_drop(table, id_of(dice(seed, IDS)));
        upool_table_finish(table, &ticket, UPOOL_SLOT_ERROR_STATE, SIZE, name,
                           now);
        break;
    default:
        upool_table_finish(table, &ticket, UPOOL_SLOT_DONE, SIZE, NULL, now);
    }
}

static pid_t writer_start(apr_uint64_t seed)
{
    pid_t child = fork();

    if (child == 0) {
        for (;;) {
            upload(&seed);
        }
    }
    return child;
}

/* Kills it after so many steps, and what part of one the scheduler gives. */
static int writer_kill(pid_t writer, unsigned steps)
{
    apr_uint64_t until = upool_load(&shared->step) + steps;
    int status = 0;

    while (upool_load(&shared->step) < until
           && waitpid(writer, &status, WNOHANG) == 0) {
    }
    kill(writer, SIGKILL);
    waitpid(writer, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* What anybody can read. */
static unsigned count_torn(void)
{
    upool_slot_record r;
    unsigned n, torn = 0;

    for (n = 0; n < IDS; n++) {
        if (!upool_table_lookup(table, id_of(n), &r)) {
            continue;
        }
        torn += strcmp(r.identifier, id_of(n)) != 0 || r.size != SIZE
                || r.received > SIZE
                || (r.state == UPOOL_SLOT_DONE && r.received != SIZE)
                || !is_pattern(r.filename, sizeof(r.filename))
                || !is_pattern(r.content_type, sizeof(r.content_type))
                || (r.filename[0] && r.filename[0] != r.content_type[0])
                || strcmp(r.owner, "me") != 0;
    }
    return torn;
}

static unsigned count_running(void)
{
    upool_slot_record list[SLOTS];
    apr_uint32_t running, ended;

    upool_table_count(table, &running, &ended);
    return running
           + (unsigned)upool_table_list(table, UPOOL_SLOT_UPLOADING, list,
                                        SLOTS);
}

/* Every slot can be had, and no more than there are. */
static unsigned count_lost(void)
{
    upool_ticket t[SLOTS], more;
    unsigned n, lost = 0;

    for (n = 0; n < SLOTS; n++) {
        lost += upool_table_claim(table, id_of(IDS + n), NULL, 1, 1, 1, is_dead,
                                  &t[n])
                != UPOOL_CLAIMED;
    }
    lost += upool_table_claim(table, "more", NULL, 1, 1, 1, is_dead, &more)
            != UPOOL_CLAIM_FULL;
    for (n = 0; n < SLOTS; n++) {
        upool_table_release(table, &t[n]);
    }
    return lost;
}

/* What the dead one held does nothing to who has its slot by now. */
static unsigned count_ghosts(const upool_ticket *dead)
{
    upool_ticket t[SLOTS], ghost = *dead;
    upool_slot_record r;
    unsigned n, ghosts = 0;

    for (n = 0; n < SLOTS; n++) {
        upool_table_claim(table, id_of(IDS + n), NULL, 1000, PROCESS, 1, NULL,
                          &t[n]);
    }
    ghosts += dead->slot && upool_table_publish(table, dead, 999, 1);
    upool_table_describe(table, dead, "ghost", "ghost");
    ghosts +=
        ghost.slot
        && upool_table_finish(table, &ghost, UPOOL_SLOT_DONE, 999, NULL, 1);
    for (n = 0; n < SLOTS; n++) {
        ghosts += !upool_table_lookup(table, id_of(IDS + n), &r)
                  || r.state != UPOOL_SLOT_UPLOADING || r.received != 0
                  || r.filename[0];
        upool_table_release(table, &t[n]);
    }
    return ghosts;
}

typedef struct verdict {
    unsigned kills, torn, running, lost, ghosts, reaped;
} verdict;

static void judge(verdict *v)
{
    upool_ticket dead = shared->ticket;

    v->torn += count_torn();
    v->reaped += (unsigned)upool_table_reap(table, PROCESS, 1, is_dead,
                                            "aaaaa"
                                            "aaa");
    v->torn += count_torn();
    v->running += count_running();
    if (v->kills % 8 == 0) {
        v->lost += count_lost();
        v->ghosts += count_ghosts(&dead);
    }
}

/* D9: A killed holder stops nobody. */
int main(void)
{
    apr_size_t bytes = upool_table_bytes(SLOTS);
    char *memory;
    apr_uint64_t seed = 88172645463325252U;
    time_t until;
    verdict v;

    apr_initialize();
    memory = mmap(NULL, bytes + sizeof(scene), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return 1;
    }
    memset(&v, 0, sizeof(v));
    shared = (scene *)(void *)memory;
    table = upool_table_init(memory + sizeof(scene), bytes, SLOTS);
    until = apr_time_sec(apr_time_now()) + SECONDS;
    while (v.kills < KILLS
           && (v.kills < KILLS_LEAST || apr_time_sec(apr_time_now()) < until)) {
        seed += 2654435769U;
        if (!writer_kill(writer_start(seed), dice(&seed, 30))) {
            break;
        }
        v.kills++;
        judge(&v);
    }
    tap_ok(v.kills >= KILLS_LEAST, "%u writers were killed", v.kills);
    tap_ok(v.reaped > v.kills / 10, "%u of them in an upload", v.reaped);
    tap_is_int(v.torn, 0, "no torn record");
    tap_is_int(v.running, 0, "none is uploading for ever");
    tap_is_int(v.lost, 0, "no slot is lost");
    tap_is_int(v.ghosts, 0, "the dead reach nobody");
    apr_terminate();
    return tap_done();
}
