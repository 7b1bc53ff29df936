/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HANDLERS_KINDS_H
#define UPOOL_HANDLERS_KINDS_H

/* Kinds of files: the names that clients, registries and libmagic have for one
 * thing, the endings of its files, and how much its label matters.  The one
 * table is in kinds.c, and each row has a reason and a source.
 * handlers/filetype.h judges by it, and the groups of UploadAllow and
 * UploadField are made from it.
 *
 * Words of the table are types or, with a star at the beginning or at the end,
 * ends or beginnings of types.  A whole type wins over words with a star, and
 * of these the first wins; the last rows match what no others name, so every
 * type has a kind.  Pure; any thread. */

/* How much depends on the label. */
typedef enum upool_manner {
    UPOOL_MANNER_NONE = 0, /* it is no label */
    UPOOL_MANNER_OTHER,    /* no browser acts upon it */
    UPOOL_MANNER_TEXT,     /* shown as text */
    UPOOL_MANNER_PAGE,     /* markup and scripts, which browsers run */
    UPOOL_MANNER_DRAWING,  /* SVG, an image that browsers run */
    UPOOL_MANNER_STRICT,   /* trusted to be just that */
    UPOOL_MANNER_RARE,     /* a medium that libmagic need not know */
    UPOOL_MANNER_FONT,
    UPOOL_MANNER_PROGRAM /* machine code */
} upool_manner;

typedef enum upool_group {
    UPOOL_GROUP_NONE = 0,
    UPOOL_GROUP_IMAGES,
    UPOOL_GROUP_AUDIO,
    UPOOL_GROUP_VIDEO,
    UPOOL_GROUP_DOCUMENTS,
    UPOOL_GROUP_ARCHIVES
} upool_group;

typedef struct upool_kind {
    const char *family;   /* rows of one family are one thing; NULL: each type
                             is its own */
    const char *types;    /* words; the family is one of them in its own row */
    const char *suffixes; /* words, lower case; "": none tells it */
    upool_group group;
    upool_manner manner;
    const char *reason;
    const char *source;
} upool_kind;

/* The kind of a type in lower case; NULL: there is no type.  Never NULL. */
const upool_kind *upool_kinds_of_type(const char *type);

/* The family of a type of that kind: what the type is the same as. */
const char *upool_kinds_family(const upool_kind *kind, const char *type);

/* The kind told by the last suffix of a file's name; NULL: none. */
const upool_kind *upool_kinds_of_name(const char *name);

/* The group of that name in lower case; NONE: there is none. */
upool_group upool_kinds_group(const char *name);

/* Calls visit for each word of the group: its types if are_types (where a star
 * can only stand at the end), else its suffixes.  word has len bytes, and lives
 * for ever. */
typedef void upool_kinds_visit(void *user, const char *word, unsigned long len);
void upool_kinds_each(upool_group group, int are_types,
                      upool_kinds_visit *visit, void *user);

/* Two kinds that clients and libmagic mistake for each other. */
typedef struct upool_pair {
    const char *declared; /* a word, or a family */
    const char *found;    /* a word, or a family; NULL: unknown */
    const char *suffix;   /* words: the name's is one of them; NULL: any */
    const char *reason;
    const char *source;
} upool_pair;

/* The row for both, or NULL.  found NULL: unknown; name NULL: none. */
const upool_pair *upool_kinds_pair(const char *declared, const char *found,
                                   const char *name);

#endif
