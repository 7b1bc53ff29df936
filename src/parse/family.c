/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/family.h"

#include <limits.h>
#include <string.h>

#define BIT(value) (1U << (value))

/* How one library calls them; NULL: it does not say. */
typedef struct words {
    const char *prefix;
    const char *id;
    const char *values[UPOOL_FAMILY_VALUES];
    unsigned spare; /* bit n: values[n] is not needed, nor looked at */
    const char *name;
} words;

#define NUMBERED(before) \
    { \
        .prefix = before, .id = "Identifier", \
        .values = { [UPOOL_FAMILY_NUMBER] = "ChunkNumber", \
                    [UPOOL_FAMILY_SIZE] = "ChunkSize", \
                    [UPOOL_FAMILY_CURRENT] = "CurrentChunkSize", \
                    [UPOOL_FAMILY_TOTAL] = "TotalSize", \
                    [UPOOL_FAMILY_CHUNKS] = "TotalChunks" }, \
        .name = before "Filename" \
    }

static const words libraries[UPOOL_FAMILY_COUNT] = {
    [UPOOL_FAMILY_DROPZONE] = { .prefix = "dz",
                                .id = "uuid",
                                .values = { [UPOOL_FAMILY_OFFSET] =
                                                "chunkbyteoffset",
                                            [UPOOL_FAMILY_NUMBER] =
                                                "chunkindex",
                                            [UPOOL_FAMILY_SIZE] = "chunksize",
                                            [UPOOL_FAMILY_TOTAL] =
                                                "totalfilesize",
                                            [UPOOL_FAMILY_CHUNKS] =
                                                "totalchunkcount" },
                                .spare = BIT(UPOOL_FAMILY_CHUNKS),
                                .name = NULL },
    [UPOOL_FAMILY_FINE] = { .prefix = "qq",
                            .id = "uuid",
                            .values = { [UPOOL_FAMILY_OFFSET] =
                                            "partbyteoffset",
                                        [UPOOL_FAMILY_NUMBER] = "partindex",
                                        [UPOOL_FAMILY_CURRENT] = "chunksize",
                                        [UPOOL_FAMILY_TOTAL] = "totalfilesize",
                                        [UPOOL_FAMILY_CHUNKS] = "totalparts" },
                            .spare = BIT(UPOOL_FAMILY_NUMBER)
                                     | BIT(UPOOL_FAMILY_CHUNKS),
                            .name = "qqfilename" },
    [UPOOL_FAMILY_FLOW] = NUMBERED("flow"),
    [UPOOL_FAMILY_RESUMABLE] = NUMBERED("resumable"),
    [UPOOL_FAMILY_SIMPLE] = { .prefix = "",
                              .id = "identifier",
                              .values = { [UPOOL_FAMILY_NUMBER] = "chunkNumber",
                                          [UPOOL_FAMILY_SIZE] = "chunkSize",
                                          [UPOOL_FAMILY_CURRENT] =
                                              "currentChunkSize",
                                          [UPOOL_FAMILY_TOTAL] = "totalSize",
                                          [UPOOL_FAMILY_CHUNKS] =
                                              "totalChunks" },
                              .name = "filename" },
};

void upool_family_init(upool_family *family)
{
    memset(family, 0, sizeof(*family));
}

/* Digits alone, that fit. */
static int read_number(const char *text, size_t len, long long *number)
{
    long long sum = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        int digit = text[i] - '0';

        if (digit < 0 || digit > 9 || sum > (LLONG_MAX - digit) / 10) {
            return -1;
        }
        sum = sum * 10 + digit;
    }
    *number = sum;
    return len > 0 ? 0 : -1;
}

static void take_id(upool_family_set *set, const char *value, size_t len)
{
    if (len == 0 || len > UPOOL_FAMILY_ID_MAX
        || (set->id != NULL
            && (set->id_len != len || memcmp(set->id, value, len) != 0))) {
        set->broken = 1;
        return;
    }
    set->id = value;
    set->id_len = len;
}

static void take_value(upool_family_set *set, size_t which, const char *value,
                       size_t len)
{
    long long number = 0;

    if (read_number(value, len, &number)
        || ((set->seen & BIT(which)) && set->values[which] != number)) {
        set->broken = 1;
    }
    set->seen |= BIT(which);
    set->values[which] = number;
}

/* Which of its parameters name is: of values[], or one of these. */
enum { IS_ID = -1, IS_NONE = -2 };

static int find(const words *library, const char *name)
{
    size_t prefix = strlen(library->prefix);
    int i;

    if (strncmp(name, library->prefix, prefix) != 0) {
        return IS_NONE;
    }
    name += prefix;
    if (strcmp(name, library->id) == 0) {
        return IS_ID;
    }
    for (i = 0; i < UPOOL_FAMILY_VALUES; i++) {
        if (library->values[i] != NULL
            && strcmp(name, library->values[i]) == 0) {
            return i;
        }
    }
    return IS_NONE;
}

static void take(upool_family_set *set, const words *library, const char *name,
                 const char *value, size_t len)
{
    int which = find(library, name);

    if (which == IS_ID) {
        take_id(set, value, len);
    }
    else if (which >= 0) {
        take_value(set, (size_t)which, value, len);
    }
}

