/* SPDX-License-Identifier: ISC */
#include <stddef.h>
extern "C" void esp_fill_random(void *buf, size_t len);
