/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HANDLERS_FILETYPE_H
#define UPOOL_HANDLERS_FILETYPE_H

/* Whether what a client declares agrees with what the bytes look like.
 *
 * A declaration matters if software acts upon it: a browser shows images,
 * audio, video, fonts and PDF in place, and runs pages, SVG and scripts; people
 * open archives and start programs.  So nothing that runs passes under those
 * labels, and each of them must be what it says.  Elsewhere the label decides
 * nothing, and libmagic's opinion of text that mentions HTML, or of XML under
 * an ending that no client knows, is no reason to refuse a file.
 *
 * The kinds are those of handlers/kinds.h.  The rules are a table in
 * filetype.c, and the first rule that fits decides.  Each has a name (shown in
 * the log), a reason and a source; the last one covers everything else.
 * Pure; any thread. */

/* What the first bytes show that libmagic does not, since it may know no more
 * than these bytes. */
typedef enum upool_look {
    UPOOL_LOOK_NONE = 0,
    UPOOL_LOOK_TAG, /* an ID3 tag that is longer than these bytes */
    UPOOL_LOOK_ZIP, /* a member of a zip archive */
    UPOOL_LOOK_PDF, /* the head of a PDF, with something in front */
    /* A whole file was looked at again, or could not be. */
    UPOOL_LOOK_BEHIND_TAG, /* found is the type of what follows the tag */
    UPOOL_LOOK_NOWHERE     /* no file to look at: the first bytes are it */
} upool_look;

typedef enum upool_accord {
    UPOOL_ACCORD_AGREE = 0,
    UPOOL_ACCORD_DIFFER,
    UPOOL_ACCORD_LATER /* the whole file tells */
} upool_accord;

typedef struct upool_filetype {
    const char *declared; /* lower case; NULL: none */
    const char *name;     /* of the file, as the client tells it; NULL: none */
    const char *found;    /* lower case; NULL: unknown */
    upool_look look;
} upool_filetype;

typedef struct upool_filetype_rule {
    const char *name;
    unsigned declared; /* bits of upool_manner */
    unsigned found;    /* bits of what libmagic's types come to */
    int condition;
    upool_accord accord;
    const char *reason;
    const char *source;
} upool_filetype_rule;

/* What the first bytes show; *behind is where the tag ends. */
upool_look upool_filetype_look(const char *bytes, unsigned long len,
                               unsigned long *behind);

/* 1 if the last bytes of a file are those of a PDF. */
int upool_filetype_ends_pdf(const char *bytes, unsigned long len);

/* The rule that decides; never NULL. */
const upool_filetype_rule *upool_filetype_judge(const upool_filetype *file);

#endif
