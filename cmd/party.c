/* SPDX-License-Identifier: ISC */
#include "party.h"

#include "cmd.h"
#include "codec.h"
#include "home.h"
#include "keyfile.h"
#include "known.h"
#include "svconn_transport.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 120000 /* a person may be asked, here or over there */

void party_rows(option rows[PARTY_ROWS], party_options *o, svconn_role role) {
    int server = role == SVCONN_SERVER;
    const option common[PARTY_ROWS] = {
        {"key", "FILE", "our Ed25519 key; without it (and without --psk) one is made that\nserves this time only",
         OPTION_TEXT, &o->key, 0, 0},
        {"peer", "WHO",
         server ? "who may connect: 64 hexadecimal digits of a public key, name:NAME\n(with --psk), or any; may be "
                  "given several times"
                : "who must be there: 64 hexadecimal digits of a public key, name:NAME\n(with --psk), or any; may be "
                  "given several times",
         OPTION_LIST, &o->peers, 0, 0},
        {"hidden", NULL,
         server ? "hide our key from those who do not know it (at a relay: the default)"
                : "only say that the server may be hidden: it is looked for among the\nkeys of --peer",
         OPTION_FLAG, &o->hidden, 0, 0},
        {"psk", "FILE",
         "use a pre-shared key instead of --key; knowing it is enough to\nbe accepted, unless --peer name:NAME says "
         "more",
         OPTION_TEXT, &o->psk, 0, 0},
        {"name", "NAME", "our name beside the pre-shared key; the peer's name must differ", OPTION_TEXT, &o->name, 0,
         0},
        {"context", "TEXT", "both ends must give the same (up to 255 bytes); default: empty", OPTION_TEXT, &o->context,
         0, 0},
        {"relay-key", "FILE", "our key towards the relay, if it serves listed keys only; default: we\nare nobody to it",
         OPTION_TEXT, &o->relay_key, 0, 0},
        {"known-relays", "FILE", "keys of relays; default ~/.config/svconn/known_relays", OPTION_TEXT, &o->known_relays,
         0, 0},
        {"renew-every", "N", "take a new key after N records (1 to 1048576, the default)", OPTION_NUMBER,
         &o->renew_every, 1, 1ul << 20},
        {"via", "LIST",
         "reach HOST:PORT through these proxies, nearest first:\nsocks5://[USER@]HOST:PORT,http://[USER@]HOST:PORT",
         OPTION_TEXT, &o->via, 0, 0},
        {"via-password", "FILE", "the password of the USER in --via: one line, in a file of mode 600", OPTION_TEXT,
         &o->via_password, 0, 0},
        {"verbose", NULL, "tell who the peer is, new keys, counts, and how it ended", OPTION_FLAG, &o->verbose, 0, 0},
    };
    memcpy(rows, common, sizeof common);
}

void party_base_rows(option rows[PARTY_BASE_ROWS], party_options *o) {
    const option base[PARTY_BASE_ROWS] = {
        {"key", "FILE", "our Ed25519 key; default ~/.config/svconn/key", OPTION_TEXT, &o->key, 0, 0},
        {"key-command", "COMMAND", "the key is what this prints, such as \"age -d key.age\"", OPTION_TEXT,
         &o->key_command, 0, 0},
        {"context", "TEXT", "both ends must give the same; default: empty", OPTION_TEXT | OPTION_RARE, &o->context, 0,
         0},
        {"relay-key", "FILE", "our key towards a relay that serves listed keys only", OPTION_TEXT | OPTION_RARE,
         &o->relay_key, 0, 0},
        {"known-relays", "FILE", "keys of relays; default ~/.config/svconn/known_relays", OPTION_TEXT | OPTION_RARE,
         &o->known_relays, 0, 0},
        {"via", "LIST", "through these proxies, nearest first (socks5://, http://)", OPTION_TEXT | OPTION_RARE, &o->via,
         0, 0},
        {"via-password", "FILE", "the password of the USER in --via", OPTION_TEXT | OPTION_RARE, &o->via_password, 0,
         0},
        {"verbose", NULL, "tell more", OPTION_FLAG, &o->verbose, 0, 0},
    };
    memcpy(rows, base, sizeof base);
}

