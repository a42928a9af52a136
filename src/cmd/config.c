/* SPDX-License-Identifier: MIT */
/*
 * config: the settings with their values, where those come from and what they do. Values live in git's configuration as
 * killick.NAME; this command knows the table, so a mistyped name or value is caught before it is written.
 */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/out.h"
#include "killick/store/settings.h"

struct config_values { bool global, unset; };
static const struct opt config_opts[] = {
	{ 0, "global", OPT_FLAG, offsetof(struct config_values, global), NULL, "in your own configuration, for all repositories",
		NULL },
	{ 0, "unset", OPT_FLAG, offsetof(struct config_values, unset), NULL, "back to the default", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* Where the value in force was written, as git names files; NULL: nowhere, it is the default. */
struct origin { struct arena *a; const char *key, *value, *origin; };

static int see_origin(void *ctx, const char *key, const char *value, const char *origin)
{
	struct origin *o = ctx;

	if (!strcasecmp(key, o->key)) {
		o->value = arena_strdup(o->a, value);
		o->origin = arena_strdup(o->a, origin);
	}
	return 0;
}

static const char *origin_of(struct cmd *c, const struct setting *s)
{
	struct origin o = { .a = c->arena, .key = arena_printf(c->arena, "killick.%s", s->name) };
	struct err ignored = ERR_INIT;

	repo_config_each(c->work ? c->work->repo : NULL, "killick.", see_origin, &o, &ignored);
	return o.origin;
}

static json_t *setting_json(struct cmd *c, const struct setting *s)
{
	json_t *j = json_object(), *choices = json_array();

	json_put_str(j, "name", s->name);
	json_put_str(j, "value", setting_get(c->work ? c->work->repo : NULL, c->arena, s->name));
	json_put_str(j, "default", s->def);
	json_put_str(j, "origin", origin_of(c, s));
	json_put_str(j, "type", setting_type_name(s->type));
	for (size_t i = 0; s->choices && s->choices[i]; i++)
		json_array_append_new(choices, json_str_or_null(s->choices[i]));
	json_object_set_new(j, "choices", choices);
	json_object_set_new(j, "user_only", json_boolean((s->flags & SETTING_USER) != 0));
	json_put_str(j, "help", s->help);
	return j;
}

static void setting_text(struct cmd *c, const struct setting *s)
{
	const char *value = setting_get(c->work ? c->work->repo : NULL, c->arena, s->name), *origin = origin_of(c, s);
	struct styled styled = STYLED_INIT;

	out_textf(c, STYLE_STRONG, "killick.%s", s->name);
	out_textf(c, origin ? STYLE_ACCENT : STYLE_NORMAL, " = %s", value ? value : "");
	if (origin)
		out_textf(c, STYLE_DIM, "  (%s; default %s)", origin, s->def && *s->def ? s->def : "empty");
	out_line(c);
	styled_wrap(&styled, STYLE_DIM, s->help, strlen(s->help), out_prose_width(c), 4);
	for (size_t i = 0; s->choices && s->choices[i]; i++) {
		if (!i)
			styled_newline(&styled);
		styled_addf(&styled, STYLE_DIM, "%s%s", i ? ", " : "    one of ", s->choices[i]);
	}
	out_styled(c, &styled);
	styled_release(&styled);
}

static void list(struct cmd *c)
{
	out_list_begin(c, "settings");
	for (const struct setting *s = settings; s->name; s++) {
		if (out_json(c))
			out_item(c, setting_json(c, s));
		else
			setting_text(c, s);
	}
	out_list_end(c);
}

/* "push" and "killick.push" are the same. */
static const struct setting *find(const char *name, struct err *e)
{
	ARRAY(const char *) names = ARRAY_INIT;
	const struct setting *s;
	const char *near;

	if (!strncasecmp(name, "killick.", 8))
		name += 8;
	s = setting_find(name);
	if (s)
		return s;
	for (s = settings; s->name; s++)
		*array_add(&names) = s->name;
	*array_add(&names) = NULL;
	near = str_nearest(name, names.items);
	array_release(&names);
	err_set(e, ERR_NOT_FOUND, near ? "no setting '%s'; did you mean '%s'?" : "no setting '%s' ('killick config' lists "
	    "them)", name, near);
	return NULL;
}

static int run_config(struct cmd *c, struct err *e)
{
	struct config_values *v = c->values;
	struct repo *r = c->work ? c->work->repo : NULL;
	const struct setting *s;
	bool writes = v->unset || c->argc > 1;

	if (!c->argc) {
		if (v->unset || v->global)
			return err_set(e, ERR_USAGE, "which setting? 'killick config' lists them");
		list(c);
		return 0;
	}
	if (!(s = find(c->argv[0], e)))
		return -1;
	if (v->unset && c->argc > 1)
		return err_set(e, ERR_USAGE, "--unset takes no value");
	if (writes && !r && !v->global)
		return err_set(e, ERR_NOT_FOUND, "no repository here: --global sets it for all of yours");
	if (writes && !v->global && (s->flags & SETTING_USER))
		return err_set(e, ERR_USAGE, "killick.%s names a program or an address, so it is read from your own configuration "
		    "only: add --global", s->name);
	if (v->unset && repo_config_set(r, v->global, arena_printf(c->arena, "killick.%s", s->name), NULL, e))
		return -1;
	if (!v->unset && writes && setting_set(r, v->global, s->name, c->argv[1], e))
		return -1;
	if (out_json(c)) {
		out_doc(c, "setting", setting_json(c, s));
	} else if (!writes) {
		out_text(c, STYLE_NORMAL, setting_get(r, c->arena, s->name));
		out_line(c);
	}
	return 0;
}

const struct cmd_entry config_commands[] = {
	{ .name = "config", .args = "[NAME [VALUE]]", .summary = "list, read and change settings", .opts = config_opts,
		.values = sizeof(struct config_values), .max_args = 2, .needs = NEED_REPO_MAYBE,
		.flags = CMD_JSON | CMD_PAGE, .run = run_config, .complete = "setting" },
	{ .name = NULL },
};
