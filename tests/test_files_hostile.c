/* SPDX-License-Identifier: ISC */
/* The service "files": a sender, or a receiver, that does what it should not. */
#include "files_lab.h"

#include <sys/resource.h>

/* ---- hostile senders ---- */
static uint8_t raw_msg[SVCONN_MESSAGE_MAX];
static wire_out raw;

static void raw_begin(uint8_t type, uint32_t id) {
    raw = (wire_out){raw_msg, 0};
    put_number(&raw, type, 1);
    put_number(&raw, id, 4);
}

static void raw_send(void) { CHECK(svconn_send(&lab_s, raw.b, raw.n, svconn_now()) == SVCONN_OK); }

static void raw_offer(void) {
    raw_begin(FILES_OFFER, 1);
    put_number(&raw, 1, 8);
    put_number(&raw, 1, 8);
    raw_send();
}

/* path: names divided by '|' */
static void raw_entry(uint32_t id, uint8_t type, uint64_t size, const char *path, const char *target) {
    raw_begin(FILES_ENTRY, id);
    put_number(&raw, type, 1);
    put_number(&raw, 0644, 2);
    put_number(&raw, 1000, 8);
    put_number(&raw, 0, 4);
    put_number(&raw, target ? strlen(target) : size, 8);
    size_t count = raw.n, names = 1;
    put_number(&raw, 0, 1);
    for (const char *bar; (bar = strchr(path, '|')) != NULL; path = bar + 1, names++) {
        put_number(&raw, (uint64_t)(bar - path), 1);
        put_bytes(&raw, path, (size_t)(bar - path));
    }
    put_number(&raw, strlen(path), 1);
    put_bytes(&raw, path, strlen(path));
    raw.b[count] = (uint8_t)names;
    if (target) put_bytes(&raw, target, strlen(target));
    raw_send();
}

static void raw_data(uint32_t id, const char *text) {
    raw_begin(FILES_DATA, id);
    put_bytes(&raw, text, strlen(text));
    raw_send();
}

static void raw_end(uint32_t id, const char *text) {
    svconn_sha256_ctx c;
    raw_begin(FILES_END, id);
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, (const uint8_t *)text, strlen(text));
    svconn_sha256_final(&c, raw.b + raw.n);
    raw.n += 32;
    raw_send();
}

/* What the receiver says next: its type, 0 if nothing, -1 if it broke off; of SKIP the reason is in raw_reason. */
static int raw_reason;
static int raw_answer(void) {
    const uint8_t *msg;
    size_t len;
    int type = 0;
    while (lab_turn(0)) {
    }
    if (svconn_recv(&lab_s, &msg, &len) == SVCONN_OK) {
        type = len ? msg[0] : 0;
        raw_reason = len > 5 ? msg[5] : 0;
        (void)!svconn_recv_done(&lab_s);
        return type;
    }
    return svconn_error(&lab_talk.s) == SVCONN_E_CANCELLED ? -1 : 0;
}

static void raw_connect(void) {
    lab_connect();
    raw_offer();
    CHECK(raw_answer() == 0);
}

static void raw_close(void) {
    lab_end_session();
    store_close(&lab_store);
    lab_store.at.base = 0;
}

static void bad_names_break(void) {
    static const char *const bad[] = {"", ".", "..", "a/b", "/etc", "../x", "a|..|..|x", "a||b", "..|x", "a|."};
    lab_begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        raw_connect();
        raw_entry(0, FILES_FILE, 0, bad[i], NULL);
        CHECK(raw_answer() == -1);
        raw_close();
    }
    raw_connect();
    raw_entry(0, FILES_FILE, 0, "a_b", NULL);
    CHECK(raw_answer() == FILES_WANT);
    raw_begin(FILES_ENTRY, 1);
    put_bytes(&raw, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\3a\0b", 28);
    raw_send();
    CHECK(raw_answer() == -1);
    raw_close();
    CHECK(!lab_exists("x") && access(lab_path(lab_dir, "x"), F_OK) != 0);
}

static void names_not_taken(void) {
    static char deep[400], longs[300];
    lab_begin();
    raw_connect();
    raw_entry(0, FILES_FILE, 3, "sub|.x.svconn-part", NULL);
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_NAME);
    memset(longs, 1, 255); /* each becomes three */
    raw_entry(1, FILES_FILE, 3, longs, NULL);
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_NAME);
    for (size_t i = 0; i < 65; i++) memcpy(deep + 2 * i, i ? "|d" : "dd", 3);
    raw_entry(2, FILES_FILE, 3, deep, NULL);
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_NAME);
    raw_entry(3, FILES_FILE, 3, "missing|x", NULL);
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_LOCAL);
    memset(longs, 'n', 255);
    raw_entry(4, FILES_FILE, 2, longs, NULL);
    CHECK(raw_answer() == FILES_WANT);
    raw_data(4, "ab");
    raw_end(4, "ab");
    CHECK(raw_answer() == FILES_STORED && lab_size(longs) == 2);
    raw_close();
    CHECK(!lab_parts());
}