/* ---- opening ---- */
static int known_relay(void *arg, const char *relay, const uint8_t key[32]) {
    const party *p = arg;
    return known_relays_ask(p->known_relays, relay, key);
}

static int add_peer(party *p, const party_options *o, const char *who, const char *command) {
    if (strcmp(who, "any") == 0) {
        p->any = 1;
    } else if (strcmp(who, "ask") == 0) {
        p->ask = 1;
    } else if (strncmp(who, "name:", 5) == 0) {
        if (!o->psk)
            return options_fault(command, "--peer %s goes with --psk; with --key the peer is named by its public key",
                                 who);
        p->names[p->n_names++] = who + 5;
    } else {
        if (strlen(who) != 64 || hex_decode(p->keys[p->n_keys], 32, who) != 0)
            return options_fault(command, "--peer %s: 64 hexadecimal digits, name:NAME, ask or any is wanted", who);
        if (o->psk)
            return options_fault(command, "--peer with a public key does not go with --psk; use --peer name:NAME");
        p->n_keys++;
    }
    return EXIT_DONE;
}

/* The combinations that make sense, and those that are safe. */
static int check_options(party *p, const party_options *o, svconn_role role, const char *command) {
    if (o->pairing && (o->key || o->psk || o->peers.n || o->hidden || o->open))
        return options_fault(command,
                             "a pairing link says who is there: without --key, --psk, --peer, --hidden, --open");
    if (o->hidden && o->open) return options_fault(command, "--hidden and --open: one of the two");
    if (o->key && o->psk) return options_fault(command, "--key and --psk: one of the two");
    if (o->key && o->key_command) return options_fault(command, "--key and --key-command: one of the two");
    if (!o->psk != !o->name) return options_fault(command, "--psk FILE and --name NAME go together");
    if (o->psk && o->hidden) return options_fault(command, "--hidden goes with an Ed25519 key, not with --psk");
    if (o->name && strlen(o->name) > SVCONN_NAME_MAX)
        return options_fault(command, "--name has at most %d bytes", SVCONN_NAME_MAX);
    if (o->context && strlen(o->context) > 255) return options_fault(command, "--context has at most 255 bytes");
    for (size_t i = 0; i < o->peers.n; i++) {
        int code = add_peer(p, o, o->peers.item[i], command);
        if (code != EXIT_DONE) return code;
    }
    if (role == SVCONN_CLIENT && !o->by_book && !o->psk && !o->pairing && o->peers.n == 0)
        return options_fault(
            command, "--peer is missing: the server's public key, which \"svconn id\" shows there. (\"--peer any\" "
                     "takes whoever answers, which is not safe: it may be somebody in between.)");
    if (role == SVCONN_CLIENT && o->hidden && p->n_keys == 0)
        return options_fault(command, "a hidden server can only be found by its key: --peer HEX");
    return EXIT_DONE;
}

static int read_key(const party_options *o, uint8_t seed[32]) {
    char usual[HOME_PATH];
    if (o->key) return keyfile_read_seed(o->key, seed);
    if (o->key_command) return keyfile_read_seed_of(o->key_command, seed);
    if (o->by_book) {
        if (home_path(usual, "key", 0) == 0 && access(usual, F_OK) == 0) return keyfile_read_seed(usual, seed);
        say("there is no key yet: \"svconn keygen\" makes one (in ~/.config/svconn/key), --key FILE names another");
        return EXIT_LOCAL;
    }
    if (svconn_random(seed, 32) == 0) return EXIT_DONE;
    say("the system gives no random bytes");
    return EXIT_LOCAL;
}

