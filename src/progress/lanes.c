/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/lanes.h"

#include <signal.h>
#include <string.h>

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

typedef enum note_state {
    NOTE_FREE = 0, /* in the free list -> WAITING */
    NOTE_WAITING,  /* in the queue -> AT_WORK */
    NOTE_AT_WORK,  /* the lane has it -> FREE, or ANSWERED if asked for */
    NOTE_ANSWERED  /* who asked has yet to take it -> FREE */
} note_state;

/* A message and where it stands. */
typedef struct note {
    upool_lane_message message;
    note_state state;
    int asked; /* somebody waits for the answer */
    upool_lane_result result;
    struct note *next;
} note;

typedef struct lane {
    struct upool_lanes *lanes;
    apr_pool_t *p;   /* cleared by the lane's thread */
    apr_pool_t *own; /* of the thread, and of the notes */
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *wanted;   /* by the lane: there is something to do */
    apr_thread_cond_t *answered; /* by those who ask */
    int notes;                   /* that there are */
    note *spare;                 /* FREE ones */
    note *first, *last;          /* WAITING ones, in order */
    apr_time_t since;            /* the work began; 0: none is at work */
    apr_time_t rests_until;
    int tried; /* to start */
    int started;
    int stopped;
} lane;

struct upool_lanes {
    upool_lane_work_fn *work;
    void *user;
    apr_interval_time_t rest;
    apr_pool_t *p;
    int stopping; /* under each lane's mutex */
    lane lane[UPOOL_LANES];
};

/* A pool with an allocator of its own: one thread uses it beside others. */
static apr_status_t own_pool(apr_pool_t **p, apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv) {
        return rv;
    }
    rv = apr_pool_create_ex(p, parent, NULL, allocator);
    if (rv) {
        apr_allocator_destroy(allocator);
        return rv;
    }
    apr_allocator_owner_set(allocator, *p);
    return APR_SUCCESS;
}

upool_lanes *upool_lanes_make(upool_lane_work_fn *work, void *user,
                              apr_interval_time_t rest, apr_pool_t *p)
{
    upool_lanes *lanes = apr_pcalloc(p, sizeof(*lanes));
    int n;

    lanes->work = work;
    lanes->user = user;
    lanes->rest = rest;
    lanes->p = p;
    for (n = 0; n < UPOOL_LANES; n++) {
        lane *l = &lanes->lane[n];

        l->lanes = lanes;
        if (own_pool(&l->p, p) || own_pool(&l->own, p)
            || apr_thread_mutex_create(&l->mutex, APR_THREAD_MUTEX_DEFAULT, p)
            || apr_thread_cond_create(&l->wanted, p)
            || apr_thread_cond_create(&l->answered, p)) {
            return NULL;
        }
    }
    return lanes;
}

/* --- The queue; all under the lane's mutex --- */

static void note_free(lane *l, note *n)
{
    n->state = NOTE_FREE;
    n->next = l->spare;
    l->spare = n;
}

static note *note_take(lane *l)
{
    note *n = l->spare;

    if (n) {
        l->spare = n->next;
        n->next = NULL;
    }
    else if (l->notes < UPOOL_LANE_ROOM) {
        n = apr_pcalloc(l->own, sizeof(*n));
        l->notes++;
    }
    return n;
}

static void queue_add(lane *l, note *n)
{
    n->state = NOTE_WAITING;
    if (l->last) {
        l->last->next = n;
    }
    else {
        l->first = n;
    }
    l->last = n;
}

static note *queue_pop(lane *l)
{
    note *n = l->first;

    l->first = n->next;
    if (!l->first) {
        l->last = NULL;
    }
    n->next = NULL;
    return n;
}

/* The note that waits to be stored or removed under that key. */
static note *queue_find(lane *l, const unsigned char *key)
{
    note *n;

    for (n = l->first; n; n = n->next) {
        if (n->message.kind != UPOOL_LANE_FIND
            && memcmp(n->message.key, key, UPOOL_LANE_KEY) == 0) {
            break;
        }
    }
    return n;
}

/* --- The thread --- */

/* Waits until there is something to do.  0: the lane has to stop. */
static int await_work(lane *l)
{
    for (;;) {
        apr_time_t now = apr_time_now();

        if (l->first && (now >= l->rests_until || l->lanes->stopping)) {
            return 1;
        }
        if (l->lanes->stopping) {
            return 0;
        }
        if (l->first) {
            apr_thread_cond_timedwait(l->wanted, l->mutex,
                                      l->rests_until - now);
        }
        else {
            apr_thread_cond_wait(l->wanted, l->mutex);
        }
    }
}

/* Takes the result of one note.  A note that failed and that nobody waits for
 * goes back to be tried again, unless there is a newer one. */
static void note_done(lane *l, note *n, upool_lane_result result)
{
    l->since = 0;
    if (result == UPOOL_LANE_FAILED) {
        l->rests_until = apr_time_now() + l->lanes->rest;
    }
    if (n->message.kind == UPOOL_LANE_FIND) {
        n->result = result;
        if (n->asked) {
            n->state = NOTE_ANSWERED;
            apr_thread_cond_broadcast(l->answered);
        }
        else {
            note_free(l, n);
        }
    }
    else if (result == UPOOL_LANE_FAILED && !l->lanes->stopping
             && !queue_find(l, n->message.key)) {
        queue_add(l, n);
    }
    else {
        note_free(l, n);
    }
}

/* The note is out of date, or sending is hopeless: a lane that is told to stop
 * while the cache is away sends nothing. */
