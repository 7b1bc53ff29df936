/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_T_UNIT_PARSE_EVENTS_H
#define UPOOL_T_UNIT_PARSE_EVENTS_H

/* What the multipart parser told, as text, so that two ways of feeding the
 * same bytes can be compared.  Used by the unit tests and the fuzz target.
 *
 *   part 52 name="a" filename="x" type=text/plain charset="utf-8"
 *   data "hello"
 *   end 64
 *   ok 70                or: error DELIMITER 57
 *
 * Numbers are offsets.  A block that the part parser refuses stops the parse
 * with "bad" or "encoded" and the reason in place of the names.  Bytes of data
 * stand as they are.
 *
 * Each piece that is fed lies in a heap block of its exact size, and the block
 * of held header lines is as large as was asked for: sanitizers and valgrind
 * see every byte too far. */

#include "parse/multipart.h"
#include "parse/part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_UNUSED __attribute__((unused))

typedef struct events {
    upool_multipart parser;
    char *text;
    size_t len;
    size_t size;
    int in_data;
    char *held; /* what hold() gave last */
    size_t ceiling;
    int misuse; /* hold() or part_data() was called against its rules */
} events;

EVENTS_UNUSED static void events_bytes(events *log, const char *text,
                                       size_t len)
{
    if (log->size - log->len < len + 1) {
        log->size = (log->len + len + 1) * 2;
        log->text = realloc(log->text, log->size);
        if (log->text == NULL) {
            abort();
        }
    }
    memcpy(log->text + log->len, text, len);
    log->len += len;
    log->text[log->len] = '\0';
}

__attribute__((unused, format(printf, 2, 3))) static void events_print(
    events *log, const char *format, ...)
{
    char line[64];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    events_bytes(log, line, strlen(line));
}

EVENTS_UNUSED static void events_quoted(events *log, const char *label,
                                        const char *value)
{
    if (value != NULL) {
        events_print(log, " %.40s=\"", label);
        events_bytes(log, value, strlen(value));
        events_bytes(log, "\"", 1);
    }
}

EVENTS_UNUSED static void events_close_data(events *log)
{
    if (log->in_data) {
        events_bytes(log, "\"\n", 2);
        log->in_data = 0;
    }
}

EVENTS_UNUSED static int events_part_begin(void *user, const char *block,
                                           size_t len)
{
    events *log = user;
    size_t room = UPOOL_PART_SCRATCH(len);
    char *scratch = malloc(room);
    upool_part_error error;
    upool_part part;
    size_t i;

    if (scratch == NULL) {
        abort();
    }
    error = upool_part_parse(&part, block, len, scratch, room);
    events_close_data(log);
    events_print(log, "part %llu", upool_multipart_offset(&log->parser));
    if (error != UPOOL_PART_OK) {
        events_print(log, " %s",
                     error == UPOOL_PART_BAD       ? "bad "
                     : error == UPOOL_PART_ENCODED ? "encoded "
                                                   : "no room ");
        events_bytes(log, part.why, strlen(part.why));
    }
    else {
        events_quoted(log, "name", part.name);
        events_quoted(log, "filename", part.filename);
        if (part.content_type != NULL) {
            events_bytes(log, " type=", 6);
            events_bytes(log, part.content_type, strlen(part.content_type));
        }
        for (i = 0; i < part.nparams; i++) {
            events_quoted(log, part.params[i].name, part.params[i].value);
        }
    }
    events_bytes(log, "\n", 1);
    free(scratch);
    return error != UPOOL_PART_OK;
}

EVENTS_UNUSED static int events_part_data(void *user, const char *data,
                                          size_t len)
{
    events *log = user;

    if (!log->in_data) {
        events_bytes(log, "data \"", 6);
        log->in_data = 1;
    }
    events_bytes(log, data, len);
    log->misuse |= len == 0;
    return 0;
}

EVENTS_UNUSED static int events_part_end(void *user)
{
    events *log = user;

    events_close_data(log);
    events_print(log, "end %llu\n", upool_multipart_offset(&log->parser));
    return 0;
}

EVENTS_UNUSED static char *events_hold(void *user, char *old, size_t have,
                                       size_t want)
{
    events *log = user;
    char *memory = NULL;

    log->misuse |= old != log->held || want > log->ceiling
                   || (want > 0 && have >= want) || (old == NULL && have > 0);
    if (want > 0) {
        memory = malloc(want);
        if (memory == NULL) {
            abort();
        }
        if (have > 0) {
            memcpy(memory, old, have);
        }
    }
    free(old);
    log->held = memory;
    return memory;
}

EVENTS_UNUSED static const upool_multipart_events events_callbacks = {
    events_part_begin, events_part_data, events_part_end, events_hold
};

EVENTS_UNUSED static const char *events_error_name(upool_multipart_error e)
{
    static const char *const names[] = {
        "OK",        "DELIMITER",        "NO_DELIMITER",   "TRUNCATED",
        "HEADER",    "HEADER_TOO_LARGE", "TOO_MANY_PARTS", "PADDING",
        "NO_MEMORY", "STOPPED"
    };

    return (size_t)e < sizeof(names) / sizeof(names[0]) ? names[e] : "?";
}

EVENTS_UNUSED static void events_open(events *log, const char *boundary,
                                      const upool_multipart_limits *limits)
{
    memset(log, 0, sizeof(*log));
    log->ceiling = limits->header;
    upool_multipart_init(&log->parser, boundary, strlen(boundary), limits,
                         &events_callbacks, log);
}

EVENTS_UNUSED static void events_feed(events *log, const char *data, size_t len)
{
    char *piece = malloc(len > 0 ? len : 1);

    if (piece == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(piece, data, len);
    }
    upool_multipart_feed(&log->parser, piece, len);
    free(piece);
}

/* Ends the body and the log; the caller frees log->text and looks at
 * log->misuse. */
EVENTS_UNUSED static upool_multipart_error events_end(events *log)
{
    upool_multipart_error error = upool_multipart_end(&log->parser);

    events_close_data(log);
    if (error == UPOOL_MULTIPART_OK) {
        events_print(log, "ok");
    }
    else {
        events_print(log, "error %s", events_error_name(error));
    }
    events_print(log, " %llu\n", upool_multipart_offset(&log->parser));
    if (log->held != NULL) {
        log->misuse = 1;
        free(log->held);
    }
    return error;
}

#endif
