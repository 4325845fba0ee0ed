/* SPDX-License-Identifier: ISC */
#include "fake.h"
typedef enum { HAL_OK, HAL_ERROR } HAL_StatusTypeDef;
typedef struct {
    volatile uint32_t SR, DR;
} RNG_TypeDef;
typedef struct {
    RNG_TypeDef *Instance;
} RNG_HandleTypeDef;
#define RNG_SR_CECS 2u
#define RNG_SR_SECS 4u
#define RNG_SR_CEIS 0x20u
#define RNG_SR_SEIS 0x40u
static RNG_TypeDef fake_registers;
#define FAKE_RESET (fake_registers.SR = 0)
RNG_HandleTypeDef hrng = {&fake_registers};
/* 1: it says so. 2: a seed error that it does not look at. 3: a clock error. 4: an error that was, 5: the same word for ever */
static HAL_StatusTypeDef HAL_RNG_GenerateRandomNumber(RNG_HandleTypeDef *h, uint32_t *random32bit) {
    static const uint32_t flags[6] = {0, 0, RNG_SR_SECS, RNG_SR_CECS, RNG_SR_SEIS, 0};
    fake_calls++;
    h->Instance->SR = fake_calls > 10 ? flags[fake_fails] : 0;
    if (fake_fails == 1) return HAL_ERROR;
    if (fake_fails == 5) *random32bit = 0x12345678;
    else fake_bytes(random32bit, 4);
    return HAL_OK;
}