static int open_identity(party *p, const party_options *o, svconn_role role, const char *command) {
    uint8_t seed[32];
    if (o->pairing) {
        const char *name = role == SVCONN_SERVER ? "listener" : "caller";
        memcpy(p->psk, o->pairing, 32);
        if (svconn_identity_psk(&p->identity, p->psk, (const uint8_t *)name, strlen(name)) == SVCONN_OK)
            return EXIT_DONE;
        return options_fault(command, "the pairing link has no key");
    }
    if (o->psk) {
        int code = keyfile_read_psk(o->psk, p->psk);
        if (code != EXIT_DONE) return code;
        if (svconn_identity_psk(&p->identity, p->psk, (const uint8_t *)o->name, strlen(o->name)) == SVCONN_OK)
            return EXIT_DONE;
        return options_fault(command, "--name does not fit");
    }
    int code = read_key(o, seed);
    if (code == EXIT_DONE) svconn_identity_ed25519(&p->identity, seed);
    wipe(seed, sizeof seed);
    return code;
}

/* How to get to the peer. At a relay we are nobody, unless told otherwise (R5). */
static int open_way(party *p, const party_options *o, const char *command) {
    uint8_t seed[32];
    if (!o->via && o->via_password) return options_fault(command, "--via-password goes with --via");
    p->link.via = o->via ? p->via : NULL;
    int code = o->via ? via_read(p->via, o->via, o->via_password, command) : EXIT_DONE;
    if (code != EXIT_DONE) return code;
    p->known_relays = o->known_relays;
    p->link.trust = known_relay;
    p->link.arg = p;
    if (o->key || o->key_command || (o->by_book && !o->pairing)) p->link.owner = &p->identity;
    if (!o->relay_key) return EXIT_DONE;
    code = keyfile_read_seed(o->relay_key, seed);
    if (code == EXIT_DONE) svconn_identity_ed25519(&p->relay_identity, seed);
    wipe(seed, sizeof seed);
    p->link.identity = &p->relay_identity;
    return code;
}

int party_open(party *p, const party_options *o, const char *address, svconn_role role) {
    const char *command = o->command;
    int server = role == SVCONN_SERVER;
    int at_relay = strncmp(address, "relay://", 8) == 0;
    memset(p, 0, sizeof *p);
    p->verbose = o->verbose;
    int code = check_options(p, o, role, command);
    if (code == EXIT_DONE) code = open_way(p, o, command);
    if (code == EXIT_DONE) code = open_identity(p, o, role, command);
    if (code != EXIT_DONE) {
        party_close(p);
        return code;
    }
    p->config.role = role;
    p->config.identity = &p->identity;
    p->config.context = (const uint8_t *)o->context;
    p->config.context_len = o->context ? strlen(o->context) : 0;
    p->config.hidden = server && (o->hidden || (at_relay && !o->open && !o->psk && !o->pairing));
    p->confirm = server && o->confirm;
    if (at_relay || o->by_book) p->config.handshake_ms = PATIENCE_MS;
    p->config.renew_records = (uint32_t)o->renew_every;
    if (role == SVCONN_CLIENT && p->n_keys > 0) {
        p->config.known_servers = (const uint8_t(*)[32])p->keys;
        p->config.known_servers_count = p->n_keys;
    }
    if (!o->key && !o->key_command && !o->psk && !o->pairing && !o->by_book)
        say("no --key: a new key is made, and forgotten at the end");
    return EXIT_DONE;
}

void party_close(party *p) { wipe(p, sizeof *p); }

/* ---- who may be the peer ---- */
static int is_welcome(const party *p, const uint8_t *peer, size_t len) {
    if (p->any) return 1;
    if (peer[0] == SVCONN_TYPE_PSK) {
        for (size_t i = 0; i < p->n_names; i++)
            if (strlen(p->names[i]) == len - 1 && memcmp(p->names[i], peer + 1, len - 1) == 0) return 1;
        return p->n_names == 0;
    }
    for (size_t i = 0; i < p->n_keys; i++)
        if (len == 33 && memcmp(p->keys[i], peer + 1, 32) == 0) return 1;
    return 0;
}

