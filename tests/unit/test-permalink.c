/* SPDX-License-Identifier: MIT */
/* Remote URLs and permalinks as pure text: tables of what each form says, and of what must be nothing. */
#include "unit.h"
#include "killick/git/permalink.h"

static const struct { const char *url, *host, *project; uint16_t port; } remotes[] = {
	{ "https://github.com/acme/widget.git", "github.com", "acme/widget", 0 },
	{ "https://github.com/acme/widget", "github.com", "acme/widget", 0 },
	{ "https://GitHub.COM./acme/Widget/", "github.com", "acme/Widget", 0 },
	{ "https://user:pa%40ss@github.com/acme/widget.git", "github.com", "acme/widget", 0 },
	{ "https://user:p@ss@github.com/acme/widget.git", "github.com", "acme/widget", 0 },
	{ "https://github.com:443/acme/widget.git", "github.com", "acme/widget", 0 },
	{ "https://example.org:8443/acme/widget.git", "example.org", "acme/widget", 8443 },
	{ "http://127.0.0.1:3000/a/b", "127.0.0.1", "a/b", 3000 },
	{ "ssh://git@gitlab.com/group/sub/proj.git", "gitlab.com", "group/sub/proj", 0 },
	{ "ssh://git@gitlab.com:22/group/proj", "gitlab.com", "group/proj", 0 },
	{ "ssh://ana@review.example.org:29418/tools/x", "review.example.org", "tools/x", 29418 },
	{ "ssh://host/~ana/x.git", "host", "x", 0 },
	{ "ssh://[::1]:2222/x.git", "[::1]", "x", 2222 },
	{ "git+ssh://git@host/a/b", "host", "a/b", 0 },
	{ "git+https://host/a/b.git", "host", "a/b", 0 },
	{ "git+https://host:443/a/b", "host", "a/b", 0 },
	{ "h:a/b", "h", "a/b", 0 },
	{ "git://git.kernel.org/pub/scm/git/git.git", "git.kernel.org", "pub/scm/git/git", 0 },
	{ "git@github.com:acme/widget.git", "github.com", "acme/widget", 0 },
	{ "github.com:acme/widget", "github.com", "acme/widget", 0 },
	{ "git@host:/srv/git/x.git", "host", "srv/git/x", 0 },
	{ "git@host:~ana/x.git", "host", "x", 0 },
	{ "[git.example.org:2222]:a/b.git", "git.example.org", "a/b", 2222 },
	{ "git@[::1]:a/b", "[::1]", "a/b", 0 },
	{ "git@host:a%20b/c", "host", NULL, 0 },
	{ "org-1234@github.com:acme/widget.git", "github.com", "acme/widget", 0 },
	{ "https://h/a/b.git.git", "h", "a/b.git", 0 },
	{ "https://h/.git", "h", ".git", 0 },
};

static const char *const no_remotes[] = {
	"", "/srv/git/x.git", "./x", "../x", "x", "a/b", "file:///srv/x", "ext::sh -c true", "https::x://y", "-oProxyCommand=x:y",
	"https://", "https:///a/b", "https://host", "https://host/", "https://@/a", "git@host:", ":x", "https://ho st/a",
	"https://host/a\nb", "https://host\\@evil/a", "https://host/a/../b", "git@ho/st:a", "https://[::1/a", "https://h:99999/a",
	"https://h:x/a", "ssh://-oProxyCommand=x/a", "nonsense://h/a", "https://h/%00a", "https://h/a//b", "C:\\x", "C:/x/y",
};

static void remotes_in_every_form(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	struct remote_url u;

	for (size_t i = 0; i < ARRAY_SIZE(remotes); i++) {
		bool ok = remote_url_parse(&a, remotes[i].url, &u);

		if (ok != (remotes[i].project != NULL))
			fail_msg("%s: %d", remotes[i].url, ok);
		if (!ok)
			continue;
		assert_string_equal(u.host, remotes[i].host);
		assert_string_equal(u.project, remotes[i].project);
		assert_int_equal(u.port, remotes[i].port);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_remotes); i++)
		if (remote_url_parse(&a, no_remotes[i], &u))
			fail_msg("'%s' is %s %s", no_remotes[i], u.host, u.project);
	arena_release(&a);
}

