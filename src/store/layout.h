/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_LAYOUT_H
#define UPOOL_STORE_LAYOUT_H

/* The names on disk.  Every name that the room opens, renames or unlinks is
 * one of the constants below, was made by upool_layout_name() or
 * upool_layout_server(), or has passed one of the checks here; none of them
 * holds a slash or a byte chosen by a client, and none but .quota and .farm a
 * leading dot.  That is the whole defence against paths that lead outside, so
 * no other file of this room judges names.
 *
 * The temporary names are fixed: only the holder of the bucket's lock writes
 * them.  No file that this room makes has a name that a web server would run or
 * obey. */

#include <apr_pools.h>

#define UPOOL_LAYOUT_METADATA "metadata.json"
#define UPOOL_LAYOUT_METADATA_NEW "metadata.new"
#define UPOOL_LAYOUT_ATTEMPT "attempt.json"
#define UPOOL_LAYOUT_ATTEMPT_NEW "attempt.new"
#define UPOOL_LAYOUT_RESUMABLE "resumable.json"
#define UPOOL_LAYOUT_RESUMABLE_NEW "resumable.new"
#define UPOOL_LAYOUT_YIELD "yield"
#define UPOOL_LAYOUT_CLEARED "cleared"
#define UPOOL_LAYOUT_RUN "run"
#define UPOOL_LAYOUT_ANSWER "answer.json"
#define UPOOL_LAYOUT_ANSWER_NEW "answer.new"
#define UPOOL_LAYOUT_LOCK "lock"
/* In the pool itself, where no bucket's name begins with a dot. */
#define UPOOL_LAYOUT_QUOTA ".quota"
/* A directory: a lock file for each server (farm.h), and what they found. */
#define UPOOL_LAYOUT_FARM ".farm"
#define UPOOL_LAYOUT_UNSAFE "unsafe"

typedef enum upool_entry {
    UPOOL_ENTRY_FOREIGN = 0, /* nothing a bucket can hold: never touched */
    UPOOL_ENTRY_METADATA,
    UPOOL_ENTRY_ATTEMPT,
    UPOOL_ENTRY_RESUMABLE,
    UPOOL_ENTRY_ANSWER,    /* run, answer.json */
    UPOOL_ENTRY_TEMPORARY, /* metadata.new, attempt.new, …; yield, cleared */
    UPOOL_ENTRY_LOCK,
    UPOOL_ENTRY_DATA /* N-RANDOM.bin */
} upool_entry;

/* What a name inside a bucket stands for, judged by the name alone. */
upool_entry upool_layout_entry(const char *name);

/* 1 when name may be a bucket of the pool ([A-Za-z0-9-]{1,64}), else 0.  NULL
 * is refused. */
int upool_layout_is_bucket(const char *name);

/* 1 when name is a data file: a decimal number below 10^9 without leading
 * zeros, "-", 32 lower-case hex digits, ".bin".  NULL is refused. */
int upool_layout_is_data(const char *name);

/* 1 when name is a server's lock file in .farm: 32 lower-case hex digits,
 * ".lock". */
int upool_layout_is_server(const char *name);

/* A fresh one of those, as below. */
apr_status_t upool_layout_server(const char **name, apr_pool_t *p);

/* A fresh name for data file number n (>= 0), in p: 128 bits from the system's
 * random source.  *name is set on APR_SUCCESS; APR_EINVAL: n out of range;
 * else what the random source says. */
apr_status_t upool_layout_name(const char **name, int n, apr_pool_t *p);

#endif
