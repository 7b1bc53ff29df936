/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/counters.h"

#include "progress/atomic.h"

/* "uploadct"; the layout word changes with anything that the header draws. */
#define COUNTERS_MAGIC APR_UINT64_C(0x75706c6f61646374)
#define COUNTERS_LAYOUT \
    (((apr_uint64_t)5 << 32) | ((apr_uint64_t)UPOOL_TOTALS << 16) \
     | UPOOL_COUNTERS_REASONS)

#define PARKED_SHIFT 32
#define LIVE_MASK (((apr_uint64_t)1 << PARKED_SHIFT) - 1)

#define GROUP_BITS 21
#define GROUPS_IN_WORD 3
#define GROUP_WORDS (UPOOL_COUNTERS_GROUPS / GROUPS_IN_WORD)

/* One word on a cache line of its own. */
typedef struct counter_line {
    apr_uint64_t value;
    apr_uint64_t fill[7];
} counter_line;

typedef struct counter_cell {
    apr_uint64_t hold;
    apr_uint64_t uploads; /* live, and above PARKED_SHIFT parked */
    apr_uint64_t gauges[UPOOL_GAUGES];
    apr_uint64_t groups[GROUP_WORDS];
} counter_cell;

struct upool_counters {
    apr_uint64_t magic; /* stored last */
    apr_uint64_t layout;
    apr_uint64_t cells;
    apr_uint64_t down;
    apr_uint64_t fill[4];
    counter_line totals[UPOOL_TOTALS];
    apr_uint64_t failed[UPOOL_COUNTERS_REASONS];
    apr_uint64_t refused[UPOOL_COUNTERS_REASONS];
};

_Static_assert(sizeof(counter_cell) == 64, "a cell is one cache line");
_Static_assert(sizeof(upool_counters) % 64 == 0, "cells begin at a line");

static counter_cell *cell_at(const upool_counters *counters, apr_uint64_t n)
{
    void *cells = (upool_counters *)counters + 1;

    return (counter_cell *)cells + n;
}

static apr_int64_t hold_process(apr_uint64_t hold)
{
    return (apr_int64_t)(hold & 0xffffffffU);
}

/* The hold of the next generation. */
static apr_uint64_t hold_next(apr_uint64_t hold, apr_int64_t process)
{
    return (((hold >> 32) + 1) << 32) | ((apr_uint64_t)process & 0xffffffffU);
}

apr_size_t upool_counters_bytes(apr_uint32_t cells)
{
    return cells == 0 || cells > UPOOL_COUNTERS_CELLS_MAX
               ? 0
               : sizeof(upool_counters) + cells * sizeof(counter_cell);
}

upool_counters *upool_counters_init(void *memory, apr_size_t bytes,
                                    apr_uint32_t cells)
{
    apr_size_t need = upool_counters_bytes(cells);
    upool_counters *counters = memory;

    if (need == 0 || bytes < need) {
        return NULL;
    }
    counters->layout = COUNTERS_LAYOUT;
    counters->cells = cells;
    upool_store(&counters->magic, COUNTERS_MAGIC);
    return counters;
}

upool_counters *upool_counters_attach(void *memory, apr_size_t bytes)
{
    upool_counters *counters = memory;
    apr_size_t need;

    if (bytes < sizeof(*counters)
        || upool_load(&counters->magic) != COUNTERS_MAGIC
        || counters->layout != COUNTERS_LAYOUT
        || counters->cells > UPOOL_COUNTERS_CELLS_MAX) {
        return NULL;
    }
    need = upool_counters_bytes((apr_uint32_t)counters->cells);
    return need > 0 && bytes >= need ? counters : NULL;
}

int upool_counters_set_down(upool_counters *counters, int down)
{
    if (!counters) {
        return 1;
    }
    if (upool_swap(&counters->down, (apr_uint64_t)down) == (apr_uint64_t)down) {
        return 0;
    }
    if (down) {
        upool_counters_add(counters, UPOOL_TOTAL_OUTAGES, 1);
    }
    return 1;
}

int upool_counters_is_down(const upool_counters *counters)
{
    return counters && upool_load(&counters->down) != 0;
}

void upool_counters_add(upool_counters *counters, upool_total total,
                        apr_uint64_t by)
{
    if (counters) {
        upool_add(&counters->totals[total].value, by);
    }
}

apr_uint64_t upool_counters_total(const upool_counters *counters,
                                  upool_total total)
{
    return counters ? upool_load(&counters->totals[total].value) : 0;
}

static int is_reason(const upool_counters *counters, int reason)
{
    return counters && reason >= 0 && reason < UPOOL_COUNTERS_REASONS;
}

void upool_counters_fail(upool_counters *counters, int reason)
{
    if (is_reason(counters, reason)) {
        upool_add(&counters->failed[reason], 1);
    }
}

void upool_counters_refuse(upool_counters *counters, int reason)
{
    if (is_reason(counters, reason)) {
        upool_add(&counters->refused[reason], 1);
    }
}

apr_uint64_t upool_counters_failed(const upool_counters *counters, int reason)
{
    return is_reason(counters, reason) ? upool_load(&counters->failed[reason])
                                       : 0;
}

