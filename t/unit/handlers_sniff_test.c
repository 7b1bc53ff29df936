/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Declared and found types; what libmagic makes of bytes, where it is built in;
 * the handler around both. */
#include "handlers/builtin.h"
#include "handlers/magic.h"
#include "handlers/filetype.h"
#include "handlers/kinds.h"

#include <stdio.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

static apr_pool_t *pool;
static upool_refusal refusal;

#define DIFFER UPOOL_ACCORD_DIFFER
#define AGREE UPOOL_ACCORD_AGREE
#define LATER UPOOL_ACCORD_LATER

typedef struct judged {
    const char *declared;
    const char *found;
    const char *rule;
} judged;

/* clang-format off */
static const judged good[] = {
    { "image/jpg", "image/jpeg", "same" },
    { "image/png", "image/png", "same" },
    { "image/x-icon", "image/vnd.microsoft.icon", "same" },
    { "image/heic", "image/heif", "same" },
    { "image/avif", "image/heif", "same" },
    { "image/x-nikon-nef", "image/tiff", "same" },
    { "audio/mp3", "audio/mpeg", "same" },
    { "audio/mp4", "video/mp4", "same" },
    { "video/quicktime", "video/mp4", "same" },
    { "audio/opus", "audio/ogg", "same" },
    { "video/webm", "video/x-matroska", "same" },
    { "application/x-zip-compressed", "application/zip", "same" },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "application/zip", "same" },
    { "application/zip", "application/vnd.oasis.opendocument.text", "same" },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "application/x-ole-storage", "pair" },
    { "image/svg+xml", "text/xml", "pair" },
    { NULL, "image/png", "no-label" },
    { NULL, NULL, "no-label" },
    { "application/octet-stream", "text/html", "no-label" },
    { "application/force-download", "application/x-dosexec", "no-label" },
    { "application/x-msdos-program", "text/x-msdos-batch", "program-label" },
    { "application/x-msdownload", NULL, "program-label" },
    { "application/x-msi", "application/x-ole-storage", "program-label" },
    { "image/x-icon", "image/png", "pair" },
    { "text/html", "text/xml", "page" },
    { "text/html", "text/plain", "page" },
    { "text/xml", "image/svg+xml", "page" },
    { "application/atom+xml", "text/plain", "page" },
    { "text/javascript", "text/x-c++", "page" },
    { "text/plain", "text/html", "text" },
    { "text/csv", "text/html", "text" },
    { "application/json", "text/html", "text" },
    { "message/rfc822", "text/html", "text" },
    { "text/vnd.trolltech.linguist", "application/javascript", "text" },
    { "text/plain", NULL, "text-unknown" },
    { "image/x-dds", NULL, "rare" },
    { "video/mp2t", NULL, "rare" },
    { "font/woff2", NULL, "rare" },
    { "font/ttf", "font/sfnt", "font" },
    { "font/otf", "application/vnd.ms-opentype", "font" },
    { "image/x-unheard-of", "image/x-sgi", "rare-kin" },
    { "application/msword", "text/html", "other" },
    { "application/x-unheard-of", "image/png", "other" },
    { "model/obj", "text/plain", "other" },
    { "x-nobody/knows", NULL, "other" },
    { "imag", NULL, "other" },
    { "", "image/png", "other" },
};

