/* SPDX-License-Identifier: ISC */
/*
 * One party with a library built in some profile (crypto/profile.h). tests/profiles/run.sh builds it for each of them and
 * compares what they print.
 *
 *   party vectors MASK      every case of test-vectors/svc1.txt, once as CLIENT and once as SERVER (a negative case as the
 *                           one that it names), with the bytes of the file in the place of the peer. MASK: peer_types.
 *                           One line for each:
 *                               NEEDS | ROLE CASE | RESULT
 *                           NEEDS: what the config asks for, a letter each: c(lient) s(erver) e(d25519) p(sk)
 *                           a(pplication's own) h(idden). RESULT: unsupported, or how it ended, and a hash of all that the
 *                           session gave out. "but not as in the file" may only stand there if MASK refuses the peer.
 *   party talk ROLE OWN MASK MODE LENGTH
 *                           a session over standard input and output. OWN is e, p or a; MODE is open or hidden. The CLIENT
 *                           sends a message of LENGTH bytes, the SERVER sends it back, both close. Prints how it ended on
 *                           standard error.
 */
#include "crypto.h"
#include "svconn.h"
#include "vectors.h"
#include <signal.h>
#include <unistd.h>

enum { BUFFER = 65536 + 256, KNOWN_MAX = 8, ALL = SVCONN_PEER_ED25519 | SVCONN_PEER_PSK | SVCONN_PEER_CUSTOM };

static svconn s;
static svconn_config config;
static svconn_identity me;
static vec_bytes my_secret, peer_secret;
static uint8_t rx[BUFFER], tx[BUFFER];
static uint64_t now;
static const char *refused; /* a reason of the application */

/* ---- the application's part ------------------------------------------------------------------------------------- */

/* 0: this build has no such identities. */
static int make_identity(vec_bytes id, vec_bytes secret) {
    svconn_err err = SVCONN_E_UNSUPPORTED;
    memset(&me, 0, sizeof me);
    (void)secret;
#ifndef SVCONN_PSK_ONLY
    if (id.data[0] == SVCONN_TYPE_ED25519) svconn_identity_ed25519(&me, secret.data), err = SVCONN_OK;
#endif
#ifndef SVCONN_NO_PSK
    if (id.data[0] == SVCONN_TYPE_PSK) err = svconn_identity_psk(&me, secret.data, id.data + 1, id.len - 1);
#endif
#ifndef SVCONN_NO_CUSTOM
    if (id.data[0] >= SVCONN_TYPE_CUSTOM) err = svconn_identity_custom(&me, id.data, id.len);
#endif
    return err == SVCONN_OK;
}

#ifndef SVCONN_NO_CUSTOM
static void mac_of(uint8_t mac[32], vec_bytes key, const uint8_t *text, size_t len) {
    svconn_hmac_ctx c;
    svconn_hmac_init(&c, key.data, key.len);
    svconn_hmac_update(&c, text, len);
    svconn_hmac_final(&c, mac);
}
#endif

static svconn_err prove(void) {
#ifndef SVCONN_NO_CUSTOM
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX], mac[32];
    size_t n;
    if (svconn_proof_message(&s, text, &n) != SVCONN_OK) return SVCONN_E_STATE;
    mac_of(mac, my_secret, text, n);
    return svconn_prove(&s, mac, sizeof mac);
#else
    return SVCONN_E_STATE;
#endif
}

static svconn_err give_psk(void) {
#ifndef SVCONN_NO_PSK
    if (peer_secret.len == 32) return svconn_give_psk(&s, peer_secret.data);
#endif
    refused = "refused";
    return svconn_refuse(&s);
}

