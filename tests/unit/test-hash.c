/* SPDX-License-Identifier: MIT */
/* Hashes against published values (FIPS 180-4 examples; git's empty blob), and that random is random. */
#include <sha2.h>
#include "unit.h"
#include "killick/base/hash.h"

static void sha256(void **state UNUSED)
{
	static const struct { const char *in, *hex; } t[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};
	uint8_t out[SHA256_SIZE];
	char hex[SHA256_HEX];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		hash_sha256(out, t[i].in, strlen(t[i].in));
		hex_encode(hex, out, sizeof(out));
		assert_string_equal(hex, t[i].hex);
	}
	hash_sha256(out, NULL, 0);
	hex_encode(hex, out, sizeof(out));
	assert_string_equal(hex, t[0].hex);
}

/* Whoever does it: every length around the blocks, wherever the bytes stand. */
static void sha256_as_libmd(void **state UNUSED)
{
	unsigned char bytes[400], out[SHA256_SIZE], want[SHA256_SIZE];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * i + 7 * i);
	for (size_t n = 0; n <= 300; n++) {
		SHA2_CTX ctx;
		SHA256Init(&ctx);
		SHA256Update(&ctx, bytes + n % 17, n);
		SHA256Final(want, &ctx);
		hash_sha256(out, bytes + n % 17, n);
		assert_memory_equal(out, want, sizeof(want));
	}
}

static void git_blobs(void **state UNUSED)
{
	char hex[GIT_OID_HEX];

	hash_git_blob(hex, NULL, 0);
	assert_string_equal(hex, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
	hash_git_blob(hex, "hello\n", 6);
	assert_string_equal(hex, "ce013625030ba8dba906f756967f9e9ca394464a");
	hash_git_blob(hex, "a\0b", 3);
	assert_string_equal(hex, "20b5be91886d0b6f26dc98a225c0dac05fe2c86e");
}

static void random_is_not_constant(void **state UNUSED)
{
	unsigned char a[1024] = { 0 }, b[1024] = { 0 };

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	random_bytes(NULL, 0);
}

static void hash128_spreads(void **state UNUSED)
{
	unsigned buckets[2][64] = { { 0 } };
	char text[40] = { 0 };
	uint64_t h[2], again[2];

	hash128(NULL, 0, h);
	for (size_t n = 0; n < sizeof(text); n++) {
		hash128(text, n, h);
		hash128(text, n + 1, again);
		assert_true(h[0] != again[0] && h[1] != again[1] && h[0] != h[1]);
	}
	for (uint32_t i = 0; i < 64000; i++) {
		snprintf(text, sizeof(text), "path/%u.c", i);
		hash128(text, sizeof(text), h);
		buckets[0][h[0] & 63]++;
		buckets[1][h[1] & 63]++;
	}
	for (size_t i = 0; i < 128; i++)
		assert_in_range(buckets[i / 64][i % 64], 850, 1150);
}

static void hash64_spreads(void **state UNUSED)
{
	unsigned buckets[64] = { 0 };

	assert_true(hash64("a", 1) != hash64("b", 1));
	assert_true(hash64("a", 1) == hash64("a", 1));
	assert_true(hash64("a\0", 2) != hash64("a", 1));
	hash64(NULL, 0);
	for (uint32_t i = 0; i < 64000; i++)
		buckets[hash64(&i, sizeof(i)) & 63]++;
	for (size_t i = 0; i < 64; i++)
		assert_in_range(buckets[i], 850, 1150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),
		cmocka_unit_test(sha256_as_libmd),
		cmocka_unit_test(git_blobs),
		cmocka_unit_test(random_is_not_constant),
		cmocka_unit_test(hash64_spreads), cmocka_unit_test(hash128_spreads),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
