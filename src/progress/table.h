/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_TABLE_H
#define UPOOL_PROGRESS_TABLE_H

/* Progress of all uploads in one block of memory that every process maps
 * (at any address: no pointers in it).  (layout drawn here) */

#include <apr.h>
#include <apr_time.h>

#define UPOOL_SLOT_IDENT 64
#define UPOOL_SLOT_FILENAME 255
#define UPOOL_SLOT_TYPE 127
#define UPOOL_SLOT_ERROR 159
#define UPOOL_SLOT_OWNER 64

typedef struct upool_table upool_table;

/* What a reader gets: a consistent copy. */
typedef struct upool_slot_record {
    char identifier[UPOOL_SLOT_IDENT + 1];
    int state;                 /* enum upool_slot_state */
    apr_int64_t size;          /* -1 unknown */
    apr_int64_t received;
    apr_time_t created;
    apr_time_t updated;        /* of the last change of state; of publish too */
    apr_int64_t process;       /* pid of the writer */
    char filename[UPOOL_SLOT_FILENAME + 1];
    char content_type[UPOOL_SLOT_TYPE + 1];
    char error[UPOOL_SLOT_ERROR + 1];
    char owner[UPOOL_SLOT_OWNER + 1];
} upool_slot_record;

typedef enum upool_slot_state {
    UPOOL_SLOT_UPLOADING = 1,
    UPOOL_SLOT_DONE,
    UPOOL_SLOT_ERROR_STATE
} upool_slot_state;

/* A writer's hold on its slot; plain data, lives with the upload. */
typedef struct upool_ticket {
    apr_uint32_t slot;         /* 1-based; 0: none (table was full) */
    apr_uint64_t claim;        /* this claim's own number */
} upool_ticket;

typedef enum upool_claim {
    UPOOL_CLAIMED = 0,
    UPOOL_CLAIM_BUSY,          /* in flight under that identifier */
    UPOOL_CLAIM_FULL           /* no slot: go on without */
} upool_claim;

/* Seams for tests: is that process alive? */
typedef int upool_alive_fn(apr_int64_t process);

/* Bytes of memory for a table of slots slots. */
apr_size_t upool_table_bytes(apr_uint32_t slots);
/* Prepares zeroed memory; attach() finds a prepared one (NULL: not one, or
 * of another layout or version). */
upool_table *upool_table_init(void *memory, apr_size_t bytes,
                              apr_uint32_t slots);
upool_table *upool_table_attach(void *memory, apr_size_t bytes);

/* Claims a slot for an upload that begins.  A finished record of the same
 * identifier, or one whose process is dead, is taken over; else a free slot;
 * else the oldest finished one of its neighbourhood; active ones never. */
upool_claim upool_table_claim(upool_table *table, const char *identifier,
                              const char *owner, apr_int64_t size,
                              apr_int64_t process, apr_time_t now,
                              upool_alive_fn *alive, upool_ticket *ticket);
/* Sets what is known of the upload (long text is cut at a UTF-8 character). */
void upool_table_describe(upool_table *table, const upool_ticket *ticket,
                          const char *filename, const char *content_type);
/* Publishes the bytes received so far: one compare-and-swap on the hot path.
 * 0: the slot is no longer this ticket's (the upload was cleared): stop. */
int upool_table_publish(upool_table *table, const upool_ticket *ticket,
                        apr_int64_t received, apr_time_t now);
/* Ends it: done, or error with its text.  The ticket is void afterwards; 0 as
 * above. */
int upool_table_finish(upool_table *table, upool_ticket *ticket,
                       upool_slot_state state, apr_int64_t received,
                       const char *error, apr_time_t now);
/* Gives the slot back as if it never was. */
void upool_table_release(upool_table *table, upool_ticket *ticket);

/* 1 and a consistent copy, 0 when unknown. */
int upool_table_lookup(const upool_table *table, const char *identifier,
                       upool_slot_record *record);
/* Forgets identifier; its writer learns of it at its next publish. */
int upool_table_drop(upool_table *table, const char *identifier);

/* Copies up to room records of the state asked (0: any), for live views. */
apr_size_t upool_table_list(const upool_table *table, int state,
                            upool_slot_record *out, apr_size_t room);

#endif
