/* SPDX-License-Identifier: ISC */
/* Public keys as people give them: digits, or the line of an OpenSSH .pub file. */
#include "peerbook.h"

#include "codec.h"

#include <string.h>

/* RFC 8709 section 4: string "ssh-ed25519", string key. 51 bytes, so base64 needs no padding. */
#define BLOB_SIZE 51
#define BLOB_TEXT 68
static const uint8_t blob_head[19] = {0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, 32};
static const char ssh_type[] = "ssh-ed25519";

static int parse_blob(uint8_t key[32], const char *text) {
    uint8_t blob[BLOB_SIZE];
    if (base64_decode(blob, sizeof blob, text, BLOB_TEXT) != BLOB_SIZE) return -1;
    if (memcmp(blob, blob_head, sizeof blob_head) != 0) return -1;
    memcpy(key, blob + sizeof blob_head, 32);
    return 0;
}

/* The line may hold a comment, but a second line would be a second key that nobody looks at. */
static int is_comment(const char *text) {
    size_t len = strcspn(text, "\r\n");
    return strchr(" \t\r\n", *text) && text[len + strspn(text + len, " \t\r\n")] == 0;
}

int peer_key_parse(uint8_t key[32], const char *text) {
    text += strspn(text, " \t");
    size_t len = strcspn(text, " \t\r\n");
    int whole_line = len == sizeof ssh_type - 1 && memcmp(text, ssh_type, len) == 0;
    if (whole_line) {
        text += len + strspn(text + len, " \t");
        len = strcspn(text, " \t\r\n");
    }
    if (whole_line ? !is_comment(text + len) : text[len + strspn(text + len, " \t\r\n")] != 0) return -1;
    if (len == BLOB_TEXT) return parse_blob(key, text);
    return len == 64 && !whole_line ? hex_decode(key, 32, text) : -1;
}

void peer_key_ssh(char out[PEER_KEY_SSH], const uint8_t key[32]) {
    uint8_t blob[BLOB_SIZE];
    memcpy(blob, blob_head, sizeof blob_head);
    memcpy(blob + sizeof blob_head, key, 32);
    memcpy(out, ssh_type, sizeof ssh_type - 1);
    out[sizeof ssh_type - 1] = ' ';
    base64_encode(out + sizeof ssh_type, blob, sizeof blob);
}
