/* SPDX-License-Identifier: ISC */
/*
 * Bluetooth RFCOMM (Bluetooth SIG, RFCOMM 1.2; the sockets of Linux). What the system needs to know is declared here,
 * so that neither headers nor libraries of BlueZ are wanted. What its sockets do other than TCP's:
 *
 *  - The end of the connection is ECONNRESET, reported once, behind the bytes that came before it; after that read says
 *    EAGAIN for ever, while poll says POLLHUP for ever.
 *  - There is no half-close: shutdown of either direction ends both. close brings out what was written.
 *  - A blocking write of more than the send buffer waits 30 s for itself; a non-blocking one takes what it has room
 * for.
 *  - A channel can be joined once by each device, and is busy (EBUSY, ECONNRESET) for a moment after a connection
 * ended.
 */
#include "svconn_posix.h" /* first */
#include "svconn_link.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/ioctl.h>

#define BUSY_MS 10000    /* for a busy channel, if the caller sets no limit or a later one */
#define REFUSED_ROUNDS 3 /* a channel is also refused for a moment, while its last connection ends */
#define NAP_MIN_MS 20
#define NAP_MAX_MS 500
#define QUICK_MS 2000 /* a reset that took longer is no busy channel but a talk about pairing that failed */

/* ---- the interface of the system (Linux: include/net/bluetooth/) --------------------------------- */

#ifndef AF_BLUETOOTH
#define AF_BLUETOOTH 31
#endif
#ifndef SOL_BLUETOOTH
#define SOL_BLUETOOTH 274
#endif
enum { BTPROTO_HCI = 1, BTPROTO_RFCOMM = 3, BT_SECURITY = 4, HCI_MAX_DEV = 16 };

struct sockaddr_rc {
    sa_family_t family;
    uint8_t device[6]; /* the last byte first */
    uint8_t channel;
};

struct bt_security {
    uint8_t level, key_size;
};

struct hci_dev_list_req {
    uint16_t count;
    struct {
        uint16_t id;
        uint32_t options;
    } dev[HCI_MAX_DEV];
};

struct hci_dev_info { /* its beginning; the rest is statistics */
    uint16_t id;
    char name[8];
    uint8_t device[6];
    uint32_t flags;
    uint8_t rest[128];
};
#define HCIGETDEVLIST _IOR('H', 210, int)
#define HCIGETDEVINFO _IOR('H', 211, int)
#define HCI_UP 1u /* of flags */

static const uint8_t any[6];

static struct sockaddr_rc place(const uint8_t device[6], int channel) {
    struct sockaddr_rc s;
    memset(&s, 0, sizeof s);
    s.family = AF_BLUETOOTH;
    for (int i = 0; i < 6; i++) s.device[i] = device[5 - i];
    s.channel = (uint8_t)channel;
    return s;
}

/* ---- adapters ----------------------------------------------------------------------------------- */

typedef struct {
    int known;      /* else the system does not say */
    int count, up;  /* how many there are, and how many of them are up */
    int wanted;     /* the one that is asked for is there: 1, and up: 2 */
    uint8_t one[6]; /* one that is up */
} adapters;

static adapters look_at_adapters(const uint8_t wanted[6]) {
    adapters found = {0};
    struct hci_dev_list_req list;
    int fd = socket(AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC, BTPROTO_HCI);
    if (fd < 0) return found;
    memset(&list, 0, sizeof list);
    list.count = HCI_MAX_DEV;
    found.known = ioctl(fd, HCIGETDEVLIST, &list) == 0 && list.count <= HCI_MAX_DEV;
    for (int i = 0; found.known && i < list.count; i++) {
        struct hci_dev_info info;
        memset(&info, 0, sizeof info);
        info.id = list.dev[i].id;
        if (ioctl(fd, HCIGETDEVINFO, &info) != 0) continue;
        struct sockaddr_rc s = place(wanted, 0);
        int is_up = (info.flags & HCI_UP) != 0;
        found.count++;
        found.up += is_up;
        if (memcmp(info.device, s.device, 6) == 0) found.wanted = 1 + is_up;
        for (int k = 0; is_up && k < 6; k++) found.one[k] = info.device[5 - k];
    }
    close(fd);
    return found;
}

/* NULL: nothing is wrong with them, as far as is known. */
static const char *adapter_trouble(const adapters *found, const uint8_t wanted[6]) {
    if (!found->known) return NULL;
    if (found->count == 0) return "this machine has no Bluetooth adapter";
    int is_any = memcmp(wanted, any, 6) == 0;
    if (!is_any && !found->wanted) return "no Bluetooth adapter of this machine has that address";
    if (is_any ? found->up == 0 : found->wanted == 1)
        return "the Bluetooth adapter is down (bluetoothctl power on; rfkill unblock bluetooth)";
    return NULL;
}

/* ---- sockets ------------------------------------------------------------------------------------ */

