/* SPDX-License-Identifier: ISC */
/*
 * A reader of the test vectors, the .txt files in test-vectors. The format:
 *
 *   # a comment; the first ones name the source        blank lines count for nothing
 *   case = some-name                                   begins a case; the name is text
 *   name = 00ff                                        bytes in hex; nothing after = is no byte
 *   name = "text"                                      text, all between the first and the last quote
 *
 * A name may come more than once in a case. Lines end in LF, the text is UTF-8. The directory is
 * $SVCONN_VECTORS, or test-vectors. What is wrong with a file ends the program: exit status 2.
 *
 *   vec_file f = vec_load("sha256.txt");
 *   for (const vec_case *c = f.cases; c < f.cases + f.count; c++) { vec_bytes m = vec_get(c, "msg"); ... }
 *   vec_free(&f);
 */
#ifndef SVCONN_VECTORS_H
#define SVCONN_VECTORS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *data; /* never NULL */
    size_t len;
} vec_bytes;

typedef struct {
    const char *name;
    char *value; /* hex is decoded in its place; text ends in a NUL */
    size_t len;
    int is_text;
} vec_line;

typedef struct {
    const char *name;
    const vec_line *lines;
    size_t count;
} vec_case;

typedef struct {
    vec_case *cases;
    size_t count;
    vec_line *lines;
    char *buffer;
} vec_file;

static inline _Noreturn void vec_fail(const char *where, const char *what) {
    printf("FAIL test vectors: %s: %s\n", where, what);
    exit(2);
}

static inline void *vec_alloc(size_t n) {
    void *p = malloc(n > 0 ? n : 1);
    if (p == NULL) vec_fail("malloc", "no memory");
    return p;
}

/* The whole file, a NUL after it. */
static inline char *vec_read(const char *name) {
    const char *dir = getenv("SVCONN_VECTORS");
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : "test-vectors", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) vec_fail(path, "cannot be opened");
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (size < 0 || fseek(f, 0, SEEK_SET) != 0) vec_fail(path, "has no size");
    char *buffer = vec_alloc((size_t)size + 1);
    if (fread(buffer, 1, (size_t)size, f) != (size_t)size) vec_fail(path, "cannot be read");
    buffer[size] = 0;
    fclose(f);
    return buffer;
}

static inline int vec_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* l->value: what stands after the "=" on a line, NUL at its end. */
static inline void vec_decode(const char *file, vec_line *l) {
    size_t n = strlen(l->value);
    if (l->value[0] == '"') {
        if (n < 2 || l->value[n - 1] != '"') vec_fail(file, l->name);
        l->value[n - 1] = 0;
        l->value++;
        l->len = n - 2;
        l->is_text = 1;
        return;
    }
    l->is_text = 0;
    l->len = n / 2;
    if (n % 2 != 0) vec_fail(file, l->name);
    for (size_t i = 0; i < n / 2; i++) {
        int hi = vec_digit(l->value[2 * i]), lo = vec_digit(l->value[2 * i + 1]);
        if (hi < 0 || lo < 0) vec_fail(file, l->name);
        ((uint8_t *)l->value)[i] = (uint8_t)(hi << 4 | lo);
    }
}

/* Splits "name = value" in place. 0 if the line says nothing. */
static inline int vec_split(const char *file, char *line, char **value) {
    size_t n = strlen(line);
    while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\r')) line[--n] = 0;
    if (n == 0 || line[0] == '#') return 0;
    char *eq = strstr(line, " =");
    if (eq == NULL) vec_fail(file, line);
    *eq = 0;
    *value = eq + 2 + (eq[2] == ' ');
    return 1;
}

static inline vec_file vec_load(const char *file) {
    vec_file f = {0};
    size_t most = 1, lines = 0;
    f.buffer = vec_read(file);
    for (const char *p = f.buffer; *p; p++) most += *p == '\n';
    f.lines = vec_alloc(most * sizeof *f.lines);
    f.cases = vec_alloc(most * sizeof *f.cases);
    for (char *line = f.buffer, *next; line != NULL; line = next) {
        char *value;
        next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        if (!vec_split(file, line, &value)) continue;
        if (strcmp(line, "case") == 0) {
            f.cases[f.count++] = (vec_case){value, f.lines + lines, 0};
        } else {
            vec_line *l = &f.lines[lines++];
            if (f.count == 0) vec_fail(file, "a value before the first case");
            l->name = line;
            l->value = value;
            vec_decode(file, l);
            f.cases[f.count - 1].count++;
        }
    }
    if (f.count == 0) vec_fail(file, "no case");
    return f;
}

static inline void vec_free(vec_file *f) {
    free(f->cases);
    free(f->lines);
    free(f->buffer);
    memset(f, 0, sizeof *f);
}

/* The i-th line of that name, or NULL. */
static inline const vec_line *vec_find(const vec_case *c, const char *name, size_t i) {
    for (size_t k = 0; k < c->count; k++) {
        if (strcmp(c->lines[k].name, name) == 0 && i-- == 0) return &c->lines[k];
    }
    return NULL;
}

/* How often the name comes in the case. */
static inline size_t vec_count(const vec_case *c, const char *name) {
    size_t n = 0;
    while (vec_find(c, name, n) != NULL) n++;
    return n;
}
static inline int vec_has(const vec_case *c, const char *name) { return vec_find(c, name, 0) != NULL; }

/* The bytes (or the characters, if it is text) of the i-th line of that name; it must be there. */
static inline vec_bytes vec_nth(const vec_case *c, const char *name, size_t i) {
    const vec_line *l = vec_find(c, name, i);
    if (l == NULL) vec_fail(c->name, name);
    return (vec_bytes){(const uint8_t *)l->value, l->len};
}
static inline vec_bytes vec_get(const vec_case *c, const char *name) { return vec_nth(c, name, 0); }

static inline const char *vec_text(const vec_case *c, const char *name) {
    const vec_line *l = vec_find(c, name, 0);
    if (l == NULL || !l->is_text) vec_fail(c->name, name);
    return l->value;
}

/* A number: decimal digits as text. */
static inline unsigned long vec_number(const vec_case *c, const char *name) {
    return strtoul(vec_text(c, name), NULL, 10);
}

#endif
