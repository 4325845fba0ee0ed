/* SPDX-License-Identifier: ISC */
#include "scene.h"

#include "cmd.h"
#include "codec.h"
#include "keyfile.h"
#include "svconn_transport.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */
static int make_key(const char *path, uint8_t public_key[32], char hex[65]) {
    svconn_identity id;
    uint8_t seed[32];
    size_t len;
    if (svconn_random(seed, sizeof seed) != 0) {
        say("the system gives no random bytes");
        return EXIT_LOCAL;
    }
    svconn_identity_ed25519(&id, seed);
    memcpy(public_key, svconn_identity_bytes(&id, &len) + 1, 32);
    hex_encode(hex, public_key, 32);
    int code = keyfile_write(path, seed, KEYFILE_PEM);
    svconn_identity_wipe(&id);
    wipe(seed, sizeof seed);
    return code;
}

int scene_make_keys(const stage *s, scene_keys *k) {
    stage_path(s, k->client_file, "client", ".pem");
    stage_path(s, k->server_file, "server", ".pem");
    int code = make_key(k->client_file, k->client_key, k->client_hex);
    return code == EXIT_DONE ? make_key(k->server_file, k->server_key, k->server_hex) : code;
}

/* ---- the three processes: each is a command that anybody could type, but for what the relay does besides ---- */

/* relay capture PREFIX, relay attack TEXT */
static int run_relay(int argc, char **argv) {
    hostile attack;
    relay_options o;
    relay_defaults(&o);
    o.address = "tcp://127.0.0.1:0";
    o.once = 1;
    if (argc == 3 && strcmp(argv[1], "capture") == 0) {
        o.capture = argv[2];
    } else if (argc == 3 && hostile_read(&attack, argv[2]) == 0) {
        o.filter = hostile_filter;
        o.arg = &attack;
    } else {
        return EXIT_USAGE;
    }
    return relay_run(&o);
}

enum { PART_RELAY, PART_SERVER, PART_CLIENT, PARTS };
static const stage_part parts[PARTS] = {
    [PART_RELAY] = run_relay, [PART_SERVER] = cmd_echo_server, [PART_CLIENT] = cmd_echo};

int scene_child(int argc, char **argv) { return stage_child(parts, PARTS, argc, argv); }

/* Starts the relay. Returns its number, or -1; address is what the server uses, to get a token. */
static int start_relay(stage *s, const scene *c, char *address, size_t size) {
    char capture[STAGE_PATH], attack[HOSTILE_TEXT];
    stage_path(s, capture, "capture", "");
    if (c->attack) hostile_write(attack, c->attack);
    const char *const words[] = {"relay", c->attack ? "attack" : "capture", c->attack ? attack : capture, NULL};
    int number = stage_start(s, "relay", parts, PART_RELAY, words);
    if (number < 0) return -1;
    if (stage_await(s, "relay", "parties use ", address, size) != 0) say("the relay did not start");
    return number;
}

static int start_server(stage *s, const scene *c, const char *address) {
    const char *const words[] = {"echo-server", address, "--key", c->keys->server_file, "--peer", c->keys->client_hex,
                                 "--once", "--verbose", NULL};
    return stage_start(s, "server", parts, PART_SERVER, words);
}

static int start_client(stage *s, const scene *c, const char *address) {
    char size[24], renew[24];
    snprintf(size, sizeof size, "%lu", c->size);
    snprintf(renew, sizeof renew, "%lu", c->renew_every);
    const char *const words[] = {"echo", address, c->input, "--key", c->keys->client_file, "--peer",
                                 c->keys->server_hex, "--verbose", "--size", size, "--renew-every", renew, NULL};
    return stage_start(s, "client", parts, PART_CLIENT, words);
}

static void print_log(const char *who, const char *log) {
    fprintf(stderr, "---- the %s said:\n%s", who, log && *log ? log : "nothing\n");
}

int scene_run(stage *s, scene *c) {
    char address[300] = "";
    int relay = start_relay(s, c, address, sizeof address);
    int server = *address ? start_server(s, c, address) : -1;
    int has_token = server >= 0 && stage_await(s, "server", "listening on ", address, sizeof address) == 0;
    int client = has_token ? start_client(s, c, address) : -1;
    c->client_code = stage_wait(s, client);
    c->server_code = stage_wait(s, server);
    c->relay_code = stage_wait(s, relay);
    c->client_log = (char *)stage_read(s, "client", ".log", NULL);
    c->server_log = (char *)stage_read(s, "server", ".log", NULL);
    c->relay_log = (char *)stage_read(s, "relay", ".log", NULL);
    c->output = stage_read(s, "client", ".out", &c->output_len);
    if (c->client_code >= 0 && c->server_code >= 0 && c->relay_code >= 0 && c->client_log && c->server_log &&
        c->relay_log && c->output)
        return EXIT_DONE;
    say("%s did not end in time, or died", c->client_code < 0   ? "the client"
                                           : c->server_code < 0 ? "the echo server"
                                                                : "the relay");
    print_log("client", c->client_log);
    print_log("echo server", c->server_log);
    print_log("relay", c->relay_log);
    return EXIT_LINK;
}

void scene_free(scene *c) {
    free(c->client_log);
    free(c->server_log);
    free(c->relay_log);
    free(c->output);
    c->client_log = c->server_log = c->relay_log = NULL;
    c->output = NULL;
}

void scene_value(char *out, size_t out_size, const char *log, const char *key, const char *stop) {
    const char *at = log ? strstr(log, key) : NULL;
    out[0] = 0;
    if (!at) return;
    at += strlen(key);
    at += strspn(at, " ");
    size_t len = strcspn(at, stop ? stop : "\n");
    snprintf(out, out_size, "%.*s", (int)(len < out_size ? len : out_size - 1), at);
}