#define ID "0123456789abcdef0123456789abcdef01234567"
static const struct {
	const char *url;
	enum forge forge;
	char kind;
	const char *project, *rev, *path;  /* rev NULL: undecided, path is then rev_and_path */
	uint32_t line, end;
} links[] = {
	/* GitHub */
	{ "https://github.com/acme/widget/blob/" ID "/src/x.c#L10-L20", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 10, 20 },
	{ "https://github.com/acme/widget/blob/" ID "/src/x.c#L10", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 10, 10 },
	{ "https://github.com/acme/widget/blob/" ID "/src/x.c", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 0, 0 },
	{ "https://github.com/acme/widget/blob/" ID "/src/x.c#L10C3-L20C9", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 10, 20 },
	{ "https://github.com/acme/widget/blob/" ID "/src/x.c#L20-L10", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 10, 20 },
	{ "https://github.com/acme/widget/blob/" ID "/README.md?plain=1#L3", FORGE_GITHUB, 'f', "acme/widget", ID, "README.md", 3, 3 },
	{ "https://github.com/acme/widget/blame/" ID "/src/x.c#L10", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 10, 10 },
	{ "https://github.com/acme/widget/raw/" ID "/src/x.c", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 0, 0 },
	{ "https://raw.githubusercontent.com/acme/widget/" ID "/src/x.c", FORGE_GITHUB, 'f', "acme/widget", ID, "src/x.c", 0, 0 },
	{ "https://github.com/acme/widget/blob/feature/x/src/x.c#L1", FORGE_GITHUB, 'f', "acme/widget", NULL, "feature/x/src/x.c", 1, 1 },
	{ "https://github.com/acme/widget/blob/main/a%20b/%23%3F%25.c", FORGE_GITHUB, 'f', "acme/widget", NULL, "main/a b/#?%.c", 0, 0 },
	{ "https://github.com/acme/widget/blob/main/x.c#install", FORGE_GITHUB, 'f', "acme/widget", NULL, "main/x.c", 0, 0 },
	{ "https://github.com/acme/widget/blob/main/x.c#L0", FORGE_GITHUB, 'f', "acme/widget", NULL, "main/x.c", 0, 0 },
	{ "https://github.com/acme/widget/blob/main/x.c#L99999999999999", FORGE_GITHUB, 'f', "acme/widget", NULL, "main/x.c", 0, 0 },
	{ "https://github.com/acme/widget/blob/main/x.c#L1-", FORGE_GITHUB, 'f', "acme/widget", NULL, "main/x.c", 0, 0 },
	{ "HTTPS://GitHub.com/acme/widget/blob/main/x.c#L1", FORGE_GITHUB, 'f', "acme/widget", NULL, "main/x.c", 1, 1 },
	{ "https://github.com/acme/widget/commit/" ID, FORGE_GITHUB, 'c', "acme/widget", ID, NULL, 0, 0 },
	{ "https://github.com/acme/widget/commit/0123ABC#diff-1", FORGE_GITHUB, 'c', "acme/widget", "0123abc", NULL, 0, 0 },
	{ "https://github.com/acme/widget/pull/58/commits/" ID, FORGE_GITHUB, 'c', "acme/widget", ID, NULL, 0, 0 },
	{ "https://github.com/acme/widget/issues/412#issuecomment-1", FORGE_GITHUB, 't', "acme/widget", "412", NULL, 0, 0 },
	{ "https://github.com/acme/widget/pull/58", FORGE_GITHUB, 'm', "acme/widget", "58", NULL, 0, 0 },
	{ "https://github.com/acme/widget/pull/58/files", FORGE_GITHUB, 'm', "acme/widget", "58", NULL, 0, 0 },
	{ "https://github.com/acme/blob/blob/main/blob/x.c", FORGE_GITHUB, 'f', "acme/blob", NULL, "main/blob/x.c", 0, 0 },
	/* GitLab */
	{ "https://gitlab.com/g/sub/sub2/proj/-/blob/" ID "/src/x.c#L10-20", FORGE_GITLAB, 'f', "g/sub/sub2/proj", ID, "src/x.c", 10, 20 },
	{ "https://gitlab.com/g/proj/-/blob/main/x.c?ref_type=heads#L5", FORGE_GITLAB, 'f', "g/proj", NULL, "main/x.c", 5, 5 },
	{ "https://example.com/gitlab/g/proj/-/blame/" ID "/x.c#L5", FORGE_GITLAB, 'f', "gitlab/g/proj", ID, "x.c", 5, 5 },
	{ "https://gitlab.com/g/proj/-/raw/v1/x.c", FORGE_GITLAB, 'f', "g/proj", NULL, "v1/x.c", 0, 0 },
	{ "https://gitlab.com/g/proj/-/commit/" ID, FORGE_GITLAB, 'c', "g/proj", ID, NULL, 0, 0 },
	{ "https://gitlab.com/g/proj/-/issues/12", FORGE_GITLAB, 't', "g/proj", "12", NULL, 0, 0 },
	{ "https://gitlab.com/g/proj/-/work_items/12", FORGE_GITLAB, 't', "g/proj", "12", NULL, 0, 0 },
	{ "https://gitlab.com/g/proj/-/merge_requests/58/diffs#note_1", FORGE_GITLAB, 'm', "g/proj", "58", NULL, 0, 0 },
	/* Gitea, Forgejo */
	{ "https://codeberg.org/a/w/src/commit/" ID "/src/x.c#L10-L20", FORGE_GITEA, 'f', "a/w", ID, "src/x.c", 10, 20 },
	{ "https://codeberg.org/a/w/src/branch/feature/x/y.c#L1", FORGE_GITEA, 'f', "a/w", NULL, "feature/x/y.c", 1, 1 },
	{ "https://gitea.example.org/a/w/src/tag/v1/y.c", FORGE_GITEA, 'f', "a/w", NULL, "v1/y.c", 0, 0 },
	{ "https://git.example.org/a/w/raw/commit/" ID "/y.c", FORGE_GITEA, 'f', "a/w", ID, "y.c", 0, 0 },
	{ "https://git.example.org:3000/a/src/src/commit/" ID "/src/commit/y.c", FORGE_GITEA, 'f', "a/src", ID, "src/commit/y.c", 0, 0 },
	{ "https://codeberg.org/a/w/commit/" ID, FORGE_GITEA, 'c', "a/w", ID, NULL, 0, 0 },
	{ "https://codeberg.org/a/w/issues/7", FORGE_GITEA, 't', "a/w", "7", NULL, 0, 0 },
	{ "https://codeberg.org/a/w/pulls/8/files", FORGE_GITEA, 'm', "a/w", "8", NULL, 0, 0 },
	/* Gitiles */
	{ "https://gerrit.example.org/plugins/gitiles/tools/x/+/" ID "/src/x.c#123", FORGE_GITILES, 'f', "tools/x", ID, "src/x.c", 123, 123 },
	{ "https://chromium.googlesource.com/chromium/src/+/refs/heads/main/x.c#1", FORGE_GITILES, 'f', "chromium/src", NULL, "refs/heads/main/x.c", 1, 1 },
	{ "https://x.googlesource.com/y/+blame/" ID "/x.c", FORGE_GITILES, 'f', "y", ID, "x.c", 0, 0 },
	{ "https://x.googlesource.com/y/+/" ID, FORGE_GITILES, 'c', "y", ID, NULL, 0, 0 },
	{ "https://x.googlesource.com/y/+/" ID "^!/", FORGE_GITILES, 'c', "y", ID, NULL, 0, 0 },
	{ "https://gerrit.example.org/c/tools/x/+/58/2", FORGE_GITILES, 'm', "tools/x", "58", NULL, 0, 0 },
	/* cgit */
	{ "https://git.kernel.org/pub/scm/git/git.git/tree/src/x.c?id=" ID "#n123", FORGE_CGIT, 'f', "pub/scm/git/git", ID, "src/x.c", 123, 123 },
	{ "https://h/cgit/proj.git/tree/src/x.c?h=feature/x&id=" ID "#n1", FORGE_CGIT, 'f', "proj", ID, "src/x.c", 1, 1 },
	{ "https://h/cgit/proj/plain/x.c?h=feature/x", FORGE_CGIT, 'f', "proj", "feature/x", "x.c", 0, 0 },
	{ "https://h/cgit/proj/tree/x.c#n4", FORGE_CGIT, 'f', "proj", "HEAD", "x.c", 4, 4 },
	{ "https://h/proj/commit/?id=" ID, FORGE_CGIT, 'c', "proj", ID, NULL, 0, 0 },
	{ "https://h/proj/commit/src/x.c?id=" ID, FORGE_CGIT, 'c', "proj", ID, NULL, 0, 0 },
};