static const judged bad[] = {
    { "image/png", "text/html", "page-as-media" },
    { "image/png", "image/svg+xml", "page-as-media" },
    { "image/x-unheard-of", "text/html", "page-as-media" },
    { "image/svg+xml", "text/html", "page-as-media" },
    { "video/mp4", "application/javascript", "page-as-media" },
    { "font/woff2", "text/xml", "page-as-media" },
    { "application/pdf", "text/html", "page-as-media" },
    { "application/zip", "text/html", "page-as-media" },
    { "application/vnd.oasis.opendocument.text", "text/html",
      "page-as-media" },
    { "image/png", "application/x-dosexec", "program" },
    { "application/zip", "application/x-executable", "program" },
    { "text/plain", "application/vnd.microsoft.portable-executable",
      "program" },
    { "application/msword", "application/x-dosexec", "program" },
    { "application/x-unheard-of", "application/x-mach-binary", "program" },
    { "image/png", "image/jpeg", "else" },
    { "image/png", "text/plain", "else" },
    { "image/png", NULL, "else" },
    { "image/x-dds", "text/plain", "else" },
    { "audio/mpeg", NULL, "else" },
    { "video/mp4", "video/webm", "else" },
    { "application/pdf", "text/plain", "else" },
    { "application/pdf", NULL, "else" },
    { "application/pdf", "application/zip", "else" },
    { "application/zip", NULL, "else" },
    { "application/vnd.oasis.opendocument.text", "application/pdf", "else" },
    { "application/gzip", "application/zip", "else" },
    { "font/ttf", "image/png", "else" },
    { "font/ttf", "text/plain", "else" },
    { "text/plain", "application/zip", "else" },
    { "text/plain", "image/png", "else" },
    { "text/html", "image/png", "else" },
    { "text/html", NULL, "else" },
    { "image/svg+xml", "image/png", "else" },
    { "application/json", "image/png", "else" },
};

/* By the name, where there is no label, or a page's. */
static const struct {
    const char *declared;
    const char *name;
    const char *found;
    upool_accord accord;
    const char *rule;
} named[] = {
    { NULL, "a.png", "image/png", AGREE, "same" },
    { NULL, "a.PNG", "application/x-dosexec", DIFFER, "program" },
    { "application/octet-stream", "a.heic", "text/html", DIFFER,
      "page-as-media" },
    { NULL, "a.b.pdf", NULL, DIFFER, "else" },
    { NULL, "a.png.txt", "text/plain", AGREE, "no-label" },
    { NULL, "png", "text/html", AGREE, "no-label" },
    { NULL, "a.", NULL, AGREE, "no-label" },
    { NULL, "a.html", "text/html", AGREE, "no-label" },
    { "text/plain", "a.html", "text/html", DIFFER, "page-by-name" },
    { "application/x-unheard-of", "a.SVG", "text/xml", DIFFER,
      "page-by-name" },
    { "text/plain", "a.html", "text/plain", AGREE, "same" },
    { "text/html", "a.html", "text/html", AGREE, "same" },
    { "image/svg+xml", "a.svgz", "application/gzip", AGREE, "pair" },
    { "image/svg+xml", "a.svg", "application/gzip", DIFFER, "else" },
    { "audio/aac", "a.ass", "text/plain", AGREE, "pair" },
    { "audio/aac", "a.ass", "text/html", AGREE, "pair" },
    { "audio/aac", "a.aac", "text/plain", DIFFER, "else" },
    { "video/mp2t", "a.mts", "application/javascript", AGREE, "pair" },
    { "video/vnd.dlna.mpeg-tts", "a.ts", "text/plain", AGREE, "pair" },
    { "video/mp2t", "a.mp4", "application/javascript", DIFFER,
      "page-as-media" },
    { "model/obj", "a.obj", "application/x-object", AGREE, "pair" },
    { "text/x-vhdl", "a.vhd", "application/x-virtualbox-vhd", AGREE, "pair" },
};
/* clang-format on */

static const char *shown(const char *type)
{
    return type ? type : "nothing";
}

static void check(const upool_filetype *file, upool_accord accord,
                  const char *name)
{
    const upool_filetype_rule *rule = upool_filetype_judge(file);

    tap_is_int(rule->accord, accord, "%s (%s), looks like %s",
               shown(file->declared), shown(file->name), shown(file->found));
    tap_is_str(rule->name, name, "by that rule");
}

