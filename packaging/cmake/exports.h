/* SPDX-License-Identifier: ISC */
/* Put before each file of a shared library (-include), together with -fvisibility=hidden: what the public headers declare is visible, and nothing else. */
#ifdef SVCONN_EXPORT_TRANSPORT
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* as socket.c wants it: it comes too late with that */
#endif
#include "../../transport/svconn_posix.h"
#endif
#pragma GCC visibility push(default)
#include "../../svc/svconn.h"
#ifdef SVCONN_EXPORT_TRANSPORT
#include "../../transport/svconn_line.h"
#include "../../transport/svconn_transport.h"
#endif
#pragma GCC visibility pop
