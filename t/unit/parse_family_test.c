/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The parameters of Dropzone, Fine Uploader, Flow.js, Resumable.js and
 * simple-uploader.js: what they come to, and every way in which they do not
 * fit together. */
#include "parse/family.h"
#include "tap.h"

static upool_family family_of_text;

/* "name=value name=value", in a copy that the family points into. */
static void read_params(upool_family *family, const char *text)
{
    static char copy[4096];
    char *at = copy;

    snprintf(copy, sizeof(copy), "%s", text);
    upool_family_init(family);
    while (*at != '\0') {
        char *value = strchr(at, '=') + 1;
        char *end = value + strcspn(value, " ");
        int more = *end == ' ';

        value[-1] = '\0';
        *end = '\0';
        upool_family_param(family, at, value, strlen(value));
        at = more ? end + 1 : end;
    }
}

static int settle(const char *text, upool_family_chunk *chunk)
{
    read_params(&family_of_text, text);
    memset(chunk, 0, sizeof(*chunk));
    return upool_family_settle(&family_of_text, chunk);
}

#define DZ(index, offset, size, total) \
    "dzuuid=u dzchunkindex=" index " dztotalfilesize=" total \
    " dzchunksize=" size " dztotalchunkcount=3 dzchunkbyteoffset=" offset
#define QQ(offset, size, total) \
    "qqpartindex=1 qqpartbyteoffset=" offset " qqchunksize=" size \
    " qqtotalparts=3 qqtotalfilesize=" total " qqfilename=a qquuid=u"
#define FLOW(number, size, current, total, chunks) \
    "flowChunkNumber=" number " flowChunkSize=" size \
    " flowCurrentChunkSize=" current " flowTotalSize=" total \
    " flowIdentifier=u flowFilename=a flowRelativePath=a " \
    "flowTotalChunks=" chunks
#define RESUMABLE(number, size, current, total, chunks) \
    "resumableChunkNumber=" number " resumableChunkSize=" size \
    " resumableCurrentChunkSize=" current " resumableTotalSize=" total \
    " resumableType=b resumableIdentifier=u resumableFilename=a" \
    " resumableTotalChunks=" chunks
#define SIMPLE(number, size, current, total, chunks) \
    "chunkNumber=" number " chunkSize=" size " currentChunkSize=" current \
    " totalSize=" total " identifier=u filename=a relativePath=a" \
    " totalChunks=" chunks
#define MAX "9223372036854775807"

static const struct {
    const char *text;
    upool_family_kind kind;
    long long offset, length, total;
} good[] = {
    { DZ("0", "0", "100", "250"), UPOOL_FAMILY_DROPZONE, 0, 100, 250 },
    { "dzuuid=u dzchunkindex=1 dztotalfilesize=250 dzchunksize=100"
      " dzchunkbyteoffset=100",
      UPOOL_FAMILY_DROPZONE, 100, 100, 250 },
    { DZ("1", "100", "100", "250"), UPOOL_FAMILY_DROPZONE, 100, 100, 250 },
    { DZ("2", "200", "100", "250"), UPOOL_FAMILY_DROPZONE, 200, 50, 250 },
    { DZ("2", "200", "100", "200"), UPOOL_FAMILY_DROPZONE, 200, 0, 200 },
    { DZ("0", "0", "100", "0"), UPOOL_FAMILY_DROPZONE, 0, 0, 0 },
    { DZ("1", MAX, MAX, MAX), UPOOL_FAMILY_DROPZONE, 9223372036854775807LL, 0,
      9223372036854775807LL },
    { QQ("0", "100", "250"), UPOOL_FAMILY_FINE, 0, 100, 250 },
    { QQ("200", "50", "250"), UPOOL_FAMILY_FINE, 200, 50, 250 },
    { FLOW("1", "100", "100", "250", "2"), UPOOL_FAMILY_FLOW, 0, 100, 250 },
    { FLOW("2", "100", "150", "250", "2"), UPOOL_FAMILY_FLOW, 100, 150, 250 },
    { FLOW("3", "100", "50", "250", "3"), UPOOL_FAMILY_FLOW, 200, 50, 250 },
    { FLOW("1", "100", "0", "0", "1"), UPOOL_FAMILY_FLOW, 0, 0, 0 },
    { FLOW("1", "100", "7", "7", "1"), UPOOL_FAMILY_FLOW, 0, 7, 7 },
    { RESUMABLE("2", "100", "150", "250", "2"), UPOOL_FAMILY_RESUMABLE, 100,
      150, 250 },
    { RESUMABLE("1", "100", "100", "250", "2") " " RESUMABLE("1", "100", "100",
                                                             "250", "2"),
      UPOOL_FAMILY_RESUMABLE, 0, 100, 250 },
    { SIMPLE("2", "100", "150", "250", "2"), UPOOL_FAMILY_SIMPLE, 100, 150,
      250 },
    { SIMPLE("1", "1", "1", "2", "2") " dzuuid=x qquuid=y flowIdentifier=z",
      UPOOL_FAMILY_SIMPLE, 0, 1, 2 },
};

