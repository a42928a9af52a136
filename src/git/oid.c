/* SPDX-License-Identifier: MIT */
/* Object ids: twenty bytes, forty digits. */
#include "config.h"
#include "git.h"

bool oid_is_zero(const struct oid *o)
{
	return oid_equal(o, &OID_ZERO);
}

bool oid_equal(const struct oid *a, const struct oid *b)
{
	return memcmp(a->id, b->id, sizeof(a->id)) == 0;
}

bool oid_parse(const char *hex, struct oid *out)
{
	return strlen(hex) == GIT_OID_HEX - 1 && hex_decode(out->id, sizeof(out->id), hex);
}

char *oid_hex(char out[GIT_OID_HEX], const struct oid *o)
{
	hex_encode(out, o->id, sizeof(o->id));
	return out;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool oid_scan(const char *p, struct oid *out)
{
	for (size_t i = 0; i < sizeof(out->id); i++) {
		int hi = digit(p[2 * i]), lo = hi < 0 ? -1 : digit(p[2 * i + 1]);

		if (lo < 0)
			return false;
		out->id[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}
