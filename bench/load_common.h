/* SPDX-License-Identifier: ISC */
/*
 * What the loads of bench/relay.sh and bench/tunnel.sh have in common. Linux only: it reads /proc.
 *
 * What is counted is processor time of what is measured: all threads of the given processes and of all that descend from
 * them. The work that the kernel does for them counts (system calls; on loopback also the receiving half of what they
 * send), that of the load does not. So a machine that is busy elsewhere changes the result little.
 */
#ifndef LOAD_COMMON_H
#define LOAD_COMMON_H
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define PIECE ((size_t)256 * 1024)

/* Each load defines it: what is measured, what it carries, how long anything may take that should happen. */
typedef struct {
    const char *measured, *carried;
    int wait_ms;
} load_subject;
extern const load_subject subject;

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 1, 2)))
#endif
_Noreturn void
fail(const char *format, ...);
double seconds_now(void);
void nap(unsigned ms);

/* ---- what the kernel says about what is measured ---- */
typedef struct {
    long pid, parent;
    double seconds; /* that it ran, by the coarse clock of stat */
    double children;
    int counts;
} process;

int measure_process(long pid); /* -1: no process, or too many of them */
unsigned measured_processes(void);
/* Adds up f over the measured processes and all that descend from them. */
double sum_of_measured(double (*f)(const process *p));

typedef struct {
    double seconds, cpu, stolen;
} mark;
mark mark_now(void);
double part_stolen(mark from, mark to); /* of all processors */

/* ---- sockets ---- */
struct sockaddr_in loopback(unsigned port);
int new_socket(void);
int start_listening(unsigned port); /* -1: errno says why */
void print_free_ports(int count);

int is_for_later(void);
int wait_for(int fd, short events, int ms); /* 1: there is something, 0: not in time */
void send_all(int fd, const char *bytes, size_t len);
size_t receive_to_end(int fd, char *bytes, size_t len); /* how many came before the end */
void receive_all(int fd, char *bytes, size_t len);

void exchange(int a, int b);                       /* a few bytes there and back */
void fill(char *bytes, size_t len, uint64_t seed); /* not to be guessed by what carries them; they need not be random */

/* One direction */
typedef struct {
    int from, to;
    char *bytes;
    size_t sent, received;
} lane;
/* Both ends send at once; all of it is compared. */
void compare_both_ways(lane l[2], size_t bytes);

/* ---- the command line: MODE [--NAME VALUE]... ---- */
typedef struct {
    const char *name;
    void (*run)(void);
    int measures;
} load_mode;
/* modes end with one without a name; take returns -1 for what it does not take. NULL: wrong usage */
const load_mode *read_command_line(int argc, char **argv, const load_mode *modes,
                                   int (*take)(const char *name, const char *value));
void have_all_descriptors(void);
#endif