/* Bound to an adapter and a channel; -1: errno */
static int bound_socket(const svconn_address *a, const uint8_t adapter[6], int channel) {
    struct bt_security security = {.level = (uint8_t)a->level};
    struct sockaddr_rc here = place(adapter, channel);
    int fd = svconn_socket_new(AF_BLUETOOTH, BTPROTO_RFCOMM);
    if (fd < 0) return -1;
    if (bind(fd, (struct sockaddr *)&here, sizeof here) == 0 &&
        setsockopt(fd, SOL_BLUETOOTH, BT_SECURITY, &security, sizeof security) == 0)
        return fd;
    return svconn_socket_close_failed(fd);
}

static const char *rfcomm_hint(int error) {
    switch (error) {
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT: return "this system has no RFCOMM (Linux: modules bluetooth and rfcomm)";
    case EHOSTDOWN: return "no answer: is the device near, switched on, and its address right?";
    case ETIMEDOUT:
        return "no answer in time: is the device near and switched on, or does it want to be paired first "
               "(bluetoothctl pair)?";
    case ECONNREFUSED: return "nobody listens on that channel";
    case EACCES:
    case EPERM:
    case EBADE: return "the devices are not paired, or one of them has forgotten it: pair them (bluetoothctl pair)";
    case EADDRINUSE: return "somebody listens on that channel already";
    default: return strerror(error);
    }
}

/* ---- a link ------------------------------------------------------------------------------------- */

