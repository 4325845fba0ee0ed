/* SPDX-License-Identifier: ISC */
/* Text that people read: log lines, names of strangers. */
#ifndef SVCONN_CMD_TEXT_H
#define SVCONN_CMD_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#if defined(__MINGW32__)
#define PRINTF_LIKE(a, b) __attribute__((format(gnu_printf, a, b)))
#elif defined(__GNUC__) || defined(__clang__)
#define PRINTF_LIKE(a, b) __attribute__((format(printf, a, b)))
#else
#define PRINTF_LIKE(a, b)
#endif

/* One line on standard error, "svconn: ..." and a newline, in one write: lines of several processes do not mix. */
void say(const char *format, ...) PRINTF_LIKE(1, 2);

/* From now on each line begins with the time, where nothing else adds it. */
void say_with_time(void);

/* Writes bytes of a stranger so that a terminal cannot be fooled: printable ASCII stays, the rest becomes \xNN. */
void text_escape(char *out, size_t out_size, const uint8_t *in, size_t n);

/* The inside of a JSON string (RFC 8259): every byte that is not printable ASCII becomes \u00NN, so that a line stays
 * one line and ASCII whatever a stranger wrote. Returns how many bytes of in found room. */
size_t text_json(char *out, size_t out_size, const char *in, size_t n);

/* The time now, as "2026-11-21T18:00:00.123Z". */
#define TEXT_TIME 40
void text_time(char out[TEXT_TIME]);

/* An identity (type and body) as people see it: the 64 hexadecimal digits of a key, or 'name' in quotes. */
#define IDENTITY_TEXT 300
void text_identity(char out[IDENTITY_TEXT], const uint8_t *identity, size_t len);

/* 1 if colour is welcome on this stream: a terminal, and NO_COLOR is not set. */
int text_colour(FILE *f);

#endif
