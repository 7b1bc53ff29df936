/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Lanes to a cache that answers, fails, hangs and comes back.  The cache is in
 * this process; gates stand for its moods, so that nothing depends on time
 * but how long a test takes. */
#include "progress/lanes.h"

#include <pthread.h>
#include <string.h>

#include <apr_general.h>
#include <tap.h>

#define KEYS 64
#define FOREVER apr_time_from_sec(60)
#define SOON apr_time_from_msec(20)

static apr_pool_t *global;

/* One value for each first byte of a key. */
typedef struct cache {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    unsigned value[KEYS];
    unsigned stores, finds, removes, failures;
    unsigned backward; /* a value after a greater one */
    int failing;
    int hanging;
    int inside; /* calls that hang */
} cache;

static upool_lane_result act(cache *c, upool_lane_message *m)
{
    unsigned *value = &c->value[m->key[0]], fresh = 0;

    if (c->failing) {
        c->failures++;
        return UPOOL_LANE_FAILED;
    }
    switch (m->kind) {
    case UPOOL_LANE_STORE:
        c->stores++;
        memcpy(&fresh, m->data, sizeof(fresh));
        c->backward += fresh <= *value;
        *value = fresh;
        return UPOOL_LANE_GOOD;
    case UPOOL_LANE_REMOVE:
        c->removes++;
        *value = 0;
        return UPOOL_LANE_GOOD;
    case UPOOL_LANE_FIND:
        break;
    }
    c->finds++;
    memcpy(m->data, value, sizeof(*value));
    m->len = sizeof(*value);
    return *value ? UPOOL_LANE_GOOD : UPOOL_LANE_NOTHING;
}

static upool_lane_result work(void *user, upool_lane_message *m, apr_pool_t *p)
{
    cache *c = user;
    upool_lane_result result;

    memset(apr_palloc(p, 100), 1, 100);
    pthread_mutex_lock(&c->mutex);
    c->inside++;
    pthread_cond_broadcast(&c->moved);
    while (c->hanging) {
        pthread_cond_wait(&c->moved, &c->mutex);
    }
    c->inside--;
    result = act(c, m);
    pthread_cond_broadcast(&c->moved);
    pthread_mutex_unlock(&c->mutex);
    return result;
}

static upool_lanes *lanes_new(cache *c, apr_interval_time_t rest)
{
    memset(c, 0, sizeof(*c));
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->moved, NULL);
    return upool_lanes_make(work, c, rest, global);
}

static void set(cache *c, int *mood, int value)
{
    pthread_mutex_lock(&c->mutex);
    *mood = value;
    pthread_cond_broadcast(&c->moved);
    pthread_mutex_unlock(&c->mutex);
}

static void await(cache *c, const int *count, int least)
{
    pthread_mutex_lock(&c->mutex);
    while (*count < least) {
        pthread_cond_wait(&c->moved, &c->mutex);
    }
    pthread_mutex_unlock(&c->mutex);
}

static upool_lane_message message(upool_lane_kind kind, unsigned key,
                                  unsigned value)
{
    upool_lane_message m;

    memset(&m, 0, sizeof(m));
    m.kind = kind;
    m.key[0] = (unsigned char)key;
    memcpy(m.data, &value, sizeof(value));
    m.len = sizeof(value);
    m.until = apr_time_now() + FOREVER;
    return m;
}

static int put(upool_lanes *lanes, unsigned key, unsigned value)
{
    upool_lane_message m = message(UPOOL_LANE_STORE, key, value);

    return upool_lanes_send(lanes, &m);
}

static upool_lane_result ask(upool_lanes *lanes, unsigned key, unsigned *value,
                             apr_interval_time_t patience)
{
    upool_lane_message m = message(UPOOL_LANE_FIND, key, 0);
    upool_lane_result result = upool_lanes_ask(lanes, &m, patience);

    *value = 0;
    if (result == UPOOL_LANE_GOOD) {
        memcpy(value, m.data, sizeof(*value));
    }
    return result;
}

