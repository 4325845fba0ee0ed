/* SPDX-License-Identifier: ISC */
/* The service "files": takes what "svconn send" sends and stores it. spec/tool.md, section "Files". */
#ifndef SVCONN_CMD_FILES_RECEIVE_H
#define SVCONN_CMD_FILES_RECEIVE_H

#include "files_store.h"
#include "service.h"

/* store is open and outlives the service. */
service_ops files_service(file_store *store);

#endif
