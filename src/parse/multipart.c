/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/multipart.h"

#include <string.h>

#include "parse/scan.h"

/* What each state awaits, and what leaves it. */
enum {
    PREAMBLE, /* the first delimiter */
    DATA,     /* the delimiter behind a part */
    BOUNDARY, /* first byte behind the boundary text: blank, CR or "-" */
    BLANKS,   /* a further blank, or CR */
    LINE_END, /* the LF that ends a delimiter line: a part begins */
    DASH,     /* the second "-" of the closing delimiter */
    CLOSED,   /* blank, CR, LF or the end of the body */
    LAST_LF,  /* the LF behind the closing delimiter */
    HEADER,   /* the blank line behind the header lines */
    EPILOGUE  /* the end of the body */
};

/* Where a feed stands. */
typedef struct cursor {
    const char *data;
    size_t len;
    size_t at;
    unsigned long long base; /* bytes of the body before data */
} cursor;

static void release_held(upool_multipart *mp)
{
    if (mp->held != NULL) {
        (void)mp->events->hold(mp->user, mp->held, 0, 0);
    }
    mp->held = NULL;
    mp->held_size = 0;
    mp->held_len = 0;
}

static upool_multipart_error fail(upool_multipart *mp,
                                  unsigned long long offset,
                                  upool_multipart_error error)
{
    release_held(mp);
    mp->offset = offset;
    mp->error = error;
    return error;
}

static unsigned long long offset_of(const cursor *c)
{
    return c->base + c->at;
}

