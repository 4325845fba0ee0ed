/* SPDX-License-Identifier: ISC */
/* Stand-ins for the headers of systems and vendors: as much as the recipes of docs/randomness.md take, with a generator that fails when it is told to. */
#ifndef FAKE_H
#define FAKE_H
#include <stddef.h>
#include <stdint.h>
extern int fake_fails, fake_on; /* fake_on: what must be switched on first is */
extern unsigned fake_calls;
void fake_bytes(void *out, size_t len);
#endif