static void links_stay_inside(void) {
    static const char *const bad[] = {"/etc", "..",        "../x",    "a/../../x", "a/../b",
                                      ".",    "a\nb/../c", ".ssh/id", "./.ssh",    "//"};
    char name[20];
    uint32_t id = 0;
    lab_begin();
    raw_connect();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(name, sizeof name, "l%zu", i);
        raw_entry(id++, FILES_SYMLINK, 0, name, bad[i]);
        CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_NAME && !lab_exists(name));
    }
    raw_entry(id++, FILES_DIRECTORY, 0, "d", NULL);
    CHECK(raw_answer() == FILES_STORED);
    raw_entry(id++, FILES_SYMLINK, 0, "d|up", "../../x");
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(id++, FILES_SYMLINK, 0, "d|behind", "x/../y");
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(id++, FILES_SYMLINK, 0, "d|root", "..");
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(id++, FILES_SYMLINK, 0, "d|secret", "../.ssh/id");
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(id++, FILES_SYMLINK, 0, "d|good", "../d/file");
    CHECK(raw_answer() == FILES_STORED && lab_exists("d/good"));
    raw_close();
}

/* Through links: of the sender, and of the user */
static void never_through_links(void) {
    lab_begin();
    CHECK(mkdir(lab_path(lab_dir, "outside"), 0700) == 0 && mkdir(lab_path(lab_out, "real"), 0700) == 0);
    CHECK(symlink("../outside", lab_path(lab_out, "mine")) == 0);
    raw_connect();
    raw_entry(0, FILES_SYMLINK, 0, "link", "real");
    CHECK(raw_answer() == FILES_STORED);
    raw_entry(1, FILES_FILE, 1, "link|x", NULL);
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(2, FILES_FILE, 1, "mine|x", NULL);
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(3, FILES_DIRECTORY, 0, "mine", NULL);
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(4, FILES_DIRECTORY, 0, "mine|x", NULL);
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(5, FILES_SYMLINK, 0, "mine|x", "y");
    CHECK(raw_answer() == FILES_SKIP);
    raw_entry(6, FILES_FILE, 1, "mine", NULL); /* it is there */
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_EXISTS);
    raw_close();
    CHECK(rmdir(lab_path(lab_dir, "outside")) == 0 && rmdir(lab_path(lab_out, "real")) == 0);
}

static void wrong_bytes(void) {
    lab_begin();
    raw_connect();
    raw_entry(0, FILES_FILE, 3, "f", NULL);
    CHECK(raw_answer() == FILES_WANT);
    raw_data(0, "abc");
    raw_end(0, "abd");
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_DAMAGED && !lab_exists("f") && !lab_parts());
    raw_close();
    for (int i = 0; i < 9; i++) {
        lab_clear();
        raw_connect();
        raw_entry(0, FILES_FILE, 3, "f", NULL);
        raw_entry(1, FILES_FILE, 3, "g", NULL);
        CHECK(raw_answer() == FILES_WANT && raw_answer() == FILES_WANT);
        if (i == 0) raw_data(0, "abcd");
        if (i == 1) raw_data(0, "ab"), raw_end(0, "ab");
        if (i == 2) raw_data(2, "a");
        if (i == 3) raw_data(0, "a"), raw_data(1, "a");
        if (i == 4) raw_data(0, "");
        if (i == 5) raw_entry(3, FILES_FILE, 3, "h", NULL);
        if (i == 6) raw_data(0, "abc"), raw_end(0, "abc"), raw_end(0, "abc");
        if (i == 7) raw_begin(FILES_DONE, 2), raw_send();
        if (i == 8) raw_data(FILES_WINDOW, "a");
        int answer = raw_answer();
        CHECK(i == 6 ? answer == FILES_STORED && raw_answer() == -1 : answer == -1);
        CHECK(i == 6 || !lab_exists("f"));
        raw_close();
    }
}

