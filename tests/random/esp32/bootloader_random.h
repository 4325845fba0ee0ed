/* SPDX-License-Identifier: ISC */
#include "fake.h"
static void bootloader_random_enable(void) { fake_on = 1; }
static void bootloader_random_disable(void) { fake_on = 0; }
