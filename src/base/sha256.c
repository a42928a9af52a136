/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 by the instructions that x86 processors have for it (Intel's SHA extensions; FIPS 180-4 for the rest). Every op
 * of a log is hashed when it is read, and libmd's portable code was a sixteenth of building an index; this takes a tenth of
 * its time. Other processors and compilers go by libmd.
 */
#include "config.h"
#include <string.h>
#include "sha256.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#include <immintrin.h>

enum { BLOCK = 64, LENGTH_AT = 56, STEPS = 16 };

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
	0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
	0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The state as the instructions want it: a b e f and c d g h, highest first. */
struct state { __m128i abef, cdgh; };

__attribute__((target("sha,sse4.1"))) static void blocks(struct state *s, const uint8_t *p, size_t n)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
	__m128i w[4], x;

	for (; n > 0; n--, p += BLOCK) {
		struct state was = *s;
		for (int i = 0; i < 4; i++)
			w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), big_endian);
		for (int i = 0; i < STEPS; i++) {
			x = _mm_add_epi32(w[i & 3], _mm_loadu_si128((const __m128i *)(const void *)&k[4 * i]));
			s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, x);
			s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(x, 0x0e));
			x = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
					  _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
			w[i & 3] = _mm_sha256msg2_epu32(x, w[(i + 3) & 3]);
		}
		s->abef = _mm_add_epi32(s->abef, was.abef);
		s->cdgh = _mm_add_epi32(s->cdgh, was.cdgh);
	}
}

static void put_be(uint8_t *out, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

bool sha256_by_cpu(uint8_t out[32], const void *p, size_t n)
{
	struct state s = { _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
			   _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19) };
	size_t whole = n / BLOCK, rest = n % BLOCK;
	uint8_t last[2 * BLOCK] = { 0 };
	uint32_t abef[4], cdgh[4];

	if (!__builtin_cpu_supports("sha") || !__builtin_cpu_supports("sse4.1"))
		return false;
	if (whole)
		blocks(&s, p, whole);
	if (rest)
		memcpy(last, (const uint8_t *)p + whole * BLOCK, rest);
	last[rest] = 0x80;
	put_be(last + (rest < LENGTH_AT ? LENGTH_AT : BLOCK + LENGTH_AT), (uint64_t)n * 8, 8);
	blocks(&s, last, rest < LENGTH_AT ? 1 : 2);
	memcpy(abef, &s.abef, sizeof(abef));
	memcpy(cdgh, &s.cdgh, sizeof(cdgh));
	for (int i = 0; i < 2; i++) {
		put_be(out + 4 * i, abef[3 - i], 4);
		put_be(out + 8 + 4 * i, cdgh[3 - i], 4);
		put_be(out + 16 + 4 * i, abef[1 - i], 4);
		put_be(out + 24 + 4 * i, cdgh[1 - i], 4);
	}
	return true;
}

#else

bool sha256_by_cpu(uint8_t out[32], const void *p, size_t n)
{
	(void)out;
	(void)p;
	(void)n;
	return false;
}

#endif
