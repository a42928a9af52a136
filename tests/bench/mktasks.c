/* SPDX-License-Identifier: MIT */
/*
 * mktasks DIR TASKS POSTS LONG [SEED]: a repository whose tracker has TASKS tasks with POSTS comments, LONG of them on task
 * 1, in the index as a pull leaves them: the records go through page_apply, the pull's own way in, in pages of what an
 * adapter says at a time. What a network and an adapter cost is measured elsewhere. Prints how long that took.
 *
 * Forty people write; one task in six is open, one in three hundred is Ana's, who the repository says that we are.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "../../src/sync/apply.h"
#include "killick/base/clock.h"
#include "killick/base/proc.h"
#include "words.h"

enum { PEOPLE = 40, PAGE = 100, WORDS = 30 };
#define START INT64_C(1500000000000)

struct making {
	struct work *w;
	struct sources sources;
	struct source *s;
	struct page page;
	struct arena a;
	struct rng rng;
	size_t n, notes;
	int64_t now;
};

static void die(const char *what)
{
	fprintf(stderr, "mktasks: %s\n", what);
	exit(1);
}

static void git(const char *dir, const char *const *words_)
{
	const char *argv[12] = { "git", "-C", dir };
	struct proc p = { .argv = argv };
	struct err e = ERR_INIT;

	for (size_t i = 0; words_[i]; i++)
		argv[i + 3] = words_[i];
	if (proc_run_ok(&p, &e))
		die(e.msg);
}

static void make_repo(const char *dir)
{
	if (mkdir(dir, 0777))
		die("the folder is there already");
	git(dir, (const char *const[]){ "init", "-q", NULL });
	git(dir, (const char *const[]){ "config", "user.name", "Ana", NULL });
	git(dir, (const char *const[]){ "config", "user.email", "ana@example.org", NULL });
	git(dir, (const char *const[]){ "commit", "-q", "--allow-empty", "-m", "start", NULL });
	git(dir, (const char *const[]){ "config", "killick.source.gen.kind", "dir", NULL });
	git(dir, (const char *const[]){ "config", "killick.source.gen.api", "file:///tracker/", NULL });
	git(dir, (const char *const[]){ "config", "killick.source.gen.prefix", "GEN-", NULL });
}

static struct person person(struct making *m, size_t i)
{
	return i ? (struct person){ .name = arena_printf(&m->a, "Writer %zu", i), .email = arena_printf(&m->a, "writer%zu@example.org", i) } :
		   (struct person){ .name = "Ana", .email = "ana@example.org" };
}

static const char *text(struct making *m, size_t n)
{
	struct buf b = BUF_INIT;
	const char *out;

	add_words(&m->rng, &b, n);
	out = arena_strdup(&m->a, b.ptr);
	buf_release(&b);
	return out;
}

static void flush(struct making *m, bool last)
{
	struct err e = ERR_INIT;

	if ((m->page.n || last) && page_apply(m->w, m->s, &m->page, "cursor", last, &e))
		die(e.msg);
	arena_clear(&m->a);
}

static void put(struct making *m, const struct record *r)
{
	const char *line = json_line(&m->a, record_json(r));

	page_add(&m->page, line, strlen(line));
	if (m->page.n >= PAGE)
		flush(m, false);
}

static void put_note(struct making *m, size_t task)
{
	struct record r = { .type = RECORD_NOTE, .note = { .kind = NOTE_COMMENT, .author = person(m, below(&m->rng, PEOPLE)) } };

	r.note.key = arena_printf(&m->a, "n%zu", ++m->notes);
	r.note.task = arena_printf(&m->a, "%zu", task);
	r.note.created = r.note.updated = m->now += 1000;
	r.note.body = text(m, WORDS);
	put(m, &r);
}

static void put_task(struct making *m, size_t task)
{
	struct record r = { .type = RECORD_TASK, .task = { .author = person(m, below(&m->rng, PEOPLE)), .n_labels = 1, .n_notes = -1 } };
	struct person on = person(m, below(&m->rng, 300) ? 1 + below(&m->rng, PEOPLE - 1) : 0);
	struct record_task *t = &r.task;

	t->key = arena_printf(&m->a, "%zu", task);
	t->name = arena_printf(&m->a, "GEN-%zu", task);
	t->state = below(&m->rng, 6) ? TASK_CLOSED : TASK_OPEN;
	t->title = text(m, 6);
	t->body = text(m, WORDS);
	t->labels = &words[below(&m->rng, ARRAY_SIZE(words))];
	t->assignees = &on;
	t->n_assignees = !strcmp(on.name, "Ana") || below(&m->rng, 3) == 0;
	t->created = t->updated = m->now += 60000;
	put(m, &r);
}

static void make_tasks(struct making *m, size_t tasks, size_t posts, size_t most)
{
	size_t rest = posts - most;

	put_task(m, 1);
	for (size_t i = 0; i < most; i++)
		put_note(m, 1);
	for (size_t i = 2; i <= tasks; i++) {
		size_t n = i == tasks ? rest : below(&m->rng, 2 * rest / (tasks - i + 1) + 1);

		n = n > rest ? rest : n;
		rest -= n;
		put_task(m, i);
		while (n--)
			put_note(m, i);
	}
	flush(m, true);
}

static size_t number(const char *s, size_t min)
{
	uint64_t n;

	if (!str_to_u64(s, 10000000, &n) || n < min)
		die("usage: mktasks DIR TASKS POSTS LONG [SEED]");
	return (size_t)n;
}

int main(int argc, char **argv)
{
	struct making m = { .rng = { 20261123 }, .now = START };
	struct err e = ERR_INIT;
	struct rusage use;
	size_t tasks, posts, most;
	int64_t began;

	if (argc < 5)
		die("usage: mktasks DIR TASKS POSTS LONG [SEED]");
	tasks = number(argv[2], 2);
	posts = number(argv[3], 1);
	most = number(argv[4], 0);
	if (most > posts)
		die("more comments on one task than there are");
	if (argc > 5)
		m.rng.s = number(argv[5], 1);
	make_repo(argv[1]);
	if (work_open(argv[1], &m.w, &e) || work_index(m.w, &e) || work_refresh(m.w, 1000, &e) || work_sources(m.w, &m.sources, &e))
		die(e.msg);
	m.s = sources_find(&m.sources, "gen", &e);
	if (!m.s)
		die(e.msg);
	m.page.began = m.page.folded = began = clock_mono();
	make_tasks(&m, tasks, posts, most);
	if (source_note(m.w, m.s, true, NULL, &e))
		die(e.msg);
	getrusage(RUSAGE_SELF, &use);
	printf("%zu tasks, %zu posts: %.1f s, %.0f posts/s, %.1f MB\n", tasks, posts, (double)(clock_mono() - began) / 1000,
	       (double)posts * 1000 / (double)(clock_mono() - began + 1), (double)use.ru_maxrss / 1024);
	buf_release(&m.page.lines);
	sources_release(&m.sources);
	work_close(m.w);
	arena_release(&m.a);
	return m.page.bad != 0;
}