apr_uint64_t upool_counters_refused(const upool_counters *counters, int reason)
{
    return is_reason(counters, reason) ? upool_load(&counters->refused[reason])
                                       : 0;
}

apr_uint32_t upool_counters_join(upool_counters *counters, apr_int64_t process)
{
    apr_uint32_t n;

    for (n = 0; counters && n < counters->cells; n++) {
        counter_cell *cell = cell_at(counters, n);
        apr_uint64_t hold = upool_load(&cell->hold);

        if (hold_process(hold) == 0
            && upool_cas(&cell->hold, hold, hold_next(hold, process))) {
            return n + 1;
        }
    }
    return 0;
}

/* Neither number is ever lowered below 0, so none borrows from the other. */
void upool_counters_turn_uploads(upool_counters *counters, apr_uint32_t cell,
                                 int live, int parked)
{
    if (counters && cell > 0 && cell <= counters->cells) {
        upool_add(&cell_at(counters, cell - 1)->uploads,
                  (apr_uint64_t)(apr_int64_t)live
                      + ((apr_uint64_t)(apr_int64_t)parked << PARKED_SHIFT));
    }
}

upool_uploads upool_counters_uploads(const upool_counters *counters)
{
    upool_uploads sum = { 0, 0 };
    apr_uint64_t n;

    for (n = 0; counters && n < counters->cells; n++) {
        const counter_cell *cell = cell_at(counters, n);

        if (hold_process(upool_load(&cell->hold)) != 0) {
            apr_uint64_t uploads = upool_load(&cell->uploads);

            sum.live += uploads & LIVE_MASK;
            sum.parked += uploads >> PARKED_SHIFT;
        }
    }
    return sum;
}

void upool_counters_turn(upool_counters *counters, apr_uint32_t cell,
                         upool_gauge gauge, int by)
{
    if (counters && cell > 0 && cell <= counters->cells) {
        /* Two's complement: adding the greatest word lowers by one. */
        upool_add(&cell_at(counters, cell - 1)->gauges[gauge],
                  (apr_uint64_t)(apr_int64_t)by);
    }
}

apr_uint64_t upool_counters_gauge(const upool_counters *counters,
                                  upool_gauge gauge)
{
    apr_uint64_t sum = 0, n;

    for (n = 0; counters && n < counters->cells; n++) {
        const counter_cell *cell = cell_at(counters, n);

        if (hold_process(upool_load(&cell->hold)) != 0) {
            sum += upool_load(&cell->gauges[gauge]);
        }
    }
    return sum;
}

static unsigned group_shift(unsigned group)
{
    return group % GROUPS_IN_WORD * GROUP_BITS;
}

/* A number is never lowered below 0, so it borrows nothing from its neighbour;
 * nor does it carry: UploadWatchers is below 2^21. */
void upool_counters_turn_group(upool_counters *counters, apr_uint32_t cell,
                               unsigned group, int by)
{
    if (counters && cell > 0 && cell <= counters->cells) {
        upool_add(&cell_at(counters, cell - 1)->groups[group / GROUPS_IN_WORD],
                  (apr_uint64_t)(apr_int64_t)by << group_shift(group));
    }
}

apr_uint64_t upool_counters_group(const upool_counters *counters,
                                  unsigned group)
{
    apr_uint64_t sum = 0, n;

    for (n = 0; counters && n < counters->cells; n++) {
        const counter_cell *cell = cell_at(counters, n);

        if (hold_process(upool_load(&cell->hold)) != 0) {
            sum += upool_load(&cell->groups[group / GROUPS_IN_WORD])
                       >> group_shift(group)
                   & (((apr_uint64_t)1 << GROUP_BITS) - 1);
        }
    }
    return sum;
}

/* Empties a cell that the caller has to settle, under hold.  Gauges come before
 * hold: a process killed in between leaves less to settle, not more. */
static apr_uint64_t cell_settle(upool_counters *counters, counter_cell *cell,
                                apr_uint64_t hold, int reason)
{
    apr_uint64_t live = upool_swap(&cell->uploads, 0) & LIVE_MASK;
    int n;

    upool_counters_add(counters, UPOOL_TOTAL_STARTED,
                       upool_swap(&cell->gauges[UPOOL_GAUGE_UNDECIDED], 0));
    for (n = 0; n < UPOOL_GAUGES; n++) {
        upool_swap(&cell->gauges[n], 0);
    }
    for (n = 0; n < GROUP_WORDS; n++) {
        upool_swap(&cell->groups[n], 0);
    }
    if (live && is_reason(counters, reason)) {
        upool_add(&counters->failed[reason], live);
    }
    upool_cas(&cell->hold, hold, hold_next(hold, 0));
    return live;
}

apr_uint64_t upool_counters_reap(upool_counters *counters, apr_int64_t process,
                                 upool_alive_fn *alive, int reason)
{
    apr_uint64_t ended = 0, n;

    for (n = 0; counters && n < counters->cells; n++) {
        counter_cell *cell = cell_at(counters, n);
        apr_uint64_t hold = upool_load(&cell->hold);
        apr_uint64_t mine = hold_next(hold, process);

        if (hold_process(hold) != 0 && !alive(hold_process(hold))
            && upool_cas(&cell->hold, hold, mine)) {
            ended += cell_settle(counters, cell, mine, reason);
        }
    }
    return ended;
}