static void test_life(void)
{
    cache c;
    upool_lanes *lanes = lanes_new(&c, SOON);
    upool_lane_message m = message(UPOOL_LANE_REMOVE, 5, 0);
    unsigned value, n, wrong = 0;

    tap_is_int(ask(lanes, 5, &value, FOREVER), UPOOL_LANE_NOTHING,
               "nothing there");
    tap_ok(put(lanes, 5, 7), "something is sent");
    tap_is_int(ask(lanes, 5, &value, FOREVER), UPOOL_LANE_GOOD, "it is there");
    tap_is_int(value, 7, "as it was sent");
    tap_ok(upool_lanes_send(lanes, &m), "removed");
    tap_is_int(ask(lanes, 5, &value, FOREVER), UPOOL_LANE_NOTHING, "gone");
    for (n = 0; n < KEYS; n++) {
        wrong += !put(lanes, n, n + 1);
    }
    tap_is_int(wrong, 0, "%d keys at once", KEYS);
    for (n = 0; n < KEYS; n++) {
        wrong +=
            ask(lanes, n, &value, FOREVER) != UPOOL_LANE_GOOD || value != n + 1;
    }
    tap_is_int(wrong, 0, "each is found");
    tap_ok(upool_lanes_stop(lanes, FOREVER), "they stop");
    tap_ok(!put(lanes, 1, 1), "and take nothing any more");
    tap_is_int(ask(lanes, 1, &value, FOREVER), UPOOL_LANE_FAILED, "nor answer");
}

/* A cache that hangs: who sends is not held, who asks not for long, and what
 * comes last is what arrives in the end. */
static void test_hanging(void)
{
    cache c;
    upool_lanes *lanes = lanes_new(&c, SOON);
    unsigned value, n, taken = 0;

    set(&c, &c.hanging, 1);
    put(lanes, 0, 1);
    await(&c, &c.inside, 1);
    for (n = 2; n < 1000; n++) {
        taken += (unsigned)put(lanes, 0, n);
    }
    tap_is_int(taken, 998, "all are taken while one hangs");
    tap_is_int(ask(lanes, 0, &value, SOON), UPOOL_LANE_FAILED,
               "who asks gives up");
    tap_is_int(ask(lanes, 4, &value, SOON), UPOOL_LANE_FAILED,
               "also for another key of the lane");
    for (n = 1, taken = 0; n < 3 * UPOOL_LANE_ROOM; n++) {
        upool_lane_message m = message(UPOOL_LANE_STORE, 4, 1);

        memcpy(m.key + 1, &n, sizeof(n));
        taken += (unsigned)upool_lanes_send(lanes, &m);
    }
    tap_ok(taken > UPOOL_LANE_ROOM / 2 && taken < UPOOL_LANE_ROOM,
           "of many there is room for %u", taken);
    set(&c, &c.hanging, 0);
    while (ask(lanes, 0, &value, FOREVER) != UPOOL_LANE_GOOD) {
        apr_sleep(1000);
    }
    tap_is_int(value, 999, "the last arrives");
    tap_ok(c.stores <= 2 + taken, "those between do not");
    tap_ok(upool_lanes_stop(lanes, FOREVER), "they stop");
}

static void test_failing(void)
{
    cache c;
    upool_lanes *lanes = lanes_new(&c, SOON);
    unsigned value, n;

    c.failing = 1;
    tap_is_int(ask(lanes, 0, &value, FOREVER), UPOOL_LANE_FAILED,
               "who asks is told");
    for (n = 1; n <= 500; n++) {
        put(lanes, 0, n);
        put(lanes, 1, n);
    }
    set(&c, &c.failing, 0);
    while (ask(lanes, 0, &value, FOREVER) != UPOOL_LANE_GOOD
           || ask(lanes, 1, &n, FOREVER) != UPOOL_LANE_GOOD) {
        apr_sleep(1000);
    }
    tap_is_int(value, 500, "what was sent meanwhile arrives");
    tap_is_int(n, 500, "on every lane");
    tap_ok(c.failures < 200, "a lane that fails rests: %u failures",
           c.failures);
    tap_ok(upool_lanes_stop(lanes, FOREVER), "they stop");
}

