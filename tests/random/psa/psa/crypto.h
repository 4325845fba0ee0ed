/* SPDX-License-Identifier: ISC */
#include "fake.h"
typedef int32_t psa_status_t;
#define PSA_SUCCESS ((psa_status_t)0)
static psa_status_t psa_crypto_init(void) {
    fake_on = 1;
    return fake_fails == 1 ? -148 : PSA_SUCCESS;
}
static psa_status_t psa_generate_random(uint8_t *output, size_t output_size) {
    fake_bytes(output, fake_fails || !fake_on ? output_size / 2 : output_size);
    return fake_fails || !fake_on ? -148 : PSA_SUCCESS;
}
