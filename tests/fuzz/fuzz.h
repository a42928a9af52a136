/* SPDX-License-Identifier: MIT */
/* What every fuzz target has: the function that libFuzzer (or replay.c) calls, and a check that ends in a crash. */
#ifndef KILLICK_TESTS_FUZZ_H
#define KILLICK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include "killick/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define FUZZ_CHECK(cond) ((cond) ? (void)0 : BUG("does not hold: %s", #cond))

#endif