void upool_family_param(upool_family *family, const char *name,
                        const char *value, size_t len)
{
    size_t kind;

    for (kind = UPOOL_FAMILY_DROPZONE; kind < UPOOL_FAMILY_COUNT; kind++) {
        take(&family->sets[kind], &libraries[kind], name, value, len);
    }
}

static unsigned wanted(const words *library)
{
    unsigned bits = 0;
    unsigned i;

    for (i = 0; i < UPOOL_FAMILY_VALUES; i++) {
        if (library->values[i] != NULL) {
            bits |= BIT(i);
        }
    }
    return bits & ~library->spare;
}

static int is_complete(const upool_family_set *set, const words *library)
{
    return !set->broken && set->id != NULL
           && (set->seen & ~library->spare) == wanted(library);
}

/* 1 where the request says which piece it brings: a library's id alone comes
 * with a whole file.  Names without a prefix are anybody's, so only all of them
 * together mean something. */
static int is_engaged(const upool_family *family, size_t kind)
{
    const upool_family_set *set = &family->sets[kind];

    if (kind == UPOOL_FAMILY_SIMPLE) {
        return set->id != NULL && set->seen == wanted(&libraries[kind]);
    }
    return (set->seen & (BIT(UPOOL_FAMILY_OFFSET) | BIT(UPOOL_FAMILY_NUMBER)))
           != 0;
}

/* Dropzone tells the size of chunks, which the last need not have. */
static int place_dropzone(const upool_family_set *set,
                          upool_family_chunk *chunk)
{
    const long long *v = set->values;
    long long size = v[UPOOL_FAMILY_SIZE];
    long long left = chunk->total - v[UPOOL_FAMILY_OFFSET];

    /* offset == index * size, without a product that may not fit. */
    if (size == 0 || left < 0 || v[UPOOL_FAMILY_OFFSET] % size != 0
        || v[UPOOL_FAMILY_OFFSET] / size != v[UPOOL_FAMILY_NUMBER]) {
        return -1;
    }
    chunk->offset = v[UPOOL_FAMILY_OFFSET];
    chunk->length = left < size ? left : size;
    return 0;
}

static int place_fine(const upool_family_set *set, upool_family_chunk *chunk)
{
    chunk->offset = set->values[UPOOL_FAMILY_OFFSET];
    chunk->length = set->values[UPOOL_FAMILY_CURRENT];
    return chunk->offset <= chunk->total
                   && chunk->length <= chunk->total - chunk->offset
               ? 0
               : -1;
}

/* Chunks are counted from 1; the last is longer than the others rather than a
 * short one of its own. */
static int place_numbered(const upool_family_set *set,
                          upool_family_chunk *chunk)
{
    const long long *v = set->values;
    long long size = v[UPOOL_FAMILY_SIZE];
    long long before = v[UPOOL_FAMILY_NUMBER] - 1;

    if (size == 0 || before < 0 || before >= v[UPOOL_FAMILY_CHUNKS]
        || before > chunk->total / size) {
        return -1;
    }
    chunk->offset = before * size;
    chunk->length = v[UPOOL_FAMILY_CURRENT];
    if (before + 1 < v[UPOOL_FAMILY_CHUNKS]) {
        return chunk->length == size && size <= chunk->total - chunk->offset
                   ? 0
                   : -1;
    }
    return chunk->length == chunk->total - chunk->offset ? 0 : -1;
}

static int place(const upool_family_set *set, upool_family_chunk *chunk)
{
    if (chunk->kind == UPOOL_FAMILY_DROPZONE) {
        return place_dropzone(set, chunk);
    }
    return chunk->kind == UPOOL_FAMILY_FINE ? place_fine(set, chunk)
                                            : place_numbered(set, chunk);
}

int upool_family_settle(const upool_family *family, upool_family_chunk *chunk)
{
    const upool_family_set *set;
    size_t found = UPOOL_FAMILY_NONE;
    size_t kind;

    for (kind = UPOOL_FAMILY_DROPZONE; kind < UPOOL_FAMILY_COUNT; kind++) {
        if (!is_engaged(family, kind)) {
            continue;
        }
        if (found != UPOOL_FAMILY_NONE) {
            return -1;
        }
        found = kind;
    }
    if (found == UPOOL_FAMILY_NONE) {
        return 0;
    }
    set = &family->sets[found];
    if (!is_complete(set, &libraries[found])) {
        return -1;
    }
    chunk->kind = (upool_family_kind)found;
    chunk->id = set->id;
    chunk->id_len = set->id_len;
    chunk->total = set->values[UPOOL_FAMILY_TOTAL];
    return place(set, chunk) ? -1 : 1;
}

int upool_family_is_random(upool_family_kind kind)
{
    return kind == UPOOL_FAMILY_DROPZONE || kind == UPOOL_FAMILY_FINE;
}

int upool_family_owns(upool_family_kind kind, const char *name)
{
    return find(&libraries[kind], name) != IS_NONE;
}

const char *upool_family_name_param(upool_family_kind kind)
{
    return libraries[kind].name;
}
