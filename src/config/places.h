/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_CONFIG_PLACES_H
#define UPOOL_CONFIG_PLACES_H

/* The directories that the server gives out by URL: each DocumentRoot, and the
 * targets of Alias, ScriptAlias and mod_wsgi's WSGIScriptAlias, in every
 * virtual host.  A stranger may ask for the files there, and a handler may run
 * them, so no pool should lie there.
 *
 * mod_alias keeps its list to itself, so the targets are read from the tree of
 * directives.  A target that depends on the request (AliasMatch, an expression,
 * VirtualDocumentRoot, UserDir, RewriteRule) is known by the directory that its
 * text begins with, and is only a possible way to a pool: such a place is
 * uncertain.
 *
 * Paths are compared after their links are resolved; those of the places are
 * resolved once, when the configuration is read. */

#include <apr_tables.h>
#include <httpd.h>

typedef struct upool_place {
    const char *directive; /* what names it */
    const char *path;      /* as written there, absolute */
    const char *real;      /* without links; same as path where it is missing */
    int uncertain; /* what is given out below it depends on the request */
} upool_place;

/* All places of the configuration that has just been read: array of
 * upool_place, in p.  In check_config, where the tree is whole. */
const apr_array_header_t *upool_places_collect(const server_rec *first,
                                               apr_pool_t *p);

/* 1 when path is dir or lies below it, by their text; both without a slash at
 * the end, but for the root's own. */
int upool_places_is_below(const char *path, const char *dir);

/* The first place that holds the absolute path dir or lies below it, else NULL.
 * uncertain says which of the two kinds of places is asked for. p is for
 * temporary memory.  Any thread. */
const upool_place *upool_places_find(const apr_array_header_t *places,
                                     const char *dir, int uncertain,
                                     apr_pool_t *p);

#endif
