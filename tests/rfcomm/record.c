/* SPDX-License-Identifier: ISC */
/*
 * record N FILE: all that goes between this kernel and the controller hciN, into FILE, as "btmon -w" does it (which
 * wants libraries that the guest does not have); "btmon -r" and Wireshark read it. Says "recording"; ends in order at
 * SIGTERM.
 */
#include "bt.h"
#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIZE_MAX_PACKET = 4096, FORMAT_MONITOR = 2001, QUEUE = 32 << 20 };
static const uint64_t YEAR_1970 = 0x00dcddb30f2f8000; /* in the microseconds of the format */

struct monitor_head {
    uint16_t opcode, adapter, len;
};
struct file_head {
    char magic[8];
    uint32_t version, format;
};
struct packet_head {
    uint32_t len, stored, flags, drops, time[2];
};

static volatile sig_atomic_t stopped;
static void stop(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

static void put(FILE *out, const uint8_t *packet, size_t len) {
    struct monitor_head head;
    memcpy(&head, packet, sizeof head);
    len -= sizeof head;
    struct timeval now;
    gettimeofday(&now, NULL);
    uint64_t when = YEAR_1970 + (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
    uint32_t flags = (uint32_t)le16toh(head.adapter) << 16 | le16toh(head.opcode);
    struct packet_head p = {htobe32((uint32_t)len),
                            htobe32((uint32_t)len),
                            htobe32(flags),
                            0,
                            {htobe32((uint32_t)(when >> 32)), htobe32((uint32_t)when)}};
    if (fwrite(&p, sizeof p, 1, out) != 1 || fwrite(packet + sizeof head, 1, len, out) != len) bt_fail("record: write");
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = stop; /* without SA_RESTART: read must come back */
    sigaction(SIGTERM, &action, NULL);
    FILE *out = fopen(argv[2], "wb");
    if (!out) bt_fail(argv[2]);
    struct file_head head = {"btsnoop", htobe32(1), htobe32(FORMAT_MONITOR)};
    if (fwrite(&head, sizeof head, 1, out) != 1) bt_fail("record: write");

    int hci = bt_socket(BT_HCI, SOCK_RAW), queue = QUEUE;
    struct bt_hci_name name = {AF_BLUETOOTH, BT_HCI_NONE, BT_HCI_MONITOR};
    if (setsockopt(hci, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue)) bt_fail("record: queue");
    if (bind(hci, (struct sockaddr *)&name, sizeof name)) bt_fail("record: bind");
    puts("recording");
    fflush(stdout);
    uint16_t adapter = (uint16_t)atoi(argv[1]);
    uint8_t packet[SIZE_MAX_PACKET];
    for (;;) {
        /* what was queued when the signal came is still written */
        ssize_t n = recv(hci, packet, sizeof packet, stopped ? MSG_DONTWAIT : 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && stopped) break;
        if (n < (ssize_t)sizeof(struct monitor_head)) bt_fail("record: read");
        struct monitor_head m;
        memcpy(&m, packet, sizeof m);
        if (le16toh(m.adapter) == adapter) put(out, packet, (size_t)n);
    }
    if (fclose(out)) bt_fail("record: close");
    return 0;
}
