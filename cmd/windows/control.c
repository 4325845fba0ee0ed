/* SPDX-License-Identifier: ISC */
/* "svconn sessions" is not on Windows yet, so nobody asks. */
#include "control.h"

#include "text.h"

control *control_open(const char *command, const char *path, const control_ops *ops) {
    (void)ops;
    if (path) say("%s: --control %s: \"svconn sessions\" is not on Windows yet", command, path);
    return NULL;
}

const char *control_path(const control *c) {
    (void)c;
    return "";
}

void control_want(control *c, fdset *set) {
    (void)c;
    (void)set;
}

void control_ready(control *c, const fdset *set) {
    (void)c;
    (void)set;
}

void control_close(control *c) { (void)c; }
