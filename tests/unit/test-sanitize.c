/* SPDX-License-Identifier: MIT */
/*
 * The sanitiser: a corpus of what terminals obey or hide, in every mode; what prose keeps; and over random bytes that the
 * output is valid, holds nothing that it must not, and is left alone by a second pass.
 */
#include "unit.h"
#include "killick/base/utf8.h"
#include "killick/text/sanitize.h"

/* Nothing of these may come out as it went in, in any mode. */
static const struct { const char *name, *text; } hostile[] = {
	{ "SGR", "\033[31mred\033[0m" },
	{ "clear the screen", "\033[2J\033[H" },
	{ "cursor up and erase", "\033[1A\033[2K" },
	{ "title", "\033]0;title\a" },
	{ "title with ST", "\033]2;title\033\\" },
	{ "title report, typed back", "\033[21t" },
	{ "device attributes, typed back", "\033[c\033[>c" },
	{ "cursor position report", "\033[6n" },
	{ "answerback", "\005" },
	{ "clipboard write", "\033]52;c;ZXZpbA==\a" },
	{ "clipboard read", "\033]52;c;?\a" },
	{ "hyperlink", "\033]8;;http://evil/\033\\good\033]8;;\033\\" },
	{ "notification", "\033]9;x\a\033]777;notify;a;b\a" },
	{ "iTerm2 file", "\033]1337;File=inline=1:AAAA\a" },
	{ "colour query", "\033]4;1;?\a\033]11;?\a" },
	{ "working folder", "\033]7;file:///etc\a" },
	{ "alternate screen", "\033[?1049h" },
	{ "hide the cursor", "\033[?25l" },
	{ "bracketed paste off", "\033[?2004l" },
	{ "end of paste", "\033[201~rm -rf /\r" },
	{ "mouse on", "\033[?1000h\033[?1006h" },
	{ "reset", "\033c" },
	{ "soft reset", "\033[!p" },
	{ "character set", "\033(0lqqk\033(B" },
	{ "shift out", "\016x\017" },
	{ "scroll region", "\033[5;10r" },
	{ "insert line", "\033[3L" },
	{ "DCS", "\033P$q\"p\033\\" },
	{ "sixel", "\033Pq#0;2;0;0;0~\033\\" },
	{ "tmux passthrough", "\033Ptmux;\033\033]0;x\a\033\\" },
	{ "screen title", "\033kname\033\\" },
	{ "APC", "\033_Gf=100;AAAA\033\\" },
	{ "PM and SOS", "\033^x\033\\\033Xx\033\\" },
	{ "macro", "\033P1;0;0!zAB\033\\" },
	{ "key definition", "\033P0;1|17/41\033\\" },
	{ "print screen", "\033[i\033[5i" },
	{ "LEDs", "\033[3q" },
	{ "long repeat", "x\033[99999999b" },
	{ "unfinished", "\033[" },
	{ "unfinished string", "\033]0;" },
	{ "bell", "\a\a" },
	{ "backspaces", "safe\b\b\b\bevil" },
	{ "carriage return overwrite", "evil\rgood" },
	{ "vertical tab, form feed", "a\vb\fc" },
	{ "cancel, substitute", "\033[3\0301m\032" },
	{ "XON, XOFF", "\021\023" },
	{ "DEL", "a\177b" },
	{ "C1 CSI", "\xc2\x9b" "31m" },
	{ "C1 OSC", "\xc2\x9d" "0;x\xc2\x9c" },
	{ "C1 DCS", "\xc2\x90q\xc2\x9c" },
	{ "C1 NEL, IND, RI", "\xc2\x85\xc2\x84\xc2\x8d" },
	{ "raw 8-bit CSI", "\x9b" "31m" },
	{ "raw 8-bit OSC", "\x9d" "0;x\x9c" },
	{ "overlong ESC", "\xc0\x9b[31m\xe0\x80\x9b" },
	{ "broken character hides ESC", "\xe2\x80\033[31m" },
	{ "broken character hides quote", "\xf0\x9f\"" },
	{ "surrogates", "\xed\xa0\xbd\xed\xb1\x8d" },
	{ "past the last plane", "\xf4\x90\x80\x80\xf8\x88\x80\x80\x80" },
	{ "Trojan Source: override", "/*\xe2\x80\xae } \xe2\x81\xa6if (admin)\xe2\x81\xa9 \xe2\x81\xa6 begin */" },
	{ "embeddings", "\xe2\x80\xaa" "a\xe2\x80\xab" "b\xe2\x80\xac" "c\xe2\x80\xad" },
	{ "marks", "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c" },
	{ "zero width space, word joiner", "pass\xe2\x80\x8bword\xe2\x81\xa0" },
	{ "BOM inside", "a\xef\xbb\xbf" "b" },
	{ "invisible operators", "f\xe2\x81\xa1x\xe2\x81\xa2y\xe2\x81\xa3z\xe2\x81\xa4" },
	{ "soft hyphen", "evil\xc2\xad.example" },
	{ "tags", "\xf3\xa0\x81\x81\xf3\xa0\x81\xbf" },
	{ "interlinear annotation", "\xef\xbf\xb9" "a\xef\xbf\xba" "b\xef\xbf\xbb" },
	{ "line and paragraph separator", "a\xe2\x80\xa8" "b\xe2\x80\xa9" "c" },
	{ "Hangul filler", "\xe3\x85\xa4\xef\xbe\xa0\xe1\x85\x9f" },
	{ "grapheme joiner", "a\xcd\x8f" "b" },
	{ "noncharacters", "\xef\xbf\xbe\xef\xb7\x90\xf0\x9f\xbf\xbf" },
	{ "joiner between ASCII", "pass\xe2\x80\x8dword" },
	{ "selectors as a channel", "a\xef\xb8\x80\xef\xb8\x81\xf3\xa0\x84\x80\xf3\xa0\x84\x81" },
	{ "second selector", "\xe2\x9d\xa4\xef\xb8\x8f\xef\xb8\x8f" },
	{ "joiner at the end", "\xf0\x9f\x91\xa9\xe2\x80\x8d" },
	{ "mark on nothing", "\xcc\x81" "a" },
};

