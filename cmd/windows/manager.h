/* SPDX-License-Identifier: ISC */
/* Signals of a service: they come from the service manager (signals.c). */
#ifndef SVCONN_CMD_WINDOWS_MANAGER_H
#define SVCONN_CMD_WINDOWS_MANAGER_H

/* From now on, and from the console no more: services are told there of the log-off of any user. */
void signals_by_manager(void);
/* SIGTERM. -1; or the exit code with which the process is to end now, as nothing in it can take that. */
int signals_stop(void);

#endif
