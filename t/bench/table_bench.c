/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What the table costs: nanoseconds per publish, per look-up with 1, 1,000 and
 * 100,000 live uploads (the target: flat within a tenth), and per upload.
 * Each figure is the median of RUNS, the sizes taking turns within a run, so
 * that a busy machine slows all of them.
 *
 * The look-up is measured on what a poller asks: a few uploads asked again and
 * again ("few"), and any of them ("any"), where with many live ones each
 * record has to come from memory that no cache holds. */
#include "progress/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <apr_general.h>

#define RUNS 9
#define CALLS 200000
#define SLOTS 200000
#define POLLED 16

typedef struct subject {
    unsigned live;
    upool_table *table;
    upool_ticket *tickets;
    double publish[RUNS], few[RUNS], any[RUNS], miss[RUNS], upload[RUNS];
} subject;

static double clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static const char *identifier(char *text, unsigned n)
{
    snprintf(text, 48, "0190a5b2-7c11-7def-8123-%012u", n);
    return text;
}

static int subject_make(subject *s)
{
    apr_size_t bytes = upool_table_bytes(SLOTS);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char id[48];
    unsigned n;

    if (memory == MAP_FAILED) {
        return 0;
    }
    s->table = upool_table_init(memory, bytes, SLOTS);
    s->tickets = calloc(s->live, sizeof(*s->tickets));
    for (n = 0; n < s->live; n++) {
        if (upool_table_claim(s->table, identifier(id, n), "owner", 1 << 30, 1,
                              1, NULL, &s->tickets[n])
            != UPOOL_CLAIMED) {
            return 0;
        }
        upool_table_describe(s->table, &s->tickets[n], "photo.jpg",
                             "image/jpeg");
    }
    return 1;
}

static double publish_ns(subject *s, unsigned run)
{
    double began = clock_ns();
    unsigned n;

    for (n = 0; n < CALLS; n++) {
        upool_table_publish(s->table, &s->tickets[0],
                            (apr_int64_t)run * CALLS + n, n);
    }
    return (clock_ns() - began) / CALLS;
}

/* Any of the range identifiers from first on; want: are they there? */
static double lookup_ns(const subject *s, unsigned first, unsigned range,
                        int want)
{
    enum { TEXTS = 4096 };
    static char ids[TEXTS][48];
    upool_slot_record record;
    double began;
    unsigned n, wrong = 0;

    /* Scattered, and made beforehand: snprintf costs more than a look-up. */
    for (n = 0; n < TEXTS; n++) {
        identifier(ids[n], first + (n * 2654435761U >> 4) % range);
    }
    began = clock_ns();
    for (n = 0; n < CALLS; n++) {
        wrong += upool_table_lookup(s->table, ids[n % TEXTS], &record) != want;
    }
    if (wrong) {
        printf("%u look-ups went wrong\n", wrong);
    }
    return (clock_ns() - began) / CALLS;
}

static double upload_ns(subject *s)
{
    const unsigned uploads = 20000;
    double began = clock_ns();
    char id[48];
    unsigned n;

    for (n = 0; n < uploads; n++) {
        upool_ticket ticket;

        upool_table_claim(s->table, identifier(id, 1000000 + n), "", 1, 1, n,
                          NULL, &ticket);
        upool_table_describe(s->table, &ticket, "photo.jpg", "image/jpeg");
        upool_table_publish(s->table, &ticket, 1, n);
        upool_table_finish(s->table, &ticket, UPOOL_SLOT_DONE, 1, NULL, n);
    }
    return (clock_ns() - began) / uploads;
}

static int order(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

static double median(double *values)
{
    qsort(values, RUNS, sizeof(*values), order);
    return values[RUNS / 2];
}

int main(void)
{
    subject subjects[] = { { 1 }, { 1000 }, { 100000 } };
    unsigned run, n;

    apr_initialize();
    for (n = 0; n < 3; n++) {
        if (!subject_make(&subjects[n])) {
            puts("no memory, or no slot");
            return 1;
        }
    }
    for (run = 0; run < RUNS; run++) {
        for (n = 0; n < 3; n++) {
            subject *s = &subjects[n];
            unsigned polled = s->live < POLLED ? s->live : POLLED;

            s->publish[run] = publish_ns(s, run);
            s->few[run] = lookup_ns(s, 0, polled, 1);
            s->any[run] = lookup_ns(s, 0, s->live, 1);
            s->miss[run] = lookup_ns(s, 500000, POLLED, 0);
            s->upload[run] = upload_ns(s);
        }
    }
    puts("ns a call        publish  look-up few   any  unknown  whole upload");
    for (n = 0; n < 3; n++) {
        subject *s = &subjects[n];

        printf("%6u live       %7.1f  %11.1f %5.1f  %7.1f  %12.1f\n", s->live,
               median(s->publish), median(s->few), median(s->any),
               median(s->miss), median(s->upload));
    }
    return 0;
}