static const struct {
    const char *text;
    int settled;
} others[] = {
    { "", 0 },
    { "title=x", 0 },
    { "identifier=x", 0 },
    { "identifier=x chunkNumber=1", 0 },
    { "dzuuid=x", 0 },
    { "qquuid=u qqfilename=a qqtotalfilesize=10", 0 },
    { "DZUUID=u DZCHUNKINDEX=0", 0 },
    { "dzchunkindex=0", -1 },
    { "dzuuid=u dzchunkindex=0 dzchunkbyteoffset=0 dzchunksize=1", -1 },
    { "dzuuid= dzchunkindex=0 dzchunkbyteoffset=0 dzchunksize=1"
      " dztotalfilesize=1",
      -1 },
    { "flowChunkNumber=1", -1 },
    { "qqpartbyteoffset=0 qquuid=u", -1 },
    { DZ("1", "99", "100", "250"), -1 },
    { DZ("0", "100", "100", "250"), -1 },
    { DZ("3", "300", "100", "250"), -1 },
    { DZ("0", "0", "0", "250"), -1 },
    { DZ("0", "-0", "100", "250"), -1 },
    { DZ("-1", "-100", "100", "250"), -1 },
    { DZ("0", "0", "100", "-250"), -1 },
    { DZ("0", "0", "1e2", "250"), -1 },
    { DZ("0", "0", "0x64", "250"), -1 },
    { DZ("0", "0", "100", "9223372036854775808"), -1 },
    { DZ("0", "0", "100", "250") " dztotalfilesize=251", -1 },
    { DZ("0", "0", "100", "250") " dzuuid=v", -1 },
    { DZ("0", "0", "100", "250") " " QQ("0", "100", "250"), -1 },
    { DZ("0", "0", "100", "250") " flowChunkNumber=1", -1 },
    { QQ("250", "1", "250"), -1 },
    { QQ("251", "0", "250"), -1 },
    { QQ("200", MAX, "250"), -1 },
    { QQ(MAX, MAX, MAX), -1 },
    { FLOW("0", "100", "100", "250", "2"), -1 },
    { FLOW("3", "100", "50", "250", "2"), -1 },
    { FLOW("1", "100", "99", "250", "2"), -1 },
    { FLOW("2", "100", "149", "250", "2"), -1 },
    { FLOW("1", "0", "0", "0", "1"), -1 },
    { FLOW("1", "100", "100", "50", "2"), -1 },
    { FLOW("3", "100", "100", "250", "4"), -1 },
    { FLOW(MAX, "2", "1", "250", MAX), -1 },
    { FLOW("2", MAX, "1", "250", "2"), -1 },
    { FLOW("1", "100", "250", "250", "0"), -1 },
    { RESUMABLE("1", "100", "100", "250", "2") " resumableChunkNumber=2", -1 },
    { RESUMABLE("1", "100", "100", "250", "2") " " SIMPLE("1", "100", "100",
                                                          "250", "2"),
      -1 },
};

static void test_ids(void)
{
    static char id[UPOOL_FAMILY_ID_MAX + 1];
    upool_family family;
    upool_family_chunk chunk;
    size_t len;

    memset(id, 'x', sizeof(id));
    for (len = UPOOL_FAMILY_ID_MAX; len <= UPOOL_FAMILY_ID_MAX + 1; len++) {
        upool_family_init(&family);
        upool_family_param(&family, "qqpartbyteoffset", "0", 1);
        upool_family_param(&family, "qqchunksize", "1", 1);
        upool_family_param(&family, "qqtotalfilesize", "1", 1);
        upool_family_param(&family, "qquuid", id, len);
        tap_is_int(upool_family_settle(&family, &chunk),
                   len == UPOOL_FAMILY_ID_MAX ? 1 : -1, "an id of %d bytes",
                   (int)len);
    }
    tap_ok(upool_family_is_random(UPOOL_FAMILY_DROPZONE)
               && upool_family_is_random(UPOOL_FAMILY_FINE),
           "ids that nobody can guess");
    tap_ok(!upool_family_is_random(UPOOL_FAMILY_FLOW)
               && !upool_family_is_random(UPOOL_FAMILY_RESUMABLE)
               && !upool_family_is_random(UPOOL_FAMILY_SIMPLE),
           "and ids that anybody can");
    tap_ok(upool_family_owns(UPOOL_FAMILY_DROPZONE, "dzuuid")
               && upool_family_owns(UPOOL_FAMILY_DROPZONE, "dztotalchunkcount")
               && upool_family_owns(UPOOL_FAMILY_FLOW, "flowTotalChunks")
               && upool_family_owns(UPOOL_FAMILY_SIMPLE, "identifier"),
           "parameters of its own");
    tap_ok(!upool_family_owns(UPOOL_FAMILY_DROPZONE, "dz")
               && !upool_family_owns(UPOOL_FAMILY_DROPZONE, "uuid")
               && !upool_family_owns(UPOOL_FAMILY_FLOW, "flowers")
               && !upool_family_owns(UPOOL_FAMILY_FLOW, "flowRelativePath")
               && !upool_family_owns(UPOOL_FAMILY_FLOW, "dzuuid")
               && !upool_family_owns(UPOOL_FAMILY_SIMPLE, "title"),
           "and fields of anybody else");
}

