/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Runs the cases of t/unit/vectors: bodies and what the parser must tell about
 * them, however they are cut.  A file holds cases like this one:
 *
 *   # a remark
 *   case NAME
 *   boundary TEXT                         (b)
 *   limits PARTS HEADER HEADERS PADDING   (100 1000 5000 200)
 *   |--b\r\n                              the body, line after line
 *   |\{70000*\r\n}\x80                    70,000 times CRLF, the byte 0x80
 *   > part 52 name="a"                    the log, as in parse_events.h
 *
 * Escapes: \r \n \t \0 \\ \xHH and \{COUNT*TEXT}, which does not nest.  Line
 * ends of the file mean nothing in a body. */
#include "parse_events.h"
#include "tap.h"

#include <dirent.h>

#define FILES_MIN 20
#define CASES_MIN 245

#define PAIRS_MAX 130   /* longest body that is cut at every two places */
#define SPLITS_MAX 6000 /* longest body that is cut at every place */
#define SOME_SPLITS 400

/* Text that grows. */
typedef struct text {
    char *bytes;
    size_t len;
    size_t size;
} text;

typedef struct vector {
    char name[160];
    char boundary[UPOOL_BOUNDARY_MAX + 1];
    upool_multipart_limits limits;
    text body;
    text log;
} vector;

static unsigned files_run;
static unsigned cases_run;

