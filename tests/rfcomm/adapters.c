/* SPDX-License-Identifier: ISC */
/*
 * The Bluetooth adapters of the guest, without BlueZ.
 *
 *   adapters wait N     until there are N of them, for half a minute
 *   adapters up N       the same, and brings them up and lets them be called; a line "hciN ADDRESS" for each
 *   adapters down N     brings hciN down
 *   adapters drop N     ends every link of hciN to another adapter, as a controller does that lost it; fails if there
 * is none
 */
#include "bt.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SCAN_BOTH = 3, LINK_ACL = 1, POWER_OFF = 0x15 };

static int hci;

static struct bt_hci_list wait_for(int count) {
    struct bt_hci_list list;
    for (int tries = 0; tries < 600; tries++) {
        memset(&list, 0, sizeof list);
        list.count = BT_ADAPTERS_MAX;
        if (ioctl(hci, BT_HCI_LIST, &list) < 0) bt_fail("adapters: list");
        if (list.count >= count) return list;
        usleep(50000);
    }
    fprintf(stderr, "adapters: only %d here\n", list.count);
    exit(1);
}

static void bring_up(int id) {
    if (ioctl(hci, BT_HCI_UP, id) < 0 && errno != EALREADY) bt_fail("adapters: up");
    struct bt_hci_request request = {(uint16_t)id, SCAN_BOTH};
    if (ioctl(hci, BT_HCI_SCAN, &request) < 0) bt_fail("adapters: scan");
    struct bt_hci_info info;
    memset(&info, 0, sizeof info);
    info.adapter = (uint16_t)id;
    if (ioctl(hci, BT_HCI_INFO, &info) < 0) bt_fail("adapters: info");
    const uint8_t *b = info.address.b;
    printf("hci%d %02X:%02X:%02X:%02X:%02X:%02X\n", id, b[5], b[4], b[3], b[2], b[1], b[0]);
}

static int drop(int id) {
    struct bt_hci_links links;
    memset(&links, 0, sizeof links);
    links.adapter = (uint16_t)id;
    links.count = BT_LINKS_MAX;
    if (ioctl(hci, BT_HCI_LINKS, &links) < 0) bt_fail("adapters: links");
    struct bt_hci_name name = {AF_BLUETOOTH, (uint16_t)id, BT_HCI_RAW};
    if (bind(hci, (struct sockaddr *)&name, sizeof name)) bt_fail("adapters: bind");
    int dropped = 0;
    for (int i = 0; i < links.count; i++) {
        if (links.link[i].type != LINK_ACL) continue;
        unsigned handle = links.link[i].handle;
        /* a command, Disconnect, of three bytes */
        uint8_t packet[] = {1, 0x06, 0x04, 3, (uint8_t)handle, (uint8_t)(handle >> 8), POWER_OFF};
        if (write(hci, packet, sizeof packet) != sizeof packet) bt_fail("adapters: disconnect");
        dropped++;
    }
    printf("dropped %d\n", dropped);
    return dropped == 0;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int n = atoi(argv[2]);
    hci = bt_socket(BT_HCI, SOCK_RAW);
    if (!strcmp(argv[1], "drop")) return drop(n);
    if (!strcmp(argv[1], "down")) {
        if (ioctl(hci, BT_HCI_DOWN, n) < 0) bt_fail("adapters: down");
        return 0;
    }
    struct bt_hci_list list = wait_for(n);
    if (!strcmp(argv[1], "up"))
        for (int i = 0; i < list.count; i++) bring_up(list.adapter[i].adapter);
    return 0;
}