static void test_rules(void)
{
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        upool_filetype file = { good[i].declared, NULL, good[i].found,
                                UPOOL_LOOK_NONE };

        check(&file, AGREE, good[i].rule);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        upool_filetype file = { bad[i].declared, NULL, bad[i].found,
                                UPOOL_LOOK_NONE };

        check(&file, DIFFER, bad[i].rule);
    }
    for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        upool_filetype file = { named[i].declared, named[i].name,
                                named[i].found, UPOOL_LOOK_NONE };

        check(&file, named[i].accord, named[i].rule);
    }
}

/* --- What the bytes show, and what is found later ------------------------- */

static void check_look(const char *bytes, size_t len, upool_look look,
                       unsigned long behind)
{
    unsigned long at = 99;

    tap_is_int(upool_filetype_look(bytes, len, &at), look, "a look at \"%.4s\"",
               bytes);
    tap_is_int((long)at, (long)behind, "with a tag of that length");
}

static void test_looks(void)
{
    static char late[1100];
    upool_filetype file = { "audio/mpeg", NULL, NULL, UPOOL_LOOK_TAG };

    check_look("ID3\4\0\0\0\0\1\1....", 14, UPOOL_LOOK_TAG, 139);
    check_look("ID3\4\0\x10\0\0\0\1.", 11, UPOOL_LOOK_TAG, 21);
    check_look("ID3\4\0\0\0\0\0\1.", 11, UPOOL_LOOK_NONE, 11);
    check_look("ID3\4\0\0\x80\0\0\1.", 11, UPOOL_LOOK_NONE, 0);
    check_look("ID3", 3, UPOOL_LOOK_NONE, 0);
    check_look("PK\3\4", 4, UPOOL_LOOK_ZIP, 0);
    check_look("PK\5\6", 4, UPOOL_LOOK_ZIP, 0);
    check_look("PK", 2, UPOOL_LOOK_NONE, 0);
    check_look("\r\n%PDF-1.4", 10, UPOOL_LOOK_PDF, 0);
    memset(late, 'x', sizeof(late));
    memcpy(late + 1024, "%PDF-", 5);
    check_look(late, sizeof(late), UPOOL_LOOK_PDF, 0);
    memcpy(late + 1024, "x%PDF", 5);
    check_look(late, sizeof(late), UPOOL_LOOK_NONE, 0);
    tap_ok(upool_filetype_ends_pdf("x\n%%EOF\n", 8), "the end of a PDF");
    tap_ok(!upool_filetype_ends_pdf("%%EO", 4), "no end of a PDF");

    check(&file, LATER, "tag");
    file.look = UPOOL_LOOK_BEHIND_TAG;
    check(&file, AGREE, "behind-tag");
    file.found = "text/html";
    check(&file, DIFFER, "page-as-media");
    file.found = "video/mp4";
    check(&file, DIFFER, "else");
    file.look = UPOOL_LOOK_TAG;
    file.found = NULL;
    file.declared = "image/png";
    check(&file, DIFFER, "else");
    file.declared = "application/epub+zip";
    file.look = UPOOL_LOOK_ZIP;
    check(&file, LATER, "zip");
    file.look = UPOOL_LOOK_NONE;
    check(&file, DIFFER, "else");
    file.look = UPOOL_LOOK_NOWHERE;
    check(&file, AGREE, "first-bytes");
    file.declared = "application/pdf";
    file.look = UPOOL_LOOK_PDF;
    check(&file, LATER, "pdf");
    file.found = "text/plain";
    check(&file, LATER, "pdf");
    file.found = "text/html";
    check(&file, DIFFER, "page-as-media");
}

/* --- Ordinary files ------------------------------------------------------- */

#define TYPES "t/unit/types/"
#define MEASURED TYPES "measured.tsv"
#define GENERATED TYPES "generated.tsv"
#define PLATFORMS TYPES "platforms.tsv"

enum {
    FILE_NAME,
    CHROMIUM,
    FIREFOX,
    CURL,
    MAGIC_544,
    MAGIC_546,
    LOOK,
    COLUMNS
};

enum { PLATFORM, SUFFIXES, DECLARED, SOURCE, PLATFORM_COLUMNS };

