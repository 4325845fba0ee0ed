/* SPDX-License-Identifier: ISC */
/*
 * The harness: svconn and its peers on the same work, side by side.
 *
 * A machine may be twice as slow in one second as in the next. So nothing is compared that was not measured at the same
 * time: the samples of all candidates of an item take turns, each round begins with another one, and the ratio is the
 * median of the ratios within a round. Time is the thread's processor time. Candidates whose mode holds for a whole
 * process run in a process of their own (this program again) and take their turn through a pipe.
 */
#include "bench.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef BENCH_FLAGS
#define BENCH_FLAGS "unknown"
#endif

/* ---- what there is -------------------------------------------------------------------------------------------------
 */
static const struct {
    const bench_peer *peer; /* NULL: not built in */
    const char *name, *package;
} peers[] = {
    {&bench_svconn, "svconn", NULL},
#ifdef BENCH_HAVE_openssl
    {&bench_openssl, "openssl", NULL},
#else
    {NULL, "openssl", "libssl-dev"},
#endif
#ifdef BENCH_HAVE_sodium
    {&bench_sodium, "libsodium", NULL},
#else
    {NULL, "libsodium", "libsodium-dev"},
#endif
#ifdef BENCH_HAVE_nettle
    {&bench_nettle, "nettle", NULL},
#else
    {NULL, "nettle", "nettle-dev"},
#endif
#ifdef BENCH_HAVE_wolfssl
    {&bench_wolfssl, "wolfssl", NULL},
#else
    {NULL, "wolfssl", "libwolfssl-dev"},
#endif
#ifdef BENCH_HAVE_mbedtls
    {&bench_mbedtls, "mbedtls", NULL},
#else
    {NULL, "mbedtls", "libmbedtls-dev"},
#endif
#ifdef BENCH_HAVE_bearssl
    {&bench_bearssl, "bearssl", NULL},
#else
    {NULL, "bearssl", "libbearssl-dev"},
#endif
#ifdef BENCH_HAVE_gcrypt
    {&bench_gcrypt, "gcrypt", NULL},
#else
    {NULL, "gcrypt", "libgcrypt20-dev"},
#endif
};
enum { PEERS = sizeof peers / sizeof peers[0], CANDIDATES_MAX = 40, ROUNDS_MAX = 1001 };

static const struct {
    const char *name;
    bench_op op;
    size_t len; /* 0: the item has no length */
    const char *reference;
} items[] = {
    {"aes256gcm-key", BENCH_GCM_KEY, 0, "openssl"},
    {"aes256gcm-seal", BENCH_GCM_SEAL, 64, "openssl"},
    {"aes256gcm-seal", BENCH_GCM_SEAL, 256, "openssl"},
    {"aes256gcm-seal", BENCH_GCM_SEAL, 1444, "openssl"},
    {"aes256gcm-seal", BENCH_GCM_SEAL, 16384, "openssl"},
    {"aes256gcm-open", BENCH_GCM_OPEN, 64, "openssl"},
    {"aes256gcm-open", BENCH_GCM_OPEN, 256, "openssl"},
    {"aes256gcm-open", BENCH_GCM_OPEN, 1444, "openssl"},
    {"aes256gcm-open", BENCH_GCM_OPEN, 16384, "openssl"},
    {"sha256", BENCH_SHA256, 64, "openssl"},
    {"sha256", BENCH_SHA256, 1444, "openssl"},
    {"sha256", BENCH_SHA256, 16384, "openssl"},
    {"sha512", BENCH_SHA512, 16384, "openssl"},
    {"x25519-dh", BENCH_X25519, 0, "libsodium"},
    {"x25519-keygen", BENCH_X25519_KEYGEN, 0, "libsodium"},
    {"ed25519-keygen", BENCH_ED25519_KEYGEN, 0, "libsodium"},
    {"ed25519-sign", BENCH_ED25519_SIGN, 0, "libsodium"},
    {"ed25519-verify", BENCH_ED25519_VERIFY, 0, "libsodium"},
    {"handshake", BENCH_HANDSHAKE, 0, "openssl"},
    {"handshake-hidden", BENCH_HANDSHAKE_HIDDEN, 0, "svconn best"}, /* TLS 1.3 has no such thing */
    {"record", BENCH_RECORD, 1444, "openssl"},
    {"record", BENCH_RECORD, 16000, "openssl"},
};
enum { ITEMS = sizeof items / sizeof items[0] };

static size_t output_len(bench_op op, size_t len) {
    switch (op) {
    case BENCH_GCM_SEAL: return len + 16;
    case BENCH_GCM_OPEN: return len;
    case BENCH_SHA256:
    case BENCH_X25519:
    case BENCH_X25519_KEYGEN:
    case BENCH_ED25519_KEYGEN: return 32;
    case BENCH_SHA512:
    case BENCH_ED25519_SIGN: return 64;
    default: return 0;
    }
}

