/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_TOOL_TOOL_H
#define UPOOL_TOOL_TOOL_H

/* upload-pool, the command-line tool: looks at a pool and tidies it with the
 * same code as the server.  It knows nothing of httpd, so it knows of an upload
 * under way only what lies in the pool: a plain form's total is in the server's
 * memory alone, and is unknown here.
 *
 * The tool trusts its arguments, but nothing that it reads: names, types and
 * error texts were chosen by clients, and go to a terminal only through text.h.
 * Run as root it becomes the pool's owner before it opens anything there, so
 * that it leaves nothing behind that the server could not remove.
 *
 * One process, one thread; everything lives in tool->p. */

#include <apr_pools.h>
#include <apr_time.h>
#include <jansson.h>

#include "ident/keys.h"
#include "store/bucket.h"

typedef enum upool_exit {
    UPOOL_EXIT_GOOD = 0,
    UPOOL_EXIT_WRONG, /* found something wrong, or not at all */
    UPOOL_EXIT_USAGE,
    UPOOL_EXIT_CANNOT /* no pool, no permission, no memory, … */
} upool_exit;

typedef struct upool_tool {
    apr_pool_t *p;
    const char *dir;     /* of the pool, as given; NULL: not yet */
    upool_store *store;  /* NULL in commands that need none */
    const char *keyfile; /* NULL: none; "-": standard input */
    upool_keys *keys;    /* NULL: none */
    const char *user;    /* to become; NULL: the pool's owner */
    const char *state;   /* list: only these; NULL: all */
    int json;
    int dry;
    int count;  /* mint: how many; -1: not given */
    int rounds; /* watch: how many; 0: for ever */
    apr_interval_time_t expires;
    apr_interval_time_t interval;
    int nargs;
    const char *const *args; /* after command and pool */
} upool_tool;

/* A command; returns the exit status of the process. */
typedef upool_exit upool_tool_command(upool_tool *tool);

upool_tool_command upool_tool_list;
upool_tool_command upool_tool_status;
upool_tool_command upool_tool_verify;
upool_tool_command upool_tool_mint;
upool_tool_command upool_tool_clear;
upool_tool_command upool_tool_clean;
upool_tool_command upool_tool_stat;
upool_tool_command upool_tool_watch;
upool_tool_command upool_tool_check;

/* Reads tool->keyfile into tool->keys, as the user who started the tool.  GOOD,
 * or CANNOT with a message. */
upool_exit upool_tool_read_keys(upool_tool *tool);

/* Becomes the user tool->user, or the owner of the pool, where that is needed;
 * then opens the pool.  GOOD, or CANNOT with a message. */
upool_exit upool_tool_open(upool_tool *tool);

#endif
