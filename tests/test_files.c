/* SPDX-License-Identifier: ISC */
/* The service "files": sender and receiver together, with cuts at any place, and disks that fail. */
#include "files_lab.h"

#include <sys/file.h>

/* ---- honest ones ---- */
static void make_tree(void) {
    CHECK(mkdir(lab_path(lab_in, "tree"), 0755) == 0 && mkdir(lab_path(lab_in, "tree/deep"), 0700) == 0 &&
          mkdir(lab_path(lab_in, "tree/empty"), 0700) == 0 && mkdir(lab_path(lab_in, "tree/deep/er"), 0700) == 0);
    lab_file(lab_in, "tree/nothing", 0, 1);
    lab_file(lab_in, "tree/one", 1, 2);
    lab_file(lab_in, "tree/large", 300000, 3);
    lab_file(lab_in, "tree/deep/exact", FILES_DATA_MAX, 4);
    lab_file(lab_in, "tree/deep/er/.hidden", 5000, 5);
    CHECK(symlink("../one", lab_path(lab_in, "tree/deep/link")) == 0);
    CHECK(symlink("nowhere", lab_path(lab_in, "tree/dangling")) == 0);
}

static void a_tree(void) {
    struct stat a, b;
    lab_begin();
    make_tree();
    CHECK(chmod(lab_path(lab_in, "tree/one"), 04755) == 0);
    CHECK(lab_send("tree"));
    CHECK(lab_same(lab_path(lab_in, "tree"), lab_path(lab_out, "tree")) && !lab_parts());
    CHECK(stat(lab_path(lab_in, "tree/one"), &a) == 0 && stat(lab_path(lab_out, "tree/one"), &b) == 0);
    CHECK((b.st_mode & 07777) == (0755u & ~lab_store.mask));
    CHECK(a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
    CHECK(lab_send("tree") && lab_sender.stored == 0 && lab_sender.same == 5 && lab_sender.files == 5 &&
          lab_sender.carried == 0);
}

static void many_small(void) {
    char name[40];
    lab_begin();
    CHECK(mkdir(lab_path(lab_in, "many"), 0700) == 0);
    for (unsigned i = 0; i < 3 * FILES_WINDOW + 7; i++) {
        snprintf(name, sizeof name, "many/%u", i);
        lab_file(lab_in, name, i % 100, i);
    }
    CHECK(lab_send("many") && lab_same(lab_in, lab_out));
}

/* More to hash than one turn allows, at both ends, with nothing on the link meanwhile */
static void large_compare(void) {
    lab_begin();
    lab_file(lab_in, "f", 5000000, 1);
    lab_file(lab_out, "f", 5000000, 1);
    CHECK(lab_send("f") && lab_sender.same == 1);
    CHECK(rename(lab_path(lab_out, "f"), lab_path(lab_out, ".f.svconn-part")) == 0);
    CHECK(truncate(lab_path(lab_out, ".f.svconn-part"), 4000000) == 0);
    CHECK(lab_send("f") && lab_sender.carried == 1000000 && lab_same(lab_in, lab_out));
}

static void names_of_arguments(void) {
    lab_begin();
    make_tree();
    CHECK(lab_send("tree/deep/") && lab_exists("deep/exact"));
    CHECK(lab_send("tree/deep/.") && lab_exists("deep/exact") && !lab_exists("exact"));
    CHECK(lab_send("tree/empty/../deep/er/..") && !lab_exists("er"));
    source s;
    CHECK(source_open(&s, "/") != 0 && source_open(&s, lab_path(lab_in, "missing")) != 0);
}

static void sparse(void) {
    struct stat st;
    lab_begin();
    int fd = open(lab_path(lab_in, "sparse"), O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 5000000) == 0 && lseek(fd, 1000000, SEEK_SET) == 1000000 && write(fd, "x", 1) == 1);
    close(fd);
    CHECK(lab_send("sparse") && lab_same(lab_in, lab_out));
    CHECK(stat(lab_path(lab_out, "sparse"), &st) == 0 && st.st_blocks * 512 < 1000000);
}

