/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/places.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <util_cfgtree.h>

static const char *const aliases[] = { "Alias", "ScriptAlias",
                                       "WSGIScriptAlias" };

/* The target is argument n of these directives, and depends on the request. */
static const struct {
    const char *directive;
    int n;
} patterns[] = {
    { "AliasMatch", 1 },
    { "ScriptAliasMatch", 1 },
    { "WSGIScriptAliasMatch", 1 },
    { "RewriteRule", 1 },
    { "UserDir", 0 },
    { "VirtualDocumentRoot", 0 },
    { "VirtualScriptAlias", 0 },
};

/* Drops the slashes at the end, as realpath() does. */
static const char *lexical(apr_pool_t *p, const char *path)
{
    apr_size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    return apr_pstrmemdup(p, path, len);
}

static const char *resolve(apr_pool_t *p, const char *path)
{
    char *real = realpath(path, NULL);
    const char *copy = real ? apr_pstrdup(p, real) : lexical(p, path);

    free(real);
    return copy;
}

static void add(apr_array_header_t *places, const char *directive,
                const char *path, int uncertain)
{
    apr_pool_t *p = places->pool;
    const char *absolute = ap_server_root_relative(p, path);
    upool_place *place;

    if (!absolute) {
        return;
    }
    place = apr_array_push(places);
    place->directive = directive;
    place->path = lexical(p, absolute);
    place->real = resolve(p, absolute);
    place->uncertain = uncertain;
}

/* "Alias /url path", or in <Location /url> "Alias path"; mod_wsgi allows
 * options after it. */
static void add_alias(apr_array_header_t *places, const char *directive,
                      const char *args)
{
    const char *first = ap_getword_conf(places->pool, &args);
    const char *second = ap_getword_conf(places->pool, &args);
    const char *target = *second ? second : first;

    if (*target && !strstr(target, "%{")) {
        add(places, directive, target, 0);
    }
}

/* Takes the last whole directory before the first character with a special
 * meaning: $1 of a match, %0 of a host name, * of a user.  A target without any
 * is a fixed file of RewriteRule, and no pool is made of a file. */
static void add_pattern(apr_array_header_t *places, const char *directive,
                        int n, const char *args)
{
    apr_pool_t *p = places->pool;
    const char *target = ap_getword_conf(p, &args);
    char *literal;

    while (n-- > 0) {
        target = ap_getword_conf(p, &args);
    }
    if (*target != '/' || !target[strcspn(target, "$%*")]) {
        return;
    }
    literal = apr_pstrmemdup(p, target, strcspn(target, "$%*"));
    *strrchr(literal, '/') = '\0';
    /* A front controller's "/$1" is a URL, or stands for everything. */
    if (*literal) {
        add(places, directive, literal, 1);
    }
}

static void walk(apr_array_header_t *places, const ap_directive_t *node)
{
    apr_size_t i;

    for (; node; node = node->next) {
        for (i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
            if (!ap_cstr_casecmp(node->directive, aliases[i])) {
                add_alias(places, aliases[i], node->args);
            }
        }
        for (i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
            if (!ap_cstr_casecmp(node->directive, patterns[i].directive)) {
                add_pattern(places, patterns[i].directive, patterns[i].n,
                            node->args);
            }
        }
        /* Sections nest as deep as the administrator has written them. */
        walk(places, node->first_child);
    }
}

const apr_array_header_t *upool_places_collect(const server_rec *first,
                                               apr_pool_t *p)
{
    apr_array_header_t *places = apr_array_make(p, 8, sizeof(upool_place));
    const server_rec *s;

    for (s = first; s; s = s->next) {
        const core_server_config *core =
            ap_get_core_module_config(s->module_config);

        if (core->ap_document_root) {
            add(places, "DocumentRoot", core->ap_document_root, 0);
        }
    }
    walk(places, ap_conftree);
    return places;
}

int upool_places_is_below(const char *path, const char *dir)
{
    apr_size_t len = strlen(dir);

    return !strcmp(dir, "/")
           || (!strncmp(path, dir, len)
               && (path[len] == '/' || path[len] == '\0'));
}

const upool_place *upool_places_find(const apr_array_header_t *places,
                                     const char *dir, int uncertain,
                                     apr_pool_t *p)
{
    const char *real = resolve(p, dir);
    int i;

    for (i = 0; i < places->nelts; i++) {
        const upool_place *place = &APR_ARRAY_IDX(places, i, const upool_place);

        if (place->uncertain == uncertain
            && (upool_places_is_below(real, place->real)
                || upool_places_is_below(place->real, real))) {
            return place;
        }
    }
    return NULL;
}
