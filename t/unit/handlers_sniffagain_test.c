/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Files whose first bytes do not tell what they are, looked at where they lie:
 * behind a tag, as an archive by its end, as a PDF by its end. */
#include "store_kit.h"

#include "handlers/builtin.h"
#include "handlers/magic.h"

#ifdef UPOOL_WITH_MAGIC

#define ID "sniff"
#define BODY 6000

typedef struct content {
    char bytes[4 * BODY];
    apr_size_t len;
} content;

static kit k;
static upool_refusal refusal;
static upool_bucket *bucket;
static upool_magic *magic;
static int told;

static void tell(struct request_rec *r, apr_status_t rv, const char *text)
{
    (void)r;
    (void)rv;
    told += strstr(text, ": rule ") != NULL;
}

static void add(content *c, const char *bytes, apr_size_t len)
{
    memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
}

static void add_filling(content *c, char byte, apr_size_t len)
{
    memset(c->bytes + c->len, byte, len);
    c->len += len;
}

/* An ID3v2.4 tag of BODY bytes, longer than what is looked at first. */
static content tagged(const char *behind, apr_size_t len)
{
    content c = { "", 0 };

    add(&c, "ID3\4\0\0\0\0", 8);
    c.bytes[c.len++] = (char)(BODY >> 7);
    c.bytes[c.len++] = (char)(BODY & 0x7F);
    add_filling(&c, '\1', BODY);
    add(&c, behind, len);
    return c;
}

static content mp3(void)
{
    static const char frame[] = "\xFF\xFB\x90\x00";
    content c = tagged(frame, 4);

    /* 128 kbit/s at 44.1 kHz: 417 bytes each. */
    add_filling(&c, '\0', 413);
    add(&c, frame, 4);
    add_filling(&c, '\0', 413);
    return c;
}

/* One stored member; whole: with the directory that ends an archive. */
static content zip(int whole)
{
    static const char head[] = "PK\3\4\12\0\0\0\0\0\0\0\0\0";
    static const char directory[] =
        "PK\1\2\36\3\12\0\0\0\0\0\0\0\0\0\0\0\0\0\x70\x17\0\0\x70\x17\0\0"
        "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "a";
    static const char end[] =
        "PK\5\6\0\0\0\0\1\0\1\0\x2f\0\0\0\x8f\x17\0\0\0\0";
    content c = { "", 0 };

    add(&c, head, 14);
    add(&c, "\0\0\0\0\x70\x17\0\0\x70\x17\0\0\1\0\0\0a", 17);
    add_filling(&c, '\xEE', BODY);
    if (whole) {
        add(&c, directory, sizeof(directory) - 1);
        add(&c, end, sizeof(end) - 1);
    }
    return c;
}

static content pdf(int whole)
{
    content c = { "", 0 };

    add(&c, "\0\1\2\3\r\n", 6);
    add_filling(&c, '\xEE', 600);
    add(&c, "%PDF-1.4\n%\xE2\xE3\xCF\xD3\n", 15);
    add_filling(&c, ' ', BODY);
    if (whole) {
        add(&c, "startxref\n9\n%%EOF\n", 18);
    }
    return c;
}

static const char *store(const content *c)
{
    struct iovec piece = { (void *)c->bytes, c->len };
    upool_spool *spool;

    if (upool_spool_create(&spool, bucket, 0)
        || upool_spool_write(spool, &piece, 1) || upool_spool_close(spool)) {
        kit_die("a file for the bucket");
    }
    return upool_spool_name(spool);
}

enum where { ON_DISK, IN_MEMORY, ELSEWHERE, GONE };

static upload_pool_kept keep(const content *c, enum where where)
{
    upload_pool_kept kept = { NULL, NULL, NULL, 0 };

    kept.size = (apr_off_t)c->len;
    if (where == ON_DISK) {
        kept.stored = store(c);
    }
    else if (where == GONE) {
        kept.stored = "0-00000000000000000000000000000000.bin";
    }
    else if (where == IN_MEMORY) {
        kept.content = c->bytes;
    }
    else {
        kept.location = "https://example.com/file";
    }
    return kept;
}

/* As the chain calls the two. */
static upload_pool_verdict pass(upool_sniff_mode mode, upload_pool_file *file,
                                const content *c, enum where where)
{
    static const upload_pool_request request = { NULL };
    upload_pool_instance first = { .handler = &upool_sniff_handler };
    upload_pool_instance again = { .handler = &upool_sniff_again_handler };
    upload_pool_kept kept = keep(c, where);
    upload_pool_verdict verdict;
    const char *bytes = c->bytes;
    apr_size_t len = c->len;

    told = 0;
    refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    first.request = again.request = &request;
    first.data = again.data =
        upool_sniff_make(mode, magic, bucket, tell, &refusal, k.p);
    file->pool = k.p;
    file->sniffed_content_type = NULL;
    upool_sniff_handler.new_file(&first, file);
    verdict =
        upool_sniff_handler.receive_data_chunk(&first, file, &bytes, &len, 0);
    if (!verdict) {
        verdict = upool_sniff_again_handler.file_complete(&again, file,
                                                          kept.size, &kept);
    }
    return verdict;
}