static ssize_t receive(int fd, uint8_t *bytes, size_t len) {
    ssize_t n;
    do n = recv(fd, bytes, len, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

/* The end is reported once, and send may have been the one that was told: so "later" is believed only of a connection
 * that is alive. */
static ssize_t rfcomm_read(svconn_link *l, uint8_t *bytes, size_t len) {
    ssize_t n = receive(l->in, bytes, len);
    struct pollfd p = {.fd = l->in, .events = POLLIN};
    if (n >= 0 || !svconn_is_later(errno)) return n;
    int gone = poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
    if (gone) n = receive(l->in, bytes, len); /* what came in between */
    if (n < 0) errno = gone ? ECONNRESET : EAGAIN;
    return n;
}

static ssize_t rfcomm_write(svconn_link *l, const uint8_t *bytes, size_t len) {
    ssize_t n;
    if (len == 0) return 0; /* the system would send an empty frame */
    do n = send(l->out, bytes, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

/* No half-close: what comes must still be read. */
static void rfcomm_end(svconn_link *l) { (void)l; }

static const svconn_link_ops rfcomm_link_ops = {.read = rfcomm_read, .write = rfcomm_write, .end = rfcomm_end};

static int give(svconn_link *l, int fd) {
    l->in = l->out = fd;
    l->ops = &rfcomm_link_ops;
    return 0;
}

int svconn_rfcomm_peer(int fd, char *out, size_t size) {
    struct sockaddr_rc s;
    socklen_t len = sizeof s;
    uint8_t device[6];
    char text[SVCONN_BLUETOOTH_TEXT];
    if (getpeername(fd, (struct sockaddr *)&s, &len) != 0 || s.family != AF_BLUETOOTH || len < sizeof s) return -1;
    for (int i = 0; i < 6; i++) device[i] = s.device[5 - i];
    snprintf(out, size, "%s", svconn_bluetooth_text(text, device));
    return 0;
}

/* ---- connect ------------------------------------------------------------------------------------ */

static int connect_once(const svconn_address *a, int channel, uint64_t end) {
    struct sockaddr_rc to = place(a->device, channel);
    int fd = bound_socket(a, a->from, 0);
    return fd < 0 ? -1 : svconn_socket_connect(fd, (struct sockaddr *)&to, sizeof to, end);
}

/* Worth another try, on the next channel or later? */
static int is_passing_refusal(const svconn_address *a, int error, uint64_t took, int refused) {
    if (error == ECONNREFUSED) return refused < REFUSED_ROUNDS * a->channels;
    return error == EBUSY || (error == ECONNRESET && a->level == SVCONN_BLUETOOTH_LOW && took < QUICK_MS);
}

static int connect_failed(const svconn_address *a, int error, uint64_t took, svconn_why *why) {
    adapters found = look_at_adapters(a->from);
    const char *trouble = adapter_trouble(&found, a->from);
    if (!trouble && (error == EAFNOSUPPORT || error == EPROTONOSUPPORT)) trouble = rfcomm_hint(error);
    if (trouble) return svconn_because(why, "cannot connect to %.150s: %s", a->text, trouble);
    /* nobody was there to pair the two */
    if (error == ECONNRESET && (a->level != SVCONN_BLUETOOTH_LOW || took >= QUICK_MS)) error = EACCES;
    if (error == EBUSY || error == ECONNRESET)
        return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE,
                                 "cannot connect to %.150s: the channel stays busy: is another program of this machine "
                                 "connected to it?",
                                 a->text);
    return svconn_because_of(why, SVCONN_FAULT_UNREACHABLE, "cannot connect to %.150s: %s", a->text, rfcomm_hint(error));
}

int svconn_rfcomm_connect(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    int refused = 0, nap = NAP_MIN_MS;
    if (memcmp(a->device, any, 6) == 0 || a->channel == 0)
        return svconn_because(why,
                              "%.150s: to call, a device and a channel from 1 to 30 are needed; \"sdptool browse\" "
                              "shows the channels of a device",
                              a->text);
    uint64_t patience = svconn_deadline(BUSY_MS);
    if (patience > end) patience = end;
    for (int i = 0;; i++) {
        uint64_t began = svconn_now();
        int fd = connect_once(a, a->channel + i % a->channels, end);
        if (fd >= 0) return give(l, fd);
        int error = errno;
        uint64_t now = svconn_now();
        refused = error == ECONNREFUSED ? refused + 1 : 0;
        if (!is_passing_refusal(a, error, now - began, refused) || now + (uint64_t)nap >= patience)
            return connect_failed(a, error, now - began, why);
        if ((i + 1) % a->channels != 0) continue;
        svconn_nap(nap);
        nap = nap * 2 < NAP_MAX_MS ? nap * 2 : NAP_MAX_MS;
    }
}

/* ---- listen ------------------------------------------------------------------------------------- */

typedef struct {
    int fd[SVCONN_LISTENER_FDS], count;
} rfcomm_listener;

static int rfcomm_accept(svconn_listener *n, svconn_link *l, uint64_t end, svconn_why *why) {
    const rfcomm_listener *r = n->state;
    int fd = svconn_socket_accept_one(r->fd, r->count, n->address, end, why);
    return fd < 0 ? -1 : give(l, fd);
}

static nfds_t rfcomm_want(const svconn_listener *n, struct pollfd fds[SVCONN_LISTENER_FDS], int *timeout_ms) {
    const rfcomm_listener *r = n->state;
    (void)timeout_ms;
    for (int i = 0; i < r->count; i++) fds[i] = (struct pollfd){.fd = r->fd[i], .events = POLLIN};
    return (nfds_t)r->count;
}

static void rfcomm_close(svconn_listener *n) {
    rfcomm_listener *r = n->state;
    for (int i = 0; i < r->count; i++) close(r->fd[i]);
    free(r);
}

static const svconn_listener_ops rfcomm_listener_ops = {.accept = rfcomm_accept, .want = rfcomm_want, .close = rfcomm_close};

static int listen_on_channel(const svconn_address *a, int channel) {
    int fd = bound_socket(a, a->device, channel);
    if (fd < 0 || listen(fd, SOMAXCONN) == 0) return fd;
    return svconn_socket_close_failed(fd);
}

/* With what the system chose, and with the adapter's address if there is one only: as a caller has to write it. */
static void full_address(svconn_listener *n, const svconn_address *a, const adapters *found) {
    struct sockaddr_rc s;
    socklen_t len = sizeof s;
    char device[SVCONN_BLUETOOTH_TEXT] = "", last[16] = "";
    memset(&s, 0, sizeof s);
    (void)getsockname(n->fd, (struct sockaddr *)&s, &len);
    if (memcmp(a->device, any, 6) != 0) svconn_bluetooth_text(device, a->device);
    else if (found->known && found->up == 1) svconn_bluetooth_text(device, found->one);
    if (a->channels > 1) snprintf(last, sizeof last, "-%d", a->channel + a->channels - 1);
    snprintf(n->address, sizeof n->address, "rfcomm://%s/%d%s", device, s.channel, last);
}

static int listen_failed(const svconn_address *a, const char *what, svconn_why *why) {
    return svconn_because(why, "cannot listen on %.150s: %s", a->text, what);
}

int svconn_rfcomm_listen(svconn_listener *n, const svconn_address *a, svconn_why *why) {
    adapters found = look_at_adapters(a->device);
    const char *trouble = adapter_trouble(&found, a->device);
    if (memcmp(a->from, any, 6) != 0)
        return svconn_because(why, "%.150s: ?from= is for callers; the adapter to listen on stands behind rfcomm://",
                              a->text);
    if (trouble) return listen_failed(a, trouble, why);
    rfcomm_listener *r = calloc(1, sizeof *r);
    if (!r) return listen_failed(a, strerror(ENOMEM), why);
    n->state = r;
    while (r->count < a->channels && (r->fd[r->count] = listen_on_channel(a, a->channel + r->count)) >= 0) r->count++;
    if (r->count < a->channels) {
        int error = errno;
        rfcomm_close(n);
        return listen_failed(a, rfcomm_hint(error), why);
    }
    n->ops = &rfcomm_listener_ops;
    n->fd = r->fd[0];
    full_address(n, a, &found);
    return 0;
}

#else

static int unsupported(const svconn_address *a, svconn_why *why) {
    return svconn_because(why, "%.150s: RFCOMM sockets are supported on Linux only", a->text);
}

int svconn_rfcomm_connect(svconn_link *l, const svconn_address *a, uint64_t end, svconn_why *why) {
    (void)l;
    (void)end;
    return unsupported(a, why);
}

int svconn_rfcomm_listen(svconn_listener *n, const svconn_address *a, svconn_why *why) {
    (void)n;
    return unsupported(a, why);
}

int svconn_rfcomm_peer(int fd, char *out, size_t size) {
    (void)fd;
    (void)out;
    (void)size;
    return -1;
}

#endif