static svconn_err verdict(int accepts) {
#ifndef SVCONN_NO_CUSTOM
    uint8_t text[SVCONN_PROOF_MESSAGE_MAX], mac[32];
    const uint8_t *proof;
    size_t id_len, proof_len, n;
    const uint8_t *id = svconn_peer(&s, &id_len);
    if (svconn_peer_proof(&s, &proof, &proof_len, text, &n) != SVCONN_OK) return SVCONN_E_STATE;
    if (!id || id[0] >= SVCONN_TYPE_CUSTOM) {
        mac_of(mac, peer_secret, text, n);
        if (proof_len != 32 || memcmp(mac, proof, 32) != 0) {
            refused = strstr((const char *)text, "confirm") ? "confirm" : "proof";
            return svconn_refuse(&s);
        }
    }
#endif
    if (accepts) return svconn_accept(&s);
    refused = "refused";
    return svconn_refuse(&s);
}

/* Answers every question. */
static void answer(int accepts) {
    for (int asked = 0; asked < 8; asked++) {
        svconn_err err;
        svconn_state state = svconn_status(&s);
        if (state == SVCONN_NEEDS_PROOF) err = prove();
        else if (state == SVCONN_NEEDS_PSK) err = give_psk();
        else if (state == SVCONN_NEEDS_VERDICT) err = verdict(accepts);
        else return;
        if (err && !svconn_is_failure(err)) vec_fail("an answer", svconn_reason_name(err));
    }
}

/* ---- vectors ---------------------------------------------------------------------------------------------------- */

static const vec_case *this_case;
static int i_serve;
static svconn_sha256_ctx given_out; /* all that the session gives out, to the link and to the application */
static svconn_sha256_ctx link_out;  /* the bytes for the link alone */
static const char *broken;          /* the first line of the file that it did not keep to */

static vec_bytes maybe(const char *name) {
    static const uint8_t none[1] = {0};
    return vec_has(this_case, name) ? vec_get(this_case, name) : (vec_bytes){none, 0};
}
static int flag(const char *name) { return maybe(name).len == 1 && *maybe(name).data; }

