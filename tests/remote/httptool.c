/* SPDX-License-Identifier: MIT */
/*
 * src/remote/http from a shell, for tests: httptool [OPTION=VALUE…] BASE COMMAND ARGUMENT…
 *	get PATH…             each: "STATUS fresh|same [mended] JSON" or "CODE: message"
 *	pages|all PATH [MAX]  a line a page, then "end" or the error
 *	each PATH…            a line each, in order
 *	write METHOD PATH BODY     "sent|not-sent STATUS JSON" or "sent|not-sent CODE: message"
 * and at the end "requests N not-modified N retries N bytes N rss KIB ms N". Options are those of struct http_options, auth=HEADER.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "killick/base/clock.h"
#include "killick/remote/http.h"

static void print_answer(const struct http_answer *a)
{
	struct buf b = BUF_INIT;

	if (a->json)
		json_write(&b, a->json);
	if (b.len > 200)
		buf_setlen(&b, 200);
	printf("%ld %s%s %s\n", a->status, a->fresh ? "fresh" : "same", a->mended ? " mended" : "", b.ptr);
	buf_release(&b);
}

static void print_error(const struct err *e)
{
	printf("%s: %s\n", err_code_name(e->code), e->msg);
}

static int on_page(void *ctx, struct http_answer *a, struct err *e)
{
	(void)ctx, (void)e;
	print_answer(a);
	return 0;
}

static int on_each(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	(void)ctx, (void)e;
	printf("%zu ", i);
	if (failed)
		print_error(failed);
	else
		print_answer(a);
	return 0;
}

static void do_get(struct http *h, char **args)
{
	for (; *args; args++) {
		struct http_answer a;
		struct err e = ERR_INIT;

		if (http_get(h, &a, &e, "%s", *args))
			print_error(&e);
		else
			print_answer(&a);
		http_answer_release(&a);
	}
}

static void do_pages(struct http *h, char **args, bool all)
{
	struct err e = ERR_INIT;
	size_t max = args[1] ? strtoul(args[1], NULL, 10) : 0;

	if ((all ? http_pages_all : http_pages)(h, args[0], max, on_page, NULL, &e))
		print_error(&e);
	else
		printf("end\n");
}

static void do_each(struct http *h, char **args)
{
	struct err e = ERR_INIT;
	size_t n = 0;

	while (args[n])
		n++;
	if (http_each(h, (const char *const *)args, NULL, n, on_each, NULL, &e))
		print_error(&e);
}

static void do_write(struct http *h, char **args)
{
	json_t *body = args[2] ? json_read(args[2], strlen(args[2]), "body", NULL) : NULL;
	struct http_answer a;
	struct err e = ERR_INIT;
	bool sent;

	if (http_write(h, args[0], args[1], body, &a, &sent, &e)) {
		printf("%s ", sent ? "sent" : "not-sent");
		print_error(&e);
	} else {
		printf("%s ", sent ? "sent" : "not-sent");
		print_answer(&a);
	}
	http_answer_release(&a);
	json_decref(body);
}

static char **take_options(char **argv, struct http_options *o, const char **auth)
{
	const struct { const char *name; const char **text; int *num; } options[] = {
		{ "ca=", &o->ca_file, NULL }, { "cache=", &o->cache_dir, NULL }, { "auth=", auth, NULL },
		{ "parallel=", NULL, &o->max_parallel }, { "max-wait=", NULL, &o->max_wait_ms }, { "gap=", NULL, &o->write_gap_ms },
		{ "stall=", NULL, &o->stall_ms }, { "connect=", NULL, &o->connect_ms }, { "backoff=", NULL, &o->backoff_ms },
		{ "per-minute=", NULL, &o->per_minute },
	};

	for (; *argv && !strstr(*argv, "://"); argv++)
		for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
			size_t n = strlen(options[i].name);
			if (strncmp(*argv, options[i].name, n) != 0)
				continue;
			if (options[i].text)
				*options[i].text = *argv + n;
			else
				*options[i].num = (int)strtol(*argv + n, NULL, 10);
		}
	return argv;
}

static void run(struct http *h, const char *what, char **args)
{
	if (!strcmp(what, "get"))
		do_get(h, args);
	else if (!strcmp(what, "pages") || !strcmp(what, "all"))
		do_pages(h, args, *what == 'a');
	else if (!strcmp(what, "each"))
		do_each(h, args);
	else
		do_write(h, args);
}

int main(int argc UNUSED, char **argv)
{
	struct http_options o = { .backoff_ms = 20 };
	const char *auth = NULL;
	struct http *h = NULL;
	struct err e = ERR_INIT;
	struct http_count n;
	struct rusage use;
	int64_t start = clock_mono();

	argv = take_options(argv + 1, &o, &auth);
	o.base = *argv++;
	if (http_open(&o, &h, &e)) {
		print_error(&e);
		return 1;
	}
	http_credential(h, auth);
	run(h, argv[0], argv + 1);
	n = http_counts(h);
	getrusage(RUSAGE_SELF, &use);
	printf("requests %llu not-modified %llu retries %llu bytes %llu rss %ld ms %lld\n", (unsigned long long)n.requests,
	       (unsigned long long)n.not_modified, (unsigned long long)n.retries, (unsigned long long)n.bytes, use.ru_maxrss,
	       (long long)(clock_mono() - start));
	http_close(h);
	return 0;
}
