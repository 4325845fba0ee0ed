/* SPDX-License-Identifier: ISC */
/*
 * A plugin of QEMU (TCG): what an image executes from mark_begin to mark_end (board.h), one line for each such span in the file of the
 * argument out=:
 *
 *      N                   instructions executed
 *      N PC MEM            with trace=on: also hashes (FNV-1a over words) of the sequence of their addresses, and of the sequence of
 *                          the addresses that they read and write, each with the instruction's. Equal over several secrets: neither
 *                          control flow nor addresses depend on them.
 *
 * Instructions between mark_pause and mark_resume do not count. Built with the host's compiler as a shared object. The declarations
 * are those of version 1 of the interface (qemu-plugin.h, QEMU 4.2 to 8): Debian has no package with that header.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS = 0, MEM_RW = 3 };
typedef void insn_cb(unsigned cpu, void *data);
typedef void mem_cb(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);
typedef void tb_cb(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_cb *cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, insn_cb *cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *at, uint64_t n);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, mem_cb *cb, int flags, int rw, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *insn);
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

static FILE *out;
static int trace, inside, paused;
static uint64_t total;         /* instructions so far */
static uint64_t from, skipped; /* total at mark_begin; instructions in pauses since then */
static uint64_t paused_at, pc_hash, mem_hash;

static void mix(uint64_t *hash, uint64_t word) { *hash = (*hash ^ word) * UINT64_C(0x100000001b3); }

static void on_begin(unsigned cpu, void *data) {
    (void)cpu, (void)data;
    inside = 1;
    from = total;
    skipped = 0;
    pc_hash = mem_hash = UINT64_C(0xcbf29ce484222325);
}
static void on_end(unsigned cpu, void *data) {
    (void)cpu, (void)data;
    if (!inside) return;
    inside = 0;
    fprintf(out, "%" PRIu64, total - from - skipped);
    if (trace) fprintf(out, " %016" PRIx64 " %016" PRIx64, pc_hash, mem_hash);
    fputc('\n', out);
    fflush(out);
}
static void on_pause(unsigned cpu, void *data) {
    (void)cpu, (void)data;
    paused = 1;
    paused_at = total;
}
static void on_resume(unsigned cpu, void *data) {
    (void)cpu, (void)data;
    paused = 0;
    skipped += total - paused_at;
}
static void on_insn(unsigned cpu, void *data) {
    (void)cpu;
    if (inside && !paused) mix(&pc_hash, (uintptr_t)data);
}
static void on_mem(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    (void)cpu, (void)info;
    if (inside && !paused) mix(&mem_hash, address ^ (uint64_t)(uintptr_t)data << 32);
}

static const struct {
    const char *name;
    insn_cb *cb;
} marks[] = {{"mark_begin", on_begin}, {"mark_end", on_end}, {"mark_pause", on_pause}, {"mark_resume", on_resume}};
enum { MARKS = sizeof marks / sizeof *marks };

static void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    static uint64_t first[MARKS]; /* the address where each begins: every instruction of a function bears its name */
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const char *name = qemu_plugin_insn_symbol(insn);
        uint64_t pc = qemu_plugin_insn_vaddr(insn);
        for (int m = 0; name && m < MARKS; m++) {
            if (strcmp(name, marks[m].name) != 0) continue;
            if (!first[m]) first[m] = pc;
            if (first[m] == pc) qemu_plugin_register_vcpu_insn_exec_cb(insn, marks[m].cb, CB_NO_REGS, NULL);
        }
        qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &total, 1);
        if (!trace) continue;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, CB_NO_REGS, (void *)(uintptr_t)pc);
        qemu_plugin_register_vcpu_mem_cb(insn, on_mem, CB_NO_REGS, MEM_RW, (void *)(uintptr_t)pc);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
        if (strcmp(argv[i], "trace=on") == 0) trace = 1;
    }
    if (!out) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
    return 0;
}
