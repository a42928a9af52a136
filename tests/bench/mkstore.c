/* SPDX-License-Identifier: MIT */
/*
 * mkstore DIR COMMITS THREADS POSTS [SEED]: a repository and a native store to measure with.
 *
 * A history of small edits, insertions, deletions and renames over COMMITS / 100 files (at least 20), through git
 * fast-import; threads on lines as they were at random commits, so that most have moved since, some were edited and some are
 * gone; replies, resolutions and labels by forty people in twenty logs, whose clocks follow each other. One op a commit, as
 * in life. The same seed gives the same repository; the store's ids are new each time.
 */
#include "config.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "killick/git/nativelog.h"
#include "words.h"

enum { WRITERS = 20, PEOPLE = 40, LINES = 110, CONTEXT = 4 };
#define START INT64_C(1500000000)

/* ---- the history ---- */

struct file { char path[40]; char **lines; size_t len, alloc; };
struct spot { size_t commit; char *path, *quote, *before, *after; char blob[GIT_OID_HEX]; uint32_t line, end; };

struct world {
	struct rng rng;
	struct file *files;
	size_t n_files, n_commits, n_threads, n_posts, renames;
	struct spot *spots;
	size_t n_spots;
	char (*shas)[GIT_OID_HEX];
	FILE *out;
};

static char *new_line(struct rng *r)
{
	struct buf b = BUF_INIT;

	buf_addchn(&b, '\t', below(r, 3));
	add_words(r, &b, 2 + below(r, 4));
	buf_addf(&b, "(%u);", (unsigned)below(r, 100000));
	return buf_detach(&b);
}

static void insert_line(struct file *f, size_t at, char *line)
{
	f->lines = array_grow(f->lines, f->len, &f->alloc, sizeof(*f->lines));
	memmove(f->lines + at + 1, f->lines + at, (f->len - at) * sizeof(*f->lines));
	f->lines[at] = line;
	f->len++;
}

static void delete_line(struct file *f, size_t at)
{
	free(f->lines[at]);
	f->len--;
	memmove(f->lines + at, f->lines + at + 1, (f->len - at) * sizeof(*f->lines));
}

static void join_lines(struct buf *b, const struct file *f, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < f->len; i++)
		buf_addf(b, "%s\n", f->lines[i]);
}

static void edit(struct world *w, struct file *f)
{
	size_t n = 1 + below(&w->rng, 4), at = below(&w->rng, f->len);

	for (size_t i = 0; i < n; i++) {
		size_t what = below(&w->rng, f->len > LINES + 30 ? 4 : 3);
		if (what == 0) {
			free(f->lines[at]);
			f->lines[at] = new_line(&w->rng);
		} else if (what < 3 && f->len < LINES + 60) {
			insert_line(f, at, new_line(&w->rng));
		} else if (f->len > 20) {
			delete_line(f, at);
		}
		at = (at + 1) % f->len;
	}
}

static void write_data(FILE *out, const char *p, size_t n)
{
	fprintf(out, "data %zu\n", n);
	fwrite(p, 1, n, out);
	fputc('\n', out);
}

static void write_commit(struct world *w, size_t i, const char *message)
{
	unsigned who = (unsigned)below(&w->rng, PEOPLE);
	long long when = START + (long long)i * 3000;

	fprintf(w->out, "commit refs/heads/main\nmark :%zu\n", i + 1);
	fprintf(w->out, "committer %s %u <p%u@example.org> %lld +0000\n", "Person", who, who, when);
	write_data(w->out, message, strlen(message));
}

static void write_file(struct world *w, const struct file *f)
{
	struct buf b = BUF_INIT;

	join_lines(&b, f, 0, f->len);
	fprintf(w->out, "M 100644 inline %s\n", f->path);
	write_data(w->out, b.ptr, b.len);
	buf_release(&b);
}

static char *quote_of(const struct file *f, size_t from, size_t to)
{
	struct buf b = BUF_INIT;

	join_lines(&b, f, from, to);
	buf_rtrim(&b);
	return buf_detach(&b);
}

