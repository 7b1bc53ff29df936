/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_NAMES_LETTERS_H
#define UPOOL_PARSE_NAMES_LETTERS_H

/* Which characters beyond ASCII a safe name may keep: letters, the marks that
 * belong to them and digits of every script (L*, M*, Nd, Nl of Unicode 14),
 * except invisible ones.  This leaves no control, no override of the writing
 * direction, no punctuation that some system folds to a slash, a colon or a
 * dot, and no superscript digit, which Windows takes for a digit in the name of
 * a device.  Pure; any thread. */

/* 1 where the code point (U+0080 and up) is one of those. */
int upool_names_is_letter(unsigned long code);

/* 1 where it is white space (U+0080 and up). */
int upool_names_is_blank(unsigned long code);

#endif
