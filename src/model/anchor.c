/* SPDX-License-Identifier: MIT */
/*
 * Anchors as values and as JSON. What comes out of the native log was written by somebody else's program, perhaps a
 * hostile one, and later becomes a path to look up and numbers to seek to: anchor_from_op lets nothing through that
 * git itself could not have in a tree. Names of files are bytes while JSON is UTF-8: a name that is not UTF-8 is kept
 * exactly as "path_c", quoted as git quotes names, beside a readable "path".
 */
#include "config.h"
#include <string.h>
#include <strings.h>
#include "anchortext.h"
#include "killick/base/hash.h"
#include "killick/base/utf8.h"
#include "killick/model/anchor.h"

#define TEXT_MAX (64u << 10)  /* of quote, before and after */
#define NAME_LIMIT 1024       /* of a section or task */

static const char *const type_names[] = {
	[ANCHOR_PROJECT] = "project", [ANCHOR_TASK] = "task", [ANCHOR_CHANGE] = "change", [ANCHOR_COMMIT] = "commit",
	[ANCHOR_FILE] = "file", [ANCHOR_LINES] = "lines", [ANCHOR_SECTION] = "section",
};

const char *anchor_type_name(enum anchor_type t)
{
	if ((size_t)t >= ARRAY_SIZE(type_names))
		BUG("no such anchor type: %d", (int)t);
	return type_names[t];
}

bool anchor_type_parse(const char *name, enum anchor_type *out)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(type_names); i++) {
		if (!strcmp(type_names[i], name)) {
			*out = (enum anchor_type)i;
			return true;
		}
	}
	return false;
}

