/* SPDX-License-Identifier: MIT */
/*
 * libgit2, opened on first need.
 *
 * Debian's libgit2 brings seventeen libraries with it (Kerberos, two kinds of TLS, ssh), for networks that we never let it
 * see. Linked, they were two thirds of all that a command did before its main(), and most commands and hooks read the
 * index alone. So killick does not link it. Each function that src/git calls stands here under its own name, checked by
 * the compiler against git2.h, and finds the library's own when it is first called. Whoever calls one more is told so by
 * the linker, and adds a line.
 *
 * The library and what was found in it are mutable state of this file, as they are of a linker: they are set once.
 */
#include "config.h"
#include <dlfcn.h>
#include "git.h"

/* The one whose interface git2.h is: a name with its version. */
#define SONAME "libgit2.so." LIBGIT2_SOVERSION

static void *library;

int libgit2_open(struct err *e)
{
	if (!library)
		library = dlopen(SONAME, RTLD_LAZY);
	return library ? 0 : err_set(e, ERR_FAILED, "libgit2 cannot be opened: %s", dlerror());
}

/* ISO C has no way from a pointer to an object to one to a function; to POSIX their bytes are the same. */
static void find(void *function, const char *name)
{
	void *p = library ? dlsym(library, name) : NULL;

	if (!p)
		BUG("%s in %s: not open, or not there", name, SONAME);
	memcpy(function, &p, sizeof(p));
}

git_opts_fn *libgit2_opts(void)
{
	static git_opts_fn *f;

	if (!f)
		find(&f, "git_libgit2_opts");
	return f;
}

/* Errors are asked for and cleared also where it was the opening that failed. */
const git_error *git_error_last(void)
{
	static const git_error *(*f)(void);

	if (library && !f)
		find(&f, __func__);
	return library ? f() : NULL;
}

void git_error_clear(void)
{
	static void (*f)(void);

	if (library && !f)
		find(&f, __func__);
	if (library)
		f();
}