static void note(char kind, const uint8_t *b, size_t len) {
    uint8_t head[5] = {(uint8_t)kind, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    svconn_sha256_update(&given_out, head, 5);
    svconn_sha256_update(&given_out, b, len);
}

/* What waits for the link; is it what the file has under this name? */
static void sends(const char *name, vec_bytes want) {
    size_t len;
    const uint8_t *out = svconn_wire_out(&s, &len);
    note('w', out, len);
    svconn_sha256_update(&link_out, out, len);
    if (name && !broken && (len != want.len || (len && memcmp(out, want.data, len) != 0))) broken = name;
    if (svconn_wire_sent(&s, len) != SVCONN_OK) vec_fail("svconn_wire_sent", this_case->name);
}

static void takes_messages(void) {
    const uint8_t *msg;
    size_t len;
    while (svconn_recv(&s, &msg, &len) == SVCONN_OK) {
        note('m', msg, len);
        if (svconn_is_failure(svconn_recv_done(&s))) return;
    }
}

/* collects: what it sends on the way is noted. */
static void feed(vec_bytes b, int collects) {
    size_t used, at = 0;
    for (int idle = 0; at < b.len && idle < 3 && svconn_status(&s) != SVCONN_FAILED; at += used) {
        (void)!svconn_wire_in(&s, b.data + at, b.len - at, &used, now);
        idle = used ? 0 : idle + 1;
        answer(!vec_has(this_case, "refuse"));
        if (collects) sends(NULL, b);
        takes_messages();
        if (collects) sends(NULL, b);
    }
}

static uint16_t pad_to(void) {
    vec_bytes id = maybe("client_identity"), padding = maybe("padding");
    size_t text = 2 + id.len + 2 + (id.data[0] == SVCONN_TYPE_ED25519 ? 64 : 32);
    size_t want = padding.len == 2 ? (size_t)(padding.data[0] << 8 | padding.data[1]) : 0;
    for (size_t n = 1; want && n <= 65535; n++)
        if ((n - text % n) % n == want) return (uint16_t)n;
    return 0;
}

static void set_known(void) {
    static uint8_t known[KNOWN_MAX][32] = {{1}}; /* the first one is a stranger */
    vec_bytes id = maybe("server_identity"), list = maybe("known");
    config.known_servers = (const uint8_t(*)[32])known;
    if (list.len && list.len <= sizeof known) memcpy(known, list.data, list.len);
    else if (id.len == 33) memcpy(known[1], id.data + 1, 32);
    config.known_servers_count = list.len ? list.len / 32 : id.len == 33 ? 2 : 0;
    if (!flag("hidden") && !list.len) config.known_servers_count = 0;
}

/* 0: such an identity cannot be made here */
static int set_config(unsigned mask) {
    vec_bytes id = maybe(i_serve ? "server_identity" : "client_identity");
    my_secret = maybe(i_serve ? "server_secret" : "client_secret");
    peer_secret = maybe(i_serve ? "client_secret" : "server_secret");
    config = (svconn_config){.role = i_serve ? SVCONN_SERVER : SVCONN_CLIENT, .identity = &me, .peer_types = mask};
    config.silence_ms = config.handshake_ms = SVCONN_OFF;
    config.context = maybe("context").data;
    config.context_len = maybe("context").len;
    config.hidden = (uint8_t)(i_serve && flag("hidden"));
    config.early = (uint8_t)(vec_has(this_case, "early") ? SVCONN_EARLY_ALWAYS : SVCONN_EARLY_IF_SAFE);
    if (!i_serve) set_known(), config.pad_to = pad_to();
    char type = id.data[0] == SVCONN_TYPE_ED25519 ? 'e' : id.data[0] == SVCONN_TYPE_PSK ? 'p' : 'a';
    printf("%c%c%s | ", i_serve ? 's' : 'c', type, config.hidden || config.known_servers_count ? "h" : "");
    printf("%s %s | ", i_serve ? "server" : "client", this_case->name);
    return make_identity(id, my_secret);
}

static void finish(const char *result) {
    uint8_t digest[32];
    svconn_sha256_final(&given_out, digest);
    printf("%s", result);
    for (int i = 0; i < 8; i++) printf("%s%02x", i ? "" : " ", digest[i]);
    printf("%s%s\n", broken ? " but not as in the file: " : "", broken ? broken : "");
}

/* A line whose name begins with my direction: what I do, and what comes of it */
static void mine(const char *what, const vec_line *l) {
    svconn_err err = SVCONN_OK;
    if (strcmp(what, "renew") == 0) err = svconn_renew(&s);
    else if (strcmp(what, "send") == 0) err = svconn_send(&s, l->value, l->len, now);
    else if (strcmp(what, "close") == 0) err = svconn_close(&s, now);
    else if (strcmp(what, "keepalive") == 0) err = svconn_tick(&s, now += 20000, NULL);
    else if (strcmp(what, "wire") == 0) sends(l->name, (vec_bytes){(const uint8_t *)l->value, l->len});
    if (err && !broken) broken = l->name;
}

static void events(void) {
    const char *my = i_serve ? "s2c_" : "c2s_", *theirs = i_serve ? "c2s_" : "s2c_";
    size_t taken = 0;
    for (size_t i = 0; i < this_case->count && !broken; i++) {
        const vec_line *l = &this_case->lines[i];
        const char *what = strlen(l->name) > 4 ? l->name + 4 : "";
        int take = strncmp(what, "take", 4) == 0;
        if (strncmp(l->name, my, 4) == 0 && !take) mine(what, l);
        else if (strncmp(l->name, theirs, 4) == 0 && take)
            feed(vec_nth(this_case, i_serve ? "c2s_wire" : "s2c_wire", taken++), 0);
        else if (!i_serve && strcmp(l->name, "confirmed") == 0) feed(vec_get(this_case, "M3"), 0);
    }
}

static void exports(void) {
    uint8_t out[80];
    char text[24];
    static const uint8_t ctx[3] = {1, 2, 3};
    if (svconn_export(&s, "test label", ctx, 3, out, sizeof out) != SVCONN_OK) broken = "export";
    if (memcmp(out, vec_get(this_case, "export").data, sizeof out) != 0) broken = "export";
    if (svconn_authenticator(&s, text) != SVCONN_OK) broken = "authenticator";
    else note('a', (const uint8_t *)text, sizeof text);
}

static void positive(void) {
    sends(i_serve ? "M1" : "nothing", i_serve ? vec_get(this_case, "M1") : (vec_bytes){NULL, 0});
    feed(vec_get(this_case, i_serve ? "M2" : "M1"), 0);
    if (!svconn_error(&s)) {
        sends(i_serve ? "M3" : "M2", vec_get(this_case, i_serve ? "M3" : "M2"));
        if (!i_serve && !vec_has(this_case, "early")) feed(vec_get(this_case, "M3"), 0);
        if (svconn_status(&s) == SVCONN_CONNECTED) exports();
        events();
    }
    sends(NULL, (vec_bytes){NULL, 0});
    finish(svconn_error(&s) ? svconn_reason_name(svconn_error(&s)) : "well");
}

static void negative(void) {
    uint8_t got[32], want[32];
    svconn_sha256_ctx c;
    sends(NULL, (vec_bytes){NULL, 0});
    feed(vec_get(this_case, "input"), 1);
    if (vec_has(this_case, "eof")) (void)!svconn_wire_eof(&s);
    takes_messages();
    sends(NULL, (vec_bytes){NULL, 0});
    const char *reason = svconn_reason_name(svconn_error(&s));
    if (refused && strcmp(reason, "refused") == 0) reason = refused;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, vec_get(this_case, "output").data, vec_get(this_case, "output").len);
    svconn_sha256_final(&c, want);
    svconn_sha256_final(&link_out, got);
    if (memcmp(got, want, 32) != 0) broken = "output";
    if (strcmp(reason, vec_text(this_case, "reason")) != 0) broken = "reason";
    finish(reason);
}

