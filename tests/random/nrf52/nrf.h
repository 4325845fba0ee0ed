/* SPDX-License-Identifier: ISC */
#include "fake.h"
typedef struct {
    volatile uint32_t TASKS_START, TASKS_STOP, EVENTS_VALRDY, CONFIG, VALUE;
} NRF_RNG_Type;
static NRF_RNG_Type fake_rng;
static NRF_RNG_Type *fake_step(void) { /* each look at the peripheral lets some time pass */
    uint8_t byte;
    if (fake_rng.TASKS_START && fake_rng.CONFIG == 1 && !fake_rng.EVENTS_VALRDY && !fake_fails && fake_calls++ % 7 == 0) {
        fake_bytes(&byte, 1);
        fake_rng.VALUE = byte;
        fake_rng.EVENTS_VALRDY = 1;
    }
    return &fake_rng;
}
#define NRF_RNG (fake_step())
