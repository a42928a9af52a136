/* SPDX-License-Identifier: MIT */
/* SHA-256 and git blob ids (libmd), and random ids. No libgit2: its start costs 8 ms that hot commands save. */
#ifndef KILLICK_BASE_HASH_H
#define KILLICK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX 65 /* with the NUL */
#define GIT_OID_HEX 41

void hash_sha256(uint8_t out[SHA256_SIZE], const void *p, size_t n);
/* SHA-1 as hex: for names that other programs gave, never for safety. */
void hash_sha1(char out[GIT_OID_HEX], const void *p, size_t n);
/* SHA-1 of "blob <n>\0" and the bytes: the id git gives this content, as hex. */
void hash_git_blob(char out[GIT_OID_HEX], const void *p, size_t n);
/* n random bytes from getrandom(2). */
void random_bytes(void *p, size_t n);
/* 64-bit FNV-1a with a final mix; not for hostile keys. */
uint64_t hash64(const void *p, size_t n);
/* Two of them, 8 bytes at a time, for keys of a cache: not for a choice of hostile bytes, and not the same on all machines. */
void hash128(const void *p, size_t n, uint64_t out[2]);

#endif
