/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/filetype.h"

#include <string.h>

#include "handlers/kinds.h"

/* --- The rules ------------------------------------------------------------ */

#define BIT(manner) (1U << (manner))
#define ANY (~0U)
#define MEDIA \
    (BIT(UPOOL_MANNER_STRICT) | BIT(UPOOL_MANNER_RARE) \
     | BIT(UPOOL_MANNER_FONT) | BIT(UPOOL_MANNER_DRAWING))

/* The classes that libmagic's types fall into. */
enum {
    UNKNOWN = 1U << 0,
    WORDS = 1U << 1,   /* text */
    RUNS = 1U << 2,    /* pages, scripts, XML, SVG */
    MACHINE = 1U << 3, /* programs */
    THINGS = 1U << 4   /* everything else */
};

enum {
    ALWAYS = 0,
    SAME,     /* one family */
    PAIRED,   /* a row of the table's pairs */
    BY_NAME,  /* the name is a page's, the label is not */
    BY_MAJOR, /* the same before the slash */
    TAGGED,
    BEHIND_TAG,
    ZIPPED,
    PDF_INSIDE,
    NOWHERE
};

/* clang-format off */
static const upool_filetype_rule rules[] = {
    { "same", ANY, ANY, SAME, UPOOL_ACCORD_AGREE,
      "equal, or of one family", "handlers/kinds.c" },
    { "pair", ANY, ANY, PAIRED, UPOOL_ACCORD_AGREE,
      "a client's or libmagic's known mistake", "handlers/kinds.c" },
    { "no-label", BIT(UPOOL_MANNER_NONE), ANY, ALWAYS, UPOOL_ACCORD_AGREE,
      "nothing was said, nor does the name say it",
      "measured: page.jsp, x.plist, svelte.svelte" },
    { "page-by-name",
      BIT(UPOOL_MANNER_TEXT) | BIT(UPOOL_MANNER_OTHER), RUNS, BY_NAME,
      UPOOL_ACCORD_DIFFER,
      "a server that goes by the name would have it run",
      "no client declares .html or .svg as anything else (measured)" },
    { "page-as-media", MEDIA, RUNS, ALWAYS, UPOOL_ACCORD_DIFFER,
      "what runs, under a label that is shown where it stands",
      "WHATWG mimesniff 7.1; OWASP File Upload Cheat Sheet" },
    { "program-label", BIT(UPOOL_MANNER_PROGRAM), ANY, ALWAYS,
      UPOOL_ACCORD_AGREE,
      "a label that nobody trusts: scripts of DOS, installers, old .com files",
      "media-types 10.0.0: .bat, .com" },
    { "program", ANY, MACHINE, ALWAYS,
      UPOOL_ACCORD_DIFFER, "a program says that it is one",
      "measured: exe.exe, lib.so" },
    { "page", BIT(UPOOL_MANNER_PAGE), WORDS | RUNS, ALWAYS,
      UPOOL_ACCORD_AGREE,
      "most scripts and many pages are plain text to libmagic, and one kind of "
      "page is another", "measured: decl.html, class.js, htmlin.xml" },
    { "text", BIT(UPOOL_MANNER_TEXT), WORDS | RUNS, ALWAYS,
      UPOOL_ACCORD_AGREE,
      "text that mentions HTML, or is of a kind that libmagic takes for "
      "another", "measured: readme.rst, htmlcol.csv, dump.sql, t.ts" },
    { "text-unknown", BIT(UPOOL_MANNER_TEXT), UNKNOWN, ALWAYS,
      UPOOL_ACCORD_AGREE, "a NUL in it, or UTF-16 without a mark",
      "measured: utf16nobom.txt, ctrlzshort.txt, zeros.txt" },
    { "tag", BIT(UPOOL_MANNER_STRICT), UNKNOWN, TAGGED, UPOOL_ACCORD_LATER,
      "the sound begins behind its cover", "ID3v2.4 3.1; measured: cover.mp3" },
    { "behind-tag", BIT(UPOOL_MANNER_STRICT), UNKNOWN, BEHIND_TAG,
      UPOOL_ACCORD_AGREE, "padding, or a frame that libmagic does not know",
      "ID3v2.4 3.3" },
    { "zip", BIT(UPOOL_MANNER_STRICT), UNKNOWN, ZIPPED, UPOOL_ACCORD_LATER,
      "libmagic 5.46 goes by the end of the file",
      "measured: stored.zip, jszip.zip" },
    { "pdf", BIT(UPOOL_MANNER_STRICT), UNKNOWN | WORDS | THINGS, PDF_INSIDE,
      UPOOL_ACCORD_LATER, "readers take up to 1,024 bytes in front of it",
      "ISO 32000-1 annex H, note 13" },
    { "first-bytes", BIT(UPOOL_MANNER_STRICT), UNKNOWN, NOWHERE,
      UPOOL_ACCORD_AGREE, "no file to look at", "UploadInline, UploadHandler" },
    { "rare", BIT(UPOOL_MANNER_RARE) | BIT(UPOOL_MANNER_FONT), UNKNOWN, ALWAYS,
      UPOOL_ACCORD_AGREE, "libmagic need not know it",
      "measured: photo.dds, x.rw2, x.tta, cam.m2ts" },
    { "rare-kin", BIT(UPOOL_MANNER_RARE), THINGS, BY_MAJOR,
      UPOOL_ACCORD_AGREE, "two names that this table does not know",
      "measured: photo.sgi" },
    { "font", BIT(UPOOL_MANNER_FONT), THINGS, BY_MAJOR, UPOOL_ACCORD_AGREE,
      "TrueType, OpenType and collections share a container",
      "RFC 8081 4; measured: font.ttf" },
    { "other", BIT(UPOOL_MANNER_OTHER), UNKNOWN | WORDS | RUNS | THINGS, ALWAYS,
      UPOOL_ACCORD_AGREE, "no browser acts upon the label",
      "WHATWG mimesniff 7; measured: noc.obj, x.kra, har.har" },
    { "else", ANY, ANY, ALWAYS, UPOOL_ACCORD_DIFFER,
      "a label that matters, on something else", "the rule for the rest" },
};
/* clang-format on */

