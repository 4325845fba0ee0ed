/* SPDX-License-Identifier: ISC */
/* Two connected sockets, for what can be polled in no other way. 0; or -1: errno. */
#ifndef SVCONN_CMD_WINDOWS_LOOPBACK_H
#define SVCONN_CMD_WINDOWS_LOOPBACK_H

int loopback(int pair[2]);

#endif