static void take_spot(struct world *w, size_t commit, const struct file *f)
{
	struct spot *s = &w->spots[w->n_spots++];
	size_t at = below(&w->rng, f->len), n = below(&w->rng, 3) ? 1 : 1 + below(&w->rng, 6);
	struct buf b = BUF_INIT;

	n = at + n > f->len ? f->len - at : n;
	join_lines(&b, f, 0, f->len);
	hash_git_blob(s->blob, b.ptr, b.len);
	buf_release(&b);
	s->commit = commit;
	s->path = xstrdup(f->path);
	s->line = (uint32_t)at + 1;
	s->end = (uint32_t)(at + n);
	s->quote = quote_of(f, at, at + n);
	s->before = quote_of(f, at > CONTEXT ? at - CONTEXT : 0, at);
	s->after = quote_of(f, at + n, at + n + CONTEXT);
}

static void write_history(struct world *w)
{
	struct buf message = BUF_INIT;

	for (size_t i = 0; i < w->n_commits; i++) {
		struct file *f = &w->files[below(&w->rng, w->n_files)];
		char old[sizeof(f->path)];
		buf_reset(&message);
		add_words(&w->rng, &message, 5);
		write_commit(w, i, message.ptr);
		if (i == 0) {
			for (size_t k = 0; k < w->n_files; k++)
				write_file(w, &w->files[k]);
		} else if (below(&w->rng, 400) == 0 && f != w->files) {
			memcpy(old, f->path, sizeof(old));
			snprintf(f->path, sizeof(f->path), "src/moved/r%zu.c", w->renames++);
			fprintf(w->out, "R %s %s\n", old, f->path);
		} else {
			edit(w, f);
			write_file(w, f);
		}
		fputc('\n', w->out);
		/* As many threads as commits went by, a few of them on the first file, which the benchmark opens. */
		while (w->n_spots < (i + 1) * w->n_threads / w->n_commits)
			take_spot(w, i, below(&w->rng, 2000) ? &w->files[below(&w->rng, w->n_files)] : &w->files[0]);
	}
	buf_release(&message);
}

static void make_files(struct world *w)
{
	w->n_files = w->n_commits / 100 > 20 ? w->n_commits / 100 : 20;
	w->files = xcalloc(w->n_files, sizeof(*w->files));
	for (size_t i = 0; i < w->n_files; i++) {
		snprintf(w->files[i].path, sizeof(w->files[i].path), "src/f%zu.c", i);
		for (size_t k = 0; k < LINES; k++)
			insert_line(&w->files[i], k, new_line(&w->rng));
	}
}

static void die(const char *what)
{
	fprintf(stderr, "mkstore: %s\n", what);
	exit(1);
}

static void git(const char *const *argv)
{
	struct proc p = { .argv = argv };
	struct err e = ERR_INIT;

	if (proc_run_ok(&p, &e))
		die(e.msg);
}

/* git fast-import, at work on what is written to `to`. */
struct import { FILE *to; pid_t pid; };

static struct import fast_import(const char *gitdir, const char *option)
{
	const char *const argv[] = { "git", "--git-dir", gitdir, "fast-import", "--quiet", option, NULL };
	struct proc p = { .argv = argv, .flags = PROC_STDERR_INHERIT };
	struct err e = ERR_INIT;
	struct import im;
	int fd;

	if (proc_start_reader(&p, &im.pid, &fd, &e))
		die(e.msg);
	im.to = fdopen(fd, "w");
	if (!im.to)
		die("no memory for a pipe");
	return im;
}

static void import_end(struct import *im, const char *what)
{
	int status;

	if (fclose(im->to) || waitpid(im->pid, &status, 0) != im->pid || status != 0)
		die(what);
}