/* What is let go of may never have been made, for want of the library. */
#define RELEASE(name, type) \
	void name(type thing) \
	{ \
		static void (*f)(type); \
		if (library && !f) \
			find(&f, #name); \
		if (library) \
			f(thing); \
	}

#define FORWARD(type, name, params, args) \
	type name params \
	{ \
		static type (*f) params; \
		if (!f) \
			find(&f, #name); \
		return f args; \
	}

RELEASE(git_buf_dispose, git_buf *)
RELEASE(git_config_free, git_config *)
RELEASE(git_diff_free, git_diff *)
RELEASE(git_filter_list_free, git_filter_list *)
RELEASE(git_index_free, git_index *)
RELEASE(git_object_free, git_object *)
RELEASE(git_odb_free, git_odb *)
RELEASE(git_odb_object_free, git_odb_object *)
RELEASE(git_patch_free, git_patch *)
RELEASE(git_reference_free, git_reference *)
RELEASE(git_reference_iterator_free, git_reference_iterator *)
RELEASE(git_repository_free, git_repository *)
RELEASE(git_tree_free, git_tree *)

FORWARD(int, git_attr_get, (const char **value_out, git_repository *repo, uint32_t flags, const char *path,
    const char *name), (value_out, repo, flags, path, name))
FORWARD(git_attr_value_t, git_attr_value, (const char *attr), (attr))
FORWARD(int, git_config_add_file_ondisk, (git_config *cfg, const char *path, git_config_level_t level,
    const git_repository *repo, int force), (cfg, path, level, repo, force))
FORWARD(int, git_diff_buffers, (const void *old_buffer, size_t old_len, const char *old_as_path, const void *new_buffer,
    size_t new_len, const char *new_as_path, const git_diff_options *options, git_diff_file_cb file_cb,
    git_diff_binary_cb binary_cb, git_diff_hunk_cb hunk_cb, git_diff_line_cb line_cb, void *payload), (old_buffer,
    old_len, old_as_path, new_buffer, new_len, new_as_path, options, file_cb, binary_cb, hunk_cb, line_cb, payload))
FORWARD(int, git_diff_find_similar, (git_diff *diff, const git_diff_find_options *options), (diff, options))
FORWARD(const git_diff_delta *, git_diff_get_delta, (const git_diff *diff, size_t idx), (diff, idx))
FORWARD(size_t, git_diff_num_deltas, (const git_diff *diff), (diff))
FORWARD(int, git_diff_tree_to_index, (git_diff **diff, git_repository *repo, git_tree *old_tree, git_index *index,
    const git_diff_options *opts), (diff, repo, old_tree, index, opts))
FORWARD(int, git_diff_tree_to_tree, (git_diff **diff, git_repository *repo, git_tree *old_tree, git_tree *new_tree,
    const git_diff_options *opts), (diff, repo, old_tree, new_tree, opts))
FORWARD(int, git_diff_tree_to_workdir_with_index, (git_diff **diff, git_repository *repo, git_tree *old_tree,
    const git_diff_options *opts), (diff, repo, old_tree, opts))
FORWARD(int, git_filter_list_apply_to_buffer, (git_buf *out, git_filter_list *filters, const char *in, size_t in_len),
    (out, filters, in, in_len))
FORWARD(int, git_filter_list_load_ext, (git_filter_list **filters, git_repository *repo, git_blob *blob,
    const char *path, git_filter_mode_t mode, git_filter_options *opts), (filters, repo, blob, path, mode, opts))
FORWARD(const git_index_entry *, git_index_get_bypath, (git_index *index, const char *path, int stage), (index, path,
    stage))
FORWARD(int, git_index_open, (git_index **out, const char *index_path), (out, index_path))
FORWARD(const char *, git_index_path, (const git_index *index), (index))
FORWARD(int, git_libgit2_init, (void), ())
FORWARD(int, git_libgit2_shutdown, (void), ())
FORWARD(const git_oid *, git_object_id, (const git_object *obj), (obj))
FORWARD(int, git_object_peel, (git_object **peeled, const git_object *object, git_object_t target_type), (peeled,
    object, target_type))
FORWARD(git_object_t, git_object_type, (const git_object *obj), (obj))
FORWARD(const char *, git_object_type2string, (git_object_t type), (type))
FORWARD(int, git_odb_add_disk_alternate, (git_odb *odb, const char *path), (odb, path))
FORWARD(int, git_odb_exists, (git_odb *db, const git_oid *id), (db, id))
FORWARD(int, git_odb_exists_ext, (git_odb *db, const git_oid *id, unsigned int flags), (db, id, flags))
FORWARD(const void *, git_odb_object_data, (git_odb_object *object), (object))
FORWARD(int, git_odb_object_dup, (git_odb_object **dest, git_odb_object *source), (dest, source))
FORWARD(const git_oid *, git_odb_object_id, (git_odb_object *object), (object))
FORWARD(size_t, git_odb_object_size, (git_odb_object *object), (object))
FORWARD(git_object_t, git_odb_object_type, (git_odb_object *object), (object))
FORWARD(int, git_odb_open, (git_odb **out, const char *objects_dir), (out, objects_dir))
FORWARD(int, git_odb_read, (git_odb_object **out, git_odb *db, const git_oid *id), (out, db, id))
FORWARD(int, git_odb_read_header, (size_t *len_out, git_object_t *type_out, git_odb *db, const git_oid *id), (len_out,
    type_out, db, id))
FORWARD(int, git_odb_refresh, (struct git_odb *db), (db))
FORWARD(int, git_odb_write, (git_oid *out, git_odb *odb, const void *data, size_t len, git_object_t type), (out, odb,
    data, len, type))
FORWARD(int, git_patch_from_diff, (git_patch **out, git_diff *diff, size_t idx), (out, diff, idx))
FORWARD(int, git_patch_print, (git_patch *patch, git_diff_line_cb print_cb, void *payload), (patch, print_cb, payload))
FORWARD(int, git_reference_dwim, (git_reference **out, git_repository *repo, const char *shorthand), (out, repo,
    shorthand))
FORWARD(int, git_reference_iterator_new, (git_reference_iterator **out, git_repository *repo), (out, repo))
FORWARD(const char *, git_reference_name, (const git_reference *ref), (ref))
FORWARD(int, git_reference_next, (git_reference **out, git_reference_iterator *iter), (out, iter))
FORWARD(int, git_reference_next_name, (const char **out, git_reference_iterator *iter), (out, iter))
FORWARD(int, git_reference_peel, (git_object **out, const git_reference *ref, git_object_t type), (out, ref, type))
FORWARD(const git_oid *, git_reference_target, (const git_reference *ref), (ref))
FORWARD(int, git_repository_config, (git_config **out, git_repository *repo), (out, repo))
FORWARD(int, git_repository_index, (git_index **out, git_repository *repo), (out, repo))
FORWARD(int, git_repository_odb, (git_odb **out, git_repository *repo), (out, repo))
FORWARD(int, git_repository_open_ext, (git_repository **out, const char *path, unsigned int flags,
    const char *ceiling_dirs), (out, path, flags, ceiling_dirs))
FORWARD(int, git_repository_set_workdir, (git_repository *repo, const char *workdir, int update_gitlink), (repo,
    workdir, update_gitlink))
FORWARD(const char *, git_repository_workdir, (const git_repository *repo), (repo))
FORWARD(int, git_revparse_single, (git_object **out, git_repository *repo, const char *spec), (out, repo, spec))
FORWARD(int, git_tree_lookup, (git_tree **out, git_repository *repo, const git_oid *id), (out, repo, id))