static const char *type_at(char *const columns[], int n)
{
    return strcmp(columns[n], "-") != 0 ? columns[n] : NULL;
}

static int is_told(const upool_kind *kind)
{
    return kind->reason && kind->reason[0] && kind->source && kind->source[0];
}

static void check_as(const char *declared, char *const columns[], int magic)
{
    upool_filetype file = { declared, columns[FILE_NAME],
                            type_at(columns, magic), UPOOL_LOOK_NONE };
    const upool_filetype_rule *rule;

    switch (columns[LOOK][0]) {
    case 't':
        file.look = UPOOL_LOOK_TAG;
        break;
    case 'z':
        file.look = UPOOL_LOOK_ZIP;
        break;
    case 'p':
        file.look = UPOOL_LOOK_PDF;
        break;
    default:
        break;
    }
    rule = upool_filetype_judge(&file);
    if (!is_told(upool_kinds_of_type(file.declared))
        || !is_told(upool_kinds_of_type(file.found)) || !rule->reason[0]
        || !rule->source[0]) {
        tap_ok(0, "%s: a row without reason and source", file.name);
    }
    if (rule->accord == DIFFER) {
        tap_ok(0, "%s as %s is %s: %s", file.name, shown(file.declared),
               shown(file.found), rule->name);
    }
}

typedef void see_row(char *const columns[], void *user);

static int each_row(const char *path, int wanted, see_row *see, void *user)
{
    FILE *in = fopen(path, "r");
    char line[1024];
    int rows = 0;

    while (in && fgets(line, sizeof(line), in)) {
        char *columns[COLUMNS];
        char *rest = NULL;
        int n = 0;
        char *word;

        line[strcspn(line, "\n")] = '\0';
        for (word = apr_strtok(line, "\t", &rest); word && n < wanted;
             word = apr_strtok(NULL, "\t", &rest)) {
            columns[n++] = word;
        }
        if (*line == '#' || n < wanted) {
            continue;
        }
        rows++;
        see(columns, user);
    }
    if (in) {
        fclose(in);
    }
    return rows;
}

static void check_clients(char *const columns[], void *user)
{
    int client;

    (void)user;
    for (client = CHROMIUM; client <= CURL; client++) {
        check_as(type_at(columns, client), columns, MAGIC_544);
        check_as(type_at(columns, client), columns, MAGIC_546);
    }
}

/* What platforms.tsv says is declared by the ending. */
typedef struct declaration {
    const char *suffixes;
    const char *type;
    int files; /* that have it */
} declaration;

static int ends_in(const char *name, const char *suffixes)
{
    const char *dot = strrchr(name, '.');
    char *words = apr_pstrdup(pool, suffixes);
    char *rest = NULL;
    char *word;

    for (word = dot ? apr_strtok(words, " ", &rest) : NULL; word;
         word = apr_strtok(NULL, " ", &rest)) {
        if (!strcmp(word, dot + 1)) {
            return 1;
        }
    }
    return 0;
}

static void check_declaration(char *const columns[], void *user)
{
    declaration *as = user;

    if (ends_in(columns[FILE_NAME], as->suffixes)) {
        as->files++;
        check_as(as->type, columns, MAGIC_544);
        check_as(as->type, columns, MAGIC_546);
    }
}

static void check_platform(char *const columns[], void *user)
{
    declaration as = { columns[SUFFIXES], columns[DECLARED], 0 };

    each_row(MEASURED, COLUMNS, check_declaration, &as);
    each_row(GENERATED, COLUMNS, check_declaration, &as);
    *(int *)user += as.files;
}

static void test_ordinary(void)
{
    int rows = each_row(MEASURED, COLUMNS, check_clients, NULL);
    int files = 0;

    tap_ok(rows > 300, "%d ordinary files of three clients pass", rows);
    rows = each_row(GENERATED, COLUMNS, check_clients, NULL);
    tap_ok(rows > 90, "%d files made for that pass", rows);
    rows = each_row(PLATFORMS, PLATFORM_COLUMNS, check_platform, &files);
    tap_ok(rows > 150 && files > 300,
           "%d declarations of other systems, for %d files, pass", rows, files);
}

