/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/choice.h"

#include <string.h>

#include "upload/parts.h"

#define FIRST_ROOM ((apr_size_t)2048)

struct upool_choice {
    upool_limits limits;
    upool_choice_pick *pick;
    void *user;
    apr_pool_t *p;
    upool_parts *parser;
    upool_fields *fields;
    apr_int64_t memory;
    upool_refusal looked;  /* refusal by the looking: not for the client */
    upool_refusal refusal; /* before there was an inner one */
    upool_sink waiting;    /* ops NULL: none, or chosen */
    upool_sink inner;      /* ops NULL: not chosen yet */
    char *held;            /* in p, which keeps it until the end */
    apr_size_t len;
    apr_size_t room;
};

/* Anything that stops the parser ends the looking: a file, or a body that the
 * chosen sink will refuse in its own words. */
static int on_begin(void *user, const upool_part *part)
{
    upool_choice *choice = user;

    if (part->filename) {
        return 1;
    }
    upool_fields_begin(choice->fields, part->name);
    return 0;
}

static int on_data(void *user, const char *data, apr_size_t len)
{
    upool_choice *choice = user;

    return upool_fields_data(choice->fields, data, len) != UPOOL_REASON_NONE;
}

static int on_end(void *user)
{
    upool_choice *choice = user;

    upool_fields_end(choice->fields);
    return 0;
}

static const upool_parts_events events = {
    .begin = on_begin,
    .data = on_data,
    .end = on_end,
};

static int settle(upool_choice *choice)
{
    /* The waiting upload has its answer: from here on the chosen sink has it,
     * or it is gone. */
    choice->waiting.ops = NULL;
    if (choice->pick(choice->user, upool_fields_list(choice->fields),
                     &choice->inner, &choice->refusal)) {
        return 1;
    }
    return choice->len
           && upool_sink_feed(&choice->inner, choice->held, choice->len);
}

static void hold(upool_choice *choice, const char *data, apr_size_t len)
{
    apr_size_t room = choice->room ? choice->room : FIRST_ROOM;
    char *held;

    while (room - choice->len < len) {
        room *= 2;
    }
    if (room != choice->room) {
        held = apr_palloc(choice->p, room);
        if (choice->len) {
            memcpy(held, choice->held, choice->len);
        }
        choice->held = held;
        choice->room = room;
    }
    memcpy(choice->held + choice->len, data, len);
    choice->len += len;
}

/* The sink that must hear of it now; NULL: only the choice itself. */
static const upool_sink *listener(const upool_choice *choice)
{
    return choice->inner.ops     ? &choice->inner
           : choice->waiting.ops ? &choice->waiting
                                 : NULL;
}

static const upool_refusal *choice_refusal(void *self)
{
    upool_choice *choice = self;
    const upool_sink *sink = listener(choice);

    return sink ? upool_sink_refusal(sink) : &choice->refusal;
}

static int choice_feed(void *self, const char *data, apr_size_t len)
{
    upool_choice *choice = self;
    int seen;

    if (choice->inner.ops) {
        return upool_sink_feed(&choice->inner, data, len);
    }
    if (choice_refusal(choice)->reason) {
        return 1;
    }
    hold(choice, data, len);
    seen = upool_parts_feed(choice->parser, data, len);
    return seen || choice->len > UPOOL_CHOICE_MAX ? settle(choice) : 0;
}

static int choice_flush(void *self)
{
    upool_choice *choice = self;
    const upool_sink *sink = listener(choice);

    return sink ? upool_sink_flush(sink)
                : choice->refusal.reason != UPOOL_REASON_NONE;
}

static int choice_finish(void *self)
{
    upool_choice *choice = self;

    if (!choice->inner.ops
        && (choice_refusal(choice)->reason || settle(choice)
            || upool_sink_flush(&choice->inner))) {
        return 1;
    }
    return upool_sink_finish(&choice->inner);
}

static void choice_refuse(void *self, upool_reason reason, apr_status_t rv,
                          const char *detail)
{
    upool_choice *choice = self;
    const upool_sink *sink = listener(choice);

    if (sink) {
        upool_sink_refuse(sink, reason, rv, detail);
    }
    else if (choice->refusal.reason == UPOOL_REASON_NONE) {
        choice->refusal = upool_refusal_make(reason, rv, detail);
    }
}

static int choice_is_unwanted(void *self)
{
    upool_choice *choice = self;
    const upool_sink *sink = listener(choice);

    return sink ? upool_sink_is_unwanted(sink)
                : choice->refusal.reason != UPOOL_REASON_NONE;
}

static void choice_park(void *self, int parked)
{
    const upool_sink *sink = listener(self);

    if (sink) {
        upool_sink_park(sink, parked);
    }
}

static apr_off_t choice_received(const void *self)
{
    const upool_choice *choice = self;

    return choice->inner.ops ? upool_sink_received(&choice->inner)
                             : (apr_off_t)choice->len;
}

static const upool_sink_ops ops = {
    .feed = choice_feed,
    .flush = choice_flush,
    .finish = choice_finish,
    .refuse = choice_refuse,
    .is_unwanted = choice_is_unwanted,
    .park = choice_park,
    .received = choice_received,
    .refusal = choice_refusal,
};

upool_choice *upool_choice_make(const char *boundary, apr_size_t boundary_len,
                                const upool_limits *limits,
                                const upool_sink *waiting,
                                upool_choice_pick *pick, void *user,
                                apr_pool_t *p)
{
    upool_choice *choice = apr_pcalloc(p, sizeof(*choice));

    choice->limits = *limits;
    choice->memory = limits->fields;
    if (waiting) {
        choice->waiting = *waiting;
    }
    choice->pick = pick;
    choice->user = user;
    choice->p = p;
    choice->fields = upool_fields_make(&choice->limits, &choice->memory, p);
    choice->parser = upool_parts_make(boundary, boundary_len, &choice->limits,
                                      &choice->looked, &events, choice, p);
    return choice;
}

upool_sink upool_choice_sink(upool_choice *choice)
{
    upool_sink sink;

    sink.ops = &ops;
    sink.self = choice;
    return sink;
}
