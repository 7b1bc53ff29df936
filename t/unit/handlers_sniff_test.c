/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Declared and found types; what libmagic makes of bytes, where it is built in;
 * the handler around both. */
#include "handlers/builtin.h"
#include "handlers/magic.h"
#include "handlers/filetype.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

static apr_pool_t *pool;
static upool_refusal refusal;

typedef struct pair {
    const char *declared;
    const char *found;
} pair;

/* clang-format off */
static const pair good[] = {
    { "image/png", "image/png" },
    { "image/jpg", "image/jpeg" },
    { "image/pjpeg", "image/jpeg" },
    { "image/x-icon", "image/vnd.microsoft.icon" },
    { "audio/mp3", "audio/mpeg" },
    { "audio/x-wav", "audio/wav" },
    { "audio/mp4", "video/mp4" },
    { "video/quicktime", "video/mp4" },
    { "audio/webm", "video/webm" },
    { "audio/opus", "audio/ogg" },
    { "video/webm", "video/x-matroska" },
    { "application/x-zip-compressed", "application/zip" },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "application/zip" },
    { "application/vnd.oasis.opendocument.text", "application/zip" },
    { "application/zip", "application/vnd.oasis.opendocument.text" },
    { "application/epub+zip", "application/zip" },
    { "application/x-gzip", "application/gzip" },
    { "application/x-rar-compressed", "application/x-rar" },
    { "application/pdf", "application/pdf" },
    { NULL, "image/png" },
    { NULL, NULL },
    { "application/octet-stream", NULL },
    { "application/octet-stream", "application/pdf" },
    { "application/octet-stream", "text/plain" },
    { "text/plain", "text/x-c" },
    { "text/x-python", "text/x-script.python" },
    { "text/csv", "text/plain" },
    { "text/markdown", "message/rfc822" },
    { "message/rfc822", "text/plain" },
    { "application/json", "text/plain" },
    { "application/x-yaml", "text/plain" },
    { "application/rtf", "text/rtf" },
    { "application/msword", NULL },
    { "application/x-unheard-of", "application/zip" },
    { "application/x-unheard-of", NULL },
    { "font/woff2", "font/woff2" },
    { "font/ttf", "font/sfnt" },
    { "font/ttf", NULL },
    { "text/html", "text/html" },
    { "text/html", "text/plain" },
    { "text/javascript", "application/javascript" },
    { "application/x-javascript", "text/plain" },
    { "image/svg+xml", "image/svg+xml" },
    { "image/svg+xml", "text/xml" },
    { "image/svg+xml", "text/plain" },
    { "application/xml", "text/xml" },
    { "application/atom+xml", "text/xml" },
    { "text/xml", "application/rss+xml" },
    { "application/xhtml+xml", "text/xml" },
};

static const pair bad[] = {
    { "image/png", "text/html" },
    { "image/png", "image/svg+xml" },
    { "image/png", "image/jpeg" },
    { "image/png", "text/plain" },
    { "image/png", "application/octet-stream" },
    { "image/png", NULL },
    { "video/mp4", "video/webm" },
    { "audio/mpeg", NULL },
    { "application/pdf", "text/html" },
    { "application/pdf", "text/plain" },
    { "application/pdf", "application/zip" },
    { "application/pdf", NULL },
    { "application/zip", "application/x-dosexec" },
    { "application/zip", NULL },
    { "application/vnd.oasis.opendocument.text", "application/pdf" },
    { "application/epub+zip", NULL },
    { NULL, "text/html" },
    { "application/octet-stream", "text/html" },
    { "application/octet-stream", "image/svg+xml" },
    { "application/octet-stream", "text/xml" },
    { "application/octet-stream", "application/javascript" },
    { "text/plain", "text/html" },
    { "text/plain", "image/svg+xml" },
    { "text/plain", "application/zip" },
    { "text/plain", "image/png" },
    { "text/plain", NULL },
    { "text/csv", "text/html" },
    { "text/html", "image/png" },
    { "text/html", "text/xml" },
    { "text/html", NULL },
    { "text/html", "image/svg+xml" },
    { "image/svg+xml", "text/html" },
    { "image/svg+xml", "image/png" },
    { "image/svg+xml", NULL },
    { "application/json", "text/html" },
    { "application/json", "image/png" },
    { "application/x-unheard-of", "image/png" },
    { "application/atom+xml", "text/html" },
    { "font/ttf", "image/png" },
    { "imag", "image/png" },
    { "", "image/png" },
    { "/", "text/html" },
};
/* clang-format on */

static const char *shown(const char *type)
{
    return type ? type : "nothing";
}

static void test_rules(void)
{
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap_ok(upool_sniff_agrees(good[i].declared, good[i].found),
               "%s may be %s", shown(good[i].declared), shown(good[i].found));
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_ok(!upool_sniff_agrees(bad[i].declared, bad[i].found),
               "%s may not be %s", shown(bad[i].declared), shown(bad[i].found));
    }
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
    return upool_sniff_make(mode, magic, tell, &refusal, pool);
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
    tap_is_str(refusal.detail, "image/png declared, text/html found", "told");
    tap_is_str(refusal.text, "Content of a file does not match its type",
               "the client learns no more");
    memset(page, ' ', sizeof(page));
    memcpy(page + 100, "<html><body><script>alert(1)</script>", 37);
    data = handler(UPOOL_SNIFF_ON, magic);
    tap_is_int(pass(data, &text, page, sizeof(page), 1000), UPLOAD_POOL_STOP,
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
    test_without();
    test_magic();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
