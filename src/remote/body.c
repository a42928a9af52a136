/* SPDX-License-Identifier: MIT */
/*
 * What both programs know about bodies and abilities: the hidden mark of an op, what is compared where there is none, and
 * the names of capabilities. The mark is the last thing in a body, on a line of its own, as an HTML comment that Markdown
 * renderers leave out; record_mark takes it for ours only there, so that a quoted mail or a pasted mark says nothing.
 */
#include "config.h"
#include <string.h>
#include "killick/remote/adapter.h"

void op_mark_add(struct buf *body, const char *op_id)
{
	buf_addf(body, "\n\n<!-- killick:%s -->", op_id);
}

static size_t trimmed_len(const char *s, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", s[n - 1]))
		n--;
	return n;
}

static void normalise(struct buf *out, const char *body)
{
	size_t start = out->len;

	while (*body) {
		size_t n = strcspn(body, "\r\n");

		buf_add(out, body, trimmed_len(body, n));
		body += n;
		if (!*body)
			break;
		body += *body == '\r' && body[1] == '\n' ? 2 : 1;
		buf_addch(out, '\n');
	}
	buf_setlen(out, start + trimmed_len(out->ptr + start, out->len - start));
}

bool body_same(const char *a, const char *b)
{
	struct buf na = BUF_INIT, nb = BUF_INIT;
	bool same;

	normalise(&na, a ? a : "");
	normalise(&nb, b ? b : "");
	same = na.len == nb.len && !memcmp(na.ptr, nb.ptr, na.len);
	buf_release(&na);
	buf_release(&nb);
	return same;
}

const char *const caps_names[] = {
	"tasks", "changes", "new-task", "comment", "edit-note", "delete-note", "code-notes", "reply", "resolve", "ranges",
	"file-notes", "review", "commit-notes", "reactions", "labels", "assign", "milestones", "private-notes",
	"hidden-mark", "id-in-answer", "state", "moderate", NULL,
};

json_t *caps_json(unsigned caps)
{
	json_t *j = json_array();

	for (size_t i = 0; caps_names[i]; i++)
		if (caps & 1u << i)
			json_array_append_new(j, json_string(caps_names[i]));
	return j;
}

unsigned caps_parse(const json_t *list)
{
	unsigned caps = 0;

	for (size_t k = 0; k < json_array_size(list); k++) {
		const char *s = json_string_value(json_array_get(list, k));
		for (size_t i = 0; s && caps_names[i]; i++)
			if (!strcmp(caps_names[i], s))
				caps |= 1u << i;
	}
	return caps;
}
