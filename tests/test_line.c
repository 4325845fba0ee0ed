/* SPDX-License-Identifier: ISC */
/* Marks, spec/serial.md section 2: their bytes, and that they are found wherever they stand, and nothing else is. */
#include "svconn_line.h"
#include "test.h"

#define MARK SVCONN_LINE_MARK
#define SEED 20240611u /* of the garbage */

static const uint8_t some_nonce[SVCONN_LINE_NONCE] = {1, 2, 3, 4, 5, 6, 7, 8};

/* ---- vocabulary --------------------------------------------------------------------------------- */

static uint64_t dice_state = SEED;
static uint8_t dice(void) {
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return (uint8_t)(dice_state >> 32);
}

static void mark(uint8_t out[MARK], svconn_line_kind kind, uint8_t last) {
    uint8_t nonce[SVCONN_LINE_NONCE];
    memcpy(nonce, some_nonce, sizeof nonce);
    nonce[7] = last;
    svconn_line_mark(out, kind, nonce);
}

/* All marks in bytes, given in pieces of so many (0: all at once): how many; where the last one ended, and what it was.
 * What is found must be what stands there. */
typedef struct {
    int count, kind;
    size_t end;
    uint8_t nonce[SVCONN_LINE_NONCE];
} finds;

static finds find_all(const uint8_t *bytes, size_t len, size_t piece) {
    svconn_line_finder f = {{0}, 0};
    finds r = {0};
    for (size_t at = 0; at < len;) {
        int kind = -1;
        uint8_t nonce[SVCONN_LINE_NONCE];
        size_t n = piece && piece < len - at ? piece : len - at;
        uint8_t *copy = malloc(n); /* a piece of its own, for AddressSanitizer */
        if (!copy) abort();
        memcpy(copy, bytes + at, n);
        size_t used = svconn_line_find(&f, copy, n, &kind, nonce);
        free(copy);
        CHECK(used >= 1 && used <= n && (kind || used == n) && f.have < MARK);
        at += used;
        if (!kind) continue;
        uint8_t want[MARK];
        svconn_line_mark(want, (svconn_line_kind)kind, nonce);
        CHECK(at >= MARK && memcmp(want, bytes + at - MARK, MARK) == 0);
        r.count++;
        r.kind = kind;
        r.end = at;
        memcpy(r.nonce, nonce, sizeof nonce);
    }
    return r;
}