static void one_case(unsigned mask) {
    uint8_t seed[32];
    memcpy(seed, vec_get(this_case, i_serve ? "server_random" : "client_random").data, 32);
    svconn_sha256_init(&given_out);
    svconn_sha256_init(&link_out);
    broken = refused = NULL;
    now = 0;
    svconn_err err = SVCONN_E_UNSUPPORTED;
    if (set_config(mask)) err = svconn_init(&s, &config, seed, rx, sizeof rx, tx, sizeof tx);
    if (err == SVCONN_E_UNSUPPORTED) {
        printf("unsupported\n");
        return;
    }
    if (err) vec_fail(this_case->name, svconn_reason_name(err));
    answer(!vec_has(this_case, "refuse"));
    if (vec_has(this_case, "reason")) negative();
    else positive();
    svconn_wipe(&s);
}

static int vectors(unsigned mask) {
    vec_file file = vec_load("svc1.txt");
    for (size_t i = 0; i < file.count; i++) {
        this_case = &file.cases[i];
        if (vec_has(this_case, "rounds")) continue; /* takes two */
        for (i_serve = 0; i_serve < 2; i_serve++) {
            if (vec_has(this_case, "to") && (strcmp(vec_text(this_case, "to"), "server") == 0) != i_serve) continue;
            /* Time makes keep-alives, and only once connected. */
            if (!i_serve && vec_has(this_case, "early") && vec_has(this_case, "c2s_keepalive")) continue;
            one_case(mask);
        }
    }
    vec_free(&file);
    return 0;
}

/* ---- talk ------------------------------------------------------------------------------------------------------- */

static int say(const char *what) {
    fprintf(stderr, "%s\n", what);
    return 0;
}

/* Everything that waits goes out; 0 if the peer is gone. */
static int flush_link(void) {
    size_t len;
    for (const uint8_t *out; (out = svconn_wire_out(&s, &len)) != NULL;) {
        ssize_t n = write(1, out, len);
        if (n <= 0 || svconn_wire_sent(&s, (size_t)n) != SVCONN_OK) return 0;
    }
    return 1;
}