/* --- The table ------------------------------------------------------------ */

static void see(void *user, const char *word, unsigned long len)
{
    char copy[128];

    tap_ok(len && len < sizeof(copy) && *word != '*', "%.*s", (int)len, word);
    memcpy(copy, word, len);
    copy[len] = '\0';
    if (strchr(copy, '/') && !strchr(copy, '*')) {
        tap_ok(upool_kinds_of_type(copy)->group == *(upool_group *)user,
               "is of that group and no other");
    }
    else if (!strchr(copy, '/')) {
        char name[160];

        apr_snprintf(name, sizeof(name), "x.%s", copy);
        tap_ok(upool_kinds_of_name(name)->group == *(upool_group *)user,
               "is of that group and no other");
    }
}

static void test_table(void)
{
    static const char *const names[] = { "images", "audio", "video",
                                         "documents", "archives" };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        upool_group group = upool_kinds_group(names[i]);

        tap_ok(group != UPOOL_GROUP_NONE, "%s is a group", names[i]);
        upool_kinds_each(group, 1, see, &group);
        upool_kinds_each(group, 0, see, &group);
    }
    tap_is_str(
        upool_kinds_family(upool_kinds_of_type("image/jpg"), "image/jpg"),
        "image/jpeg", "a family");
    tap_is_str(upool_kinds_family(upool_kinds_of_type("image/x"), "image/x"),
               "image/x", "a type of its own");
    tap_ok(upool_kinds_pair("image/svg+xml", "application/gzip", "a.SVGZ")
               && !upool_kinds_pair("image/svg+xml", "application/gzip", NULL)
               && upool_kinds_pair("audio/csound", NULL, "a.orc"),
           "pairs, some by the name");
    tap_is_int(upool_kinds_group("Images"), UPOOL_GROUP_NONE, "in lower case");
    tap_is_int(upool_kinds_group("pictures"), UPOOL_GROUP_NONE, "no group");
}

/* --- The handler ---------------------------------------------------------- */

static int told;

static void tell(struct request_rec *r, apr_status_t rv, const char *text)
{
    (void)r;
    (void)rv;
    told += *text != '\0';
}

static upload_pool_verdict pass(void *data, upload_pool_file *file,
                                const char *bytes, apr_size_t size,
                                apr_size_t piece)
{
    static const upload_pool_request request = { NULL };
    upload_pool_instance self = { .handler = &upool_sniff_handler };
    upload_pool_verdict verdict;
    const char *last = NULL;
    apr_size_t none = 0;
    apr_size_t at;

    self.request = &request;
    self.data = data;
    file->pool = pool;
    verdict = upool_sniff_handler.new_file(&self, file);
    for (at = 0; at < size && !verdict; at += piece) {
        const char *from = bytes + at;
        apr_size_t n = size - at < piece ? size - at : piece;
        apr_size_t passed = n;

        verdict = upool_sniff_handler.receive_data_chunk(
            &self, file, &from, &passed, (apr_off_t)at);
        if (from != bytes + at || passed != n) {
            return UPLOAD_POOL_STOP_RESET;
        }
    }
    return verdict ? verdict
                   : upool_sniff_handler.end_of_data(&self, file, &last, &none);
}

static void *handler(upool_sniff_mode mode, upool_magic *magic)
{
    told = 0;
    refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    return upool_sniff_make(mode, magic, NULL, tell, &refusal, pool);
}