/* garbage, and a whole mark behind it: that one is found, and it is the only one. */
static void found_behind(const uint8_t *garbage, size_t len) {
    uint8_t bytes[400];
    if (len + MARK > sizeof bytes) abort();
    memcpy(bytes, garbage, len);
    mark(bytes + len, SVCONN_LINE_CALL, 9);
    for (size_t piece = 0; piece < 3; piece++) {
        finds r = find_all(bytes, len + MARK, piece);
        CHECK(r.count == 1 && r.kind == SVCONN_LINE_CALL && r.end == len + MARK && r.nonce[7] == 9);
    }
    if (test_bad == 1) test_hex("   garbage ", garbage, len);
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void examples(void) {
    static const uint8_t zeros[SVCONN_LINE_NONCE];
    static const uint8_t call[MARK] = {0x16, 0x16, 0x16, 0x16, 0x53, 0x56, 0x43, 0x31, 0x43, 1,   2,
                                       3,    4,    5,    6,    7,    8,    0x26, 0xbe, 0xee, 0x00};
    static const uint8_t answer[MARK] = {0x16, 0x16, 0x16, 0x16, 0x53, 0x56, 0x43, 0x31, 0x41, 1,   2,
                                         3,    4,    5,    6,    7,    8,    0x08, 0x48, 0xc6, 0x86};
    static const uint8_t end[MARK] = {0x16, 0x16, 0x16, 0x16, 0x53, 0x56, 0x43, 0x31, 0x45, 0,   0,
                                      0,    0,    0,    0,    0,    0,    0x0f, 0x4c, 0xc0, 0x26};
    uint8_t out[MARK];
    svconn_line_mark(out, SVCONN_LINE_CALL, some_nonce);
    CHECK_BYTES(out, call, MARK);
    svconn_line_mark(out, SVCONN_LINE_ANSWER, some_nonce);
    CHECK_BYTES(out, answer, MARK);
    svconn_line_mark(out, SVCONN_LINE_END, zeros);
    CHECK_BYTES(out, end, MARK);
    finds r = find_all(call, MARK, 0);
    CHECK(r.count == 1 && r.kind == 'C' && memcmp(r.nonce, some_nonce, sizeof some_nonce) == 0);
    r = find_all(answer, MARK, 0);
    CHECK(r.count == 1 && r.kind == 'A' && memcmp(r.nonce, some_nonce, sizeof some_nonce) == 0);
    r = find_all(end, MARK, 0);
    CHECK(r.count == 1 && r.kind == 'E' && memcmp(r.nonce, zeros, sizeof zeros) == 0);
}

/* What the finder takes ends with the mark: the next byte is the first one of M1. */
static void every_split(void) {
    uint8_t bytes[5 + MARK + 7];
    memset(bytes, 'x', sizeof bytes);
    mark(bytes + 5, SVCONN_LINE_ANSWER, 1);
    for (size_t split = 0; split <= sizeof bytes; split++) {
        svconn_line_finder f = {{0}, 0};
        int kind;
        uint8_t nonce[SVCONN_LINE_NONCE];
        size_t used = svconn_line_find(&f, bytes, split, &kind, nonce);
        CHECK(used == (split < 5 + MARK ? split : 5 + MARK) && (kind == 'A') == (split >= 5 + MARK));
        if (kind) continue;
        used = svconn_line_find(&f, bytes + split, sizeof bytes - split, &kind, nonce);
        CHECK(split + used == 5 + MARK && kind == 'A' && nonce[7] == 1);
    }
    for (size_t piece = 1; piece <= sizeof bytes; piece++) CHECK(find_all(bytes, sizeof bytes, piece).end == 5 + MARK);
}

static void nothing_to_take(void) {
    svconn_line_finder f = {{0}, 0};
    int kind = 7;
    uint8_t nonce[SVCONN_LINE_NONCE];
    CHECK(svconn_line_find(&f, NULL, 0, &kind, nonce) == 0 && kind == 0 && f.have == 0);
}

static void behind_garbage(void) {
    uint8_t garbage[300], whole[MARK];
    mark(whole, SVCONN_LINE_CALL, 1);
    found_behind(garbage, 0);
    for (size_t n = 1; n <= 60; n++) { /* of SYN alone */
        memset(garbage, 0x16, n);
        found_behind(garbage, n);
    }
    for (size_t n = 1; n < MARK; n++) found_behind(whole, n);            /* a mark that is cut */
    for (size_t n = 1; n < MARK; n++) found_behind(whole + n, MARK - n); /* its end */
    for (size_t n = 1; n < MARK; n++)                                    /* cut twice */
        for (size_t m = 1; m < MARK; m++) {
            memcpy(garbage, whole, n);
            memcpy(garbage + n, whole, m);
            found_behind(garbage, n + m);
        }
    for (size_t n = 0; n < 8; n++) { /* SVC1, and halves of it, behind any number of SYN */
        memset(garbage, 0x16, n);
        for (size_t m = 1; m <= 4; m++) {
            memcpy(garbage + n, "SVC1", m);
            found_behind(garbage, n + m);
            found_behind(garbage + n, m);
        }
    }
    for (int i = 0; i < 2000; i++) {
        size_t n = dice() % 250;
        for (size_t k = 0; k < n; k++) garbage[k] = dice() % 4 ? dice() : (uint8_t) "\x16\x16SVC1CAE"[dice() % 9];
        found_behind(garbage, n);
    }
}

/* One lost, or one more, at each place of a mark: it is none, and the one behind it is found. */
static void damaged(void) {
    uint8_t bytes[MARK + 1];
    for (size_t i = 0; i < MARK * 8; i++) {
        mark(bytes, SVCONN_LINE_CALL, 1);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        CHECK(find_all(bytes, MARK, 0).count == 0);
        found_behind(bytes, MARK);
    }
    for (size_t i = 0; i < MARK; i++) {
        mark(bytes, SVCONN_LINE_CALL, 1);
        memmove(bytes + i, bytes + i + 1, MARK - i - 1);
        found_behind(bytes, MARK - 1);
    }
    uint8_t whole[MARK];
    mark(whole, SVCONN_LINE_CALL, 1);
    for (size_t i = 1; i < MARK; i++)
        for (unsigned more = 0; more < 256; more++) {
            memcpy(bytes, whole, i);
            bytes[i] = (uint8_t)more;
            memcpy(bytes + i + 1, whole + i, MARK - i);
            /* (between equal bytes at either end it is as if it stood outside) */
            int is_whole = memcmp(bytes, whole, MARK) == 0 || memcmp(bytes + 1, whole, MARK) == 0;
            CHECK(find_all(bytes, MARK + 1, 0).count == is_whole);
        }
}

/* Any kind but the three is none, with a right check too; the zero byte in particular, which strchr would find. */
static void kinds(void) {
    uint8_t bytes[MARK];
    for (int kind = 0; kind < 256; kind++) {
        svconn_line_mark(bytes, (svconn_line_kind)kind, some_nonce);
        CHECK(find_all(bytes, MARK, 0).count == (kind == 'C' || kind == 'A' || kind == 'E'));
    }
}

/* It would be ended by the END of a listener that has no session */
static void nonce_of_zeros(void) {
    static const uint8_t zeros[SVCONN_LINE_NONCE];
    static const char kinds_of_marks[] = "CAE";
    uint8_t bytes[MARK];
    for (int i = 0; i < 3; i++) {
        svconn_line_mark(bytes, (svconn_line_kind)kinds_of_marks[i], zeros);
        CHECK(find_all(bytes, MARK, 0).count == (kinds_of_marks[i] == 'E'));
    }
}

static void back_to_back(void) {
    uint8_t bytes[3 * MARK];
    mark(bytes, SVCONN_LINE_CALL, 1);
    mark(bytes + MARK, SVCONN_LINE_END, 2);
    mark(bytes + 2 * MARK, SVCONN_LINE_CALL, 3);
    for (size_t piece = 0; piece <= 3 * MARK; piece++) {
        finds r = find_all(bytes, sizeof bytes, piece);
        CHECK(r.count == 3 && r.end == 3 * MARK && r.kind == 'C' && r.nonce[7] == 3);
    }
    finds r = find_all(bytes, 2 * MARK, 0);
    CHECK(r.count == 2 && r.kind == 'E' && r.nonce[7] == 2);
}

/* A mark as the nonce and the check of another, which is wrong: it is found inside. */
static void within_a_mark(void) {
    uint8_t bytes[9 + MARK];
    mark(bytes, SVCONN_LINE_CALL, 1);
    mark(bytes + 9, SVCONN_LINE_ANSWER, 2);
    finds r = find_all(bytes, sizeof bytes, 0);
    CHECK(r.count == 1 && r.kind == 'A' && r.nonce[7] == 2);
}

static void random_bytes(void) {
    static uint8_t bytes[1 << 16];
    int rounds = under_valgrind() ? 2 : 64; /* 4 MB */
    for (int i = 0; i < rounds; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = dice();
        CHECK(find_all(bytes, sizeof bytes, i % 2 ? 0 : 4096).count == 0);
    }
    for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (uint8_t) "\x16SVC1CAE"[dice() % 8];
    CHECK(find_all(bytes, sizeof bytes, 0).count == 0);
}

int main(void) {
    TEST("line: the examples of spec/serial.md", examples);
    TEST("line: a mark is found at every split, and no byte behind it is taken", every_split);
    TEST("line: no bytes, no mark", nothing_to_take);
    TEST("line: a mark behind garbage, SYN, parts of marks", behind_garbage);
    TEST("line: a bit changed, a byte lost or added in a mark: none, and the next is found", damaged);
    TEST("line: no kind but CALL, ANSWER, END", kinds);
    TEST("line: only END may have a nonce of zeros", nonce_of_zeros);
    TEST("line: marks back to back", back_to_back);
    TEST("line: a mark inside what looked like one", within_a_mark);
    TEST("line: no mark in random bytes", random_bytes);
    return TEST_EXIT();
}