/* What changes here while it comes */
static void disturbed(void) {
    lab_begin();
    raw_connect();
    raw_entry(0, FILES_FILE, 3, "f", NULL);
    CHECK(raw_answer() == FILES_WANT);
    raw_data(0, "abc");
    CHECK(raw_answer() == 0);
    lab_file(lab_out, "f", 3, 1);
    raw_end(0, "abc");
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_EXISTS && !lab_parts() && lab_store.bytes == 0);
    raw_entry(1, FILES_FILE, 3, "g", NULL);
    CHECK(raw_answer() == FILES_WANT && lab_store.bytes == 3);
    raw_data(1, "ab");
    raw_begin(FILES_CANCEL, 1);
    put_number(&raw, CANCEL_CHANGED, 1);
    raw_send();
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_CANCELLED && !lab_parts() && lab_store.bytes == 0);
    lab_file(lab_out, ".h.svconn-part", 3, 7);
    raw_entry(2, FILES_FILE, 6, "h", NULL);
    CHECK(raw_answer() == FILES_ASK);
    uint8_t part[3];
    int fd = open(lab_path(lab_out, ".h.svconn-part"), O_RDWR);
    CHECK(fd >= 0 && read(fd, part, 3) == 3);
    svconn_sha256_ctx c;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, part, 3);
    raw_begin(FILES_HASH, 2);
    svconn_sha256_final(&c, raw.b + raw.n);
    raw.n += 32;
    raw_send();
    CHECK(raw_answer() == FILES_WANT);
    struct timespec then[2] = {{1, 0}, {1, 0}};
    CHECK(pwrite(fd, "xyz", 3, 0) == 3 && futimens(fd, then) == 0 && close(fd) == 0);
    raw_data(2, "def");
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_BUSY);
    raw_close();
}

static void out_of_turn(void) {
    for (int i = 0; i < 9; i++) {
        lab_begin();
        lab_connect();
        if (i > 0) raw_offer();
        if (i == 0) raw_entry(0, FILES_FILE, 0, "f", NULL);
        if (i == 1) raw_offer();
        if (i == 2) raw_begin(0x77, 0), raw_send();
        if (i == 3) raw_begin(FILES_DONE, 1), raw_send();
        if (i == 4) raw_begin(FILES_DONE, 0), raw_send(), raw_entry(0, FILES_FILE, 0, "f", NULL);
        if (i == 5) raw_begin(FILES_HASH, 0), raw.n += 32, raw_send();
        if (i == 6) raw_entry(0, 9, 0, "f", NULL);
        if (i == 7) raw_entry(0, FILES_FILE, UINT64_MAX, "f", NULL);
        if (i == 8) raw.n = 0, raw_send();
        int answer = raw_answer();
        CHECK(i == 4 ? answer == FILES_RESULT && raw_answer() == -1 : answer == -1);
        CHECK(!lab_exists("f"));
        raw_close();
    }
}