/* Whatever libmagic is, or is not: with no look taken nothing is confirmed. */
static void test_without(void)
{
    upload_pool_file text = { .content_type = "text/plain" };
    upload_pool_file any = { .content_type = "application/octet-stream" };
    void *data = handler(UPOOL_SNIFF_ON, NULL);

    tap_is_int(pass(data, &text, "hello", 5, 5), UPLOAD_POOL_STOP,
               "nothing to look with, refused");
    tap_is_int(refusal.reason, UPOOL_REASON_SNIFFED, "for that reason");
    tap_is_int(refusal.status, 415, "with 415");
    tap_ok(strstr(refusal.detail, "libmagic") != NULL, "and why: %s",
           refusal.detail);
    data = handler(UPOOL_SNIFF_ON, NULL);
    tap_is_int(pass(data, &any, "hello", 5, 5), UPLOAD_POOL_STOP,
               "also where any type would do");
    tap_is_int(pass(data, &text, "", 0, 1), UPLOAD_POOL_GO_ON,
               "an empty file is of any type");
    tap_is_int(pass(data, &text, "x", 1, 1), UPLOAD_POOL_GO_ON,
               "a single byte, too");
    data = handler(UPOOL_SNIFF_REPORT, NULL);
    tap_is_int(pass(data, &text, "hello", 5, 5), UPLOAD_POOL_GO_ON,
               "report only reports");
    tap_is_int(told, 1, "once");
    tap_is_str(text.sniffed_content_type, NULL, "nothing known");
}

#ifdef UPOOL_WITH_MAGIC

#include <apr_thread_proc.h>

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0"
#define LOOKS 200
#define THREADS 4

