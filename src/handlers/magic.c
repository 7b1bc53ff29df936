/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/magic.h"

#ifdef UPOOL_WITH_MAGIC

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <magic.h>

#define IDLE_MAX 16

struct upool_magic {
    apr_thread_mutex_t *mutex;
    magic_t idle[IDLE_MAX];
    int count;
};

int upool_magic_is_built(void)
{
    return 1;
}

static apr_status_t close_all(void *arg)
{
    upool_magic *magic = arg;

    while (magic->count) {
        magic_close(magic->idle[--magic->count]);
    }
    return APR_SUCCESS;
}

upool_magic *upool_magic_make(apr_pool_t *p)
{
    upool_magic *magic = apr_pcalloc(p, sizeof(*magic));

    if (apr_thread_mutex_create(&magic->mutex, APR_THREAD_MUTEX_DEFAULT, p)) {
        return NULL;
    }
    apr_pool_cleanup_register(p, magic, close_all, apr_pool_cleanup_null);
    return magic;
}

/* The checks switched off here parse more than a type is worth to us, or tell
 * JSON and CSV from text, which no browser runs. */
static int looks(void)
{
    return MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF
           | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_APPTYPE
#ifdef MAGIC_NO_CHECK_JSON
           | MAGIC_NO_CHECK_JSON
#endif
#ifdef MAGIC_NO_CHECK_CSV
           | MAGIC_NO_CHECK_CSV
#endif
        ;
}

/* A crafted file must not keep a worker busy for long. */
static void set_limits(magic_t cookie)
{
    size_t bytes = UPOOL_MAGIC_BYTES;
    size_t indirections = 10;
    size_t uses = 50;
    size_t expression = UPOOL_MAGIC_BYTES;

    magic_setparam(cookie, MAGIC_PARAM_BYTES_MAX, &bytes);
    magic_setparam(cookie, MAGIC_PARAM_INDIR_MAX, &indirections);
    magic_setparam(cookie, MAGIC_PARAM_NAME_MAX, &uses);
    magic_setparam(cookie, MAGIC_PARAM_REGEX_MAX, &expression);
}

static magic_t make_cookie(const char **why, apr_pool_t *p)
{
    magic_t cookie = magic_open(looks());

    if (!cookie) {
        *why = "libmagic cannot be opened";
        return NULL;
    }
    set_limits(cookie);
    if (magic_load(cookie, NULL)) {
        const char *error = magic_error(cookie);

        *why = apr_pstrcat(p, "libmagic has no database: ", error, NULL);
        magic_close(cookie);
        return NULL;
    }
    return cookie;
}

static magic_t take_idle(upool_magic *magic)
{
    magic_t cookie = NULL;

    apr_thread_mutex_lock(magic->mutex);
    if (magic->count) {
        cookie = magic->idle[--magic->count];
    }
    apr_thread_mutex_unlock(magic->mutex);
    return cookie;
}

static void give_back(upool_magic *magic, magic_t cookie)
{
    int kept = 0;

    apr_thread_mutex_lock(magic->mutex);
    if (magic->count < IDLE_MAX) {
        magic->idle[magic->count++] = cookie;
        kept = 1;
    }
    apr_thread_mutex_unlock(magic->mutex);
    if (!kept) {
        magic_close(cookie);
    }
}

/* Copies up to a parameter, though no type of libmagic should have one. */
static const char *copy_type(apr_pool_t *p, const char *type)
{
    char *copy = apr_pstrdup(p, type);
    char *c;

    for (c = copy; *c && *c != ';' && *c != ' '; c++) {
        *c = (char)apr_tolower(*c);
    }
    *c = '\0';
    return copy;
}

/* libmagic's type for mere "data" counts as no type. */
static const char *usable(const char *type)
{
    return type && strchr(type, '/')
                   && strcmp(type, "application/octet-stream") != 0
               ? type
               : NULL;
}

/* Looks at bytes or, if they are NULL, at the descriptor. */
static const char *look(upool_magic *magic, const char *bytes, apr_size_t len,
                        int fd, const char **why, apr_pool_t *p)
{
    const char *reason = "there is no libmagic";
    const char *type = NULL;
    magic_t cookie = magic ? take_idle(magic) : NULL;

    if (magic && !cookie) {
        cookie = make_cookie(&reason, p);
    }
    if (cookie) {
        const char *found = bytes ? magic_buffer(cookie, bytes, len)
                                  : magic_descriptor(cookie, fd);

        reason = found
                     ? NULL
                     : apr_pstrcat(p, "libmagic: ", magic_error(cookie), NULL);
        /* The text lives in the cookie. */
        type = usable(found) ? copy_type(p, found) : NULL;
        give_back(magic, cookie);
    }
    if (why && reason) {
        *why = reason;
    }
    return type;
}

const char *upool_magic_type(upool_magic *magic, const char *bytes,
                             apr_size_t len, const char **why, apr_pool_t *p)
{
    return look(magic, bytes, len, -1, why, p);
}

const char *upool_magic_file(upool_magic *magic, int fd, const char **why,
                             apr_pool_t *p)
{
    return look(magic, NULL, 0, fd, why, p);
}

#else

struct upool_magic {
    int unused;
};

int upool_magic_is_built(void)
{
    return 0;
}

upool_magic *upool_magic_make(apr_pool_t *p)
{
    (void)p;
    return NULL;
}

const char *upool_magic_type(upool_magic *magic, const char *bytes,
                             apr_size_t len, const char **why, apr_pool_t *p)
{
    (void)magic;
    (void)bytes;
    (void)len;
    (void)p;
    if (why) {
        *why = "built without libmagic";
    }
    return NULL;
}

const char *upool_magic_file(upool_magic *magic, int fd, const char **why,
                             apr_pool_t *p)
{
    (void)fd;
    return upool_magic_type(magic, NULL, 0, why, p);
}

#endif