static void text_add(text *t, const char *bytes, size_t len)
{
    if (t->size - t->len < len + 1) {
        t->size = (t->len + len + 1) * 2;
        t->bytes = realloc(t->bytes, t->size);
        if (t->bytes == NULL) {
            abort();
        }
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    t->bytes[t->len] = '\0';
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

static int decode(text *out, const char *at, const char *end);

/* Decodes what is behind \{ : a count, "*", text, "}". */
static const char *decode_repeat(text *out, const char *at, const char *end)
{
    char *star;
    unsigned long count = strtoul(at, &star, 10);
    const char *close = memchr(at, '}', (size_t)(end - at));
    text piece = { NULL, 0, 0 };
    int good = close != NULL && *star == '*' && count > 0 && count < 10000000;

    good = good && decode(&piece, star + 1, close);
    while (good && count > 0) {
        text_add(out, piece.bytes, piece.len);
        count--;
    }
    free(piece.bytes);
    return good ? close + 1 : NULL;
}

/* Decodes escapes; 0 where they are broken. */
static int decode(text *out, const char *at, const char *end)
{
    static const char plain[] = "r\rn\nt\t\\\\0\0";
    const char *found;
    char c;

    text_add(out, "", 0);
    while (at != NULL && at < end) {
        if (*at != '\\') {
            text_add(out, at++, 1);
            continue;
        }
        at++;
        found = at < end ? memchr(plain, *at, sizeof(plain) - 1) : NULL;
        if (at < end && *at == '{') {
            at = decode_repeat(out, at + 1, end);
        }
        else if (end - at > 2 && *at == 'x' && hex(at[1]) >= 0
                 && hex(at[2]) >= 0) {
            c = (char)(hex(at[1]) * 16 + hex(at[2]));
            text_add(out, &c, 1);
            at += 3;
        }
        else if (found != NULL && (found - plain) % 2 == 0) {
            text_add(out, found + 1, 1);
            at++;
        }
        else {
            at = NULL;
        }
    }
    return at != NULL;
}

/* Prints text as comment lines, escaped. */
static void show(const char *label, const char *bytes, size_t len)
{
    size_t i;

    printf("# %s\n#   ", label);
    for (i = 0; i < len && i < 2000; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c == '\n' && (i + 1 == len || i < 2 || bytes[i - 1] != '\r')) {
            printf("\n#   ");
        }
        else if (c == '\r') {
            printf("\\r");
        }
        else if (c == '\n') {
            printf("\\n");
        }
        else if (c < 0x20 || c >= 0x7F) {
            printf("\\x%02x", c);
        }
        else {
            putchar(c);
        }
    }
    putchar('\n');
}

/* Feeds the body cut at a and b; 1 where the log is as expected. */
static int run(const vector *v, size_t a, size_t b, int verbose)
{
    const char *body = v->body.bytes;
    events log;
    int same;

    events_open(&log, v->boundary, &v->limits);
    events_feed(&log, body, a);
    events_feed(&log, body + a, b - a);
    events_feed(&log, body + b, v->body.len - b);
    events_end(&log);
    same = !log.misuse && log.len == v->log.len
           && memcmp(log.text, v->log.bytes, log.len) == 0;
    if (!same && verbose) {
        tap_diag("cut at %lu and %lu", (unsigned long)a, (unsigned long)b);
        show("got", log.text, log.len);
        show("expected", v->log.bytes, v->log.len);
    }
    free(log.text);
    return same;
}

static int run_bytewise(const vector *v)
{
    events log;
    size_t i;
    int same;

    events_open(&log, v->boundary, &v->limits);
    for (i = 0; i < v->body.len; i++) {
        events_feed(&log, v->body.bytes + i, 1);
    }
    events_end(&log);
    same = !log.misuse && log.len == v->log.len
           && memcmp(log.text, v->log.bytes, log.len) == 0;
    if (!same) {
        show("got", log.text, log.len);
    }
    free(log.text);
    return same;
}

static int run_splits(const vector *v)
{
    size_t len = v->body.len;
    size_t step = len > SPLITS_MAX ? len / SOME_SPLITS : 1;
    size_t a;

    for (a = 0; a <= len; a += step) {
        if (!run(v, a, len, 1)) {
            return 0;
        }
    }
    return 1;
}

static int run_pairs(const vector *v)
{
    size_t a;
    size_t b;

    for (a = 0; a <= v->body.len; a++) {
        for (b = a; b <= v->body.len; b++) {
            if (!run(v, a, b, 1)) {
                return 0;
            }
        }
    }
    return 1;
}

static void run_case(const vector *v, const char *file)
{
    if (v->log.len == 0) {
        tap_ok(0, "%s: %s: has an expected log", file, v->name);
        return;
    }
    cases_run++;
    if (!tap_ok(run(v, v->body.len, v->body.len, 1), "%s: %s: whole", file,
                v->name)) {
        return;
    }
    tap_ok(run_bytewise(v), "%s: %s: byte by byte", file, v->name);
    tap_ok(run_splits(v), "%s: %s: in two pieces", file, v->name);
    if (v->body.len <= PAIRS_MAX) {
        tap_ok(run_pairs(v), "%s: %s: in three pieces", file, v->name);
    }
}

static void open_case(vector *v, const char *name)
{
    static const upool_multipart_limits usual = { 100, 1000, 5000, 200 };

    memset(v, 0, sizeof(*v));
    snprintf(v->name, sizeof(v->name), "%.150s", name);
    snprintf(v->boundary, sizeof(v->boundary), "b");
    v->limits = usual;
}

static void close_case(vector *v, const char *file)
{
    if (v->name[0] != '\0') {
        run_case(v, file);
    }
    free(v->body.bytes);
    free(v->log.bytes);
    memset(v, 0, sizeof(*v));
}

static int read_limits(vector *v, const char *at)
{
    size_t *limits[4];
    char *end;
    size_t i;

    limits[0] = &v->limits.parts;
    limits[1] = &v->limits.header;
    limits[2] = &v->limits.headers;
    limits[3] = &v->limits.padding;
    for (i = 0; i < 4; i++) {
        *limits[i] = strtoul(at, &end, 10);
        if (end == at) {
            return 0;
        }
        at = end;
    }
    return *at == '\0';
}

/* One line of a vector file, without its end; 0 where it is not understood. */
static int read_line(vector *v, const char *file, const char *line)
{
    const char *end = line + strlen(line);
    text boundary = { NULL, 0, 0 };
    int good;

    if (*line == '#' || *line == '\0') {
        return 1;
    }
    if (strncmp(line, "case ", 5) == 0) {
        close_case(v, file);
        open_case(v, line + 5);
        return 1;
    }
    if (v->name[0] == '\0') {
        return 0;
    }
    if (*line == '|') {
        return decode(&v->body, line + 1, end);
    }
    if (*line == '>') {
        good = decode(&v->log, line + 2, end);
        text_add(&v->log, "\n", 1);
        return good && line[1] == ' ';
    }
    if (strncmp(line, "limits ", 7) == 0) {
        return read_limits(v, line + 7);
    }
    if (strncmp(line, "boundary ", 9) == 0) {
        good = decode(&boundary, line + 9, end)
               && boundary.len <= UPOOL_BOUNDARY_MAX;
        if (good) {
            memcpy(v->boundary, boundary.bytes, boundary.len + 1);
        }
        free(boundary.bytes);
        return good;
    }
    return 0;
}

static void run_file(const char *directory, const char *file)
{
    char path[512];
    char line[4096];
    unsigned before = cases_run;
    unsigned number = 0;
    vector v;
    FILE *in;

    snprintf(path, sizeof(path), "%s/%s", directory, file);
    in = fopen(path, "r");
    if (in == NULL) {
        tap_ok(0, "%s can be read", path);
        return;
    }
    memset(&v, 0, sizeof(v));
    while (fgets(line, sizeof(line), in) != NULL) {
        size_t len = strlen(line);

        number++;
        if (len == 0 || line[len - 1] != '\n') {
            tap_ok(0, "%s:%u ends in a newline", file, number);
            break;
        }
        line[len - 1] = '\0';
        if (!read_line(&v, file, line)) {
            tap_ok(0, "%s:%u is understood: %s", file, number, line);
            break;
        }
    }
    close_case(&v, file);
    fclose(in);
    files_run += tap_ok(cases_run > before, "%s: has cases", file) != 0;
}

/* P5: One reading, however a body is cut. */
int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "t/unit/vectors";
    DIR *listing = opendir(directory);
    unsigned files = 0;
    struct dirent *entry;

    if (listing == NULL) {
        tap_ok(0, "%s can be read", directory);
        return tap_done();
    }
    while ((entry = readdir(listing)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (len > 3 && strcmp(entry->d_name + len - 3, ".mp") == 0) {
            files++;
            run_file(directory, entry->d_name);
        }
    }
    closedir(listing);
    tap_is_int(files_run, files, "every vector file was run");
    tap_ok(files >= FILES_MIN, "%u vector files, %d or more", files, FILES_MIN);
    tap_ok(cases_run >= CASES_MIN, "%u cases, %d or more", cases_run,
           CASES_MIN);
    return tap_done();
}