static void test_stale(void)
{
    cache c;
    upool_lanes *lanes = lanes_new(&c, SOON);
    upool_lane_message m = message(UPOOL_LANE_STORE, 8, 3);
    unsigned value;

    m.until = apr_time_now() - 1;
    upool_lanes_send(lanes, &m);
    tap_is_int(ask(lanes, 8, &value, FOREVER), UPOOL_LANE_NOTHING,
               "what is past its time is not sent");
    tap_ok(upool_lanes_stop(lanes, FOREVER), "they stop");
}

static void test_stop(void)
{
    cache c;
    upool_lanes *lanes = lanes_new(&c, FOREVER);
    unsigned n;

    tap_ok(upool_lanes_stop(lanes, 0), "lanes that never began");
    lanes = lanes_new(&c, FOREVER);
    for (n = 0; n < KEYS; n++) {
        put(lanes, n, 1);
    }
    tap_ok(upool_lanes_stop(lanes, FOREVER), "they stop");
    tap_is_int(c.stores, KEYS, "when all they hold is sent");
    lanes = lanes_new(&c, FOREVER);
    c.failing = 1;
    for (n = 0; n < KEYS; n++) {
        put(lanes, n, 1);
    }
    tap_ok(upool_lanes_stop(lanes, FOREVER),
           "a cache that is away holds up nobody");
    tap_ok(c.failures <= KEYS, "nor is it tried for ever");
    lanes = lanes_new(&c, SOON);
    set(&c, &c.hanging, 1);
    put(lanes, 2, 1);
    await(&c, &c.inside, 1);
    tap_ok(!upool_lanes_stop(lanes, SOON), "one that hangs stays behind");
    set(&c, &c.hanging, 0);
    tap_ok(upool_lanes_stop(lanes, FOREVER), "until it does not");
}

typedef struct crowd {
    upool_lanes *lanes;
    unsigned first;
    unsigned wrong;
} crowd;

/* Each sender has keys of its own, whose values only go up. */
static void *crowd_run(void *data)
{
    crowd *c = data;
    unsigned round, value, seen[4] = { 0, 0, 0, 0 };

    for (round = 1; round <= 2000; round++) {
        unsigned key = round % 4;

        put(c->lanes, c->first + key, round);
        if (round % 16 == key
            && ask(c->lanes, c->first + key, &value, FOREVER)
                   == UPOOL_LANE_GOOD) {
            c->wrong += value != round || value < seen[key];
            seen[key] = value;
        }
    }
    return NULL;
}

static void test_crowd(void)
{
    cache c;
    crowd crowds[4];
    pthread_t threads[4];
    unsigned n, wrong = 0;
    upool_lanes *lanes = lanes_new(&c, SOON);

    for (n = 0; n < 4; n++) {
        crowds[n].lanes = lanes;
        crowds[n].first = n * 4;
        crowds[n].wrong = 0;
        pthread_create(&threads[n], NULL, crowd_run, &crowds[n]);
    }
    for (n = 0; n < 4; n++) {
        pthread_join(threads[n], NULL);
        wrong += crowds[n].wrong;
    }
    tap_is_int(wrong, 0, "who asks finds what he sent");
    tap_is_int(c.backward, 0, "nothing is overtaken");
    tap_ok(upool_lanes_stop(lanes, FOREVER), "they stop");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&global, NULL);
    test_life();
    test_hanging();
    test_failing();
    test_stale();
    test_stop();
    test_crowd();
    return tap_done();
}