/* ---- one sample
 * ------------------------------------------------------------------------------------------------------ */
static double now_ns(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) bench_fail("bench", "no processor time here");
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds per operation */
static double sample(const bench_peer *p, size_t mode, bench_op op, size_t len, uint64_t repeat) {
    void (*run)(size_t) = p->run[op];
    if (!p->enter(mode)) bench_fail(p->name, "a mode that was usable no longer is");
    run(len); /* caches, branch predictors */
    double begin = now_ns();
    for (uint64_t i = 0; i < repeat; i++) run(len);
    return (now_ns() - begin) / (double)repeat;
}

/* What an operation leaves: FNV-1a */
static uint64_t result_of(const bench_peer *p, size_t mode, bench_op op, size_t len) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    if (!p->enter(mode)) bench_fail(p->name, "a mode that was usable no longer is");
    memset(bench_out, 0, sizeof bench_out);
    p->run[op](len);
    for (size_t i = 0; i < output_len(op, len); i++) h = (h ^ bench_out[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* ---- processes of their own
 * ------------------------------------------------------------------------------------------- */
typedef struct {
    int op; /* -1: is the mode usable? BENCH_OPS + op: what does it leave? */
    uint64_t len, repeat;
} question;
typedef struct {
    double ns;
    uint64_t value;
} answer;

static const char *self;

static int read_all(int fd, void *p, size_t n) {
    for (size_t have = 0; have < n;) {
        ssize_t got = read(fd, (char *)p + have, n - have);
        if (got == 0 || (got < 0 && errno != EINTR)) return 0;
        if (got > 0) have += (size_t)got;
    }
    return 1;
}

static int worker(const char *peer, const char *mode) {
    const bench_peer *p = NULL;
    size_t m = (size_t)strtoul(mode, NULL, 10), at = (size_t)-1;
    question q;
    for (size_t i = 0; i < PEERS; i++)
        if (peers[i].peer && !strcmp(peers[i].name, peer)) p = peers[i].peer;
    if (!p || m >= p->mode_count) return 2;
    bench_make_inputs();
    while (read_all(0, &q, sizeof q)) {
        answer a = {0, 0};
        bench_op op = (bench_op)(q.op % BENCH_OPS);
        size_t len = (size_t)q.len;
        if (q.op < 0) a.value = (uint64_t)p->enter(m);
        else {
            if (at != (size_t)op * 100000 + len) bench_make_sealed(op, len);
            at = (size_t)op * 100000 + len;
            if (q.op < BENCH_OPS) a.ns = sample(p, m, op, len, q.repeat);
            else a.value = result_of(p, m, op, len);
        }
        if (write(1, &a, sizeof a) != (ssize_t)sizeof a) return 1;
    }
    return 0;
}

typedef struct {
    const bench_peer *peer;
    size_t mode;
    char name[40];
    pid_t pid; /* 0: measured in this process */
    int to, from;
} candidate;

static candidate candidates[CANDIDATES_MAX];
static size_t candidate_count;

static answer ask(const candidate *c, int op, size_t len, uint64_t repeat) {
    question q = {op, len, repeat};
    answer a;
    if (write(c->to, &q, sizeof q) != (ssize_t)sizeof q || !read_all(c->from, &a, sizeof a))
        bench_fail(c->name, "its process has ended");
    return a;
}

static void start_process(candidate *c) {
    int to[2], from[2];
    char number[24];
    const bench_mode *m = &c->peer->modes[c->mode];
    snprintf(number, sizeof number, "%zu", c->mode);
    if (pipe(to) || pipe(from)) bench_fail("bench", "no pipe");
    c->pid = fork();
    if (c->pid < 0) bench_fail("bench", "no process");
    if (c->pid == 0) {
        if (dup2(to[0], 0) < 0 || dup2(from[1], 1) < 0) _exit(2);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        for (size_t i = 0; i < candidate_count; i++)
            if (candidates[i].pid) close(candidates[i].to), close(candidates[i].from);
        if (m->variable) setenv(m->variable, m->value, 1);
        execlp(self, self, "--worker", c->peer->name, number, (char *)NULL);
        _exit(2);
    }
    close(to[0]), close(from[1]);
    c->to = to[1], c->from = from[0];
}

static void find_candidates(void) {
    for (size_t i = 0; i < PEERS; i++) {
        const bench_peer *p = peers[i].peer;
        for (size_t m = 0; p && m < p->mode_count; m++) {
            candidate *c = &candidates[candidate_count];
            const bench_mode *mode = &p->modes[m];
            if (candidate_count == CANDIDATES_MAX) bench_fail("bench", "too many candidates");
            *c = (candidate){.peer = p, .mode = m};
            snprintf(c->name, sizeof c->name, "%s%s%s", p->name, mode->name ? " " : "", mode->name ? mode->name : "");
            if (mode->process) {
                start_process(c);
                if (ask(c, -1, 0, 0).value) candidate_count++;
            } else if (p->enter(m)) candidate_count++;
        }
    }
}

static double one_sample(const candidate *c, bench_op op, size_t len, uint64_t repeat) {
    return c->pid ? ask(c, (int)op, len, repeat).ns : sample(c->peer, c->mode, op, len, repeat);
}

/* ---- an item
 * ---------------------------------------------------------------------------------------------------------- */
static unsigned rounds = 41;
static double sample_ns = 1.5e6;
static FILE *tsv;
static double times[CANDIDATES_MAX][ROUNDS_MAX];

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* quarter: 2 is the median; 0 the minimum */
static double quartile(const double *of, unsigned quarter) {
    static double sorted[ROUNDS_MAX];
    memcpy(sorted, of, rounds * sizeof of[0]);
    qsort(sorted, rounds, sizeof sorted[0], by_size);
    return sorted[(rounds - 1) * quarter / 4];
}

static double ratio(const double *of, const double *to) {
    double r[ROUNDS_MAX];
    for (unsigned i = 0; i < rounds; i++) r[i] = of[i] / to[i];
    return quartile(r, 2);
}

static uint64_t calibrate(const candidate *c, bench_op op, size_t len) {
    uint64_t repeat = 1;
    double ns = one_sample(c, op, len, repeat);
    while (ns * (double)repeat < sample_ns / 4 && repeat < 1000000) {
        repeat *= 4;
        ns = one_sample(c, op, len, repeat);
    }
    double want = sample_ns / (ns > 1 ? ns : 1);
    return want < 1 ? 1 : (uint64_t)want;
}

static void report(size_t item, const candidate *c, double *t, const double *reference, uint64_t repeat) {
    size_t len = items[item].len;
    double q[4], per = quartile(t, 2) < 20000 ? 1 : 1000;
    char speed[24] = "", against[24] = "-";
    for (unsigned i = 0; i < 4; i++) q[i] = quartile(t, i);
    if (len) snprintf(speed, sizeof speed, "%.0f MB/s", (double)len * 1e3 / q[2]);
    if (reference) snprintf(against, sizeof against, "%.2f", ratio(t, reference));
    printf("  %-22s %9.1f %s  %9.1f .. %-9.1f %9.1f  %12s  %6s\n", c->name, q[2] / per, per > 1 ? "us" : "ns",
           q[1] / per, q[3] / per, q[0] / per, speed, against);
    fflush(stdout);
    if (!tsv) return;
    fprintf(tsv, "%s\t%zu\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s\t%u\t%llu\n", items[item].name, len, c->name, q[2], q[1],
            q[3], q[0], against, items[item].reference, rounds, (unsigned long long)repeat);
    fflush(tsv);
}

static void measure(size_t item) {
    bench_op op = items[item].op;
    size_t len = items[item].len, chosen[CANDIDATES_MAX], n = 0, reference = CANDIDATES_MAX;
    uint64_t repeat[CANDIDATES_MAX], first = 0;
    for (size_t i = 0; i < candidate_count; i++) {
        const bench_peer *p = candidates[i].peer;
        unsigned ops = candidates[i].mode == 0 ? BENCH_ALL_BITS : p->modes[candidates[i].mode].ops;
        if (!p->run[op] || !(ops & BENCH_BIT(op)) || (p->lacks && (p->lacks() & BENCH_BIT(op)))) continue;
        if (!strncmp(candidates[i].name, items[item].reference, strlen(items[item].reference)) &&
            reference == CANDIDATES_MAX)
            reference = n;
        chosen[n++] = i;
    }
    if (n == 0) return;
    bench_make_sealed(op, len);
    for (size_t i = 0; i < n; i++) {
        const candidate *c = &candidates[chosen[i]];
        uint64_t result = c->pid ? ask(c, BENCH_OPS + (int)op, len, 0).value : result_of(c->peer, c->mode, op, len);
        if (i == 0) first = result;
        if (result != first) bench_fail(c->name, "its result is not that of svconn");
        repeat[i] = calibrate(c, op, len);
    }
    for (unsigned r = 0; r < rounds; r++)
        for (size_t k = 0; k < n; k++) {
            size_t i = (k + r) % n;
            times[i][r] = one_sample(&candidates[chosen[i]], op, len, repeat[i]);
        }
    printf("\n%s", items[item].name);
    if (len) printf(", %zu bytes", len);
    printf("\n  %-22s %12s  %22s %9s  %12s  %6s\n", "", "median", "quartiles       ", "minimum", "", "ratio");
    for (size_t i = 0; i < n; i++)
        report(item, &candidates[chosen[i]], times[i], reference < n ? times[reference] : NULL, repeat[i]);
}

/* ---- the surroundings
 * ---------------------------------------------------------------------------------------------------- */
static void cpu_model(char *out, size_t n) {
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    struct utsname u;
    snprintf(out, n, "%s", uname(&u) == 0 ? u.machine : "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        snprintf(out, n, "%s", colon + 2);
        out[strcspn(out, "\n")] = 0;
        break;
    }
    if (f) fclose(f);
}

static void head(FILE *f) {
    char cpu[200];
    cpu_model(cpu, sizeof cpu);
    fprintf(f,
            "# cpu: %s\n# compiler: %s\n# flags: %s\n# rounds: %u, samples of %.1f ms, processor time of the thread\n",
            cpu,
#ifdef __clang__
            "clang " __clang_version__,
#else
            "gcc " __VERSION__,
#endif
            BENCH_FLAGS, rounds, sample_ns / 1e6);
    for (size_t i = 0; i < PEERS; i++)
        if (peers[i].peer) fprintf(f, "# %s: %s\n", peers[i].name, peers[i].peer->version());
    for (size_t i = 0; i < PEERS; i++)
        if (!peers[i].peer) fprintf(f, "# %s: not here (Debian: %s)\n", peers[i].name, peers[i].package);
}

static void end_processes(void) {
    for (size_t i = 0; i < candidate_count; i++)
        if (candidates[i].pid > 0) close(candidates[i].to), close(candidates[i].from);
    while (wait(NULL) > 0) {
    }
}

static const char usage[] =
    "usage: bench [--rounds N] [--sample MS] [--tsv FILE] [--list] [ITEM...]\n"
    "Measures svconn and the libraries that it was built with on the same work, and prints for each item the median, "
    "the quartiles and the\n"
    "minimum of the time per operation, and the ratio to a reference: the median of the ratios within a round, so that "
    "above 1 means slower.\n"
    "  ITEM         only items that contain one of these words, such as: gcm-seal  sha256/16384  handshake\n"
    "  --rounds N   samples of each candidate (41)\n"
    "  --sample MS  how long a sample takes, about (1.5)\n"
    "  --tsv FILE   writes the results there too\n"
    "  --list       prints the items, with their reference, and the candidates\n";

static int is_wanted(size_t item, char **words, int n) {
    char name[64];
    snprintf(name, sizeof name, "%s/%zu", items[item].name, items[item].len);
    for (int i = 0; i < n; i++)
        if (strstr(name, words[i])) return 1;
    return n == 0;
}

int main(int argc, char **argv) {
    const char *file = NULL;
    int i, list = 0, any = 0;
    self = argv[0];
    if (argc == 4 && !strcmp(argv[1], "--worker")) return worker(argv[2], argv[3]);
    for (i = 1; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--help")) return fputs(usage, stdout), 0;
        if (!strcmp(argv[i], "--list")) list = 1;
        else if (!strcmp(argv[i], "--rounds") && i + 1 < argc) rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--sample") && i + 1 < argc) sample_ns = strtod(argv[++i], NULL) * 1e6;
        else if (!strcmp(argv[i], "--tsv") && i + 1 < argc) file = argv[++i];
        else return fputs(usage, stderr), 2;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX || !(sample_ns > 0 && sample_ns < 1e9))
        return fprintf(stderr, "bench: 1 to %d rounds, samples of less than 1000 ms\n", ROUNDS_MAX), 2;
    signal(SIGPIPE, SIG_IGN);
    bench_make_inputs();
    find_candidates();
    if (list) {
        for (size_t k = 0; k < ITEMS; k++) printf("%s/%zu\t%s\n", items[k].name, items[k].len, items[k].reference);
        for (size_t k = 0; k < candidate_count; k++) printf("candidate\t%s\n", candidates[k].name);
    } else {
        if (file && !(tsv = fopen(file, "w"))) bench_fail(file, strerror(errno));
        head(stdout);
        if (tsv) {
            head(tsv);
            fprintf(tsv, "item\tbytes\tcandidate\tmedian_ns\tq1_ns\tq3_ns\tmin_ns\tratio\treference\trounds\trepeat\n");
        }
        for (size_t k = 0; k < ITEMS; k++)
            if (is_wanted(k, argv + i, argc - i)) measure(k), any = 1;
        if (!any) fprintf(stderr, "bench: no item contains that; see --list\n");
        if (tsv && fclose(tsv) != 0) bench_fail(file, strerror(errno));
    }
    end_processes();
    return list || any ? 0 : 2;
}