static void hostile_names_arrive(void) {
    lab_begin();
    CHECK(mkdir(lab_path(lab_in, "t"), 0700) == 0);
    lab_file(lab_in, "t/a\nb", 10, 1);
    lab_file(lab_in, "t/\xff\xc3\xbc", 10, 2);
    lab_file(lab_in, "t/\xc2\x9b", 10, 3);
    lab_file(lab_in, "t/ -rf \\ '\"$(x)`", 10, 4);
    lab_file(lab_in, ".profile", 10, 5);
    lab_add("t");
    lab_add(".profile");
    lab_prepare(0);
    CHECK(lab_run());
    lab_finish();
    CHECK(lab_exists("t/a%0Ab") && lab_exists("t/%FF\xc3\xbc") && lab_exists("t/%C2%9B"));
    CHECK(lab_exists("t/ -rf \\ '\"$(x)`") && lab_exists("_.profile") && !lab_exists(".profile"));
    lab_store.keep_dots = 1;
    CHECK(lab_send(".profile") && lab_exists(".profile"));
}

static void what_is_there(void) {
    lab_begin();
    lab_file(lab_in, "a.txt", 1000, 1);
    lab_file(lab_out, "a.txt", 1000, 2);
    lab_file(lab_dir, "kept", 1000, 2);
    CHECK(!lab_send("a.txt") && lab_was_told("a.txt not") &&
          lab_same(lab_path(lab_dir, "kept"), lab_path(lab_out, "a.txt")));
    lab_store = (file_store){.quiet = 1, .policy = STORE_RENAME};
    CHECK(lab_send("a.txt") && lab_same(lab_path(lab_in, "a.txt"), lab_path(lab_out, "a (2).txt")));
    CHECK(lab_same(lab_path(lab_dir, "kept"), lab_path(lab_out, "a.txt")));
    CHECK(lab_send("a.txt") && lab_sender.same == 1 && !lab_exists("a (3).txt")); /* it has that name already */
    lab_file(lab_out, "a (2).txt", 1000, 4);
    lab_file(lab_out, "a (3).txt", 999, 4);
    CHECK(lab_send("a.txt") && lab_same(lab_path(lab_in, "a.txt"), lab_path(lab_out, "a (4).txt")));
    CHECK(lab_send("a.txt") && lab_sender.same == 1 && !lab_exists("a (5).txt"));
    lab_file(lab_in, "empty", 0, 1);
    lab_file(lab_out, "empty", 5, 1);
    CHECK(lab_send("empty") && lab_sender.stored == 1 && lab_size("empty (2)") == 0);
    CHECK(lab_send("empty") && lab_sender.same == 1 && !lab_exists("empty (3)"));
    lab_store = (file_store){.quiet = 1, .policy = STORE_OVERWRITE};
    CHECK(lab_send("a.txt") && lab_same(lab_path(lab_in, "a.txt"), lab_path(lab_out, "a.txt")) && !lab_parts());
    CHECK(unlink(lab_path(lab_out, "a.txt")) == 0 && mkdir(lab_path(lab_out, "a.txt"), 0700) == 0);
    CHECK(!lab_send("a.txt") && rmdir(lab_path(lab_out, "a.txt")) == 0);
    CHECK(symlink("../kept", lab_path(lab_out, "a.txt")) == 0);
    CHECK(lab_send("a.txt") && lab_same(lab_path(lab_in, "a.txt"), lab_path(lab_out, "a.txt")));
    lab_file(lab_dir, "kept2", 1000, 2);
    CHECK(lab_same(lab_path(lab_dir, "kept"), lab_path(lab_dir, "kept2")));
}

static void what_is_not_sent(void) {
    lab_begin();
    make_tree();
    CHECK(mkfifo(lab_path(lab_in, "tree/fifo"), 0600) == 0);
    CHECK(!lab_send("tree") && lab_was_told("tree/fifo note") && !lab_exists("tree/fifo") && lab_exists("tree/large"));
    if (geteuid() != 0) {
        CHECK(chmod(lab_path(lab_in, "tree/one"), 0) == 0 && unlink(lab_path(lab_out, "tree/one")) == 0);
        CHECK(!lab_send("tree") && lab_was_told("tree/one failed") && !lab_parts());
    }
}

