/* SPDX-License-Identifier: ISC */
#include "target.h"

#include "text.h"

int target_unix_parse(target *t, const char *path) {
    (void)t;
    say("unix:%s: not on Windows; there HOST:PORT can be used", path);
    return -1;
}

int target_unix_connect(const target *t, tunnel_end *end) {
    (void)t;
    (void)end;
    return TUNNEL_UNREACHABLE;
}

int target_unix_listen(const target *t) {
    (void)t;
    return -1;
}
