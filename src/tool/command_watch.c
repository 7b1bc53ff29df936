/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <apr_strings.h>

#include "tool/rows.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

#define BAR 20
#define FULL "####################"
#define EMPTY "...................."
#define IDENT 36 /* columns of a UUID */

typedef struct screen {
    int is_terminal;
    int columns;
    int rows;
    int drawn; /* lines of the picture before */
} screen;

static void measure(screen *s)
{
    struct winsize size;

    s->columns = 120;
    s->rows = 1000000;
    if (s->is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0
        && size.ws_col && size.ws_row) {
        s->columns = size.ws_col;
        s->rows = size.ws_row;
    }
}

/* Bytes a second since the last look; -1: there was none. */
static apr_off_t rate_of(const upool_row *row)
{
    apr_interval_time_t passed = row->read - row->before;
    apr_off_t came = row->received - row->since;

    if (!row->before || passed <= 0) {
        return -1;
    }
    /* The upload began anew, or was rolled back. */
    return came <= 0 ? 0 : (apr_off_t)((double)came * 1e6 / (double)passed);
}

/* 0 to 100; -1: the total is not known. */
static int percent_of(const upool_row *row)
{
    if (row->size <= 0) {
        return row->size < 0 ? -1 : 100;
    }
    return row->received >= row->size
               ? 100
               : (int)((double)row->received * 100 / (double)row->size);
}

static const char *time_left(const upool_row *row, apr_off_t rate,
                             apr_pool_t *p)
{
    apr_off_t seconds;

    if (rate <= 0 || row->size < 0) {
        return "-";
    }
    seconds =
        row->size > row->received ? (row->size - row->received) / rate : 0;
    if (seconds >= 360000) {
        return ">100h";
    }
    return seconds >= 3600 ? apr_psprintf(p, "%d:%02dh", (int)(seconds / 3600),
                                          (int)(seconds / 60 % 60))
                           : apr_psprintf(p, "%d:%02d", (int)(seconds / 60),
                                          (int)(seconds % 60));
}

static void draw_row(const upool_row *row, const screen *s, apr_pool_t *p)
{
    apr_off_t rate = rate_of(row);
    int percent = percent_of(row);
    int done = percent < 0 ? 0 : percent * BAR / 100;
    char number[8] = "   ?";
    const char *line;

    if (percent >= 0) {
        apr_snprintf(number, sizeof(number), "%3d%%", percent);
    }
    line = apr_psprintf(
        p, "%-*s [%.*s%.*s] %s %7s/%-7s %7s/s %6s  %s", IDENT, row->id, done,
        FULL, BAR - done, EMPTY, number, upool_text_size(row->received, p),
        upool_text_size(row->size, p), upool_text_size(rate, p),
        time_left(row, rate, p), upool_text_shown(row->filename, p));
    puts(s->is_terminal ? upool_text_fitted(line, s->columns - 1, p) : line);
}

/* Draws over the last picture: nothing is scrolled away and the terminal's
 * state does not change, so nothing has to be put right when a signal ends
 * it. */
static void begin_picture(const screen *s)
{
    if (s->is_terminal && s->drawn) {
        printf("\033[%dA\033[J", s->drawn);
    }
}

static void draw(screen *s, const apr_array_header_t *list, apr_pool_t *p)
{
    int most;
    int n;
    int i;

    measure(s);
    most = s->rows > 4 ? s->rows - 3 : 1;
    n = list->nelts > most ? most : list->nelts;
    begin_picture(s);
    printf("%s  %d under way\n", upool_text_time(apr_time_now(), p),
           list->nelts);
    for (i = 0; i < n; i++) {
        draw_row(APR_ARRAY_IDX(list, i, const upool_row *), s, p);
    }
    s->drawn = n + 1;
    if (n < list->nelts) {
        printf("and %d more\n", list->nelts - n);
        s->drawn++;
    }
}

static upool_exit print_line(const apr_array_header_t *list, apr_pool_t *p)
{
    json_t *uploads = json_array();
    json_t *object;
    int bad = 0;
    int i;

    for (i = 0; i < list->nelts; i++) {
        const upool_row *row = APR_ARRAY_IDX(list, i, const upool_row *);
        apr_off_t rate = rate_of(row);
        json_t *upload = upool_rows_object(row, p);

        bad |= json_object_set_new(upload, "rate",
                                   rate < 0 ? json_null() : json_integer(rate));
        bad |= json_array_append_new(uploads, upload);
    }
    object = json_pack("{s:s, s:o}", "time", upool_text_time(apr_time_now(), p),
                       "uploads", uploads);
    bad |= json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    putchar('\n');
    return bad ? UPOOL_EXIT_CANNOT : UPOOL_EXIT_GOOD;
}

static upool_exit look(const upool_tool *tool, upool_rows *rows, screen *s,
                       apr_pool_t *p)
{
    apr_status_t rv = upool_rows_read(rows, tool->store);
    upool_exit ends = UPOOL_EXIT_GOOD;
    apr_array_header_t *list;

    if (rv) {
        upool_tool_complain_of("the pool cannot be read", rv, p);
        return UPOOL_EXIT_CANNOT;
    }
    list = upool_rows_sorted(rows, "uploading", p);
    if (tool->json) {
        ends = print_line(list, p);
    }
    else {
        draw(s, list, p);
    }
    /* No one reads any more: the pipe was closed, or the disk is full. */
    return fflush(stdout) ? UPOOL_EXIT_CANNOT : ends;
}

upool_exit upool_tool_watch(upool_tool *tool)
{
    upool_rows *rows = upool_rows_make(tool->p);
    int left = tool->rounds;
    screen s = { 0, 0, 0, 0 };
    upool_exit ends;
    apr_pool_t *p;

    s.is_terminal = isatty(STDOUT_FILENO);
    apr_pool_create(&p, tool->p);
    for (;;) {
        apr_pool_clear(p);
        ends = look(tool, rows, &s, p);
        if (ends || (left && --left == 0)) {
            return ends;
        }
        apr_sleep(tool->interval);
    }
}
