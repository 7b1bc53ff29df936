/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/wire.h"

#include <string.h>

#include "parse/names.h"

static const unsigned char MAGIC[4] = { 'U', 'P', 'P', '1' };

/* The year 9999: nothing later counts as a time, and adding to a time never
 * overflows. */
#define TIME_MOST ((apr_int64_t)253402300799 * 1000000)
/* As much as a slot can count. */
#define BYTES_MOST (((apr_int64_t)1 << 48) - 1)

typedef struct text_rule {
    apr_size_t offset;
    apr_size_t most;
} text_rule;

static const text_rule texts[] = {
    { offsetof(upool_slot_record, owner), UPOOL_SLOT_OWNER },
    { offsetof(upool_slot_record, filename), UPOOL_SLOT_FILENAME },
    { offsetof(upool_slot_record, content_type), UPOOL_SLOT_TYPE },
    { offsetof(upool_slot_record, error), UPOOL_SLOT_ERROR },
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static unsigned char *put_number(unsigned char *at, apr_int64_t number)
{
    apr_uint64_t bits = (apr_uint64_t)number;
    int shift;

    for (shift = 56; shift >= 0; shift -= 8) {
        *at++ = (unsigned char)(bits >> shift & 0xff);
    }
    return at;
}

apr_size_t upool_wire_write(unsigned char out[UPOOL_WIRE_MAX],
                            const upool_slot_record *record)
{
    unsigned char *at = out;
    apr_size_t n;

    memcpy(at, MAGIC, sizeof(MAGIC));
    at += sizeof(MAGIC);
    *at++ = (unsigned char)record->state;
    at = put_number(at, record->size);
    at = put_number(at, record->received);
    at = put_number(at, record->created);
    at = put_number(at, record->updated);
    for (n = 0; n < TEXTS; n++) {
        const char *text = (const char *)record + texts[n].offset;
        apr_size_t len = strlen(text);

        if (len > texts[n].most || !upool_names_is_utf8(text, len)) {
            return 0;
        }
        *at++ = (unsigned char)(len >> 8);
        *at++ = (unsigned char)(len & 0xff);
        memcpy(at, text, len);
        at += len;
    }
    return (apr_size_t)(at - out);
}

/* The rest to read; left shrinks, and never falls below 0. */
typedef struct reader {
    const unsigned char *at;
    apr_size_t left;
} reader;

static int take(reader *in, apr_size_t len, const unsigned char **bytes)
{
    if (in->left < len) {
        return 0;
    }
    *bytes = in->at;
    in->at += len;
    in->left -= len;
    return 1;
}

/* A number from least to most. */
static int take_number(reader *in, apr_int64_t least, apr_int64_t most,
                       apr_int64_t *number)
{
    const unsigned char *bytes;
    apr_uint64_t bits = 0;
    int n;

    if (!take(in, 8, &bytes)) {
        return 0;
    }
    for (n = 0; n < 8; n++) {
        bits = bits << 8 | bytes[n];
    }
    /* All ones is the only number below 0 that is ever sent. */
    *number =
        bits == ~APR_UINT64_C(0) ? -1 : (apr_int64_t)(bits & ~(1ULL << 63));
    return (bits >> 63 == 0 || *number == -1) && *number >= least
           && *number <= most;
}

/* Text must not contain a NUL, or its readers would see less than was
 * checked. */
static int take_text(reader *in, const text_rule *rule, upool_slot_record *out)
{
    char *text = (char *)out + rule->offset;
    const unsigned char *bytes;
    apr_size_t len;

    if (!take(in, 2, &bytes)) {
        return 0;
    }
    len = (apr_size_t)bytes[0] << 8 | bytes[1];
    if (len > rule->most || !take(in, len, &bytes) || memchr(bytes, '\0', len)
        || !upool_names_is_utf8((const char *)bytes, len)) {
        return 0;
    }
    memcpy(text, bytes, len);
    text[len] = '\0';
    return 1;
}

static int is_state(int state)
{
    return state == UPOOL_SLOT_UPLOADING || state == UPOOL_SLOT_DONE
           || state == UPOOL_SLOT_ERROR_STATE;
}

int upool_wire_read(const unsigned char *in, apr_size_t len,
                    upool_slot_record *record)
{
    reader rest = { in, len };
    const unsigned char *bytes;
    apr_size_t n;

    memset(record, 0, sizeof(*record));
    if (!take(&rest, sizeof(MAGIC), &bytes)
        || memcmp(bytes, MAGIC, sizeof(MAGIC)) != 0
        || !take(&rest, 1, &bytes)) {
        return 0;
    }
    record->state = *bytes;
    if (!is_state(record->state)
        || !take_number(&rest, -1, BYTES_MOST, &record->size)
        || !take_number(&rest, 0, BYTES_MOST, &record->received)
        || !take_number(&rest, 0, TIME_MOST, &record->created)
        || !take_number(&rest, 0, TIME_MOST, &record->updated)) {
        return 0;
    }
    for (n = 0; n < TEXTS; n++) {
        if (!take_text(&rest, &texts[n], record)) {
            return 0;
        }
    }
    return rest.left == 0;
}
