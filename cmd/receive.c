/* SPDX-License-Identifier: ISC */
/* svconn receive: takes what "svconn send" sends. */
#include "cmd.h"
#include "door.h"
#include "files_receive.h"
#include "startup.h"
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

typedef struct {
    file_store store;
    door_options door;
    const char *into;
    int overwrite, rename, keep;
    unsigned long max_bytes, max_files;
} receiving;

static int run(receiving *r, const char *address) {
    if (r->overwrite && r->rename) return options_fault("receive", "choose one of --overwrite and --rename");
    r->store.policy = r->overwrite ? STORE_OVERWRITE : r->rename ? STORE_RENAME : STORE_KEEP;
    r->store.quiet = r->door.quiet;
    r->store.max_bytes = r->max_bytes;
    r->store.max_files = r->max_files;
    if (store_open(&r->store, r->into) != 0) {
        say("cannot open the directory %s: %s", r->into, strerror(errno));
        return EXIT_LOCAL;
    }
    startup_writes_files();
    service_ops service = files_service(&r->store);
    int code = door_run(&r->door, "receive", address, &service, 1, r->keep);
    store_close(&r->store);
    return code;
}

int cmd_receive(int argc, char **argv) {
    static receiving r = {.into = "."};
    const char *operand[2] = {NULL, NULL};
    option rows[DOOR_ROWS + 8] = {
        {"into", "DIRECTORY", "where to store; default: the current directory", OPTION_TEXT, &r.into, 0, 0},
        {"overwrite", NULL, "replace files that are there; else they are kept, and the new one is not taken",
         OPTION_FLAG, &r.overwrite, 0, 0},
        {"rename", NULL, "store a file whose name is there as \"name (2)\"", OPTION_FLAG, &r.rename, 0, 0},
        {"keep-dots", NULL, "keep a dot at the beginning of what is sent; else it gets a _ in front",
         OPTION_FLAG | OPTION_RARE, &r.store.keep_dots, 0, 0},
        {"max-bytes", "N", "take no more than so many bytes in all", OPTION_NUMBER, &r.max_bytes, 1, LONG_MAX},
        {"max-files", "N", "take no more than so many files and directories in all", OPTION_NUMBER | OPTION_RARE,
         &r.max_files, 1, LONG_MAX},
        {"list", NULL, "the path of each file that was stored, on standard output", OPTION_FLAG | OPTION_RARE,
         &r.store.list, 0, 0},
        {"keep", NULL, "stay, for any number of senders; at a relay under our key, not by a token", OPTION_FLAG,
         &r.keep, 0, 0},
    };
    door_rows(rows + 8, &r.door);
    const usage u = {
        .command = "receive",
        .operands = "[ADDRESS]",
        .about =
            "Waits for one peer, at the relay (which gives a token for it) or at ADDRESS, and stores what it sends\n"
            "with \"svconn send\". Nothing that is there is replaced, and nothing is stored outside the directory,\n"
            "whatever the sender says. Unfinished files are called .NAME.svconn-part, and go on another time.",
        .more = "Examples:\n"
                "  svconn receive --relay relay.example.org --allow ask --into ~/inbox\n"
                "  svconn receive tcp://0.0.0.0:8387 --keep --max-bytes 100000000000",
        .rows = rows,
        .n_rows = DOOR_ROWS + 8,
        .most_operands = 1};
    int code = options_read(&u, argc, argv, operand);
    return code >= 0 ? code : run(&r, operand[0]);
}