static int is_stale(const lane *l, const note *n)
{
    apr_time_t now = apr_time_now();

    return n->message.until < now
           || (l->lanes->stopping && now < l->rests_until);
}

static void *APR_THREAD_FUNC lane_run(apr_thread_t *thread, void *data)
{
    lane *l = data;

    (void)thread;
    apr_thread_mutex_lock(l->mutex);
    while (await_work(l)) {
        note *n = queue_pop(l);
        upool_lane_result result;

        if (is_stale(l, n)) {
            note_done(l, n, UPOOL_LANE_NOTHING);
            continue;
        }
        n->state = NOTE_AT_WORK;
        l->since = apr_time_now();
        apr_thread_mutex_unlock(l->mutex);
        result = l->lanes->work(l->lanes->user, &n->message, l->p);
        apr_pool_clear(l->p);
        apr_thread_mutex_lock(l->mutex);
        note_done(l, n, result);
    }
    l->stopped = 1;
    apr_thread_cond_broadcast(l->answered);
    apr_thread_mutex_unlock(l->mutex);
    return NULL;
}

/* The thread takes no signals: those of the process are for its other threads,
 * which wait to be interrupted by them. */
static int lane_start(lane *l)
{
    apr_threadattr_t *attr = NULL;
    apr_thread_t *thread = NULL;
    sigset_t all, before;
    apr_status_t rv;

    l->tried = 1;
    rv = apr_threadattr_create(&attr, l->own);
    if (!rv) {
        rv = apr_threadattr_detach_set(attr, 1);
    }
    if (!rv) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        rv = apr_thread_create(&thread, attr, lane_run, l, l->own);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    l->started = !rv;
    return l->started;
}

static lane *lane_of(upool_lanes *lanes, const unsigned char *key)
{
    return &lanes->lane[key[0] % UPOOL_LANES];
}

/* Under the mutex.  0: this lane takes nothing. */
static int lane_is_open(lane *l)
{
    return !l->lanes->stopping && (l->started || (!l->tried && lane_start(l)));
}

/* --- For everybody --- */

int upool_lanes_send(upool_lanes *lanes, const upool_lane_message *message)
{
    lane *l = lane_of(lanes, message->key);
    note *n = NULL;
    int is_new = 0;

    apr_thread_mutex_lock(l->mutex);
    if (lane_is_open(l)) {
        n = queue_find(l, message->key);
        if (!n) {
            is_new = 1;
            n = note_take(l);
        }
    }
    if (n) {
        n->message = *message;
        n->asked = 0;
        if (is_new) {
            queue_add(l, n);
            apr_thread_cond_signal(l->wanted);
        }
    }
    apr_thread_mutex_unlock(l->mutex);
    return n != NULL;
}

/* Waits for the answer; under the mutex.  A caller that gives up leaves the
 * note to the lane. */
static upool_lane_result await_answer(lane *l, note *n, apr_time_t deadline,
                                      upool_lane_message *message)
{
    upool_lane_result result;
    apr_time_t now;

    while (n->state != NOTE_ANSWERED) {
        now = apr_time_now();
        if (now >= deadline) {
            n->asked = 0;
            return UPOOL_LANE_FAILED;
        }
        apr_thread_cond_timedwait(l->answered, l->mutex, deadline - now);
    }
    result = n->result;
    if (result == UPOOL_LANE_GOOD) {
        *message = n->message;
    }
    note_free(l, n);
    return result;
}

upool_lane_result upool_lanes_ask(upool_lanes *lanes,
                                  upool_lane_message *message,
                                  apr_interval_time_t patience)
{
    lane *l = lane_of(lanes, message->key);
    upool_lane_result result = UPOOL_LANE_FAILED;
    note *n = NULL;
    apr_time_t now;

    apr_thread_mutex_lock(l->mutex);
    now = apr_time_now();
    if (now >= l->rests_until && (!l->since || now - l->since < patience)
        && lane_is_open(l)) {
        n = note_take(l);
    }
    if (n) {
        n->message = *message;
        n->message.kind = UPOOL_LANE_FIND;
        n->message.until = now + patience;
        n->asked = 1;
        queue_add(l, n);
        apr_thread_cond_signal(l->wanted);
        result = await_answer(l, n, now + patience, message);
    }
    apr_thread_mutex_unlock(l->mutex);
    return result;
}

static int lane_stop(lane *l, apr_time_t deadline)
{
    int done;

    apr_thread_mutex_lock(l->mutex);
    while (l->started && !l->stopped && apr_time_now() < deadline) {
        apr_thread_cond_timedwait(l->answered, l->mutex,
                                  deadline - apr_time_now());
    }
    done = !l->started || l->stopped;
    apr_thread_mutex_unlock(l->mutex);
    return done;
}

int upool_lanes_stop(upool_lanes *lanes, apr_interval_time_t patience)
{
    apr_time_t deadline = apr_time_now() + patience;
    int n, done = 1;

    for (n = 0; n < UPOOL_LANES; n++) {
        apr_thread_mutex_lock(lanes->lane[n].mutex);
    }
    lanes->stopping = 1;
    for (n = 0; n < UPOOL_LANES; n++) {
        apr_thread_cond_signal(lanes->lane[n].wanted);
        apr_thread_mutex_unlock(lanes->lane[n].mutex);
    }
    for (n = 0; n < UPOOL_LANES; n++) {
        done &= lane_stop(&lanes->lane[n], deadline);
    }
    return done;
}