static const char *const no_links[] = {
	"", "https://", "https://github.com", "https://github.com/acme", "https://github.com/acme/widget", "https://github.com//",
	"https://github.com/acme/widget/tree/main/src", "https://github.com/acme/widget/blob/main", "https://github.com/acme/widget/blob/",
	"https://github.com/acme/widget/blob//x", "https://github.com/acme/widget/issues", "https://github.com/acme/widget/issues/x",
	"https://github.com/acme/widget/issues/12x", "https://github.com/acme/widget/commit/xyz", "https://github.com/acme/widget/pull/",
	"ssh://github.com/acme/widget/blob/main/x.c", "file:///acme/widget/blob/main/x.c", "javascript:alert(1)",
	"https://github.com/acme/widget/blob/main/x.c\n#L1", "https://github.com /acme/widget/blob/main/x.c",
	"https://ho\\st/acme/widget/blob/main/x.c", "https://github.com/acme/widget/blob/main/a%00b",
	"https://gitlab.com/g/proj/-/", "https://gitlab.com/g/proj/-/tree/main/src", "https://x.googlesource.com/+/main/x",
	"https://h/cgit/proj/tree/?id=" ID, "https://h/commit/?id=" ID, "blob/main/x.c", "//github.com/acme/widget/blob/main/x.c",
};

