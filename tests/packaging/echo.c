/* SPDX-License-Identifier: ISC */
/* A program of somebody who has svconn's links as a package: one message to itself and back, over TCP on loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <svconn_line.h>
#include <svconn_transport.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t psk[32] = {1, 2, 3};

static void welcome(svconn *s, void *arg) {
    (void)arg;
    if (svconn_accept(s)) svconn_abort(s);
}

static int run(svconn_role role, svconn_link *link) {
    static uint8_t rx[SVCONN_BUFFER_SIZE(200)], tx[SVCONN_BUFFER_SIZE(200)];
    uint8_t seed[32];
    svconn_identity me;
    svconn s;
    svconn_config config = {.role = role, .identity = &me};
    const char *name = role == SVCONN_CLIENT ? "client" : "server";
    const uint8_t *msg;
    size_t len;
    if (svconn_identity_psk(&me, psk, (const uint8_t *)name, 6) || svconn_random(seed, 32) ||
        svconn_init(&s, &config, seed, rx, sizeof rx, tx, sizeof tx))
        return 2;
    svconn_err err = svconn_pump_handshake(&s, link, welcome, NULL);
    if (!err && role == SVCONN_CLIENT) err = svconn_pump_send(&s, link, "hello, package", 14);
    if (!err) err = svconn_pump_recv(&s, link, &msg, &len);
    if (!err && role == SVCONN_SERVER) err = svconn_pump_send(&s, link, msg, len);
    if (!err && role == SVCONN_CLIENT) printf("%.*s\n", (int)len, (const char *)msg);
    if (!err) err = svconn_pump_close(&s, link);
    svconn_wipe(&s);
    svconn_link_close(link);
    return err ? (fprintf(stderr, "%s: %s\n", name, svconn_strerror(err)), 1) : 0;
}

int main(void) {
    svconn_listener door;
    svconn_link link;
    svconn_why why;
    struct pollfd fd[SVCONN_LISTENER_FDS];
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    char address[40];
    int timeout, status;
    if (svconn_listen(&door, "tcp://127.0.0.1:0", &why)) return fprintf(stderr, "%s\n", why.text), 2;
    if (svconn_listener_want(&door, fd, &timeout) < 1 || getsockname(fd[0].fd, (struct sockaddr *)&at, &size)) return 2;
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    pid_t child = fork();
    if (child == 0) {
        if (svconn_listener_accept(&door, &link, 10000, &why)) return fprintf(stderr, "%s\n", why.text), 1;
        return run(SVCONN_SERVER, &link);
    }
    if (svconn_link_open(&link, address, 10000, &why)) return fprintf(stderr, "%s\n", why.text), 1;
    int result = run(SVCONN_CLIENT, &link);
    svconn_listener_close(&door);
    return child < 0 || waitpid(child, &status, 0) != child || status ? 1 : result;
}
