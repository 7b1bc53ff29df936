/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/filetype.h"

#include <string.h>

#define ANYTHING "application/octet-stream"

typedef struct kin {
    const char *type;
    const char *family;
} kin;

/* Harmless differences of name and of form. */
/* clang-format off */
static const kin table[] = {
    { "image/jpg", "image/jpeg" },
    { "image/pjpeg", "image/jpeg" },
    { "image/x-png", "image/png" },
    { "image/apng", "image/png" },
    { "image/vnd.mozilla.apng", "image/png" },
    { "image/x-ms-bmp", "image/bmp" },
    { "image/x-bmp", "image/bmp" },
    { "image/x-icon", "image/vnd.microsoft.icon" },
    { "image/heif", "image/heic" },
    { "image/heif-sequence", "image/heic" },
    { "image/heic-sequence", "image/heic" },
    { "image/x-tiff", "image/tiff" },
    { "image/x-photoshop", "image/vnd.adobe.photoshop" },
    { "audio/mp3", "audio/mpeg" },
    { "audio/x-mp3", "audio/mpeg" },
    { "audio/x-mpeg", "audio/mpeg" },
    { "audio/mpeg3", "audio/mpeg" },
    { "audio/wave", "audio/wav" },
    { "audio/x-wav", "audio/wav" },
    { "audio/vnd.wave", "audio/wav" },
    { "audio/x-pn-wav", "audio/wav" },
    { "audio/x-flac", "audio/flac" },
    { "audio/x-aiff", "audio/aiff" },
    { "audio/x-midi", "audio/midi" },
    { "audio/mid", "audio/midi" },
    { "audio/aac", "audio/x-hx-aac-adts" },
    { "audio/x-aac", "audio/x-hx-aac-adts" },
    { "video/x-msvideo", "video/avi" },
    { "video/msvideo", "video/avi" },
    { "video/vnd.avi", "video/avi" },
    { "video/x-flv", "video/flv" },
    /* ISO base media files. */
    { "audio/mp4", "video/mp4" },
    { "audio/m4a", "video/mp4" },
    { "audio/x-m4a", "video/mp4" },
    { "video/x-m4v", "video/mp4" },
    { "video/quicktime", "video/mp4" },
    { "video/3gpp", "video/mp4" },
    { "video/3gpp2", "video/mp4" },
    { "audio/3gpp", "video/mp4" },
    /* Ogg. */
    { "audio/ogg", "application/ogg" },
    { "video/ogg", "application/ogg" },
    { "audio/opus", "application/ogg" },
    { "audio/vorbis", "application/ogg" },
    { "audio/x-vorbis+ogg", "application/ogg" },
    /* Matroska. */
    { "video/webm", "video/x-matroska" },
    { "audio/webm", "video/x-matroska" },
    { "audio/x-matroska", "video/x-matroska" },
    { "video/matroska", "video/x-matroska" },
    /* ASF. */
    { "video/x-ms-wmv", "video/x-ms-asf" },
    { "audio/x-ms-wma", "video/x-ms-asf" },
    { "application/vnd.ms-asf", "video/x-ms-asf" },
    { "application/x-pdf", "application/pdf" },
    { "application/x-zip", "application/zip" },
    { "application/x-zip-compressed", "application/zip" },
    { "application/java-archive", "application/zip" },
    { "application/vnd.android.package-archive", "application/zip" },
    { "application/x-gzip", "application/gzip" },
    { "application/x-gzip-compressed", "application/gzip" },
    { "application/x-compressed-tar", "application/gzip" },
    { "application/x-tgz", "application/gzip" },
    { "application/x-gtar", "application/x-tar" },
    { "application/tar", "application/x-tar" },
    { "application/x-rar", "application/vnd.rar" },
    { "application/x-rar-compressed", "application/vnd.rar" },
    { "application/rtf", "text/rtf" },
    { "application/x-rtf", "text/rtf" },
    { "application/xml", "text/xml" },
    { "application/javascript", "text/javascript" },
    { "application/x-javascript", "text/javascript" },
    { "application/ecmascript", "text/javascript" },
};
/* clang-format on */

/* application types that agree with their own kind alone. */
static const char *const strict[] = {
    "application/pdf",     "application/zip",     "application/gzip",
    "application/x-bzip2", "application/x-xz",    "application/x-7z-compressed",
    "application/x-tar",   "application/vnd.rar", "application/ogg",
    "application/zstd",
};

static const char *const running[] = {
    "text/html", "application/xhtml+xml", "image/svg+xml",
    "text/xml",  "text/javascript",
};

static int begins(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

static int ends(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && !strcmp(text + len - end_len, end);
}

/* Office documents, e-books and the like are zip archives; libmagic says which
 * only when the first member of the archive is the customary one. */
static int is_zip_document(const char *type)
{
    return begins(type, "application/vnd.openxmlformats-officedocument.")
           || begins(type, "application/vnd.oasis.opendocument.")
           || (begins(type, "application/vnd.ms-")
               && ends(type, ".macroenabled.12"))
           || (begins(type, "application/") && ends(type, "+zip"));
}

static const char *family_of(const char *type)
{
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!strcmp(table[i].type, type)) {
            return table[i].family;
        }
    }
    return is_zip_document(type) ? "application/zip" : type;
}

static int is_one_of(const char *const *list, size_t count, const char *family)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (!strcmp(list[i], family)) {
            return 1;
        }
    }
    return 0;
}

static int is_running(const char *family)
{
    return is_one_of(running, sizeof(running) / sizeof(running[0]), family);
}

static int is_strict(const char *family)
{
    return begins(family, "image/") || begins(family, "audio/")
           || begins(family, "video/")
           || is_one_of(strict, sizeof(strict) / sizeof(strict[0]), family);
}

static int same_major(const char *a, const char *b)
{
    size_t len = strcspn(a, "/");

    return len == strcspn(b, "/") && !strncmp(a, b, len);
}

/* Rule 2.  b is not the family of a. */
static int running_agrees(const char *declared, const char *found)
{
    if (!strcmp(found, "text/xml")) {
        return ends(declared, "+xml");
    }
    if (is_running(found)) {
        return 0;
    }
    return !strcmp(found, "text/plain")
           || (!strcmp(declared, "text/xml") && ends(found, "+xml"));
}

static int unknown_agrees(const char *declared)
{
    return !is_strict(declared)
           && (begins(declared, "application/") || begins(declared, "font/")
               || begins(declared, "model/") || begins(declared, "x-"))
           && !is_running(declared);
}

static int known_agrees(const char *declared, const char *found)
{
    if (!strcmp(declared, found)) {
        return 1;
    }
    if (is_running(declared) || is_running(found)) {
        return running_agrees(declared, found);
    }
    if (!strcmp(declared, ANYTHING)) {
        return 1;
    }
    if (is_strict(declared)) {
        return 0;
    }
    if (begins(found, "text/") || begins(found, "message/")) {
        return begins(declared, "text/") || begins(declared, "message/")
               || begins(declared, "application/");
    }
    return same_major(declared, found);
}

int upool_sniff_agrees(const char *declared, const char *found)
{
    const char *family = family_of(declared ? declared : ANYTHING);

    return found ? known_agrees(family, family_of(found))
                 : unknown_agrees(family);
}