static bool is_hidden(int32_t cp)
{
	static const struct { int32_t a, b; } set[] = {
		{ 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180e, 0x180e }, { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe00ff }, { 0x3164, 0x3164 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		if (cp >= set[i].a && cp <= set[i].b)
			return true;
	return false;
}

/* What no output may hold; with flags its exceptions. */
static const char *fault(const char *p, size_t n, unsigned flags)
{
	int32_t cp;

	for (size_t i = 0; i < n;) {
		i += utf8_next(p + i, n - i, &cp);
		if (cp == UTF8_BAD)
			return "not UTF-8";
		if ((cp == '\n' && flags & TEXT_LINES) || (cp == '\t' && flags & TEXT_TABS))
			continue;
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return "a control";
		if (is_hidden(cp))
			return "something hidden";
		if (!(flags & TEXT_PROSE) && (cp == 0x200c || cp == 0x200d || (cp >= 0xfe00 && cp <= 0xfe0f) ||
					       (cp >= 0xe0100 && cp <= 0xe01ef)))
			return "a joiner or selector in code";
	}
	return NULL;
}

static void check(const char *name, const char *in, size_t n, unsigned flags)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;

	text_sanitize(&once, in, n, flags);
	if (fault(once.ptr, once.len, flags))
		fail_msg("%s with flags %u: %s", name, flags, fault(once.ptr, once.len, flags));
	text_sanitize(&twice, once.ptr, once.len, flags);
	if (twice.len != once.len || memcmp(twice.ptr, once.ptr, once.len))
		fail_msg("%s with flags %u: '%s' became '%s'", name, flags, once.ptr, twice.ptr);
	assert_true(text_is_clean(once.ptr, once.len, flags));
	if (text_is_clean(in, n, flags) != (n == once.len && !memcmp(in, once.ptr, n)))
		fail_msg("%s with flags %u: text_is_clean says otherwise", name, flags);
	buf_release(&once);
	buf_release(&twice);
}

static void the_corpus(void **state UNUSED)
{
	assert_true(ARRAY_SIZE(hostile) >= 60);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		for (unsigned flags = 0; flags < 8; flags++) {
			const char *s = hostile[i].text;
			check(hostile[i].name, s, strlen(s), flags);
			if (text_is_clean(s, strlen(s), flags))
				fail_msg("%s with flags %u passes for clean", hostile[i].name, flags);
		}
}

static void every_code_point(void **state UNUSED)
{
	struct buf b = BUF_INIT;

	for (int32_t cp = 0; cp <= 0x10ffff; cp++) {
		char name[16];
		buf_reset(&b);
		buf_addch(&b, 'a');
		buf_add_utf8(&b, cp);
		buf_addch(&b, 'b');
		snprintf(name, sizeof(name), "U+%04X", (unsigned)cp);
		check(name, b.ptr, b.len, 0);
		check(name, b.ptr, b.len, TEXT_PROSE);
	}
	buf_release(&b);
}

static const struct { unsigned flags; const char *in, *out; } examples[] = {
	{ 0, "", "" },
	{ 0, "plain text, ~!@#", "plain text, ~!@#" },
	{ 0, "a\033[1mb\177", "a^[[1mb^?" },
	{ 0, "\001\037\r\n\t|", "^A^_^M^J |" },
	{ 0, "\xc2\x9b" "1m", "\\x{9b}1m" },
	{ 0, "a\xff" "b\xe2\x82", "a\xef\xbf\xbd" "b\xef\xbf\xbd" },
	{ 0, "\xe2\x80\xae" "x", "<U+202E>x" },
	{ 0, "\xf3\xa0\x81\x81", "<U+E0041>" },
	{ TEXT_LINES, "a\r\nb\rc\n\r\r\n", "a\nb^Mc\n^M\n" },
	{ TEXT_LINES, "a\tb\n", "a b\n" },
	{ TEXT_TABS, "a\tb\n", "a\tb^J" },
	{ TEXT_LINES | TEXT_TABS, "a\tb\r\n", "a\tb\n" },
	{ 0, "Zoë 漢字 שלום कि", "Zoë 漢字 שלום कि" },
	{ 0, "e\xcc\x81", "e\xcc\x81" },
	{ 0, "❤️", "❤<U+FE0F>" },
	{ TEXT_PROSE, "❤️ 1️⃣ #️⃣ ©️", "❤️ 1️⃣ #️⃣ ©️" },
	{ TEXT_PROSE, "👩‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 🇩🇪", "👩‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 🇩🇪" },
	{ TEXT_PROSE, "نامه‌ها ക്‍ क्‍ष", "نامه‌ها ക്‍ क्‍ष" },
	{ 0, "نامه‌ها", "نامه<U+200C>ها" },
	{ TEXT_PROSE, "葛\xf3\xa0\x84\x80 a\xf3\xa0\x84\x80", "葛\xf3\xa0\x84\x80 a<U+E0100>" },
	{ TEXT_PROSE, "1\xef\xb8\x8f.", "1<U+FE0F>." },
	{ TEXT_PROSE, "👩\xe2\x80\x8d" "a", "👩<U+200D>a" },
	{ TEXT_PROSE | TEXT_LINES, "a\n\xcc\x81", "a\n<U+0301>" },
	{ TEXT_PROSE, "\xd8\x80" "12", "\xd8\x80" "12" }, /* ARABIC NUMBER SIGN is Cf and drawn */
	{ 0, "\xee\x82\xa0", "\xee\x82\xa0" },           /* private use: icon fonts */
};

static void known_answers(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct buf b = BUF_INIT;
		text_sanitize(&b, examples[i].in, strlen(examples[i].in), examples[i].flags);
		assert_buf(&b, examples[i].out);
		check(examples[i].in, examples[i].in, strlen(examples[i].in), examples[i].flags);
		buf_release(&b);
	}
}