static void follows(void) {
    lab_begin();
    make_tree();
    CHECK(symlink("tree", lab_path(lab_in, "way")) == 0 && symlink("..", lab_path(lab_in, "tree/deep/up")) == 0);
    lab_add("way");
    lab_prepare(1);
    CHECK(!lab_run()); /* "up" is inside itself, which is told */
    lab_finish();
    CHECK(lab_was_told("way/deep/up note") &&
          lab_same(lab_path(lab_in, "tree/one"), lab_path(lab_out, "way/deep/link")));
    lab_clear();
    CHECK(lab_send("way") && lab_same(lab_path(lab_in, "way"), lab_path(lab_out, "way")));
}

/* ---- cuts ---- */
static void cut_anywhere(void) {
    lab_begin();
    make_tree();
    lab_store.policy = STORE_OVERWRITE;
    uint64_t step = under_valgrind() || TEST_UNDER_ASAN ? 20011 : 4001;
    int uncut = 0;
    for (uint64_t cut = 1; !uncut; cut += cut < 1500 ? 83 : step) {
        lab_sources = 0;
        lab_add("tree");
        lab_prepare(0);
        lab_cut_after = cut;
        uncut = lab_run();
        lab_cut_after = 0;
        CHECK((uncut || lab_run()) && lab_same(lab_path(lab_in, "tree"), lab_path(lab_out, "tree")) && !lab_parts());
        CHECK(lab_sender.carried < 365002 + 4 * FILES_DATA_MAX && lab_sender.stored + lab_sender.same == 5);
        lab_finish();
        lab_clear();
    }
}

/* The part that is there, of every interesting size, right or wrong */
static void resume_from(uint64_t size, unsigned number, int links) {
    lab_file(lab_out, ".f.svconn-part", (size_t)size, number);
    if (links) CHECK(link(lab_path(lab_out, ".f.svconn-part"), lab_path(lab_out, "other")) == 0);
    CHECK(lab_send("f") && lab_same(lab_path(lab_in, "f"), lab_path(lab_out, "f")) && !lab_parts());
    uint64_t fresh = number == 7 && !links && size <= 130000 ? 130000 - size : 130000;
    CHECK(lab_sender.carried == fresh);
    CHECK(unlink(lab_path(lab_out, "f")) == 0);
    if (links) CHECK(lab_size("other") == size && unlink(lab_path(lab_out, "other")) == 0);
}

static void resume_parts(void) {
    static const uint64_t sizes[] = {0, 1, 59999, 60000, 60001, 129999, 130000, 130001};
    lab_begin();
    lab_file(lab_in, "f", 130000, 7);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        resume_from(sizes[i], 7, 0);
        resume_from(sizes[i], 8, 0);
        resume_from(sizes[i], 7, 1);
    }
    /* links, pipes and directories in its place */
    CHECK(symlink("../elsewhere", lab_path(lab_out, ".f.svconn-part")) == 0);
    CHECK(lab_send("f") && access(lab_path(lab_dir, "elsewhere"), F_OK) != 0 && unlink(lab_path(lab_out, "f")) == 0);
    CHECK(mkfifo(lab_path(lab_out, ".f.svconn-part"), 0600) == 0);
    CHECK(lab_send("f") && unlink(lab_path(lab_out, "f")) == 0);
    CHECK(mkdir(lab_path(lab_out, ".f.svconn-part"), 0700) == 0);
    CHECK(!lab_send("f") && !lab_exists("f"));
}

static void part_in_use(void) {
    lab_begin();
    lab_file(lab_in, "f", 1000, 7);
    lab_file(lab_out, ".f.svconn-part", 500, 7);
    int fd = open(lab_path(lab_out, ".f.svconn-part"), O_RDWR);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CHECK(!lab_send("f") && lab_was_told("f not") && lab_size(".f.svconn-part") == 500);
    close(fd);
    CHECK(lab_send("f") && !lab_parts());
}