/* What is told of the file besides. */
static void check_file(const char *text, const char *name, const char *type)
{
    upool_family_chunk chunk;

    tap_is_int(settle(text, &chunk), 1, "%s", text);
    tap_ok(chunk.name_len == strlen(name)
               && (!chunk.name_len || !memcmp(chunk.name, name, strlen(name))),
           "its name is \"%s\"", name);
    tap_ok(chunk.type_len == strlen(type)
               && (!chunk.type_len || !memcmp(chunk.type, type, strlen(type))),
           "its type is \"%s\"", type);
}

static void test_counted(void)
{
    upool_family_chunk chunk;

    tap_is_int(settle("name=u chunk=1 chunks=3", &chunk), 1, "plupload");
    tap_is_int(chunk.kind, UPOOL_FAMILY_PLUPLOAD, "is a library");
    tap_ok(chunk.offset == -1 && chunk.length == -1 && chunk.total == -1,
           "that tells no place");
    tap_ok(chunk.number == 1 && chunk.chunks == 3, "but the second of three");
    tap_is_int(settle("name=u chunk=0 chunks=1", &chunk), 0, "a whole file");
    tap_is_int(settle("name=u chunk=0 chunks=0", &chunk), 0, "an empty one");
    tap_is_int(settle("name=u chunk=a chunks=b", &chunk), 0, "words");
    tap_is_int(settle("name=u chunk=1", &chunk), 0, "half of it");
    tap_is_int(settle("chunk=0 chunks=3", &chunk), -1, "no name");
    tap_is_int(settle("name=u chunk=3 chunks=3", &chunk), -1, "one too many");
    tap_is_int(settle("name=u name=v chunk=1 chunks=3", &chunk), -1,
               "two names");
}

/* Pieces of libraries that are not known. */
static const struct {
    const char *text;
    int is_strange;
} strange[] = {
    { "chunkIndex=0 totalChunk=3 chunk-index=0 total-chunk=3", 1 },
    { "chunkIndex=0 totalChunk=1", 0 },
    { "chunkIndex=0 chunkCount=12", 1 },
    { "chunkIndex=0 totalChunks=2", 1 },
    { "chunkNumber=1 totalChunks=2", 1 },
    { "_chunkSize=5 _currentChunkSize=5 _chunkNumber=0 _totalSize=9", 1 },
    { "phase=upload session_id=x start_offset=0", 1 },
    { "chunkMetadata={\"FileName\":\"a\",\"Index\":0,\"TotalCount\":3}", 1 },
    { "chunkMetadata={\"FileName\":\"a\",\"Index\":0,\"TotalCount\":1}", 0 },
    { "metadata={\"chunkIndex\":0,\"totalChunks\":14}", 1 },
    { "metadata={\"author\":\"x\"}", 0 },
    { "uploader-chunk-number=0 uploader-chunks-total=3", 1 },
    { "chunkIndex=0", 0 },
    { "totalChunks=3", 0 },
    { "session_id=x", 0 },
    { "index=0 total=3", 0 },
    { "", 0 },
};

int main(void)
{
    upool_family_chunk chunk;
    size_t i;

    test_counted();
    check_file(DZ("0", "0", "100", "250"), "", "");
    check_file(QQ("0", "100", "250"), "a", "");
    check_file(FLOW("1", "100", "100", "250", "2"), "a", "");
    check_file(RESUMABLE("2", "100", "150", "250", "2"), "a", "b");
    check_file(SIMPLE("2", "100", "150", "250", "2"), "a", "");
    check_file("name=u chunk=0 chunks=3 type=text/plain", "u", "text/plain");
    for (i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        read_params(&family_of_text, strange[i].text);
        tap_is_int(upool_family_is_strange(&family_of_text),
                   strange[i].is_strange, "a stranger? %s", strange[i].text);
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap_is_int(settle(good[i].text, &chunk), 1, "%s", good[i].text);
        tap_is_int(chunk.kind, good[i].kind, "whose it is");
        tap_ok(chunk.id != NULL && chunk.id_len == 1 && chunk.id[0] == 'u',
               "its id");
        tap_ok(chunk.offset == good[i].offset && chunk.length == good[i].length
                   && chunk.total == good[i].total,
               "its place: %lld + %lld of %lld", chunk.offset, chunk.length,
               chunk.total);
    }
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        tap_is_int(settle(others[i].text, &chunk), others[i].settled,
                   "none: %s", others[i].text);
    }
    test_ids();
    return tap_done();
}
