/* SPDX-License-Identifier: MIT */
/*
 * Answers remembered by ETag or Last-Modified: a poll with nothing new then costs no body and, on GitHub, no request of the
 * hour's budget. A file a request, named by a hash of the address and the headers that choose the form; inside a line of JSON and
 * the body. Only what polls ask is kept (small lists, single things), and no more than KEEP files: those go that were not asked
 * for the longest. A file that does not read well, or not to its end, is as good as none. Whether an answer may be seen is decided by the server each time: the token is part of
 * its check, not of the name.
 */
#include "config.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "httpint.h"
#include "killick/base/file.h"
#include "killick/base/hash.h"

enum { KEEP = 256, BODY_MAX = 2 << 20 };

static int64_t body_sum(const char *p, size_t n)
{
	return (int64_t)(hash64(p, n) >> 1);
}

static void etag_load(struct call *c)
{
	struct buf b = BUF_INIT;
	const char *nl, *url;

	if (file_read(c->etag_path, BODY_MAX + 4096, &b, NULL) || !(nl = memchr(b.ptr, '\n', b.len)))
		goto out;
	c->cached = json_read(b.ptr, (size_t)(nl - b.ptr), "a remembered answer", NULL);
	url = json_get_str(c->cached, "url");
	nl++;
	if (json_get_int(c->cached, "sum", -1) != body_sum(nl, b.len - (size_t)(nl - b.ptr)) || !url || strcmp(url, c->url) || !(json_get_str(c->cached, "etag") || json_get_str(c->cached, "modified"))) {
		json_decref(c->cached);
		c->cached = NULL;
		goto out;
	}
	buf_add(&c->cached_body, nl, b.len - (size_t)(nl - b.ptr));
out:
	buf_release(&b);
}

void call_remember(struct call *c)
{
	struct buf name = BUF_INIT;
	uint8_t sum[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	if (!c->h->o.cache_dir)
		return;
	buf_addstr(&name, c->url);
	for (size_t i = 0; c->h->o.headers[i]; i++)
		buf_addf(&name, "\n%s", c->h->o.headers[i]);
	hash_sha256(sum, name.ptr, name.len);
	hex_encode(hex, sum, sizeof(sum));
	c->etag_path = xasprintf("%s/%.40s", c->h->o.cache_dir, hex);
	buf_release(&name);
	etag_load(c);
}

struct old { char *path; int64_t mtime; };

static int old_first(const void *pa, const void *pb)
{
	const struct old *a = pa, *b = pb;

	return (a->mtime > b->mtime) - (a->mtime < b->mtime);
}

/* Takes the oldest away when there are too many. */
static void cache_prune(const char *dir)
{
	ARRAY(struct old) all = ARRAY_INIT;
	DIR *d = opendir(dir);
	const struct dirent *f;
	struct stat st;

	while (d && (f = readdir(d))) {
		char *path = xasprintf("%s/%s", dir, f->d_name);
		if (*f->d_name != '.' && !lstat(path, &st) && S_ISREG(st.st_mode))
			*array_add(&all) = (struct old){ path, (int64_t)st.st_mtim.tv_sec };
		else
			free(path);
	}
	if (d)
		closedir(d);
	if (all.len > KEEP)
		qsort(all.items, all.len, sizeof(*all.items), old_first);
	for (size_t i = 0; i < all.len; i++) {
		if (all.len > KEEP && i < all.len - KEEP / 2)
			unlink(all.items[i].path);
		free(all.items[i].path);
	}
	array_release(&all);
}

/* Redmine tells its users their key with their name. */
static bool has_secret(const struct call *c)
{
	const char *blank = c->h->auth ? strrchr(c->h->auth, ' ') : NULL;

	return strstr(c->in.ptr, "\"api_key\"") || (blank && blank[1] && strstr(c->in.ptr, blank + 1));
}

void etag_save(const struct call *c)
{
	const char *etag = call_header(c, "etag"), *modified = call_header(c, "last-modified");
	struct buf b = BUF_INIT;
	json_t *j;

	if (c->etag_path && !c->fresh) {   /* it is there */
		utimensat(AT_FDCWD, c->etag_path, NULL, 0);
		return;
	}
	if (!c->etag_path || (!etag && !modified) || c->in.len > BODY_MAX || has_secret(c) || dir_make_private(c->h->o.cache_dir, NULL))
		return;
	if (!path_exists(c->etag_path))
		cache_prune(c->h->o.cache_dir);
	j = json_object();
	json_put_str(j, "url", c->url);
	json_put_str(j, "etag", etag);
	json_put_str(j, "modified", modified);
	json_put_str(j, "link", call_header(c, "link"));
	json_put_str(j, "type", call_header(c, "content-type"));
	json_put_int(j, "sum", body_sum(c->in.ptr, c->in.len));
	json_write(&b, j);
	json_decref(j);
	buf_addch(&b, '\n');
	buf_add(&b, c->in.ptr, c->in.len);
	/* A cache: what cannot be kept is asked for again. */
	file_write_lax(c->etag_path, b.ptr, b.len, 0600, NULL);
	buf_release(&b);
}
