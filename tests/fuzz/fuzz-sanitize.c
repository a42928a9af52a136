/* SPDX-License-Identifier: MIT */
/* The sanitiser, in the mode that the first byte says: clean, valid, idempotent, and no control or hidden character left. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/base/utf8.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"

static void check_points(const struct buf *b, unsigned flags)
{
	int32_t cp;

	for (size_t i = 0; i < b->len;) {
		i += utf8_next(b->ptr + i, b->len - i, &cp);
		FUZZ_CHECK(cp != UTF8_BAD);
		FUZZ_CHECK(cp >= 0x20 || (cp == '\n' && flags & TEXT_LINES) || (cp == '\t' && flags & TEXT_TABS));
		FUZZ_CHECK(cp < 0x7f || cp > 0x9f);
		FUZZ_CHECK(cp != 0xad && cp != 0xfeff && cp != 0x61c && !(cp >= 0x2028 && cp <= 0x202e) && !(cp >= 0x2060 && cp <= 0x206f));
		FUZZ_CHECK(!(cp >= 0xe0000 && cp <= 0xe00ff) && cp != 0x200b && cp != 0x200e && cp != 0x200f);
		FUZZ_CHECK(flags & TEXT_PROSE || (cp != 0x200c && cp != 0x200d && !(cp >= 0xfe00 && cp <= 0xfe0f)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned flags = n ? data[0] & 7 : 0;
	const char *p = (const char *)data + (n > 0);
	struct buf once = BUF_INIT, twice = BUF_INIT, pad = BUF_INIT;

	n -= n > 0;
	text_sanitize(&once, p, n, flags);
	check_points(&once, flags);
	FUZZ_CHECK(text_is_clean(once.ptr, once.len, flags));
	FUZZ_CHECK(text_is_clean(p, n, flags) == (n == once.len && !memcmp(p, once.ptr, n)));
	text_sanitize(&twice, once.ptr, once.len, flags);
	FUZZ_CHECK(twice.len == once.len && !memcmp(twice.ptr, once.ptr, once.len));
	text_pad(&pad, once.ptr, 17, ALIGN_LEFT, false);
	FUZZ_CHECK(text_width(pad.ptr) == 17);
	buf_reset(&twice);
	text_to_utf8(&twice, p, n);
	FUZZ_CHECK(utf8_valid(twice.ptr, twice.len));
	buf_release(&once);
	buf_release(&twice);
	buf_release(&pad);
	return 0;
}