static upool_multipart_error fail_here(upool_multipart *mp, const cursor *c,
                                       upool_multipart_error error)
{
    return fail(mp, offset_of(c), error);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Counts n bytes that are skipped. */
static int padding_exceeded(upool_multipart *mp, size_t n)
{
    if (n > mp->limits.padding - mp->padded) {
        return 1;
    }
    mp->padded += n;
    return 0;
}

/* The text between delimiters: preamble or data of a part. */
static upool_multipart_error pass_text(upool_multipart *mp, const cursor *c,
                                       const char *text, size_t len)
{
    if (len == 0) {
        return UPOOL_MULTIPART_OK;
    }
    if (mp->state == PREAMBLE) {
        if (padding_exceeded(mp, len)) {
            return fail(mp, mp->limits.padding, UPOOL_MULTIPART_PADDING);
        }
        return UPOOL_MULTIPART_OK;
    }
    if (mp->events->part_data(mp->user, text, len) != 0) {
        return fail_here(mp, c, UPOOL_MULTIPART_STOPPED);
    }
    return UPOOL_MULTIPART_OK;
}

/* The whole delimiter text from delimiter[from] on has been read. */
static upool_multipart_error take_delimiter(upool_multipart *mp,
                                            const cursor *c, size_t from)
{
    unsigned long long begin = offset_of(c) - (mp->delimiter_len - from);

    mp->from = 0;
    mp->match = 0;
    if (from == 1) {
        return fail(mp, begin, UPOOL_MULTIPART_DELIMITER);
    }
    if (from == 2 && mp->state == DATA) {
        /* The blank line's CRLF would have to serve twice. */
        return fail(mp, begin, UPOOL_MULTIPART_HEADER);
    }
    mp->state = BOUNDARY;
    return UPOOL_MULTIPART_OK;
}

/* Goes on with a delimiter whose first bytes came with an earlier feed (or need
 * not come: at the start of the body and of a part's data).  Bytes that turn
 * out to be data are passed on from the parser's own copy. */
static upool_multipart_error resume_delimiter(upool_multipart *mp, cursor *c)
{
    size_t from = mp->from;
    size_t match = mp->match;

    while (c->at < c->len && match < mp->delimiter_len
           && c->data[c->at] == mp->delimiter[match]) {
        c->at++;
        match++;
    }
    if (match == mp->delimiter_len) {
        return take_delimiter(mp, c, from);
    }
    if (c->at == c->len) {
        mp->match = match;
        return UPOOL_MULTIPART_OK;
    }
    /* No delimiter can begin inside the held bytes: CR and LF are only at their
     * start, and the one case of CR CR is found again by the scan. */
    mp->from = 0;
    mp->match = 0;
    return pass_text(mp, c, mp->delimiter + from, match - from);
}

/* Looks for the next delimiter in the rest of the feed. */
static upool_multipart_error scan_text(upool_multipart *mp, cursor *c)
{
    const char *text = c->data + c->at;
    size_t left = c->len - c->at;
    size_t lf =
        upool_scan_find(text, left, mp->delimiter + 1, mp->delimiter_len - 1);
    upool_multipart_error error;
    size_t from;
    size_t keep;

    if (lf == left) {
        keep = upool_scan_tail(text, left, mp->delimiter, mp->delimiter_len,
                               &from);
        c->at = c->len;
        error = pass_text(mp, c, text, left - keep);
        mp->from = from;
        mp->match = keep > 0 ? from + keep : 0;
        return error;
    }
    /* A CR right before text would have been held, and then found by
     * resume_delimiter(); so an LF at its start is a bare one. */
    from = lf > 0 && text[lf - 1] == '\r' ? 0 : 1;
    c->at += lf + mp->delimiter_len - 1;
    error = pass_text(mp, c, text, from == 0 ? lf - 1 : lf);
    if (error != UPOOL_MULTIPART_OK) {
        return error;
    }
    return take_delimiter(mp, c, from);
}

static upool_multipart_error feed_text(upool_multipart *mp, cursor *c)
{
    upool_multipart_error error;

    if (mp->match > 0) {
        error = resume_delimiter(mp, c);
        if (error != UPOOL_MULTIPART_OK || c->at == c->len
            || mp->state == BOUNDARY) {
            return error;
        }
    }
    return scan_text(mp, c);
}

static upool_multipart_error end_part(upool_multipart *mp, const cursor *c)
{
    mp->offset = offset_of(c);
    if (mp->parts > 0 && mp->events->part_end(mp->user) != 0) {
        return fail_here(mp, c, UPOOL_MULTIPART_STOPPED);
    }
    return UPOOL_MULTIPART_OK;
}

/* A delimiter line is complete: ends the part before it, begins the next. */
static upool_multipart_error begin_header(upool_multipart *mp, const cursor *c)
{
    upool_multipart_error error = end_part(mp, c);

    if (error != UPOOL_MULTIPART_OK) {
        return error;
    }
    if (mp->parts == mp->limits.parts) {
        return fail_here(mp, c, UPOOL_MULTIPART_TOO_MANY_PARTS);
    }
    mp->parts++;
    mp->state = HEADER;
    mp->block = 0;
    mp->lines = 0;
    mp->line = 0;
    mp->dashed = 0;
    mp->cr = 0;
    return UPOOL_MULTIPART_OK;
}

/* Where one byte leads from a state behind the boundary text; the state itself
 * where it leads nowhere.  No state but BLANKS and CLOSED leads to itself. */
static unsigned next_state(unsigned state, char c)
{
    switch (state) {
    case BOUNDARY:
        if (c == '-') {
            return DASH;
        }
        return is_blank(c) ? BLANKS : c == '\r' ? LINE_END : state;
    case BLANKS:
        return c == '\r' ? LINE_END : state;
    case LINE_END:
        return c == '\n' ? HEADER : state;
    case DASH:
        return c == '-' ? CLOSED : state;
    case CLOSED:
        return c == '\r' ? LAST_LF : c == '\n' ? EPILOGUE : state;
    default:
        return c == '\n' ? EPILOGUE : state;
    }
}

/* One byte behind the boundary text. */
static upool_multipart_error feed_line_end(upool_multipart *mp, cursor *c)
{
    char byte = c->data[c->at];
    unsigned next = next_state(mp->state, byte);

    if (next == mp->state
        && !(is_blank(byte) && (next == BLANKS || next == CLOSED))) {
        return fail_here(mp, c, UPOOL_MULTIPART_DELIMITER);
    }
    if (mp->state == BOUNDARY || next == EPILOGUE) {
        mp->padded = 0;
    }
    if (is_blank(byte) && padding_exceeded(mp, 1)) {
        return fail_here(mp, c, UPOOL_MULTIPART_PADDING);
    }
    c->at++;
    if (next == HEADER) {
        return begin_header(mp, c);
    }
    if (mp->state == DASH) {
        mp->state = next;
        return end_part(mp, c);
    }
    mp->state = next;
    return UPOOL_MULTIPART_OK;
}

/* Makes room for want bytes of the block. */
static upool_multipart_error grow_held(upool_multipart *mp, size_t want)
{
    size_t size = mp->held != NULL ? mp->held_size : UPOOL_MULTIPART_SMALL;
    char *memory = NULL;

    if (want <= size) {
        return UPOOL_MULTIPART_OK;
    }
    while (size < want) {
        size = size > mp->limits.header / 2 ? mp->limits.header : size * 2;
    }
    if (mp->events->hold != NULL) {
        memory = mp->events->hold(mp->user, mp->held,
                                  mp->held != NULL ? mp->held_len : 0, size);
    }
    if (memory == NULL) {
        return UPOOL_MULTIPART_NO_MEMORY;
    }
    if (mp->held == NULL) {
        memcpy(memory, mp->small, mp->held_len);
    }
    mp->held = memory;
    mp->held_size = size;
    return UPOOL_MULTIPART_OK;
}

/* Keeps the bytes of the block that this feed brought, from begin on. */
static upool_multipart_error hold_block(upool_multipart *mp, const cursor *c,
                                        size_t begin)
{
    size_t len = mp->block - mp->held_len;
    upool_multipart_error error = grow_held(mp, mp->block);

    if (error != UPOOL_MULTIPART_OK) {
        return fail_here(mp, c, error);
    }
    memcpy((mp->held != NULL ? mp->held : mp->small) + mp->held_len,
           c->data + begin, len);
    mp->held_len = mp->block;
    return UPOOL_MULTIPART_OK;
}

/* The blank line is complete.  A block that lies whole in the feed, which is
 * the rule, is not copied. */
static upool_multipart_error begin_part(upool_multipart *mp, const cursor *c,
                                        size_t begin)
{
    const char *block = c->data + begin;
    upool_multipart_error error;
    int stop;

    if (mp->held_len > 0) {
        error = hold_block(mp, c, begin);
        if (error != UPOOL_MULTIPART_OK) {
            return error;
        }
        block = mp->held != NULL ? mp->held : mp->small;
    }
    mp->headers += mp->block;
    mp->offset = offset_of(c);
    mp->state = DATA;
    /* As if CRLF had just been read, so that data that begin with "--" boundary
     * are noticed. */
    mp->from = 2;
    mp->match = 2;
    stop = mp->events->part_begin(mp->user, block, mp->block);
    release_held(mp);
    return stop == 0 ? UPOOL_MULTIPART_OK
                     : fail_here(mp, c, UPOOL_MULTIPART_STOPPED);
}

/* Checks an ordinary byte of a header line, before it is counted. */
static upool_multipart_error check_header_byte(upool_multipart *mp, char byte)
{
    if (byte == '\0' || byte == '\n') {
        return UPOOL_MULTIPART_HEADER;
    }
    if (mp->line == 0) {
        /* RFC 9112 5.2: line folding is obsolete, and parsers read it in
         * several ways; in front of the first line it has crashed some. */
        if (is_blank(byte)) {
            return UPOOL_MULTIPART_HEADER;
        }
        if (mp->lines == UPOOL_MULTIPART_LINES_MAX) {
            return UPOOL_MULTIPART_HEADER_TOO_LARGE;
        }
    }
    if (mp->dashed == mp->line && byte == mp->delimiter[2 + mp->dashed]) {
        mp->dashed++;
        if (mp->dashed == mp->delimiter_len - 2) {
            return UPOOL_MULTIPART_HEADER;
        }
    }
    return UPOOL_MULTIPART_OK;
}

/* One byte of the block and of the blank line behind it; *blank is set to 1
 * when the latter is complete. */
static upool_multipart_error feed_header_byte(upool_multipart *mp, char byte,
                                              size_t ceiling, int *blank)
{
    upool_multipart_error error;

    if (mp->cr) {
        if (byte != '\n') {
            return UPOOL_MULTIPART_HEADER;
        }
        mp->cr = 0;
        *blank = mp->line == 0;
    }
    else if (byte == '\r') {
        mp->cr = 1;
    }
    else {
        error = check_header_byte(mp, byte);
        if (error != UPOOL_MULTIPART_OK) {
            return error;
        }
        mp->line++;
    }
    if (mp->line == 0) {
        return UPOOL_MULTIPART_OK; /* the blank line does not count */
    }
    if (mp->block == ceiling) {
        return UPOOL_MULTIPART_HEADER_TOO_LARGE;
    }
    mp->block++;
    if (byte == '\n') {
        mp->lines++;
        mp->line = 0;
        mp->dashed = 0;
    }
    return UPOOL_MULTIPART_OK;
}

static upool_multipart_error feed_header(upool_multipart *mp, cursor *c)
{
    size_t rest = mp->limits.headers - mp->headers;
    size_t ceiling = mp->limits.header < rest ? mp->limits.header : rest;
    size_t begin = c->at;
    upool_multipart_error error;
    int blank = 0;

    while (c->at < c->len && !blank) {
        error = feed_header_byte(mp, c->data[c->at], ceiling, &blank);
        if (error != UPOOL_MULTIPART_OK) {
            return fail_here(mp, c, error);
        }
        c->at++;
    }
    return blank ? begin_part(mp, c, begin) : hold_block(mp, c, begin);
}

static upool_multipart_error feed_epilogue(upool_multipart *mp, cursor *c)
{
    size_t left = c->len - c->at;
    size_t room = mp->limits.padding - mp->padded;

    if (padding_exceeded(mp, left)) {
        c->at += room;
        return fail_here(mp, c, UPOOL_MULTIPART_PADDING);
    }
    c->at = c->len;
    return UPOOL_MULTIPART_OK;
}

void upool_multipart_init(upool_multipart *mp, const char *boundary,
                          size_t boundary_len,
                          const upool_multipart_limits *limits,
                          const upool_multipart_events *events, void *user)
{
    memset(mp, 0, sizeof(*mp));
    mp->events = events;
    mp->user = user;
    mp->limits = *limits;
    memcpy(mp->delimiter, "\r\n--", 4);
    memcpy(mp->delimiter + 4, boundary, boundary_len);
    mp->delimiter_len = boundary_len + 4;
    mp->state = PREAMBLE;
    /* RFC 2046 5.1.1: the first delimiter needs no CRLF at the very start. */
    mp->from = 2;
    mp->match = 2;
}

upool_multipart_error upool_multipart_feed(upool_multipart *mp,
                                           const char *data, size_t len)
{
    cursor c = { data, len, 0, mp->offset };

    while (c.at < len && mp->error == UPOOL_MULTIPART_OK) {
        switch (mp->state) {
        case PREAMBLE:
        case DATA:
            feed_text(mp, &c);
            break;
        case HEADER:
            feed_header(mp, &c);
            break;
        case EPILOGUE:
            feed_epilogue(mp, &c);
            break;
        default:
            feed_line_end(mp, &c);
        }
    }
    if (mp->error == UPOOL_MULTIPART_OK) {
        mp->offset = offset_of(&c);
    }
    return mp->error;
}

upool_multipart_error upool_multipart_end(upool_multipart *mp)
{
    if (mp->error != UPOOL_MULTIPART_OK || mp->state == CLOSED
        || mp->state == EPILOGUE) {
        return mp->error;
    }
    return fail(mp, mp->offset,
                mp->state == PREAMBLE ? UPOOL_MULTIPART_NO_DELIMITER
                                      : UPOOL_MULTIPART_TRUNCATED);
}

unsigned long long upool_multipart_offset(const upool_multipart *mp)
{
    return mp->offset;
}
