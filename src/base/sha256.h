/* SPDX-License-Identifier: MIT */
#ifndef KILLICK_BASE_SHA256_H
#define KILLICK_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By the processor's own instructions; false: it has none that are known here, and nothing was done. */
bool sha256_by_cpu(uint8_t out[32], const void *p, size_t n);

#endif