static const struct {
    const char *type;
    const char *bytes;
    size_t len;
} samples[] = {
    { "image/png", PNG, sizeof(PNG) - 1 },
    { "application/pdf", "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", 15 },
    { "text/html", "<!DOCTYPE html><html><body>x</body></html>", 42 },
    { "image/svg+xml", "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", 46 },
    { "text/xml", "<?xml version=\"1.0\"?><a></a>", 28 },
    { "text/plain", "hello, world\n", 13 },
    { "text/plain", "{\"json\": 1}", 11 },
    { "image/gif", "GIF89a\1\0\1\0\0\0\0", 13 },
    { NULL, "\x80\x01\x02\xff\xfe\x00\x13\x99\xa0\x03", 10 },
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void test_types(upool_magic *magic)
{
    size_t i;

    for (i = 0; i < SAMPLES; i++) {
        const char *why = NULL;

        tap_is_str(upool_magic_type(magic, samples[i].bytes, samples[i].len,
                                    &why, pool),
                   samples[i].type, "looks like %s", shown(samples[i].type));
        tap_is_str(why, NULL, "nothing went wrong");
    }
}

static void *APR_THREAD_FUNC look(apr_thread_t *thread, void *arg)
{
    apr_pool_t *p;
    size_t wrong = 0;
    size_t i;

    apr_pool_create(&p, NULL);
    for (i = 0; i < LOOKS; i++) {
        size_t n = i % SAMPLES;
        const char *type =
            upool_magic_type(arg, samples[n].bytes, samples[n].len, NULL, p);

        wrong += type != samples[n].type
                 && (!type || !samples[n].type
                     || strcmp(type, samples[n].type) != 0);
    }
    apr_pool_destroy(p);
    apr_thread_exit(thread, wrong ? APR_EGENERAL : APR_SUCCESS);
    return NULL;
}

static int is_equal(const char *one, const char *other)
{
    return one && other ? !strcmp(one, other) : one == other;
}

/* What stands in the table is what libmagic says, whichever it is. */
static void check_first(char *const columns[], void *user)
{
    char bytes[UPOOL_MAGIC_BYTES];
    const char *path =
        apr_pstrcat(pool, TYPES "first/", columns[FILE_NAME], NULL);
    const char *found;
    FILE *in = fopen(path, "rb");
    size_t len = in ? fread(bytes, 1, sizeof(bytes), in) : 0;

    if (in) {
        fclose(in);
    }
    found = upool_magic_type(user, bytes, len, NULL, pool);
    tap_ok(len
               && (is_equal(found, type_at(columns, MAGIC_544))
                   || is_equal(found, type_at(columns, MAGIC_546))),
           "%s (%d bytes) is %s", columns[FILE_NAME], (int)len, shown(found));
}

static void test_first(upool_magic *magic)
{
    each_row(GENERATED, COLUMNS, check_first, magic);
}

static void test_threads(upool_magic *magic)
{
    apr_thread_t *threads[THREADS];
    apr_status_t result;
    int i;

    for (i = 0; i < THREADS; i++) {
        apr_thread_create(&threads[i], NULL, look, magic, pool);
    }
    for (i = 0; i < THREADS; i++) {
        result = APR_EGENERAL;
        apr_thread_join(&result, threads[i]);
        tap_is_int(result, APR_SUCCESS, "thread %d saw the right types", i);
    }
}

static void test_with(upool_magic *magic)
{
    static char page[5000];
    upload_pool_file image = { .content_type = "image/png" };
    upload_pool_file text = { .content_type = "text/plain" };
    void *data = handler(UPOOL_SNIFF_ON, magic);
    size_t piece;

    for (piece = 1; piece <= 64; piece *= 4) {
        tap_is_int(pass(data, &image, PNG, sizeof(PNG) - 1, piece),
                   UPLOAD_POOL_GO_ON, "an image, %d bytes at once", (int)piece);
        tap_is_str(image.sniffed_content_type, "image/png", "found as such");
    }
    tap_is_int(pass(data, &image, "<html><script>", 14, 3), UPLOAD_POOL_STOP,
               "no image, but a page");
    tap_is_str(refusal.detail,
               "image/png declared, text/html found: rule page-as-media",
               "told, with the rule");
    tap_is_str(refusal.text, "Content of a file does not match its type",
               "the client learns no more");
    memset(page, ' ', sizeof(page));
    memcpy(page + 100, "<html><body><script>alert(1)</script>", 37);
    data = handler(UPOOL_SNIFF_ON, magic);
    tap_is_int(pass(data, &image, page, sizeof(page), 1000), UPLOAD_POOL_STOP,
               "a page behind blanks");
    memset(page, 'a', sizeof(page));
    memcpy(page + UPOOL_MAGIC_BYTES, "<html>\0\0\1\2", 10);
    data = handler(UPOOL_SNIFF_ON, magic);
    tap_is_int(pass(data, &text, page, sizeof(page), 1000), UPLOAD_POOL_GO_ON,
               "nobody looks behind the beginning");
    tap_is_str(text.sniffed_content_type, "text/plain", "which is text");
    data = handler(UPOOL_SNIFF_REPORT, magic);
    tap_is_int(pass(data, &image, "<html><script>", 14, 14), UPLOAD_POOL_GO_ON,
               "report lets it pass");
    tap_is_int(told, 1, "tells it once");
    tap_is_str(image.sniffed_content_type, "text/html", "and what it is");
    tap_is_int(pass(data, &text, "hello", 5, 5), UPLOAD_POOL_GO_ON, "text");
    tap_is_int(told, 1, "is nothing to tell");
    tap_is_int(refusal.reason, UPOOL_REASON_NONE, "no refusal");
}

static void test_magic(void)
{
    upool_magic *magic = upool_magic_make(pool);

    tap_ok(upool_magic_is_built(), "libmagic is built in");
    tap_ok(magic != NULL, "cookies for it");
    test_types(magic);
    test_first(magic);
    test_threads(magic);
    test_with(magic);
}

#else

static void test_magic(void)
{
    const char *why = NULL;

    tap_ok(!upool_magic_is_built(), "libmagic is not built in");
    tap_ok(!upool_magic_make(pool), "so there is none");
    tap_is_str(upool_magic_type(NULL, "hello", 5, &why, pool), NULL,
               "and nothing is known");
    tap_is_str(why, "built without libmagic", "for that reason");
}

#endif

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_rules();
    test_looks();
    test_ordinary();
    test_table();
    test_without();
    test_magic();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
