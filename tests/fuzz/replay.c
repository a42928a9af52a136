/* SPDX-License-Identifier: MIT */
/*
 * What stands in for libFuzzer under `make check`: runs a target's function over its seeds (tests/fuzz/NAME.seeds, one
 * input a line, with \n, \\ and \xNN) and over some thousand inputs made from them, always the same ones. It finds
 * little by itself; it keeps the targets working, keeps found faults found (add the input as a line), and gives the
 * sanitizer build something to look at. Real fuzzing: tests/fuzz/fuzz NAME SECONDS. More of the same: KILLICK_FUZZ_MUTANTS=N,
 * others: KILLICK_FUZZ_SEED=N. The input that ends it is told as a line for the seeds.
 */
#include "config.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fuzz.h"
#include "killick/base/file.h"

enum { MUTANTS = 5000, LONGEST = 4096 };

struct seeds { struct buf *items; size_t len, alloc; };

static uint64_t state = 42;

static size_t below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? (size_t)(state % n) : 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode(struct buf *to, const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p != '\\' || p + 1 == end) {
			buf_addch(to, *p);
		} else if (p[1] == 'x' && end - p > 3 && hex(p[2]) >= 0 && hex(p[3]) >= 0) {
			buf_addch(to, hex(p[2]) * 16 + hex(p[3]));
			p += 3;
		} else {
			buf_addch(to, p[1] == 'n' ? '\n' : p[1]);
			p++;
		}
	}
}

static void read_seeds(const char *name, struct seeds *s)
{
	const char *src = getenv("KILLICK_TEST_SRC");
	struct buf text = BUF_INIT, path = BUF_INIT;
	struct err e = ERR_INIT;

	buf_addf(&path, "%s/tests/fuzz/%s.seeds", src ? src : ".", name);
	if (file_read(path.ptr, 0, &text, &e)) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	for (const char *p = text.ptr, *end; (end = strchr(p, '\n')); p = end + 1) {
		struct buf *b = array_add(s);

		buf_init(b);
		decode(b, p, end);
	}
	buf_release(&text);
	buf_release(&path);
}

static void mutate_once(struct buf *b, const struct seeds *s)
{
	const struct buf *other = &s->items[below(s->len)];
	size_t at = below(b->len + 1), n = below(b->len - at + 1), from = below(other->len + 1);
	struct buf out = BUF_INIT;

	buf_add(&out, b->ptr, at);
	switch (below(6)) {
	case 0:                                                 /* a byte */
		buf_addch(&out, (int)below(256));
		buf_add(&out, b->ptr + at, b->len - at);
		break;
	case 1:                                                 /* less */
		buf_add(&out, b->ptr + at + n, b->len - at - n);
		break;
	case 2:                                                 /* twice */
		buf_add(&out, b->ptr + at, n);
		buf_add(&out, b->ptr + at, b->len - at);
		break;
	case 3:                                                 /* one changed */
		buf_add(&out, b->ptr + at, b->len - at);
		if (at < out.len)
			out.ptr[at] ^= (char)(1 << below(8));
		break;
	default:                                                /* a piece of another */
		buf_add(&out, other->ptr + from, below(other->len - from + 1));
		buf_add(&out, b->ptr + at, b->len - at);
	}
	buf_reset(b);
	buf_add(b, out.ptr, out.len < LONGEST ? out.len : LONGEST);
	buf_release(&out);
}

/* ---- what was it? ---- */

static const uint8_t *now;
static size_t now_len;

static void on_abort(int sig)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < now_len; i++) {
		const char one[] = { '\\', 'x', digits[now[i] >> 4], digits[now[i] & 15] };
		if (write(STDERR_FILENO, one, sizeof(one)) < 0)
			break;
	}
	if (write(STDERR_FILENO, "\n", 1) < 0)
		_exit(1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void run(const struct buf *b)
{
	now = (const uint8_t *)b->ptr;
	now_len = b->len;
	LLVMFuzzerTestOneInput(now, now_len);
}

static uint64_t setting(const char *name, uint64_t def)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : def;
}

static void run_mutant(const struct seeds *s, struct buf *b)
{
	buf_reset(b);
	buf_addbuf(b, &s->items[below(s->len)]);
	for (size_t k = below(5) + 1; k; k--)
		mutate_once(b, s);
	run(b);
}

int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "fuzz-");
	uint64_t mutants = setting("KILLICK_FUZZ_MUTANTS", MUTANTS);
	struct seeds s = { 0 };
	struct buf b = BUF_INIT;

	(void)argc;
	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	state += setting("KILLICK_FUZZ_SEED", 0) * 0x9e3779b97f4a7c15u;
	for (const char *next; name && (next = strstr(name + 1, "fuzz-")); )
		name = next;
	read_seeds(name ? name + strlen("fuzz-") : argv[0], &s);
	for (size_t i = 0; i < s.len; i++)
		run(&s.items[i]);
	printf("ok 1 - %zu seeds\n", s.len);
	for (uint64_t i = 0; s.len && i < mutants; i++)
		run_mutant(&s, &b);
	printf("ok 2 - %llu mutants\n1..2\n", (unsigned long long)mutants);
	for (size_t i = 0; i < s.len; i++)
		buf_release(&s.items[i]);
	array_release(&s);
	buf_release(&b);
	return 0;
}
