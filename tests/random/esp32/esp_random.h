/* SPDX-License-Identifier: ISC */
#include "fake.h"
static void esp_fill_random(void *buf, size_t len) {
    if (fake_on) fake_bytes(buf, len); /* else: what it gives without noise is not fit for use */
}