static int talk_on(size_t length) {
    static uint8_t message[BUFFER];
    int sent = 0, got = 0;
    for (;;) {
        uint8_t in[4096];
        const uint8_t *msg;
        size_t len, used;
        answer(1);
        if (svconn_status(&s) == SVCONN_CONNECTED && !i_serve && !sent++) {
            memset(message, 7, length);
            svconn_err err = svconn_send(&s, message, length, now);
            if (err) return say(svconn_reason_name(err));
        }
        if (svconn_recv(&s, &msg, &len) == SVCONN_OK) {
            got++;
            memcpy(message, msg, len);
            if (len != length || svconn_recv_done(&s) != SVCONN_OK) return say("another message");
            svconn_err err = i_serve ? svconn_send(&s, message, len, now) : svconn_close(&s, now);
            if (err) return say(svconn_reason_name(err));
        }
        if (svconn_recv(&s, &msg, &len) == SVCONN_END && svconn_close(&s, now) != SVCONN_OK) return say("no close");
        int alive = flush_link();
        if (svconn_error(&s)) return say(svconn_reason_name(svconn_error(&s)));
        if (svconn_status(&s) == SVCONN_CLOSED) return say(got ? "well" : "closed without a message");
        ssize_t n = alive ? read(0, in, sizeof in) : 0;
        if (n <= 0) {
            (void)!svconn_wire_eof(&s);
            if (svconn_recv(&s, &msg, &len) != SVCONN_OK) return say(svconn_reason_name(svconn_error(&s)));
            continue;
        }
        for (size_t at = 0; at < (size_t)n && !svconn_error(&s); at += used) {
            (void)!svconn_wire_in(&s, in + at, (size_t)n - at, &used, now);
            answer(1);
            if (!used) return say("more than one message");
        }
    }
}

static int talk(char **arg) {
    static const uint8_t names[2][5] = {"\2cli", "\2srv"}, customs[2][5] = {"\200cli", "\200srv"};
    static uint8_t secrets[2][32], seed[32], key[1][32];
    svconn_identity peer;
    i_serve = arg[0][0] == 's';
    for (int i = 0; i < 2; i++) memset(secrets[i], i + 1, 32); /* the second one is the SERVER's Ed25519 key, the first all else */
    memset(seed, 9 + i_serve, 32);
    peer_secret = (vec_bytes){secrets[0], 32};
    my_secret = (vec_bytes){secrets[i_serve && arg[1][0] == 'e'], 32};
    memset(&peer, 0, sizeof peer);
#ifndef SVCONN_PSK_ONLY
    if (arg[3][0] == 'h' && !i_serve) svconn_identity_ed25519(&peer, secrets[1]);
#endif
    memcpy(key[0], peer.built_in + 1, 32);
    vec_bytes id = {arg[1][0] == 'p' ? names[i_serve] : customs[i_serve], 4};
    static const uint8_t ed[1] = {SVCONN_TYPE_ED25519};
    if (arg[1][0] == 'e') id = (vec_bytes){ed, 1};
    config = (svconn_config){.role = i_serve ? SVCONN_SERVER : SVCONN_CLIENT, .identity = &me};
    config.peer_types = (unsigned)atoi(arg[2]);
    config.hidden = (uint8_t)(i_serve && arg[3][0] == 'h');
    config.known_servers = (const uint8_t(*)[32])key;
    config.known_servers_count = !i_serve && arg[3][0] == 'h';
    if (!make_identity(id, my_secret)) return say("no such identity");
    svconn_err err = svconn_init(&s, &config, seed, rx, sizeof rx, tx, sizeof tx);
    return err ? say(svconn_reason_name(err)) : talk_on((size_t)atol(arg[4]));
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "vectors") == 0) return vectors((unsigned)atoi(argv[2]));
    if (argc == 7 && strcmp(argv[1], "talk") == 0) return talk(argv + 2);
    fprintf(stderr, "usage: party vectors MASK | party talk ROLE OWN MASK MODE LENGTH\n");
    return 2;
}
