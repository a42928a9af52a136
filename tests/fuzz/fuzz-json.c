/* SPDX-License-Identifier: MIT */
/* JSON: it is read as jansson reads it; what is read can be written as printable ASCII, which reads and writes the same again; depth stays bounded. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/base/json.h"

static int depth(const json_t *j)
{
	int deepest = 0, d;
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_array(j)) {
		json_array_foreach(j, i, v)
			deepest = (d = depth(v)) > deepest ? d : deepest;
	} else if (json_is_object(j)) {
		json_object_foreach((json_t *)j, key, v)
			deepest = (d = depth(v)) > deepest ? d : deepest;
	} else {
		return 0;
	}
	return deepest + 1;
}

/* The quick reader takes what jansson takes, and for the same. */
static void compare(const char *p, size_t n, const json_t *j)
{
	json_error_t je;
	json_t *other = json_loadb(p, n, JSON_REJECT_DUPLICATES, &je);

	FUZZ_CHECK(j ? other && json_equal(j, other) : !other || depth(other) > 64 || n > 64);
	json_decref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct err e = ERR_INIT;
	json_t *j = json_read((const char *)data, n, "input", &e), *again;

	FUZZ_CHECK(j || (e.code == ERR_BAD_DATA && e.msg[0]));
	compare((const char *)data, n, j);
	if (!j)
		return 0;
	json_write(&once, j);
	for (size_t i = 0; i < once.len; i++)
		FUZZ_CHECK(once.ptr[i] >= 0x20 && once.ptr[i] < 0x7f);
	again = json_read(once.ptr, once.len, "output", &e);
	/* Reals are written with 15 digits: the last few below the largest one are rounded past it. */
	if (!again)
		FUZZ_CHECK(strstr(e.msg, "real number overflow"));
	else
		json_write(&twice, again);
	FUZZ_CHECK(!again || !strcmp(once.ptr, twice.ptr));
	FUZZ_CHECK(depth(j) <= 64);
	json_decref(again);
	json_decref(j);
	buf_release(&once);
	buf_release(&twice);
	return 0;
}