static void links_in_every_form(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	struct permalink p;

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (!permalink_parse(&a, links[i].url, &p))
			fail_msg("%s is nothing", links[i].url);
		if (p.forge != links[i].forge || p.kind != links[i].kind || strcmp(p.project, links[i].project) != 0)
			fail_msg("%s: forge %d kind %c project %s", links[i].url, p.forge, p.kind, p.project);
		if (links[i].rev)
			assert_string_equal(p.rev, links[i].rev);
		else
			assert_null(p.rev);
		if (links[i].path)
			assert_string_equal(links[i].rev ? p.path : p.rev_and_path, links[i].path);
		if (p.line != links[i].line || p.end != links[i].end)
			fail_msg("%s: lines %u-%u", links[i].url, p.line, p.end);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_links); i++)
		if (permalink_parse(&a, no_links[i], &p))
			fail_msg("'%s' is %c of %s", no_links[i], p.kind, p.project);
	arena_release(&a);
}

static void a_host_is_what_stands_there(void **state UNUSED)
{
	static const struct { const char *url, *host; } hosts[] = {
		{ "https://github.com.attacker/a/w/blob/main/x", "github.com.attacker" },
		{ "https://github.com@attacker/a/w/blob/main/x", "attacker" },
		{ "https://a:b@c@attacker:99/a/w/blob/main/x", "attacker" },
		{ "https://attacker/github.com/w/blob/main/x", "attacker" },
		{ "https://attacker#@github.com/a/w/blob/main/x", NULL },
		{ "https://attacker?@github.com/a/w/blob/main/x", NULL },
	};
	struct arena a = ARENA_INIT;
	struct permalink p;

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		assert_int_equal(permalink_parse(&a, hosts[i].url, &p), hosts[i].host != NULL);
		if (hosts[i].host)
			assert_string_equal(p.host, hosts[i].host);
	}
	assert_true(permalink_parse(&a, "https://h:8443/a/w/blob/main/x", &p));
	assert_int_equal(p.port, 8443);
	arena_release(&a);
}

static void collect(void *ctx, const char *url, size_t len)
{
	buf_add(ctx, url, len);
	buf_addch(ctx, '\n');
}

static void scan_is(const char *text, const char *wanted)
{
	struct buf b = BUF_INIT;

	permalink_scan(text, collect, &b);
	assert_buf(&b, wanted);
	buf_release(&b);
}

static void links_in_a_text(void **state UNUSED)
{
#define U "https://github.com/a/w/blob/main/x.c#L1"
	scan_is("", "");
	scan_is("http https:// http://x", "");
	scan_is(U, U "\n");
	scan_is("See " U ".", U "\n");
	scan_is("(" U "), [" U "] <" U "> \"" U "\" `" U "`", U "\n" U "\n" U "\n" U "\n" U "\n");
	scan_is("[text](" U ") and " U "!\n" U "\r\n", U "\n" U "\n" U "\n");
	scan_is("https://github.com/a/w/blob/main/f(1).c done", "https://github.com/a/w/blob/main/f(1).c\n");
	scan_is("(https://github.com/a/w/blob/main/f(1).c)", "https://github.com/a/w/blob/main/f(1).c\n");
	scan_is("xhttps://github.com/a/w/blob/main/x.c", "");
	scan_is("https://example.org/page " U, U "\n");
	scan_is("https://x.googlesource.com/y/+/" ID "^!/ is it", "https://x.googlesource.com/y/+/" ID "^!/\n");
#undef U
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remotes_in_every_form),
		cmocka_unit_test(links_in_every_form),
		cmocka_unit_test(a_host_is_what_stands_there),
		cmocka_unit_test(links_in_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