static void check(const char *declared, content c, enum where where,
                  upload_pool_verdict expected, const char *found,
                  const char *what)
{
    upload_pool_file file = { .content_type = declared, .filename = "x" };

    tap_is_int(pass(UPOOL_SNIFF_ON, &file, &c, where), expected, "%s", what);
    tap_is_str(file.sniffed_content_type, found, "found");
    tap_is_int(refusal.reason,
               expected ? UPOOL_REASON_SNIFFED : UPOOL_REASON_NONE, "so");
}

static void test_tags(void)
{
    static const char page[] = "<!DOCTYPE html><html><body>x</body></html>";
    content none = { "", 0 };

    check("audio/mpeg", mp3(), ON_DISK, UPLOAD_POOL_GO_ON, "audio/mpeg",
          "sound behind its cover");
    check("audio/mpeg", mp3(), IN_MEMORY, UPLOAD_POOL_GO_ON, "audio/mpeg",
          "the same in memory");
    check("audio/mpeg", mp3(), ELSEWHERE, UPLOAD_POOL_GO_ON, NULL,
          "the same, kept elsewhere");
    check("audio/flac", tagged("fLaC\0\0\0\x22\x10\0\x10\0", 12), ON_DISK,
          UPLOAD_POOL_GO_ON, "audio/flac", "FLAC behind a tag");
    check("audio/mpeg", tagged(page, sizeof(page) - 1), ON_DISK,
          UPLOAD_POOL_STOP, "text/html", "a page behind a tag");
    check("audio/mpeg", tagged(page, sizeof(page) - 1), IN_MEMORY,
          UPLOAD_POOL_STOP, "text/html", "the same in memory");
    check("audio/mpeg", tagged("", 0), ON_DISK, UPLOAD_POOL_GO_ON, NULL,
          "nothing behind a tag");
    none = tagged("", 0);
    none.len -= 1000;
    check("audio/mpeg", none, ON_DISK, UPLOAD_POOL_GO_ON, NULL,
          "a tag that is cut off");
    check("image/png", mp3(), ON_DISK, UPLOAD_POOL_STOP, NULL,
          "sound is no image");
}

static void test_archives(void)
{
    upload_pool_file file = { .content_type = "application/zip",
                              .filename = "x" };
    content c = zip(1);

    check("application/zip", zip(1), ON_DISK, UPLOAD_POOL_GO_ON,
          "application/zip", "an archive");
    check("application/epub+zip", zip(1), ON_DISK, UPLOAD_POOL_GO_ON,
          "application/zip", "a book");
    tap_is_int(pass(UPOOL_SNIFF_ON, &file, &c, IN_MEMORY), UPLOAD_POOL_GO_ON,
               "an archive in memory");
    tap_is_int(pass(UPOOL_SNIFF_ON, &file, &c, ELSEWHERE), UPLOAD_POOL_GO_ON,
               "an archive kept elsewhere");
    file.content_type = "image/png";
    tap_is_int(pass(UPOOL_SNIFF_ON, &file, &c, ON_DISK), UPLOAD_POOL_STOP,
               "an archive is no image");
}

static void test_pdf(void)
{
    upload_pool_file file = { .content_type = "application/pdf",
                              .filename = "x" };
    content c = pdf(0);

    check("application/pdf", pdf(1), ON_DISK, UPLOAD_POOL_GO_ON,
          "application/pdf", "a PDF behind a printer's orders");
    check("application/pdf", pdf(1), IN_MEMORY, UPLOAD_POOL_GO_ON,
          "application/pdf", "the same in memory");
    check("application/pdf", pdf(0), ON_DISK, UPLOAD_POOL_STOP, NULL,
          "one that does not end as a PDF");
    tap_is_int(pass(UPOOL_SNIFF_REPORT, &file, &c, ON_DISK), UPLOAD_POOL_GO_ON,
               "is reported");
    tap_is_int(told, 1, "with its rule, once");
    c = pdf(1);
    tap_is_int(pass(UPOOL_SNIFF_ON, &file, &c, GONE), UPLOAD_POOL_STOP,
               "a file that is not there");
    tap_is_int(refusal.reason, UPOOL_REASON_IO, "is no wrong type");
}

int main(void)
{
    upool_record *previous;
    const char *why = NULL;

    kit_start(&k);
    magic = upool_magic_make(k.p);
    if (upool_bucket_begin(&bucket, k.store, ID, 1, k.p, &previous, &why)) {
        kit_die(why);
    }
    test_tags();
    test_archives();
    test_pdf();
    return kit_done(&k);
}

#else

int main(void)
{
    tap_ok(!upool_magic_is_built(), "nothing to look with");
    return tap_done();
}

#endif
