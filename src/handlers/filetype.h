/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HANDLERS_FILETYPE_H
#define UPOOL_HANDLERS_FILETYPE_H

/* Whether what a client declares agrees with what the bytes look like.  The
 * rules, first that fits; types that are names or forms of one thing (the table
 * in sniff.c: image/jpg and image/jpeg, audio and video of one container, zip
 * and the documents that are zip archives) count as equal:
 *
 *  1. equal types agree.
 *  2. What a browser would run (HTML, XHTML, SVG, XML, JavaScript) agrees with
 *     nothing else: such bytes must be declared as what they are.  Only XML
 *     and the types in +xml go together, and what looks like plain text may be
 *     any of them, as most scripts do.
 *  3. No declared type, or application/octet-stream, agrees with the rest.
 *  4. image, audio, video and the types that are strict (pdf, zip, gzip, …)
 *     agree with nothing else, also not with the unknown.
 *  5. What is unknown agrees with application, font, model and x- types, as
 *     many of them are unknown to libmagic; not with text.
 *  6. Text and messages agree with any text, message and application type.
 *  7. Else the types before the slash must be equal. */

/* @param declared lower case; NULL: none
 * @param found    lower case; NULL: unknown
 * @return 1 when they agree */
int upool_sniff_agrees(const char *declared, const char *found);

#endif
