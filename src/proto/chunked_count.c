/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "parse/quantity.h"

const char *upool_chunked_tag(const upool_chunked *c)
{
    return upool_chunked_is_library(c)
               ? apr_psprintf(c->r->pool, "%d:%.*s", (int)c->place.piece.kind,
                              (int)c->place.piece.id_len, c->place.piece.id)
               : NULL;
}

/* --- Where it belongs ----------------------------------------------------- */

/* How long the first piece was; 0: it never came to its end. */
static apr_off_t measure_of(const upool_chunked *c)
{
    const char *text =
        upool_resume_about(c->resume)->metadata + strlen(upool_chunked_tag(c));
    long long size = 0;

    return *text == '\n' && !upool_quantity_decimal(text + 1, &size) ? size : 0;
}

int upool_chunked_begin_anew(upool_chunked *c, upool_abandon which, int *makes,
                             upool_refusal *refusal)
{
    *makes = !upool_resume_abandon(c->resume, which);
    *refusal = *upool_resume_refusal(c->resume);
    return refusal->reason != UPOOL_REASON_NONE;
}

int upool_chunked_count(upool_chunked *c, int *makes, upool_refusal *refusal)
{
    apr_off_t have = upool_resume_offset(c->resume);
    apr_off_t size = measure_of(c);
    apr_off_t start;

    /* A client that begins again, after a break or with another version of the
     * file, begins with piece 0. */
    if (c->place.piece.number == 0) {
        return c->anew ? upool_chunked_begin_anew(c, UPOOL_ABANDON_ANY, makes,
                                                  refusal)
                       : 0;
    }
    if (size == 0 || c->place.piece.number > have / size) {
        return upool_refusal_set(refusal, UPOOL_REASON_OFFSET, 0,
                                 "a piece is missing");
    }
    start = (apr_off_t)c->place.piece.number * size;
    c->place.skip = have - start;
    c->place.offset = have;
    if (c->place.length >= 0) {
        c->place.length = c->place.length > c->place.skip
                              ? c->place.length - c->place.skip
                              : 0;
    }
    return 0;
}

int upool_chunked_measure(upool_chunked *c, upool_refusal *refusal)
{
    const char *text;

    if (c->place.by != UPOOL_CHUNKED_BY_COUNT || c->place.piece.number > 0) {
        return 0;
    }
    text = apr_psprintf(c->r->pool, "%s\n%" APR_OFF_T_FMT, upool_chunked_tag(c),
                        upool_resume_offset(c->resume));
    if (!upool_resume_set_metadata(c->resume, text)) {
        return 0;
    }
    *refusal = *upool_resume_refusal(c->resume);
    return 1;
}

/* --- What is there already ------------------------------------------------ */

static int pass_feed(void *self, const char *data, apr_size_t len)
{
    upool_chunked *c = self;
    apr_size_t over =
        (apr_off_t)len < c->place.skip ? len : (apr_size_t)c->place.skip;

    c->place.skip -= (apr_off_t)over;
    return len > over ? upool_sink_feed(&c->body.rest, data + over, len - over)
                      : upool_sink_is_unwanted(&c->body.rest);
}

static int pass_flush(void *self)
{
    upool_chunked *c = self;

    return upool_sink_flush(&c->body.rest);
}

static int pass_finish(void *self)
{
    upool_chunked *c = self;

    return upool_sink_finish(&c->body.rest);
}

static void pass_refuse(void *self, upool_reason reason, apr_status_t rv,
                        const char *detail)
{
    upool_chunked *c = self;

    upool_sink_refuse(&c->body.rest, reason, rv, detail);
}

static int pass_is_unwanted(void *self)
{
    upool_chunked *c = self;

    return upool_sink_is_unwanted(&c->body.rest);
}

static void pass_park(void *self, int parked)
{
    upool_chunked *c = self;

    upool_sink_park(&c->body.rest, parked);
}

static apr_off_t pass_received(const void *self)
{
    const upool_chunked *c = self;

    return upool_sink_received(&c->body.rest);
}

static const upool_refusal *pass_refusal(void *self)
{
    upool_chunked *c = self;

    return upool_sink_refusal(&c->body.rest);
}

static const upool_sink_ops pass_ops = {
    .feed = pass_feed,
    .flush = pass_flush,
    .finish = pass_finish,
    .refuse = pass_refuse,
    .is_unwanted = pass_is_unwanted,
    .park = pass_park,
    .received = pass_received,
    .refusal = pass_refusal,
};

void upool_chunked_pass_over(upool_chunked *c, upool_sink *inner)
{
    c->body.rest = *inner;
    inner->ops = &pass_ops;
    inner->self = c;
}
