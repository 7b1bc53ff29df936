/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_LANES_H
#define UPOOL_PROGRESS_LANES_H

/* A few threads that talk to a cache, so that nobody else has to wait for it.
 * httpd's cache providers have no timeout that works: a cache that takes
 * connections and does not answer holds its caller for ever.  Here it holds
 * only a lane, and the uploads never notice.
 *
 *     send ──> [key|key|key] ──> lane 0 ──> work()
 *     send ──> [key]         ──> lane 1 ──> work()
 *     ask  ──> …                  each key has its lane, so it stays in order
 *
 * Only the last message for a key matters: a newer one takes the place of an
 * older one that still waits, so a lane never holds more than one message for
 * an upload, and a cache that comes back gets what is true by then.  After a
 * failure a lane rests.  A message that is past its time is dropped, and so is
 * one that finds no room.
 *
 * Each process makes its own set (threads do not survive a fork).  A lane
 * starts with the first message.  Any thread may send and ask. */

#include <apr_pools.h>
#include <apr_time.h>

#define UPOOL_LANES 4
#define UPOOL_LANE_KEY 32
/* Room for a record in a message, and a little to see that one is too long. */
#define UPOOL_LANE_DATA 704
/* Messages that may wait in one lane. */
#define UPOOL_LANE_ROOM 256

typedef enum upool_lane_kind {
    UPOOL_LANE_STORE = 0, /* data under key */
    UPOOL_LANE_REMOVE,    /* what is under key */
    UPOOL_LANE_FIND       /* fills in data and len */
} upool_lane_kind;

typedef enum upool_lane_result {
    UPOOL_LANE_GOOD = 0,
    UPOOL_LANE_NOTHING, /* there is nothing under that key */
    UPOOL_LANE_FAILED   /* the cache cannot be reached: the lane rests */
} upool_lane_result;

typedef struct upool_lane_message {
    upool_lane_kind kind;
    unsigned char key[UPOOL_LANE_KEY];
    unsigned char data[UPOOL_LANE_DATA];
    unsigned int len;
    apr_interval_time_t lives; /* from when it is stored */
    apr_time_t until;          /* not worth sending after that */
} upool_lane_message;

/* Does what the message says, in a lane's thread; p is cleared afterwards.  It
 * may take any time. */
typedef upool_lane_result upool_lane_work_fn(void *user,
                                             upool_lane_message *message,
                                             apr_pool_t *p);

typedef struct upool_lanes upool_lanes;

/* Makes the lanes; no thread runs yet.  rest: how long a lane rests after a
 * failure.  NULL: no memory.  p has to outlive the threads, so it must be one
 * that the process never destroys. */
upool_lanes *upool_lanes_make(upool_lane_work_fn *work, void *user,
                              apr_interval_time_t rest, apr_pool_t *p);

/* Sends a STORE or REMOVE; never waits.  1; 0: it was dropped. */
int upool_lanes_send(upool_lanes *lanes, const upool_lane_message *message);

/* Asks a FIND and waits for the answer, at most as long as patience; it does
 * not wait at all while the lane rests or has been waiting for the cache for as
 * long as that.  GOOD: message holds the answer. */
upool_lane_result upool_lanes_ask(upool_lanes *lanes,
                                  upool_lane_message *message,
                                  apr_interval_time_t patience);

/* To be called when the process ends: lanes send what they hold, and the call
 * waits for them as long as patience.  1: all are done; 0: one is not, and is
 * left running. */
int upool_lanes_stop(upool_lanes *lanes, apr_interval_time_t patience);

#endif
