/* SPDX-License-Identifier: MIT */
/* Addresses from anybody's comment and anybody's configuration: no crash, and nothing odd in what they are said to be. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/git/permalink.h"

static void check_host(const char *host)
{
	FUZZ_CHECK(*host && !strpbrk(host, "/@?# \t\n\r\\"));
}

static void check_project(const char *p)
{
	FUZZ_CHECK(*p && *p != '/' && strncmp(p, "../", 3) && !strstr(p, "/../"));
}

static void check_link(struct arena *a, const char *url)
{
	struct permalink l;

	if (!permalink_parse(a, url, &l))
		return;
	check_host(l.host);
	FUZZ_CHECK(l.forge != FORGE_UNKNOWN && *l.project && strchr("fctm", l.kind));
	FUZZ_CHECK(l.line <= l.end && (l.line > 0) == (l.end > 0));
	FUZZ_CHECK(l.kind == 'f' ? l.rev_and_path && (!l.rev || (*l.rev && *l.path)) : l.rev && *l.rev);
}

static void found(void *ctx, const char *url, size_t len)
{
	struct permalink l;

	FUZZ_CHECK(permalink_parse(ctx, arena_memdup(ctx, url, len), &l));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = ARENA_INIT;
	const char *text = arena_memdup(&a, p, n);
	struct remote_url u;

	check_link(&a, text);
	permalink_scan(text, found, &a);
	if (remote_url_parse(&a, text, &u)) {
		check_host(u.host);
		check_project(u.project);
	}
	arena_release(&a);
	return 0;
}