/* --- Judging -------------------------------------------------------------- */

/* What is compared: the label or, without one, the type that the name
 * implies. */
typedef struct label {
    const char *type;
    const char *family;
    upool_manner manner;
} label;

static label label_of(const upool_filetype *file)
{
    const upool_kind *kind = upool_kinds_of_type(file->declared);
    const upool_kind *named = upool_kinds_of_name(file->name);
    label made;

    made.type = file->declared;
    if (kind->manner == UPOOL_MANNER_NONE && named
        && named->manner == UPOOL_MANNER_STRICT) {
        kind = named;
        made.type = named->family;
    }
    made.family = upool_kinds_family(kind, made.type);
    made.manner = kind->manner;
    return made;
}

static unsigned class_of(const char *found)
{
    if (!found) {
        return UNKNOWN;
    }
    switch (upool_kinds_of_type(found)->manner) {
    case UPOOL_MANNER_TEXT:
        return WORDS;
    case UPOOL_MANNER_PAGE:
    case UPOOL_MANNER_DRAWING:
        return RUNS;
    case UPOOL_MANNER_PROGRAM:
        return MACHINE;
    case UPOOL_MANNER_NONE:
    case UPOOL_MANNER_OTHER:
    case UPOOL_MANNER_STRICT:
    case UPOOL_MANNER_RARE:
    case UPOOL_MANNER_FONT:
        break;
    }
    return THINGS;
}

static int is_same(const label *declared, const char *found)
{
    return found && declared->family
           && !strcmp(declared->family,
                      upool_kinds_family(upool_kinds_of_type(found), found));
}

/* Looks for the pair by the type itself, or by its family. */
static int is_pair(const label *declared, const upool_filetype *file)
{
    const char *found =
        file->found
            ? upool_kinds_family(upool_kinds_of_type(file->found), file->found)
            : NULL;

    return declared->type
           && (upool_kinds_pair(declared->type, file->found, file->name)
               || upool_kinds_pair(declared->type, found, file->name)
               || upool_kinds_pair(declared->family, found, file->name));
}