static bool same_str(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool anchor_same(const struct anchor *a, const struct anchor *b)
{
	return a->type == b->type && a->side == b->side && a->line == b->line && a->end == b->end &&
	    a->col == b->col && a->col_end == b->col_end && same_str(a->path, b->path) &&
	    same_str(a->commit, b->commit) && same_str(a->blob, b->blob) && same_str(a->section, b->section) &&
	    same_str(a->task, b->task);
}

static const char *side_name(enum anchor_side s)
{
	return s == SIDE_OLD ? "old" : "new";
}

static void add_number(struct buf *b, const char *key, uint32_t v)
{
	if (v)
		json_add_int(b, key, v);
	else
		json_add_str(b, key, NULL);
}

void anchor_add_json(struct buf *b, const struct anchor *an)
{
	struct buf text = BUF_INIT;

	anchor_format(&text, an, 0);
	buf_addch(b, '{');
	json_add_str(b, "type", anchor_type_name(an->type));
	json_add_str(b, "text", text.ptr);
	json_add_str(b, "path", an->path);
	add_number(b, "line", an->line);
	add_number(b, "end", an->end);
	json_add_str(b, "side", an->type == ANCHOR_LINES ? side_name(an->side) : NULL);
	json_add_str(b, "commit", an->commit);
	json_add_str(b, "section", an->section);
	json_add_str(b, "task", an->task);
	buf_addch(b, '}');
	buf_release(&text);
}

json_t *anchor_json(const struct anchor *an)
{
	struct buf b = BUF_INIT;

	anchor_add_json(&b, an);
	return json_tree(&b);
}

static void put_some(json_t *j, const char *key, const char *s)
{
	if (s)
		json_put_str(j, key, s);
}

static void put_some_number(json_t *j, const char *key, uint32_t v)
{
	if (v)
		json_put_int(j, key, v);
}

json_t *anchor_to_op(const struct anchor *an)
{
	json_t *j = json_object();

	json_put_str(j, "type", anchor_type_name(an->type));
	put_some(j, "path", an->path);
	if (an->path && !utf8_valid(an->path, strlen(an->path))) {
		struct buf quoted = BUF_INIT;

		anchor_quote_path(&quoted, an->path);
		json_put_str(j, "path_c", quoted.ptr);
		buf_release(&quoted);
	}
	put_some_number(j, "line", an->line);
	put_some_number(j, "end", an->end);
	put_some(j, "side", an->type == ANCHOR_LINES ? side_name(an->side) : NULL);
	put_some_number(j, "col", an->col);
	put_some_number(j, "col_end", an->col_end);
	put_some(j, "commit", an->commit);
	put_some(j, "blob", an->blob);
	put_some(j, "section", an->section);
	put_some(j, "task", an->task);
	put_some(j, "quote", an->quote);
	put_some(j, "before", an->before);
	put_some(j, "after", an->after);
	return j;
}

/* One folder or file name of a path: not empty, ".", ".." or git's own folder. */
static bool is_sound_part(const char *p, size_t n)
{
	return n && !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.') &&
	    !(n == 4 && !strncasecmp(p, ".git", 4));
}

bool anchor_path_is_sound(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");

		if (!is_sound_part(path, n))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

bool anchor_name_is_sound(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > NAME_LIMIT)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static int bad(struct err *e, const char *key)
{
	return err_set(e, ERR_BAD_DATA, "anchor: \"%s\" is missing or out of range", key);
}

static int get_number(const json_t *j, const char *key, uint32_t *out, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	*out = 0;
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > ANCHOR_LINE_MAX)
		return bad(e, key);
	*out = (uint32_t)json_integer_value(v);
	return 0;
}

static int get_hex(struct arena *a, const json_t *j, const char *key, const char **out, struct err *e)
{
	const char *s = json_get_str(j, key);

	*out = arena_strdup(a, s);
	if (s && (strlen(s) != GIT_OID_HEX - 1 || strspn(s, "0123456789abcdef") != GIT_OID_HEX - 1))
		return bad(e, key);
	return 0;
}

static int get_text(struct arena *a, const json_t *j, const char *key, const char **out, struct err *e)
{
	const char *s = json_get_str(j, key);

	if (s && strlen(s) > TEXT_MAX)
		return bad(e, key);
	*out = arena_strdup(a, s);
	return 0;
}

static int get_path(struct arena *a, const json_t *j, const char **out, struct err *e)
{
	const char *quoted = json_get_str(j, "path_c"), *end;

	*out = arena_strdup(a, json_get_str(j, "path"));
	if (quoted && (!(*out = anchor_unquote_path(a, quoted, &end)) || *end))
		return bad(e, "path_c");
	if (*out && !anchor_path_is_sound(*out))
		return bad(e, "path");
	return 0;
}

static int get_names(struct arena *a, const json_t *j, struct anchor *out, struct err *e)
{
	const char *section = json_get_str(j, "section"), *task = json_get_str(j, "task");
	struct buf b = BUF_INIT;

	if (task && !anchor_name_is_sound(task))
		return bad(e, "task");
	out->task = arena_strdup(a, task);
	if (!section)
		return 0;
	if (!anchor_name_is_sound(section))
		return bad(e, "section");
	anchor_section_slug(&b, section, strlen(section));
	out->section = b.len ? arena_memdup(a, b.ptr, b.len) : NULL;
	buf_release(&b);
	return out->section ? 0 : bad(e, "section");
}

static int get_side(const json_t *j, enum anchor_side *out, struct err *e)
{
	const char *s = json_get_str(j, "side");

	*out = s && !strcmp(s, "old") ? SIDE_OLD : SIDE_NEW;
	return s && strcmp(s, side_name(*out)) ? bad(e, "side") : 0;
}

/* What each type must have, and ranges the right way round. What a type must not have is dropped. */
static int check_whole(struct anchor *an, struct err *e)
{
	bool in_file = an->type == ANCHOR_FILE || an->type == ANCHOR_LINES || an->type == ANCHOR_SECTION;

	if (in_file && !an->path)
		return bad(e, "path");
	if (an->type == ANCHOR_SECTION && !an->section)
		return bad(e, "section");
	if ((an->type == ANCHOR_TASK || an->type == ANCHOR_CHANGE) && !an->task)
		return bad(e, "task");
	if (an->type == ANCHOR_COMMIT && !an->commit)
		return bad(e, "commit");
	if (an->type == ANCHOR_LINES && (!an->line || an->end < an->line))
		return bad(e, "line");
	if (an->type == ANCHOR_LINES && an->line == an->end && an->col && an->col_end && an->col_end < an->col)
		return bad(e, "col_end");
	if (an->type != ANCHOR_LINES)
		an->line = an->end = an->col = an->col_end = 0, an->side = SIDE_NEW;
	if (an->type != ANCHOR_SECTION)
		an->section = NULL;
	if (an->type != ANCHOR_TASK && an->type != ANCHOR_CHANGE)
		an->task = NULL;
	if (!in_file)
		an->path = NULL;
	return 0;
}

int anchor_from_op(struct arena *a, const json_t *j, struct anchor *out, struct err *e)
{
	*out = (struct anchor){ 0 };
	if (!anchor_type_parse(json_get_str(j, "type"), &out->type))
		return bad(e, "type");
	if (get_path(a, j, &out->path, e) || get_number(j, "line", &out->line, e) ||
	    get_number(j, "end", &out->end, e) || get_side(j, &out->side, e) || get_number(j, "col", &out->col, e) ||
	    get_number(j, "col_end", &out->col_end, e) || get_hex(a, j, "commit", &out->commit, e) ||
	    get_hex(a, j, "blob", &out->blob, e) || get_names(a, j, out, e) ||
	    get_text(a, j, "quote", &out->quote, e) || get_text(a, j, "before", &out->before, e) ||
	    get_text(a, j, "after", &out->after, e))
		return -1;
	return check_whole(out, e);
}
