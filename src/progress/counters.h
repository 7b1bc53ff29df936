/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_COUNTERS_H
#define UPOOL_PROGRESS_COUNTERS_H

/* What the server as a whole has done and what its processes do now, in memory
 * that all of them map (at any address).  Any thread of any process may call
 * anything at any time; nothing waits and nothing is lost when a process is
 * killed.
 *
 *    +--------+----------------+------------------+------------------------+
 *    | header | totals         | failed, refused  | cells                  |
 *    +--------+----------------+------------------+------------------------+
 *      64 B     64 B each        8 B a reason       64 B a process
 *
 *    header   magic, layout, number of cells, whether the shared cache is down
 *    totals   since the server was started; each alone on its cache line,
 *             for every process adds to them
 *    failed   uploads that began and ended as an error, by upload/refusal.h
 *    refused  uploads that were turned away before they began
 *    cells    hold | live and parked | watching | holding | undecided |
 *             watching, by group, of one process; on a line of its own
 *
 * A gauge that a process raised and could not lower because it was killed would
 * stay wrong for ever.  Each process therefore counts in its own cell, and the
 * one that finds it dead (reap) settles the cell: its uploads count as failed,
 * the undecided ones as started too, and the cell becomes free.  hold says
 * which process has the cell,
 *
 *     63            32 31              0
 *    +----------------+-----------------+
 *    | generation     | process, 0: free|
 *    +----------------+-----------------+
 *
 * and changes by compare-and-swap alone; the generation goes up whenever the
 * cell changes hands.  A process that settles a cell takes it first, so that no
 * two count the same uploads; if it dies over that, another one finishes.
 *
 * Where counters is NULL nothing is counted and every number is 0. */

#include <apr.h>
#include "progress/table.h"

/* How many reasons there is room for. */
#define UPOOL_COUNTERS_REASONS 128
#define UPOOL_COUNTERS_CELLS_MAX ((apr_uint32_t)1 << 16)
/* Groups of watchers that are counted apart: three numbers of 21 bits share a
 * word. */
#define UPOOL_COUNTERS_GROUPS 9

typedef struct upool_counters upool_counters;

/* Since the server was started; they only grow. */
typedef enum upool_total {
    UPOOL_TOTAL_STARTED = 0, /* uploads that began, or went on */
    UPOOL_TOTAL_DONE,
    UPOOL_TOTAL_PAUSED,    /* requests whose upload goes on with another */
    UPOOL_TOTAL_BYTES,     /* of request bodies, taken in */
    UPOOL_TOTAL_SLOTLESS,  /* uploads that found the table full */
    UPOOL_TOTAL_SWEEPS,    /* of pools */
    UPOOL_TOTAL_SWEPT,     /* uploads removed by sweeps */
    UPOOL_TOTAL_OUTAGES,   /* of the cache that a farm shares */
    UPOOL_TOTAL_SENT_OVER, /* uploads that had to come again over HTTP/1.1 */
    UPOOL_TOTALS
} upool_total;

/* At this moment; they go up and down. */
typedef enum upool_gauge {
    UPOOL_GAUGE_WATCHING = 0, /* clients that watch an upload */
    UPOOL_GAUGE_HOLDING,      /* of these: hold a thread */
    UPOOL_GAUGE_UNDECIDED,    /* live uploads not yet counted as started */
    UPOOL_GAUGES
} upool_gauge;

/* At this moment, both read at once: parked is never more than live. */
typedef struct upool_uploads {
    apr_uint64_t live;   /* uploads that began and have not ended */
    apr_uint64_t parked; /* of these: wait on no thread */
} upool_uploads;

/* Bytes of memory for that many cells; 0 for no cells, or too many. */
apr_size_t upool_counters_bytes(apr_uint32_t cells);

/* Prepares zeroed memory, aligned to 64, before anybody else sees it.  NULL:
 * too little.  The memory stays the caller's. */
upool_counters *upool_counters_init(void *memory, apr_size_t bytes,
                                    apr_uint32_t cells);

/* Finds prepared counters (NULL: these are none, or of another layout). */
upool_counters *upool_counters_attach(void *memory, apr_size_t bytes);

/* Notes that the cache that a farm shares does not answer (1), or does (0).
 * Returns 1 when that is news, and then an outage is counted; without counters
 * it is always news. */
int upool_counters_set_down(upool_counters *counters, int down);
int upool_counters_is_down(const upool_counters *counters);

/* Adds to a total. */
void upool_counters_add(upool_counters *counters, upool_total total,
                        apr_uint64_t by);
apr_uint64_t upool_counters_total(const upool_counters *counters,
                                  upool_total total);

/* Counts one upload that failed, or was refused, for a reason below
 * UPOOL_COUNTERS_REASONS; others are not counted. */
void upool_counters_fail(upool_counters *counters, int reason);
void upool_counters_refuse(upool_counters *counters, int reason);
apr_uint64_t upool_counters_failed(const upool_counters *counters, int reason);
apr_uint64_t upool_counters_refused(const upool_counters *counters, int reason);

/* Takes a cell for a process that begins to serve.  Returns its number for
 * upool_counters_turn(), valid until the process ends; 0: no cell is left, and
 * the process counts no gauges. */
apr_uint32_t upool_counters_join(upool_counters *counters, apr_int64_t process);

/* Adds live (below 0: fewer) to the live uploads of the process with that cell,
 * and parked to those of them that are parked.  Readers see both change at
 * once. */
void upool_counters_turn_uploads(upool_counters *counters, apr_uint32_t cell,
                                 int live, int parked);
/* The uploads of all processes; reads every cell. */
upool_uploads upool_counters_uploads(const upool_counters *counters);

/* Raises (1) or lowers (-1) a gauge of the process with that cell. */
void upool_counters_turn(upool_counters *counters, apr_uint32_t cell,
                         upool_gauge gauge, int by);

/* The gauge over all processes; reads every cell. */
apr_uint64_t upool_counters_gauge(const upool_counters *counters,
                                  upool_gauge gauge);

/* The same for the part of WATCHING that belongs to one group, below
 * UPOOL_COUNTERS_GROUPS. */
void upool_counters_turn_group(upool_counters *counters, apr_uint32_t cell,
                               unsigned group, int by);
apr_uint64_t upool_counters_group(const upool_counters *counters,
                                  unsigned group);

/* Settles the cells of dead processes: their live uploads count as failed for
 * that reason, and the undecided ones of them as started.  process is the
 * caller's own.  To be called when a child has died and before one joins.
 * Returns the number of uploads that count as failed. */
apr_uint64_t upool_counters_reap(upool_counters *counters, apr_int64_t process,
                                 upool_alive_fn *alive, int reason);

#endif