static int is_named_page(const char *name)
{
    const upool_kind *kind = upool_kinds_of_name(name);

    return kind
           && (kind->manner == UPOOL_MANNER_PAGE
               || kind->manner == UPOOL_MANNER_DRAWING);
}

/* Fonts have long been application types. */
static int is_kin(const char *declared, const char *found)
{
    size_t len = strcspn(declared, "/") + 1;

    return !strncmp(declared, found, len)
           || upool_kinds_of_type(found)->manner == UPOOL_MANNER_FONT;
}

static int holds(const upool_filetype_rule *rule, const label *declared,
                 const upool_filetype *file)
{
    switch (rule->condition) {
    case SAME:
        return is_same(declared, file->found);
    case PAIRED:
        return is_pair(declared, file);
    case BY_NAME:
        return is_named_page(file->name);
    case BY_MAJOR:
        return is_kin(declared->type, file->found);
    case TAGGED:
        return file->look == UPOOL_LOOK_TAG
               && !strncmp(declared->family, "audio/", 6);
    case BEHIND_TAG:
        return file->look == UPOOL_LOOK_BEHIND_TAG;
    case ZIPPED:
        return file->look == UPOOL_LOOK_ZIP
               && !strcmp(declared->family, "application/zip");
    case PDF_INSIDE:
        return file->look == UPOOL_LOOK_PDF
               && !strcmp(declared->family, "application/pdf");
    case NOWHERE:
        return file->look == UPOOL_LOOK_NOWHERE;
    default:
        return 1;
    }
}

const upool_filetype_rule *upool_filetype_judge(const upool_filetype *file)
{
    const size_t last = sizeof(rules) / sizeof(rules[0]) - 1;
    label declared = label_of(file);
    unsigned found = class_of(file->found);
    size_t i;

    for (i = 0; i < last; i++) {
        if ((rules[i].declared & BIT(declared.manner))
            && (rules[i].found & found) && holds(&rules[i], &declared, file)) {
            break;
        }
    }
    return &rules[i];
}

/* --- What the bytes show -------------------------------------------------- */

#define TAG_HEAD 10
/* ISO 32000-1, annex H, notes 13 and 18. */
#define PDF_SLACK 1024UL

static int has(const char *bytes, unsigned long len, const char *text)
{
    size_t n = strlen(text);

    for (; len >= n; bytes++, len--) {
        if (!memcmp(bytes, text, n)) {
            return 1;
        }
    }
    return 0;
}

static unsigned long smaller(unsigned long a, unsigned long b)
{
    return a < b ? a : b;
}

/* ID3v2.4 3.1: the size is four bytes of seven bits.  It counts neither the
 * head nor the foot, which is there if a flag says so. */
static unsigned long tag_end(const char *bytes, unsigned long len)
{
    const unsigned char *b = (const unsigned char *)bytes;
    unsigned long size = 0;
    int i;

    if (len < TAG_HEAD || memcmp(bytes, "ID3", 3) || b[3] == 0xFF
        || b[4] == 0xFF) {
        return 0;
    }
    for (i = 6; i < TAG_HEAD; i++) {
        if (b[i] & 0x80) {
            return 0;
        }
        size = size << 7 | b[i];
    }
    return size + TAG_HEAD + (b[5] & 0x10 ? TAG_HEAD : 0);
}

upool_look upool_filetype_look(const char *bytes, unsigned long len,
                               unsigned long *behind)
{
    *behind = tag_end(bytes, len);
    if (*behind > len) {
        return UPOOL_LOOK_TAG;
    }
    if (len >= 4
        && (!memcmp(bytes, "PK\3\4", 4) || !memcmp(bytes, "PK\5\6", 4))) {
        return UPOOL_LOOK_ZIP;
    }
    return has(bytes, smaller(len, PDF_SLACK + 5), "%PDF-") ? UPOOL_LOOK_PDF
                                                            : UPOOL_LOOK_NONE;
}

int upool_filetype_ends_pdf(const char *bytes, unsigned long len)
{
    unsigned long n = smaller(len, PDF_SLACK);

    return has(bytes + (len - n), n, "%%EOF");
}