/* ---- disks ---- */
static void writes_fail(void) {
    lab_begin();
    make_tree();
    for (long n = 1; n <= 8; n++) {
        lab_writes = 0;
        lab_fail_write = n;
        lab_fail_error = n % 2 ? EIO : ENOSPC;
        lab_store.policy = STORE_OVERWRITE;
        CHECK(!lab_send("tree") && (n % 2 || lab_sender.full));
        lab_fail_write = 0;
        CHECK(lab_send("tree") && lab_same(lab_path(lab_in, "tree"), lab_path(lab_out, "tree")) && !lab_parts());
        lab_clear();
    }
}

static void limits(void) {
    lab_begin();
    make_tree();
    lab_store.max_bytes = 100000;
    CHECK(!lab_send("tree") && lab_was_told("tree/large not") && lab_exists("tree/deep/exact") && !lab_parts());
    CHECK(lab_store.bytes == 65001);
    lab_store = (file_store){.quiet = 1, .max_files = 2};
    CHECK(!lab_send("tree") && lab_sender.not_taken == 9);
}

/* ---- a file that changes ---- */
static int change_times;
static void change_it(void) {
    int fd = change_times < 0 ? open(lab_path(lab_in, "f"), O_WRONLY) : -1;
    if (fd >= 0) {
        CHECK(write(fd, "changed", 7) == 7);
        close(fd);
        change_times = 0;
    } else if (change_times-- > 0) CHECK(truncate(lab_path(lab_in, "f"), 250000 + change_times * 1000) == 0);
}

static void run_changing(int times) {
    change_times = times;
    lab_sources = 0;
    lab_told_n = 0;
    lab_add("f");
    lab_prepare(0);
    lab_connect();
    files_sender_connect(&lab_sender, &lab_s);
    uint64_t at = 0;
    while (!lab_sender.finished && lab_turn(1)) {
        if (lab_sender.carried < at + 150000) continue;
        at = lab_sender.carried;
        change_it();
    }
    lab_end_session();
}

static void changes(void) {
    lab_begin();
    lab_file(lab_in, "f", 300000, 7);
    run_changing(1);
    CHECK(files_sender_is_complete(&lab_sender) && lab_same(lab_in, lab_out) && !lab_parts());
    lab_finish();
    lab_clear();
    run_changing(-1); /* the same size, and other bytes at the start, which went already */
    CHECK(files_sender_is_complete(&lab_sender) && lab_same(lab_in, lab_out) && !lab_parts());
    lab_finish();
    lab_clear();
    lab_file(lab_in, "f", 300000, 7);
    run_changing(9);
    CHECK(!files_sender_is_complete(&lab_sender) && lab_was_told("f failed") && !lab_exists("f") && !lab_parts());
    lab_finish();
}

int main(void) {
    FILE *quiet = getenv("V") ? stderr : freopen("/dev/null", "w", stderr);
    if (!quiet) return 1;
    TEST("files: a tree arrives, with modes and times; again: nothing is sent", a_tree);
    TEST("files: more small files than the window holds", many_small);
    TEST("files: hashes take many turns", large_compare);
    TEST("files: dir/, . and .. have the name of the directory", names_of_arguments);
    TEST("files: holes stay holes", sparse);
    TEST("files: names with control bytes and leading dots are changed", hostile_names_arrive);
    TEST("files: what is there is kept, replaced or gets company, as was said", what_is_there);
    TEST("files: pipes and unreadable files are told", what_is_not_sent);
    TEST("files: --follow, and a circle", follows);
    TEST("files: cut anywhere, it goes on", cut_anywhere);
    TEST("files: parts of every size, right and wrong ones", resume_parts);
    TEST("files: a part that is in use", part_in_use);
    TEST("files: the n-th write fails, then all is well", writes_fail);
    TEST("files: limits on bytes and files", limits);
    TEST("files: a file that changes is sent again once, or fails", changes);
    lab_clean();
    return TEST_EXIT();
}