static void read_marks(struct world *w, const char *path)
{
	FILE *f = fopen(path, "r");
	char sha[GIT_OID_HEX];
	size_t n;

	w->shas = xcalloc(w->n_commits, sizeof(*w->shas));
	while (f && fscanf(f, ":%zu %40s\n", &n, sha) == 2)
		if (n >= 1 && n <= w->n_commits)
			memcpy(w->shas[n - 1], sha, sizeof(sha));
	if (!f || fclose(f))
		die("cannot read the marks");
	unlink(path);
}

static void make_history(struct world *w, const char *dir)
{
	char *gitdir = xasprintf("%s/.git", dir), *marks = xasprintf("%s/marks", gitdir);
	char *option = xasprintf("--export-marks=%s", marks);
	struct import im;

	git((const char *const[]){ "git", "init", "-q", "-b", "main", "--", dir, NULL });
	make_files(w);
	w->spots = xcalloc(w->n_threads, sizeof(*w->spots));
	im = fast_import(gitdir, option);
	w->out = im.to;
	write_history(w);
	import_end(&im, "fast-import of the history");
	read_marks(w, marks);
	git((const char *const[]){ "git", "-C", dir, "reset", "-q", "--hard", NULL });
	free(gitdir);
	free(marks);
	free(option);
}

/* ---- the store ---- */

struct writer { char id[OP_WRITER_HEX], prev[SHA256_HEX]; uint64_t seq; size_t commits; };
struct pen {
	struct world *w;
	FILE *out;
	char repo[OP_WRITER_HEX];
	struct writer writers[WRITERS];
	struct person people[PEOPLE];
	uint64_t lamport, mark;
	int64_t now;
	char (*entities)[SHA256_HEX];
	size_t ops;
};

static void person_of(struct pen *p, unsigned i, struct arena *a)
{
	p->people[i] = i == 0 ? (struct person){ "Ana", "ana@example.org", NULL } : (struct person){
		arena_printf(a, "Person %u", i), arena_printf(a, "p%u@example.org", i), NULL };
}

static void write_op(struct pen *p, enum op_type type, const char *entity, unsigned who, json_t *payload,
    char id[SHA256_HEX])
{
	struct writer *wr = &p->writers[who % WRITERS];
	struct op op = { .version = 1, .seq = wr->seq++, .lamport = ++p->lamport, .type = type, .author = p->people[who],
			 .time = p->now, .payload = payload };
	struct buf b = BUF_INIT;

	memcpy(op.repo, p->repo, sizeof(op.repo));
	memcpy(op.writer, wr->id, sizeof(op.writer));
	memcpy(op.prev, wr->prev, sizeof(op.prev));
	if (entity)
		memcpy(op.entity, entity, SHA256_HEX);
	buf_addf(&b, "%s\n\n", op_type_name(type));
	op_encode(&op, &b);
	buf_addch(&b, '\n');
	json_decref(payload);
	memcpy(wr->prev, op.id, sizeof(wr->prev));
	if (id)
		memcpy(id, op.id, SHA256_HEX);
	fprintf(p->out, "commit refs/killick/log/%s\ncommitter %s <%s> %lld +0000\n", wr->id, op.author.name, op.author.email,
		(long long)(p->now / 1000));
	write_data(p->out, b.ptr, b.len);
	p->ops++;
	buf_release(&b);
}

static json_t *body(struct pen *p, size_t n)
{
	struct buf b = BUF_INIT;
	json_t *j = json_object();

	add_words(&p->w->rng, &b, n);
	json_put_str(j, "body", b.ptr);
	buf_release(&b);
	return j;
}

static void write_open(struct pen *p, size_t i)
{
	static const char *const kinds[] = { "question", "question", "remark", "remark", "decision", "note" };
	const struct spot *s = &p->w->spots[i];
	struct anchor an = { .type = ANCHOR_LINES, .path = s->path, .line = s->line, .end = s->end, .blob = s->blob,
			     .commit = p->w->shas[s->commit], .quote = s->quote, .before = s->before, .after = s->after };
	json_t *j = body(p, 8 + below(&p->w->rng, 40));

	json_put_str(j, "kind", kinds[below(&p->w->rng, ARRAY_SIZE(kinds))]);
	json_object_set_new(j, "anchor", anchor_to_op(&an));
	if (below(&p->w->rng, 4) == 0)
		json_object_set_new(j, "asked", json_pack("[o]", person_json(&p->people[below(&p->w->rng, PEOPLE)])));
	write_op(p, OP_OPEN, NULL, (unsigned)below(&p->w->rng, PEOPLE), j, p->entities[i]);
}

