/* SPDX-License-Identifier: ISC */
#include "files_path.h"

#include "crypto.h"
#include "files_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int name_is_proper(const uint8_t *name, size_t len) {
    if (len == 0 || len > FILES_NAME_MAX || memchr(name, '/', len) || memchr(name, 0, len)) return 0;
    return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

/* The length of the UTF-8 sequence at p, RFC 3629; 0 if there is none. */
static size_t utf8_at(const uint8_t *p, size_t left) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (n <= 1 || n > left) return n == 1 ? 1 : 0;
    uint32_t x = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        x = x << 6 | (p[i] & 0x3fu);
    }
    int control = x < 0xa0; /* U+0080 to U+009F: terminals take some as the start of a command */
    return x >= least[n] && x <= 0x10ffff && !(x >= 0xd800 && x <= 0xdfff) && !control ? n : 0;
}

/* U+202A to U+202E and U+2066 to U+2069 change the order in which a name is shown: "exe.txt" may be none. */
static int turns_text(const uint8_t *p, size_t n) {
    if (n != 3 || p[0] != 0xe2) return 0;
    return (p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

static size_t clean(char out[FILES_NAME_MAX + 1], const uint8_t *name, size_t len, int to_store) {
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        size_t n = utf8_at(name + i, len - i);
        int plain = n > 0 && name[i] >= 0x20 && name[i] != 0x7f && !turns_text(name + i, n) &&
                    (!to_store || files_name_takes(name, len, i));
        size_t wants = plain ? n : 3;
        if (used + wants > FILES_NAME_MAX) return 0;
        if (plain) memcpy(out + used, name + i, n);
        else snprintf(out + used, 4, "%%%02X", name[i]);
        used += wants;
        i += plain ? n : 1;
    }
    out[used] = 0;
    return used;
}

size_t name_clean(char out[FILES_NAME_MAX + 1], const uint8_t *name, size_t len) { return clean(out, name, len, 0); }

size_t name_to_store(char out[FILES_NAME_MAX + 1], const uint8_t *name, size_t len) { return clean(out, name, len, 1); }

int name_is_part(const char *name) {
    size_t n = strlen(name), suffix = sizeof PART_SUFFIX - 1;
    return name[0] == '.' && n > suffix && files_name_compare(name + n - suffix, PART_SUFFIX) == 0;
}

void name_of_part(char out[FILES_NAME_MAX + 1], const char *name) {
    if (snprintf(out, FILES_NAME_MAX + 1, ".%s" PART_SUFFIX, name) <= FILES_NAME_MAX) return;
    svconn_sha256_ctx c;
    uint8_t hash[32];
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, (const uint8_t *)name, strlen(name));
    svconn_sha256_final(&c, hash);
    size_t used = 1;
    for (size_t i = 0; i < 16; i++) used += (size_t)snprintf(out + used, 3, "%02x", hash[i]);
    snprintf(out + used, sizeof PART_SUFFIX, PART_SUFFIX);
}

int name_numbered(char out[FILES_NAME_MAX + 1], const char *name, unsigned number) {
    const char *dot = strrchr(name, '.');
    int stem = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    int n = snprintf(out, FILES_NAME_MAX + 1, "%.*s (%u)%s", stem, name, number, name + stem);
    return n > FILES_NAME_MAX ? -1 : 0;
}

int path_numbered(char out[FILES_PATH_MAX + 1], const char *path, unsigned number) {
    char other[FILES_NAME_MAX + 1];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int before = (int)(name - path);
    if (name_numbered(other, name, number) != 0) return -1;
    int n = snprintf(out, FILES_PATH_MAX + 1, "%.*s%s", before, path, other);
    return n > 0 && n <= FILES_PATH_MAX ? 0 : -1;
}

/* One part of a target, between slashes. */
static int target_part(char *out, size_t *used, const uint8_t *part, size_t len) {
    char name[FILES_NAME_MAX + 1];
    size_t n = name_is_proper(part, len) ? name_to_store(name, part, len) : 0;
    if (n == 0 || *used + n + 1 > FILES_TARGET_MAX) return 0;
    if (*used) out[(*used)++] = '/';
    memcpy(out + *used, name, n + 1);
    *used += n;
    return 1;
}

int target_clean(char out[FILES_TARGET_MAX + 1], const uint8_t *target, size_t len, unsigned depth, int keep_dots) {
    size_t used = 0, names = 0;
    if (len == 0 || len > FILES_TARGET_MAX || target[0] == '/') return 0;
    for (size_t at = 0; at < len;) {
        const uint8_t *slash = memchr(target + at, '/', len - at);
        size_t n = slash ? (size_t)(slash - (target + at)) : len - at;
        const uint8_t *part = target + at;
        at += n + 1;
        if (n == 0 || (n == 1 && part[0] == '.')) continue; /* "a//b", "./a" */
        if (n == 2 && part[0] == '.' && part[1] == '.') {
            if (names > 0 || depth == 0 || used + 3 > FILES_TARGET_MAX) return 0;
            depth--;
            used += (size_t)snprintf(out + used, 4, used ? "/.." : "..");
            continue;
        }
        if (names == 0 && depth == 0 && part[0] == '.' && !keep_dots) return 0;
        if (!target_part(out, &used, part, n)) return 0;
        names++;
    }
    return used > 0 && (names > 0 || depth > 0);
}

/* ---- the way down ---- */
void way_forget(way *w) {
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
    w->path[0] = 0;
}

/* Opens the directory path[0, len). */
static int way_open(const way *w, const char *path, size_t len) {
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (w->follow ? 0 : O_NOFOLLOW);
    int fd = openat(w->base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < len;) {
        char name[FILES_NAME_MAX + 1];
        const char *slash = memchr(path + at, '/', len - at);
        size_t n = slash ? (size_t)(slash - (path + at)) : len - at;
        int next = -1, why = ENAMETOOLONG;
        if (n <= FILES_NAME_MAX) {
            memcpy(name, path + at, n);
            name[n] = 0;
            next = openat(fd, name, flags);
            why = errno;
        }
        close(fd);
        errno = why;
        fd = next;
        at += n + 1;
    }
    return fd;
}

int way_to(way *w, const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    *name = slash ? slash + 1 : path;
    if (w->fd >= 0 && strlen(w->path) == len && memcmp(w->path, path, len) == 0) return w->fd;
    way_forget(w);
    if (len > FILES_PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    w->fd = way_open(w, path, len);
    if (w->fd < 0) return -1;
    memcpy(w->path, path, len);
    w->path[len] = 0;
    return w->fd;
}