static void a_pile_of_accents_is_bounded(void **state UNUSED)
{
	struct buf in = BUF_INIT, out = BUF_INIT;

	buf_addch(&in, 'a');
	for (int i = 0; i < 200; i++)
		buf_addstr(&in, "\xcc\x81");
	check("accents", in.ptr, in.len, TEXT_PROSE);
	text_sanitize(&out, in.ptr, in.len, 0);
	assert_non_null(strstr(out.ptr, "<U+0301>"));
	buf_reset(&in);
	for (int i = 0; i < 200; i++)
		buf_addstr(&in, "👩\xe2\x80\x8d");
	check("family", in.ptr, in.len, TEXT_PROSE);
	buf_release(&in);
	buf_release(&out);
}

/* Bytes that matter, put together at random; a whole code point now and then. */
static size_t random_text(uint64_t *seed, char *out, size_t max)
{
	static const int32_t points[] = {
		0x1b, 0x9b, 0x202e, 0x200d, 0x200c, 0xfe0f, 0xfe00, 0xe0100, 0x301, 0x20e3, 0x1f469, 0x1f3fd, 0x2764, 0x1f1e9,
		0x915, 0x94d, 0x6f22, 0x1100, 0x1161, 0xfeff, 0xad, 0x34f, 0x180b, 0x1820, 0xe0041, 0xfffd, 0x2029, 0x7f,
	};
	struct buf b = BUF_INIT;
	size_t n;

	while (b.len < max - 4) {
		uint64_t r = random_next(seed);
		if (r % 4 == 0)
			buf_addch(&b, (int)(r >> 8 & 0xff));
		else if (r % 4 == 1)
			buf_addch(&b, "a1# \n\r\t\033\\<^[{x"[(r >> 8) % 14]);
		else
			buf_add_utf8(&b, points[(r >> 8) % ARRAY_SIZE(points)]);
		if ((r >> 32) % 40 == 0)
			break;
	}
	n = b.len < max ? b.len : max;
	memcpy(out, b.ptr, n);
	buf_release(&b);
	return n;
}

