/* SPDX-License-Identifier: ISC */
/* What Linux says about its Bluetooth sockets, for the programs of the guest: it exports no header for them. */
#ifndef RFCOMM_BT_H
#define RFCOMM_BT_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { BT_HCI = 1, BT_RFCOMM = 3, BT_ADAPTERS_MAX = 16, BT_LINKS_MAX = 16 };
enum { BT_HCI_RAW = 0, BT_HCI_MONITOR = 2, BT_HCI_NONE = 0xffff };

typedef struct {
    uint8_t b[6]; /* the last one is printed first */
} bt_address;

struct bt_rfcomm_name {
    sa_family_t family;
    bt_address address;
    uint8_t channel;
};

struct bt_hci_name {
    sa_family_t family;
    uint16_t adapter, channel;
};

struct bt_hci_request {
    uint16_t adapter;
    uint32_t option;
};

struct bt_hci_list {
    uint16_t count;
    struct bt_hci_request adapter[BT_ADAPTERS_MAX];
};

struct bt_hci_info {
    uint16_t adapter;
    char name[8];
    bt_address address;
    uint32_t flags;
    uint8_t type, features[8];
    uint32_t rest[16];
};

struct bt_hci_link {
    uint16_t handle;
    bt_address address;
    uint8_t type, out;
    uint16_t state;
    uint32_t mode;
};

struct bt_hci_links {
    uint16_t adapter, count;
    struct bt_hci_link link[BT_LINKS_MAX];
};

#define BT_HCI_UP _IOW('H', 201, int)
#define BT_HCI_DOWN _IOW('H', 202, int)
#define BT_HCI_LIST _IOR('H', 210, int)
#define BT_HCI_INFO _IOR('H', 211, int)
#define BT_HCI_LINKS _IOR('H', 212, int)
#define BT_HCI_SCAN _IOW('H', 221, int)

static inline _Noreturn void bt_fail(const char *what) {
    perror(what);
    exit(1);
}

static inline int bt_socket(int protocol, int type) {
    int fd = socket(AF_BLUETOOTH, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) bt_fail("socket");
    return fd;
}

static inline bt_address bt_read_address(const char *text) {
    bt_address a;
    unsigned v[6];
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &v[5], &v[4], &v[3], &v[2], &v[1], &v[0]) != 6) {
        fprintf(stderr, "%s is no address\n", text);
        exit(2);
    }
    for (int i = 0; i < 6; i++) a.b[i] = (uint8_t)v[i];
    return a;
}
#endif
