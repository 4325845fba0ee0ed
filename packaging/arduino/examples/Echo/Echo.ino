/* SPDX-License-Identifier: ISC */
/*
 * A board that waits for calls on Serial1 (spec/serial.md of svconn), one after another, and echoes messages of up to
 * 256 bytes to a caller that has the same key. With the wires at /dev/ttyUSB0 of a computer:
 *
 *      svconn keygen --psk -o psk            its 64 digits go into the array below
 *      echo hello | svconn echo serial:/dev/ttyUSB0 --psk psk --name desk
 */
#include <string.h>
#include <svconn.h>
#include <svconn_line.h>

#if defined(ESP32)
#include <esp_random.h>
/* Good while WiFi or Bluetooth is on; docs/randomness.md of svconn has what to do without, and other boards. */
static int board_random(uint8_t out[], size_t len) {
    esp_fill_random(out, len);
    return 0;
}
#else
#error "board_random for this board: docs/randomness.md of svconn. analogRead, micros and random() are no sources."
#endif

static const uint8_t psk[32] = {0}; /* 32 random bytes, for this board alone; as they are, svconn refuses them */

static svconn_identity me;
static svconn_config config;
static svconn session;
static uint8_t rx[SVCONN_BUFFER_SIZE(256)], tx[SVCONN_BUFFER_SIZE(256)];
static svconn_line_finder finder;
static uint8_t nonce[SVCONN_LINE_NONCE];
static bool called;

static void put_mark(svconn_line_kind kind) {
    uint8_t mark[SVCONN_LINE_MARK];
    svconn_line_mark(mark, kind, nonce);
    Serial1.write(mark, sizeof mark);
}

static void stop(const char *why) {
    for (;; delay(1000)) Serial.println(why);
}

/* Does this byte complete a mark that ends the session? */
static bool is_end(uint8_t byte) {
    static const uint8_t nobody[SVCONN_LINE_NONCE] = {0};
    uint8_t whose[SVCONN_LINE_NONCE];
    int kind;
    svconn_line_find(&finder, &byte, 1, &kind, whose);
    if (kind == SVCONN_LINE_CALL) {
        memcpy(nonce, whose, sizeof nonce);
        called = true;
    }
    return called || (kind == SVCONN_LINE_END &&
                      (memcmp(whose, nonce, sizeof nonce) == 0 || memcmp(whose, nobody, sizeof nobody) == 0));
}

void setup() {
    uint8_t draws[64], last[16] = {0}; /* keep last in flash (Preferences, EEPROM): then a source that repeats itself is found */
    Serial.begin(115200);
    Serial1.begin(115200);
    if (board_random(draws, sizeof draws) || svconn_seed_check(last, draws)) stop("the random source has failed");
    if (svconn_identity_psk(&me, psk, (const uint8_t *)"board", 5)) stop("no key yet");
    config.role = SVCONN_SERVER;
    config.identity = &me;
    put_mark(SVCONN_LINE_END); /* the nonce is still zero: we have no session */
}

/* One step of the session: false when it is over. */
static bool step() {
    const uint8_t *msg;
    size_t len;
    const uint8_t *out = svconn_wire_out(&session, &len);
    if (len) (void)!svconn_wire_sent(&session, Serial1.write(out, len));
    else if (svconn_status(&session) == SVCONN_CLOSED || svconn_status(&session) == SVCONN_FAILED) return false;
    uint8_t *space = svconn_wire_space(&session, &len);
    if (len && Serial1.available()) {
        *space = (uint8_t)Serial1.read();
        if (is_end(*space)) return false;
        (void)!svconn_wire_filled(&session, 1, millis());
    }
    (void)!svconn_tick(&session, millis(), NULL);
    if (svconn_status(&session) == SVCONN_NEEDS_VERDICT) (void)!svconn_accept(&session); /* it has proven that it has the key */
    svconn_err got = svconn_recv(&session, &msg, &len);
    if (got == SVCONN_OK && svconn_send(&session, msg, len, millis()) == SVCONN_OK) (void)!svconn_recv_done(&session);
    if (got == SVCONN_END && svconn_status(&session) == SVCONN_CONNECTED) (void)!svconn_close(&session, millis());
    return true;
}

void loop() {
    uint8_t seed[32];
    while (!called)
        if (Serial1.available()) (void)is_end((uint8_t)Serial1.read());
    called = false;
    put_mark(SVCONN_LINE_ANSWER);
    if (board_random(seed, sizeof seed) || svconn_init(&session, &config, seed, rx, sizeof rx, tx, sizeof tx)) stop("cannot begin");
    while (step()) {}
    svconn_wipe(&session);
    if (!called) put_mark(SVCONN_LINE_END);
}
