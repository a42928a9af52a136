/* SPDX-License-Identifier: MIT */
/* Object ids: twenty bytes, forty digits. */
#include "config.h"
#include <string.h>
#include "killick/git/repo.h"

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