static void say_refused(const party *p, const uint8_t *peer, size_t len, const char *who) {
    char text[IDENTITY_TEXT], fingerprint[36];
    int server = p->config.role == SVCONN_SERVER;
    text_identity(text, peer, len);
    svconn_fingerprint(fingerprint, peer, len);
    if (peer[0] == SVCONN_TYPE_PSK)
        say("%srefused: the peer knows the pre-shared key, but its name is %s, which no --peer allows", who, text);
    else
        say("%srefused: %s\n"
            "        public key:  %s\n"
            "        fingerprint: %s\n"
            "        %s: --peer %s",
            who, server ? "a peer that no --peer allows" : "the server is not the one of --peer", text, fingerprint,
            server ? "to allow this peer" : "if this is the server that you want", text);
}

void party_accept(svconn *s) {
    svconn_err e = svconn_accept(s);
    /* a fault that the answer brought to light is kept in the session, where everybody looks for it */
    if (e != SVCONN_OK && !svconn_is_failure(e)) svconn_abort(s);
}

void party_refuse(const party *p, svconn *s, const char *who) {
    size_t len;
    const uint8_t *peer = svconn_peer(s, &len);
    if (p->welcome) say("%srefused: a person here said no, or nobody could be asked", who);
    else if (peer && len > 0) say_refused(p, peer, len, who);
    if (svconn_refuse(s)) svconn_abort(s);
}

static void answer_verdict(const party *p, svconn *s, const char *who) {
    size_t len;
    const uint8_t *peer = svconn_peer(s, &len);
    if (p->welcome && peer && len == 33 && peer[0] == SVCONN_TYPE_ED25519) {
        int yes = p->welcome(p->welcome_arg, s, who);
        if (yes > 0) party_accept(s);
        else if (yes == 0 && svconn_refuse(s)) svconn_abort(s);
        return;
    }
    if (peer && len > 0 && is_welcome(p, peer, len)) party_accept(s);
    else if (!p->ask) party_refuse(p, s, who);
}

void party_answer(const party *p, svconn *s, const char *who) {
    svconn_err e = SVCONN_OK;
    switch (svconn_status(s)) {
    case SVCONN_NEEDS_PSK: e = svconn_give_psk(s, p->psk); break;
    case SVCONN_NEEDS_PROOF: e = svconn_refuse(s); break; /* no identity of ours asks this */
    default: break;
    }
    if (e != SVCONN_OK && !svconn_is_failure(e)) svconn_abort(s);
    if (svconn_status(s) == SVCONN_NEEDS_VERDICT) answer_verdict(p, s, who);
}

/* ---- log lines ---- */
static void say_identity(const char *who, const char *whose, const uint8_t *id, size_t len) {
    char text[IDENTITY_TEXT], fingerprint[36];
    text_identity(text, id, len);
    svconn_fingerprint(fingerprint, id, len);
    say("%s%s %-12s %s", who, whose, id[0] == SVCONN_TYPE_PSK ? "name:" : "public key:", text);
    say("%s%s fingerprint: %s", who, whose, fingerprint);
}

void party_say_own(const party *p) {
    size_t len;
    const uint8_t *id = svconn_identity_bytes(&p->identity, &len);
    say_identity("", "own", id, len);
}

void party_say_peer(const svconn *s, const char *who) {
    size_t len;
    const uint8_t *id = svconn_peer(s, &len);
    if (id && len > 0) say_identity(who, "peer", id, len);
}

void party_say_digits(const svconn *s, const char *who) {
    char digits[24];
    if (svconn_authenticator(s, digits) == SVCONN_OK) say("%sauthenticator: %s", who, digits);
}