/* Messages that end too early, or have bytes behind: none of them is taken for another */
static void cut_messages(void) {
    lab_begin();
    for (size_t n = 0; n < 34; n++) {
        raw_connect();
        raw_entry(0, FILES_FILE, 3, "f", NULL);
        CHECK(raw_answer() == FILES_WANT);
        raw_begin(FILES_ENTRY, 1);
        put_bytes(&raw, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\3abcX", 29);
        CHECK(raw.n == 34);
        raw.n = n == 33 ? 34 : n;
        raw_send();
        CHECK(raw_answer() == -1);
        raw_close();
    }
}

static void window_is_bounded(void) {
    char name[20];
    lab_begin();
    raw_connect();
    for (uint32_t id = 0; id < FILES_WINDOW; id++) {
        snprintf(name, sizeof name, "%u", id);
        raw_entry(id, FILES_FILE, 3, name, NULL);
        CHECK(raw_answer() == FILES_WANT);
    }
    raw_entry(FILES_WINDOW, FILES_FILE, 3, "more", NULL);
    CHECK(raw_answer() == -1);
    raw_close();
}

static void a_million_entries(void) {
    struct rusage before, after;
    uint32_t n = TEST_UNDER_ASAN || under_valgrind() ? 20000 : 1000000;
    int wrong = 0;
    lab_begin();
    lab_store.max_files = 10;
    raw_connect();
    getrusage(RUSAGE_SELF, &before);
    FILE *quiet = freopen("/dev/null", "w", stderr);
    CHECK(quiet != NULL);
    for (uint32_t id = 0; id < n && !wrong; id++) {
        raw_entry(id, FILES_DIRECTORY, 0, "some|path|that|is|not|there", NULL);
        wrong = raw_answer() != FILES_SKIP;
    }
    getrusage(RUSAGE_SELF, &after);
    CHECK(!wrong && (TEST_UNDER_ASAN || under_valgrind() || after.ru_maxrss - before.ru_maxrss < 2000));
    raw_close();
}

/* What is there already is not given away: no hash of ours goes out, whatever is asked. */
static void nothing_is_given_away(void) {
    const uint8_t *msg;
    size_t len;
    lab_begin();
    lab_file(lab_out, "secret", 100, 1);
    lab_file(lab_out, ".part.svconn-part", 100, 1);
    raw_connect();
    raw_entry(0, FILES_FILE, 100, "secret", NULL);
    raw_entry(1, FILES_FILE, 200, "part", NULL);
    while (lab_turn(0)) {
    }
    for (int i = 0; i < 2; i++) {
        CHECK(svconn_recv(&lab_s, &msg, &len) == SVCONN_OK && msg[0] == FILES_ASK && len == 13);
        CHECK(svconn_recv_done(&lab_s) == SVCONN_OK);
    }
    raw_begin(FILES_HASH, 0);
    memset(raw.b + raw.n, 7, 32);
    raw.n += 32;
    raw_send();
    CHECK(raw_answer() == FILES_SKIP && raw_reason == SKIP_EXISTS);
    raw_close();
}

/* ---- hostile receivers ---- */
static void sender_meets(const uint8_t *answer, size_t len, int breaks) {
    const uint8_t *msg;
    size_t n;
    lab_sources = 0;
    lab_add("f");
    lab_prepare(0);
    lab_connect();
    files_sender_connect(&lab_sender, &lab_s);
    files_sender_step(&lab_sender);
    while (lab_both_ways()) {
    }
    while (svconn_recv(&lab_talk.s, &msg, &n) == SVCONN_OK) CHECK(svconn_recv_done(&lab_talk.s) == SVCONN_OK);
    files_sender_take(&lab_sender, answer, len);
    for (int i = 0; i < 5 && svconn_status(&lab_s) == SVCONN_CONNECTED; i++) files_sender_step(&lab_sender);
    CHECK(lab_sender.broken == breaks && !files_sender_is_complete(&lab_sender));
    CHECK(breaks == (svconn_status(&lab_s) == SVCONN_FAILED));
    lab_end_session();
    lab_finish();
}

static void hostile_receivers(void) {
    lab_begin();
    lab_file(lab_in, "f", 1000, 1);
    static const struct {
        const char *bytes;
        size_t len;
        int breaks;
    } answers[] = {
        {"\x21\0\0\0\0\0\0\0\0\0\0\0\0", 13, 0},   /* an honest WANT */
        {"\x20\0\0\0\0\0\0\0\0\0\0\3\xe8", 13, 0}, /* ASK for all of it */
        {"\x21\0\0\0\0\0\0\0\0\0\0\3\xe9", 13, 1}, /* WANT beyond the end */
        {"\x21\0\0\0\0\0\0\0\0\0\0\0\1", 13, 1},   /* WANT from a place that was not asked for */
        {"\x20\0\0\0\0\0\0\0\0\0\0\3\xe9", 13, 1}, /* ASK beyond the end */
        {"\x20\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, 1},
        {"\x20\0\0\0\0\0\0\0\0\0\0\0\0", 13, 1},
        {"\x21\0\0\0\1\0\0\0\0\0\0\0\0", 13, 1}, /* an entry that was not offered */
        {"\x21\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 13, 1},
        {"\x21\0\0\0\0\0\0\0\0\0\0\0", 12, 1},
        {"\x21\0\0\0\0\0\0\0\0\0\0\0\0\0", 14, 1},
        {"\x22\0\0\0\0", 5, 1},                    /* STORED without a byte */
        {"\x25\0\0\0\0\1\0\0\0\0\0\0\0\0", 14, 1}, /* RESULT before DONE */
        {"\x24\0\0\0\0\0", 6, 1},
        {"\x24\0\0\0\0\1", 6, 0},
        {"\x10\0\0\0\0", 5, 1},
        {"", 0, 1},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        sender_meets((const uint8_t *)answers[i].bytes, answers[i].len, answers[i].breaks);
}

int main(void) {
    FILE *quiet = getenv("V") ? stderr : freopen("/dev/null", "w", stderr);
    if (!quiet) return 1;
    TEST("files: bad names end the session", bad_names_break);
    TEST("files: names that are not taken", names_not_taken);
    TEST("files: symbolic links stay inside", links_stay_inside);
    TEST("files: nothing is written through a link", never_through_links);
    TEST("files: wrong hash, wrong sizes, wrong entries", wrong_bytes);
    TEST("files: a name, a part that changes while it comes; nothing stays counted", disturbed);
    TEST("files: messages out of turn", out_of_turn);
    TEST("files: messages of wrong lengths", cut_messages);
    TEST("files: the window is bounded", window_is_bounded);
    TEST("files: a million entries need no memory", a_million_entries);
    TEST("files: contents of what is there are not given away", nothing_is_given_away);
    TEST("files: hostile receivers", hostile_receivers);
    lab_clean();
    return TEST_EXIT();
}