/* Threads open in the order of their commits; replies go to recent ones mostly. */
static void write_log(struct pen *p)
{
	struct world *w = p->w;
	size_t posts = 0, replies;

	for (size_t i = 0; i < w->n_threads; i++) {
		p->now = (START + (int64_t)w->spots[i].commit * 3000 + 600) * 1000;
		write_open(p, i);
		posts++;
		replies = (i + 1) * w->n_posts / w->n_threads;
		for (; posts < replies; posts++) {
			size_t back = below(&w->rng, 8) ? below(&w->rng, 200) : below(&w->rng, i + 1);
			p->now += 1000;
			write_op(p, OP_POST, p->entities[i - (back > i ? 0 : back)], (unsigned)below(&w->rng, PEOPLE), body(p, 5 +
				 below(&w->rng, 50)), NULL);
		}
		if (below(&w->rng, 10) < 7 && i > 50)
			write_op(p, OP_RESOLVE, p->entities[i - 50], (unsigned)below(&w->rng, PEOPLE), json_object(), NULL);
		if (below(&w->rng, 50) == 0)
			write_op(p, OP_LABEL, p->entities[i], (unsigned)below(&w->rng, PEOPLE), json_pack("{s:[s]}", "add",
				 words[below(&w->rng, ARRAY_SIZE(words))]), NULL);
		if (below(&w->rng, 500) == 0)
			write_op(p, OP_TASK, NULL, (unsigned)below(&w->rng, PEOPLE), json_pack("{s:s,s:s}", "title",
				 words[below(&w->rng, ARRAY_SIZE(words))], "body", "work to do"), NULL);
	}
}

static void make_store(struct world *w, const char *dir)
{
	struct pen p = { .w = w };
	struct import im;
	struct arena a = ARENA_INIT;
	struct repo *r;
	struct nlog *l;
	struct err e = ERR_INIT;
	uint8_t rnd[16];

	if (repo_find(dir, &r, &e) || nlog_open(r, true, &l, &e))
		die(e.msg);
	snprintf(p.repo, sizeof(p.repo), "%s", nlog_repo_id(l));
	for (size_t i = 0; i < WRITERS; i++) {
		random_bytes(rnd, sizeof(rnd));
		hex_encode(p.writers[i].id, rnd, sizeof(rnd));
	}
	for (unsigned i = 0; i < PEOPLE; i++)
		person_of(&p, i, &a);
	p.entities = xcalloc(w->n_threads, sizeof(*p.entities));
	im = fast_import(nlog_path(l), "--force");
	p.out = im.to;
	write_log(&p);
	import_end(&im, "fast-import of the store");
	printf("%zu commits, %zu threads, %zu posts, %zu ops\n", w->n_commits, w->n_threads, w->n_posts, p.ops);
	free(p.entities);
	nlog_close(l);
	repo_close(r);
	arena_release(&a);
}

static size_t number(const char *s, size_t min)
{
	uint64_t n;

	if (!str_to_u64(s, 10000000, &n) || n < min)
		die("usage: mkstore DIR COMMITS THREADS POSTS [SEED]");
	return (size_t)n;
}

int main(int argc, char **argv)
{
	struct world w = { .rng = { 20261122 } };

	if (argc < 5)
		die("usage: mkstore DIR COMMITS THREADS POSTS [SEED]");
	w.n_commits = number(argv[2], 1);
	w.n_threads = number(argv[3], 1);
	w.n_posts = number(argv[4], w.n_threads);
	if (argc > 5)
		w.rng.s = number(argv[5], 1);
	make_history(&w, argv[1]);
	make_store(&w, argv[1]);
	return 0;
}
