/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_T_LINEAR_COUNT_H
#define UPOOL_T_LINEAR_COUNT_H

/* How much work a piece of the module does, counted instead of timed, so that
 * the same bytes give the same number on every machine.  Counted are
 *
 *   every basic block of the sources that were compiled for it
 *       (-fsanitize-coverage=trace-pc), 1 each;
 *   every byte that memchr(), memcpy(), strlen() and their like look at or
 *       move, in libraries too (jansson, APR): the ones defined here stand in
 *       front of libc's;
 *   every system call on files, 100 each, and the bytes that it moves.
 *
 * One thread. */

/* Work since the start of the program. */
unsigned long long count_now(void);

/* Twice as much may cost so much more, at most.  Linear is 2, n log n at these
 * sizes is 2.1, quadratic is 4. */
#define COUNT_RATIO 2.3

#endif
