/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/parklist.h"

#include <apr_allocator.h>
#include <apr_signal.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <http_core.h>
#include <mpm_common.h>

/* The mutex is released after this many, for requests that come and go. */
#define LOOK_AT 256
/* The nodes that a connection's allocator keeps for its next allocations: the
 * buffer of the last read, and another one of its size. */
#define SPARE_NODES 2

struct upool_parklist {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *change; /* a request has come, or the list ends */
    apr_thread_t *watcher;
    APR_RING_HEAD(upool_ring, upool_parked) ring;
    apr_interval_time_t every;
    unsigned int round;
    int ends;
};

static int is_empty(const upool_parklist *list)
{
    return APR_RING_EMPTY(&list->ring, upool_parked, link);
}

/* Makes the socket readable for the listener.  It is not closed until the
 * worker that the listener sends has taken the request out of the list. */
static void wake(upool_parked *parked, upool_reason why)
{
    parked->woken = 1;
    parked->doom = why;
    if (parked->alarm.is_set) {
        upool_alarm_ring(&parked->alarm);
    }
    else {
        apr_socket_shutdown(ap_get_conn_socket(parked->c), APR_SHUTDOWN_READ);
    }
}

/* A connection's allocator keeps freed memory for as long as the connection
 * lives (MaxMemFree).  Memory that is taken out and freed under a lower limit
 * goes back to the system: a page or two for each of thousands of
 * connections. */
static void give_back_memory(const conn_rec *c)
{
    apr_allocator_t *allocator = apr_pool_allocator_get(c->pool);
    apr_memnode_t *nodes[SPARE_NODES];
    int n;

    for (n = 0; n < SPARE_NODES; n++) {
        nodes[n] = apr_allocator_alloc(allocator, APR_BUCKET_BUFF_SIZE);
    }
    apr_allocator_max_free_set(allocator, 1);
    for (n = 0; n < SPARE_NODES; n++) {
        if (nodes[n]) {
            apr_allocator_free(allocator, nodes[n]);
        }
    }
    apr_allocator_max_free_set(allocator, ap_max_mem_free);
}

static void judge_upload(upool_parked *parked, apr_time_t now)
{
    const upool_request *rq = upool_request_get(parked->r);

    if (!parked->alarm.is_set && now >= parked->end.at) {
        wake(parked, parked->end.reason);
    }
    else if (upool_sink_is_unwanted(&rq->sink)) {
        wake(parked, UPOOL_REASON_NONE);
    }
    /* A client that is looked at twice sends less often than we look. */
    else if (++parked->looks == 2) {
        give_back_memory(parked->c);
    }
}

static void judge(upool_parked *parked, apr_time_t now)
{
    if (parked->woken) {
        return;
    }
    if (!parked->stream) {
        judge_upload(parked, now);
    }
    else if (parked->look(parked->stream, now)) {
        wake(parked, UPOOL_REASON_NONE);
    }
}

/* Requests that were looked at go to the end.  1 when there may be more. */
static int look_at_some(upool_parklist *list, apr_time_t now)
{
    int n;

    for (n = 0; n < LOOK_AT && !is_empty(list); n++) {
        upool_parked *parked = APR_RING_FIRST(&list->ring);

        if (parked->round == list->round) {
            return 0;
        }
        parked->round = list->round;
        APR_RING_REMOVE(parked, link);
        APR_RING_INSERT_TAIL(&list->ring, parked, upool_parked, link);
        judge(parked, now);
    }
    return !is_empty(list);
}

/* Called under the mutex, and releases it now and then. */
static void look_at_all(upool_parklist *list)
{
    apr_time_t now = apr_time_now();

    list->round++;
    while (!list->ends && look_at_some(list, now)) {
        apr_thread_mutex_unlock(list->mutex);
        apr_thread_yield();
        apr_thread_mutex_lock(list->mutex);
    }
}

static void *APR_THREAD_FUNC watch(apr_thread_t *thread, void *data)
{
    upool_parklist *list = data;

    /* Signals are for the MPM's threads. */
    apr_setup_signal_thread();
    apr_thread_mutex_lock(list->mutex);
    while (!list->ends) {
        if (is_empty(list)) {
            apr_thread_cond_wait(list->change, list->mutex);
        }
        else {
            apr_thread_cond_timedwait(list->change, list->mutex, list->every);
            look_at_all(list);
        }
    }
    apr_thread_mutex_unlock(list->mutex);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static apr_status_t stop(void *data)
{
    upool_parklist *list = data;
    apr_status_t rv;

    apr_thread_mutex_lock(list->mutex);
    list->ends = 1;
    apr_thread_cond_signal(list->change);
    apr_thread_mutex_unlock(list->mutex);
    apr_thread_join(&rv, list->watcher);
    return APR_SUCCESS;
}

upool_parklist *upool_parklist_make(apr_pool_t *pchild,
                                    apr_interval_time_t every)
{
    upool_parklist *list = apr_pcalloc(pchild, sizeof(*list));

    list->every = every;
    APR_RING_INIT(&list->ring, upool_parked, link);
    if (apr_thread_mutex_create(&list->mutex, APR_THREAD_MUTEX_DEFAULT, pchild)
        || apr_thread_cond_create(&list->change, pchild)
        || apr_thread_create(&list->watcher, NULL, watch, list, pchild)) {
        return NULL;
    }
    /* Stops the watcher before the mutex goes. */
    apr_pool_pre_cleanup_register(pchild, list, stop);
    return list;
}

/* A stream counts itself, whichever way it waits. */
static void count(const upool_parked *parked, int is_parked)
{
    if (!parked->stream) {
        upool_sink_park(&upool_request_get(parked->r)->sink, is_parked);
    }
}

void upool_parklist_add(upool_parklist *list, upool_parked *parked)
{
    int first;

    count(parked, 1);
    apr_thread_mutex_lock(list->mutex);
    first = is_empty(list);
    parked->listed = 1;
    parked->woken = 0;
    parked->looks = 0;
    parked->doom = UPOOL_REASON_NONE;
    parked->round = list->round;
    APR_RING_INSERT_TAIL(&list->ring, parked, upool_parked, link);
    if (first) {
        apr_thread_cond_signal(list->change);
    }
    apr_thread_mutex_unlock(list->mutex);
}

void upool_parklist_remove(upool_parklist *list, upool_parked *parked)
{
    int listed;

    apr_thread_mutex_lock(list->mutex);
    listed = parked->listed;
    if (listed) {
        parked->listed = 0;
        APR_RING_REMOVE(parked, link);
    }
    apr_thread_mutex_unlock(list->mutex);
    if (listed) {
        count(parked, 0);
    }
}