static void random_bytes_come_out_clean(void **state UNUSED)
{
	uint64_t seed = 20261122;
	char text[256];

	for (int i = 0; i < 60000; i++) {
		size_t n = random_text(&seed, text, sizeof(text));
		char name[32];
		snprintf(name, sizeof(name), "random text %d", i);
		check(name, text, n, (unsigned)(random_next(&seed) & 7));
	}
}

static void strings_in_an_arena(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	const char *clean = "clean";

	assert_ptr_equal(text_clean(&a, clean, 0), clean);
	assert_string_equal(text_clean(&a, "a\033", 0), "a^[");
	arena_release(&a);
}

static void only_made_valid(void **state UNUSED)
{
	static const struct { const char *in; size_t n; const char *out; } t[] = {
		{ "a\033[1m\xe2\x80\xae\r\n", 10, "a\033[1m\xe2\x80\xae\r\n" },
		{ "a\xff", 2, "a\xef\xbf\xbd" },
		{ "\xe2\x82", 2, "\xef\xbf\xbd" },
		{ "\xf0\x9f\x91z\x80", 5, "\xef\xbf\xbdz\xef\xbf\xbd" },
		{ "", 0, "" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		buf_reset(&b);
		text_to_utf8(&b, t[i].in, t[i].n);
		assert_buf(&b, t[i].out);
	}
	buf_reset(&b);
	text_to_utf8(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_corpus),
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(known_answers),
		cmocka_unit_test(a_pile_of_accents_is_bounded),
		cmocka_unit_test(random_bytes_come_out_clean),
		cmocka_unit_test(strings_in_an_arena),
		cmocka_unit_test(only_made_valid),
	};

	return cmocka_run_group_tests_name("sanitize", tests, NULL, NULL);
}
