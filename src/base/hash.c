/* SPDX-License-Identifier: MIT */
/* Hashes by libmd, or by the processor (sha256.c); random bytes from the kernel, where failing means there is no safe way on. */
#include "config.h"
#include <errno.h>
#include <sha1.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "killick/base/buf.h"
#include "killick/base/hash.h"
#include "sha256.h"

void hash_sha256(uint8_t out[SHA256_SIZE], const void *p, size_t n)
{
	SHA2_CTX ctx;

	if (sha256_by_cpu(out, p, n))
		return;
	SHA256Init(&ctx);
	if (n)
		SHA256Update(&ctx, p, n);
	SHA256Final(out, &ctx);
}

void hash_sha1(char out[GIT_OID_HEX], const void *p, size_t n)
{
	uint8_t digest[SHA1_DIGEST_LENGTH];
	SHA1_CTX ctx;

	SHA1Init(&ctx);
	if (n)
		SHA1Update(&ctx, p, n);
	SHA1Final(digest, &ctx);
	hex_encode(out, digest, sizeof(digest));
}

void hash_git_blob(char out[GIT_OID_HEX], const void *p, size_t n)
{
	uint8_t digest[SHA1_DIGEST_LENGTH];
	char head[32];
	SHA1_CTX ctx;
	int len = snprintf(head, sizeof(head), "blob %zu", n) + 1;

	SHA1Init(&ctx);
	SHA1Update(&ctx, (const uint8_t *)head, (size_t)len);
	if (n)
		SHA1Update(&ctx, p, n);
	SHA1Final(digest, &ctx);
	hex_encode(out, digest, sizeof(digest));
}

void random_bytes(void *p, size_t n)
{
	uint8_t *q = p;

	while (n > 0) {
		ssize_t got = getrandom(q, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			BUG("getrandom: %s", strerror(errno));
		q += got;
		n -= (size_t)got;
	}
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide x = (wide)a * b;

	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

void hash128(const void *p, size_t n, uint64_t out[2])
{
	const uint8_t *q = p;
	uint64_t a = UINT64_C(0x9e3779b97f4a7c15) ^ n, b = UINT64_C(0xd6e8feb86659fd93) + n, v;

	for (; n >= sizeof(v); q += sizeof(v), n -= sizeof(v)) {
		memcpy(&v, q, sizeof(v));
		a = fold(a ^ v, UINT64_C(0xa0761d6478bd642f));
		b = fold(b ^ v, UINT64_C(0xe7037ed1a0b428db)) + v;
	}
	v = 0;
	if (n)
		memcpy(&v, q, n);
	a = fold(a ^ v, UINT64_C(0xa0761d6478bd642f));
	b = fold(b ^ v, UINT64_C(0xe7037ed1a0b428db)) + v;
	out[0] = fold(a, UINT64_C(0x8ebc6af09c88c6e3));
	out[1] = fold(b, UINT64_C(0x589965cc75374cc3));
}

uint64_t hash64(const void *p, size_t n)
{
	const uint8_t *q = p;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ q[i]) * UINT64_C(0x100000001b3);
	/* FNV's low bits are poor: the finaliser of MurmurHash3 spreads them. */
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}
