/* SPDX-License-Identifier: MIT */
/*
 * Key names. One table gives both directions, so that what the help screen and the manual print is what the keys file
 * takes. Names are matched without regard to case; single characters with it.
 */
#include "config.h"
#include <string.h>
#include <strings.h>
#include "key.h"
#include "killick/base/utf8.h"

static const struct { const char *name; uint32_t code; } names[] = {
	{ "Enter", K_ENTER }, { "Tab", K_TAB }, { "Shift-Tab", K_BTAB }, { "Esc", K_ESC }, { "Space", K_SPACE },
	{ "Backspace", K_BACKSPACE }, { "Up", K_UP }, { "Down", K_DOWN }, { "Left", K_LEFT }, { "Right", K_RIGHT },
	{ "Home", K_HOME }, { "End", K_END }, { "PgUp", K_PGUP }, { "PgDn", K_PGDN }, { "Ins", K_INS }, { "Del", K_DEL },
	{ "Shift-Up", K_SHIFT_UP }, { "Shift-Down", K_SHIFT_DOWN }, { "Shift-Left", K_SHIFT_LEFT },
	{ "Shift-Right", K_SHIFT_RIGHT }, { "lt", '<' }, { "Hash", '#' },
};

static uint32_t utf8_code(const char *s, size_t *len)
{
	int32_t cp;

	*len = utf8_next(s, strnlen(s, 4), &cp);
	if (cp == UTF8_BAD)
		return *len = 0;
	return (uint32_t)cp;
}

static bool parse_char(const char *name, uint32_t *code)
{
	size_t n;

	*code = utf8_code(name, &n);
	return n > 0 && name[n] == '\0' && *code >= 32;
}

static bool parse_function(const char *name, uint32_t *code)
{
	uint64_t n;

	if ((name[0] != 'F' && name[0] != 'f') || !str_to_u64(name + 1, 12, &n) || n == 0)
		return false;
	*code = K_F1 + (uint32_t)n - 1;
	return true;
}

static bool parse_ctrl(const char *name, uint32_t *code)
{
	char c = name[0];

	if (c == '\0' || name[1] != '\0')
		return false;
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c < '@' || c > '_')
		return false;
	*code = KEY_CTRL((unsigned char)c);
	return true;
}

bool key_parse(const char *name, uint32_t *code)
{
	if (parse_char(name, code))
		return true;
	if (!strncasecmp(name, "Ctrl-", 5))
		return parse_ctrl(name + 5, code);
	if (!strncasecmp(name, "Alt-", 4)) {
		if (!key_parse(name + 4, code))
			return false;
		*code |= KEY_ALT;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(name, names[i].name)) {
			*code = names[i].code;
			return true;
		}
	return parse_function(name, code);
}

void key_format(struct buf *b, uint32_t code)
{
	if (code & KEY_ALT) {
		buf_addstr(b, "Alt-");
		code &= ~KEY_ALT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (code == names[i].code && code != '<' && code != '#') {
			buf_addstr(b, names[i].name);
			return;
		}
	if (code < 32)
		buf_addf(b, "Ctrl-%c", (char)(code + '@'));
	else if (code >= K_F1 && code <= K_F12)
		buf_addf(b, "F%u", code - K_F1 + 1);
	else
		buf_add_utf8(b, (int32_t)code);
}

bool key_is_text(uint32_t code)
{
	return code >= 32 && code != K_BACKSPACE && code < KEY_NAMED && !(code >= 0x80 && code < 0xa0);
}

static size_t bracketed(const char *p, uint32_t *code, struct buf *bad)
{
	const char *end = strchr(p, '>');
	struct buf name = BUF_INIT;
	bool ok;

	if (!end)
		end = p + strlen(p) - 1;
	buf_add(&name, p + 1, (size_t)(end - p - 1));
	ok = key_parse(name.ptr, code);
	if (!ok)
		buf_addbuf(bad, &name);
	buf_release(&name);
	return ok ? (size_t)(end - p + 1) : 0;
}

bool keys_each(const char *p, void (*fn)(void *ctx, uint32_t code), void *ctx, struct buf *bad)
{
	uint32_t code;
	size_t n;

	for (; *p; p += n) {
		if (*p == '<' && p[1] && p[1] != ' ')
			n = bracketed(p, &code, bad);
		else if ((code = utf8_code(p, &n), n == 0))
			buf_addstr(bad, p);
		if (n == 0)
			return false;
		fn(ctx, code);
	}
	return true;
}
