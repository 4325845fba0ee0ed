/* SPDX-License-Identifier: ISC */
/* One scene of the demo: a relay, an echo server and an echo client as three processes, and what they left behind. */
#ifndef SVCONN_CMD_SCENE_H
#define SVCONN_CMD_SCENE_H

#include "hostile.h"
#include "stage.h"

/* The keys of the two parties, as files of the stage and as people name them. */
typedef struct {
    char client_file[STAGE_PATH], server_file[STAGE_PATH];
    char client_hex[65], server_hex[65];
    uint8_t client_key[32], server_key[32];
} scene_keys;

/* Makes new ones. Returns 0, or an exit code after it said why. */
int scene_make_keys(const stage *s, scene_keys *k);

typedef struct {
    const scene_keys *keys;
    const char *input; /* path */
    unsigned long size, renew_every;
    const hostile *attack; /* NULL: the relay is honest, and keeps a capture */
    /* results */
    int client_code, server_code, relay_code;  /* exit codes; -1: it did not end in time */
    char *client_log, *server_log, *relay_log; /* NULL if there is none */
    uint8_t *output;                           /* what the client delivered */
    size_t output_len;
} scene;

/* See stage_child. */
int scene_child(int argc, char **argv);

/* Returns 0 if all three ended by themselves, else an exit code after it said why. */
int scene_run(stage *s, scene *c);
void scene_free(scene *c);

/* Copies what follows the first place of key in a log, up to the end of the line or to a character of stop. Empty if it
 * is not there. */
void scene_value(char *out, size_t out_size, const char *log, const char *key, const char *stop);

#endif
