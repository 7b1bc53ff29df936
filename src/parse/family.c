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
    unsigned spare;   /* bit n: values[n] is not needed, nor looked at */
    const char *name; /* whole, of the file's name */
    const char *type; /* and of its type */
} words;

#define NUMBERED(before) \
    { \
        .prefix = before, .id = "Identifier", \
        .values = { [UPOOL_FAMILY_NUMBER] = "ChunkNumber", \
                    [UPOOL_FAMILY_SIZE] = "ChunkSize", \
                    [UPOOL_FAMILY_CURRENT] = "CurrentChunkSize", \
                    [UPOOL_FAMILY_TOTAL] = "TotalSize", \
                    [UPOOL_FAMILY_CHUNKS] = "TotalChunks" }, \
        .name = before "Filename", .type = before "Type" \
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
    [UPOOL_FAMILY_PLUPLOAD] = { .prefix = "",
                                .id = "name",
                                .values = { [UPOOL_FAMILY_NUMBER] = "chunk",
                                            [UPOOL_FAMILY_CHUNKS] = "chunks" },
                                .name = "name",
                                .type = "type" },
};

/* Parameters of libraries of which no more is known: which piece it is, and of
 * how many.  If there is only one piece the file is whole.  JSON has both in
 * one parameter, part. */
static const struct {
    const char *part;
    const char *count;
    int is_json;
} strangers[UPOOL_FAMILY_STRANGERS] = {
    { "chunkIndex", "totalChunk", 0 },    /* Syncfusion */
    { "chunk-index", "total-chunk", 0 },  /* Syncfusion, older */
    { "chunkIndex", "chunkCount", 0 },    /* bootstrap-fileinput */
    { "chunkIndex", "totalChunks", 0 },   /* many a page's own */
    { "chunk_index", "total_chunks", 0 }, /* the same */
    { "chunkNumber", "totalChunks", 0 },  /* the same */
    { "chunk_number", "total_chunks", 0 },
    { "currentChunk", "totalChunks", 0 },
    { "_chunkNumber", "_totalSize", 0 },       /* ng-file-upload */
    { "start_offset", "session_id", 0 },       /* vue-upload-component */
    { "chunkMetadata", "\"TotalCount\":", 1 }, /* DevExtreme */
    { "metadata", "\"totalChunks\":", 1 },     /* Kendo UI */
    { "uploader-chunk-number", "uploader-chunks-total", 0 }, /* huge-uploader */
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

    if (read_number(value, len, &number)) {
        set->broken = 1;
        set->wordy = 1;
    }
    if ((set->seen & BIT(which)) && set->values[which] != number) {
        set->broken = 1;
    }
    set->seen |= BIT(which);
    set->values[which] = number;
}

/* Which of the library's parameters name is: one of values[], or one of
 * these. */
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

static int is_param(const char *word, const char *name)
{
    return word != NULL && strcmp(word, name) == 0;
}

static void take(upool_family_set *set, const words *library, const char *name,
                 const char *value, size_t len)
{
    int which = find(library, name);

    if (is_param(library->name, name)) {
        set->name = value;
        set->name_len = len;
    }
    if (is_param(library->type, name)) {
        set->type = value;
        set->type_len = len;
    }

    if (which == IS_ID) {
        take_id(set, value, len);
    }
    else if (which >= 0) {
        take_value(set, (size_t)which, value, len);
    }
}

static int is_one(const char *value, size_t len)
{
    while (len > 0 && *value == ' ') {
        value++;
        len--;
    }
    return len > 0 && *value == '1'
           && (len == 1 || value[1] < '0' || value[1] > '9');
}

/* Behind key in JSON; its end where there is none. */
static const char *find_key(const char *json, size_t len, const char *key)
{
    size_t n = strlen(key);
    const char *end = json + len;

    for (; (size_t)(end - json) >= n; json++) {
        if (memcmp(json, key, n) == 0) {
            return json + n;
        }
    }
    return end;
}

static void take_stranger(upool_family *family, size_t row, const char *name,
                          const char *value, size_t len)
{
    int is_part = strcmp(strangers[row].part, name) == 0;
    const char *count = value;

    if (is_part && strangers[row].is_json) {
        count = find_key(value, len, strangers[row].count);
        if (count == value + len) {
            return;
        }
        family->counts |= BIT(row);
    }
    else if (strcmp(strangers[row].count, name) == 0) {
        family->counts |= BIT(row);
    }
    else if (!is_part) {
        return;
    }
    else {
        count = NULL;
    }
    if (is_part) {
        family->parts |= BIT(row);
    }
    if (count != NULL && is_one(count, len - (size_t)(count - value))) {
        family->wholes |= BIT(row);
    }
}

int upool_family_is_strange(const upool_family *family)
{
    return (family->parts & family->counts & ~family->wholes) != 0;
}

void upool_family_param(upool_family *family, const char *name,
                        const char *value, size_t len)
{
    size_t kind;

    for (kind = 0; kind < UPOOL_FAMILY_STRANGERS; kind++) {
        take_stranger(family, kind, name, value, len);
    }

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

    if (kind == UPOOL_FAMILY_PLUPLOAD) {
        /* It sends this for small files, too, and 0 of 0 for empty ones. */
        return (set->seen & wanted(&libraries[kind]))
                   == wanted(&libraries[kind])
               && !set->wordy && set->values[UPOOL_FAMILY_CHUNKS] > 1;
    }
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

/* Only the number of the piece, and how many there are. */
static int place_counted(const upool_family_set *set, upool_family_chunk *chunk)
{
    chunk->number = set->values[UPOOL_FAMILY_NUMBER];
    chunk->chunks = set->values[UPOOL_FAMILY_CHUNKS];
    chunk->offset = -1;
    chunk->length = -1;
    chunk->total = -1;
    return chunk->number < chunk->chunks ? 0 : -1;
}

static int place(const upool_family_set *set, upool_family_chunk *chunk)
{
    if (chunk->kind == UPOOL_FAMILY_PLUPLOAD) {
        return place_counted(set, chunk);
    }
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
    chunk->name = set->name;
    chunk->name_len = set->name_len;
    chunk->type = set->type;
    chunk->type_len = set->type_len;
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
