/* SPDX-License-Identifier: MIT */
/*
 * Lines and their likeness. Hashes are 64-bit multiply-and-fold over 8 bytes at a time: splitting and hashing a 270 KB
 * file takes about 0.2 ms, which is less than inflating it. They only decide which lines are called equal; somebody who
 * builds a collision gets a thread of his own file misplaced, nothing worse.
 * Likeness is made for pairs of lines within one hunk: words are cut once a line and kept, the edit distance is the
 * bit-parallel one of Myers (1999) in Hyyrö's blocks, on at most LIKE_CHARS characters a line.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "lines.h"

enum { LIKE_CHARS = 256, LIKE_WORDS = 400 };

struct word { uint32_t hash; float weight; };
struct name { uint32_t hash, line; };
struct words {
	float total;
	uint32_t n, n_chars;
	uint32_t defined;       /* hash of the name that the line defines or sets, 0 for none */
	bool strong;            /* it defines it: a type or a keyword stands before the name */
	struct word *items;     /* sorted by hash */
	const unsigned char *chars;
};

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide x = (wide)a * b;
	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

static inline uint64_t load8(const char *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

/* The last 8 bytes are taken whole, some of them for the second time; short strings likewise. */
static inline uint64_t hash_bytes(const char *p, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n, w = 0;
	if (n >= 8) {
		const char *last = p + n - 8;
		for (; p < last; p += 8)
			h = fold(h ^ load8(p), 0xa0761d6478bd642fu);
		w = load8(last);
	} else if (n >= 4) {
		uint32_t x, y;
		memcpy(&x, p, sizeof(x));
		memcpy(&y, p + n - 4, sizeof(y));
		w = (uint64_t)x << 32 | y;
	} else if (n) {
		w = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
	}
	return fold(h ^ w, 0xe7037ed1a0b428dbu);
}

enum { C_SPACE = 1, C_WORD = 2, C_LETTER = 4 };
#define W (C_WORD | C_LETTER)
#define W8 W, W, W, W, W, W, W, W
#define Z8 0, 0, 0, 0, 0, 0, 0, 0
static const uint8_t class_of[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, C_SPACE, C_SPACE, C_SPACE, C_SPACE, C_SPACE, 0, 0, Z8, Z8,
	C_SPACE, 0, 0, 0, 0, 0, 0, 0, Z8, W8, W, W, 0, 0, 0, 0, 0, 0,
	0, W, W, W, W, W, W, W, W8, W8, W, W, W, 0, 0, 0, 0, C_WORD,
	0, W, W, W, W, W, W, W, W8, W8, W, W, W, 0, 0, 0, 0, 0,
	W8, W8, W8, W8, W8, W8, W8, W8, W8, W8, W8, W8, W8, W8, W8, W8,
};
#undef W
#undef W8
#undef Z8

static bool is_space(unsigned char c) { return class_of[c] & C_SPACE; }
/* Bytes from 0x80 are letters of some script. */
static bool is_word(unsigned char c) { return class_of[c] & C_WORD; }

/* One pass over the middle for both hashes: the blanks around it are few. */
static void line_hash(struct line *l, const char *p)
{
	uint32_t head = 0, tail = l->len;
	while (head < tail && is_space((unsigned char)p[head]))
		head++;
	while (tail > head && is_space((unsigned char)p[tail - 1]))
		tail--;
	l->trim = l->raw = hash_bytes(p + head, tail - head);
	if (head)
		l->raw = fold(l->raw ^ hash_bytes(p, head), 0x8ebc6af09c88c6e3u);
	if (tail < l->len)
		l->raw = fold(l->raw ^ hash_bytes(p + tail, l->len - tail), 0x589965cc75374cc3u);
}

static void text_split(struct text *t)
{
	const char *p = t->ptr, *end = t->ptr + t->size;
	size_t alloc = t->size / 24 + 16;
	t->lines = xreallocarray(NULL, alloc, sizeof(*t->lines));
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		if (len && p[len - 1] == '\r')
			len--;
		if (t->n == alloc) {
			alloc = alloc + alloc / 2;
			t->lines = xreallocarray(t->lines, alloc, sizeof(*t->lines));
		}
		struct line *l = &t->lines[t->n++];
		*l = (struct line){ .off = (uint32_t)(p - t->ptr), .len = (uint32_t)len };
		line_hash(l, p);
		p = nl ? nl + 1 : end;
	}
}

struct text *text_new(struct buf *content)
{
	struct text *t = xcalloc(1, sizeof(*t));
	size_t head = content->len < 8000 ? content->len : 8000;
	t->binary = head && memchr(content->ptr, 0, head);
	t->size = content->len;
	t->ptr = buf_detach(content);
	arena_init(&t->arena);
	if (!t->binary)
		text_split(t);
	return t;
}

void text_free(struct text *t)
{
	if (!t)
		return;
	free(t->ptr);
	free(t->lines);
	free(t->words);
	free(t->norms);
	free(t->once);
	free(t->trims);
	free(t->names);
	arena_release(&t->arena);
	free(t);
}

size_t text_weight(const struct text *t)
{
	return t->size + t->n * sizeof(*t->lines) + (t->words ? t->n * sizeof(*t->words) : 0) + (t->norms ? t->n * sizeof(*t->norms) : 0) +
	    (t->names ? (t->names_mask + 1) * sizeof(*t->names) : 0) + (t->trims ? (t->trims_mask + 1) * sizeof(*t->trims) : 0) + (t->once ? (t->once_mask + 1) * sizeof(*t->once) : 0) +
	    t->arena.total + sizeof(*t);
}

/* Without white space; sorted. A line that is one of these names nothing. */
static const char *const trivial_words[] = {
	"#else", "#endif", "NULL", "_", "break", "break;", "const", "continue", "continue;", "default:", "do{", "done",
	"else", "else:", "else{", "end", "endif", "esac", "finally:", "finally{", "gotoerr;", "gotoerror;", "gotofail;",
	"gotoout;", "pass", "private:", "protected:", "public:", "return", "return-1;", "return0;", "return1;", "return;",
	"returnNULL;", "returnNone", "returnfalse;", "returnnull;", "returntrue;", "static", "then", "try:", "try{", "void",
	"{", "}", "}else{", "}finally{",
};
static const char *const closing_words[] = { "end", "end;", "done", "fi", "esac", "endif", "#endif", "endfunction" };

static int cmp_word(const void *a, const void *b) { return strcmp(a, *(const char *const *)b); }

static bool in_words(const char *s, const char *const *words, size_t n)
{
	return bsearch(s, words, n, sizeof(*words), cmp_word) != NULL;
}

static bool is_closing(const char *s)
{
	if (*s == '}' || *s == ')' || *s == ']')
		return !s[strspn(s, "})];,")];
	if (*s != 'e' && *s != 'd' && *s != 'f' && *s != '#')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(closing_words); i++)
		if (!strcmp(s, closing_words[i]))
			return true;
	return false;
}

static unsigned indent_of(const char *p, uint32_t len)
{
	unsigned col = 0;
	for (uint32_t i = 0; i < len && is_space((unsigned char)p[i]) && col < 60000; i++)
		col = p[i] == '\t' ? (col | 7) + 1 : col + 1;
	return col;
}

/* The longest of the words above is shorter. */
enum { SHORT_LINE = 20 };

static void line_study(struct text *t, struct line *l)
{
	const char *p = t->ptr + l->off;
	char s[SHORT_LINE + 1];
	size_t n = 0;
	uint32_t letters = 0;
	for (uint32_t i = 0; i < l->len; i++) {
		uint8_t k = class_of[(unsigned char)p[i]];
		s[n < SHORT_LINE ? n : SHORT_LINE] = p[i];
		n += !(k & C_SPACE);
		letters += k / C_LETTER;
	}
	s[n < SHORT_LINE ? n : SHORT_LINE] = '\0';
	l->letters = letters < UINT16_MAX ? (uint16_t)letters : UINT16_MAX;
	l->indent = (uint16_t)indent_of(p, l->len);
	l->flags |= LINE_KNOWN | (n ? 0 : LINE_BLANK);
	if (n < SHORT_LINE && is_closing(s))
		l->flags |= LINE_CLOSE;
	if (l->letters < 4 || (n < SHORT_LINE && in_words(s, trivial_words, ARRAY_SIZE(trivial_words))))
		l->flags |= LINE_TRIVIAL;
}

const struct line *text_line(struct text *t, uint32_t i)
{
	struct line *l = &t->lines[i];
	if (!(l->flags & LINE_KNOWN))
		line_study(t, l);
	return l;
}

/* Without white space. Few lines are asked for it: an array of its own beside, 0 for not made yet. */
uint64_t text_norm(struct text *t, uint32_t i)
{
	const struct line *l = &t->lines[i];
	char small[256], *s = small;
	size_t n = 0;
	if (!t->norms)
		t->norms = xcalloc(t->n, sizeof(*t->norms));
	if (t->norms[i])
		return t->norms[i];
	if (l->len > sizeof(small))
		s = xmalloc(l->len);
	for (uint32_t k = 0; k < l->len; k++) {
		s[n] = t->ptr[l->off + k];
		n += !is_space((unsigned char)s[n]);
	}
	t->norms[i] = hash_bytes(s, n) | 1;
	if (s != small)
		free(s);
	return t->norms[i];
}

const char *line_first(const struct text *t, uint32_t i)
{
	const char *p = text_at(t, i), *end = p + t->lines[i].len;
	while (p < end && is_space((unsigned char)*p))
		p++;
	return p;
}

static uint32_t table_size(uint32_t n)
{
	uint32_t size = 64;
	while (size / 2 < n)
		size *= 2;
	return size;
}

static struct trim_count *trim_slot(const struct text *t, uint64_t trim)
{
	uint32_t k = (uint32_t)(trim ^ trim >> 32) & t->trims_mask;
	while (t->trims[k].n && t->trims[k].trim != trim)
		k = (k + 1) & t->trims_mask;
	return &t->trims[k];
}

static void trims_make(struct text *t)
{
	if (t->trims)
		return;
	t->trims_mask = table_size(t->n) - 1;
	t->trims = xcalloc((size_t)t->trims_mask + 1, sizeof(*t->trims));
	for (uint32_t i = 0; i < t->n; i++) {
		struct trim_count *c = trim_slot(t, t->lines[i].trim);
		c->trim = t->lines[i].trim;
		c->n++;
	}
}

double text_overlap(struct text *a, struct text *b)
{
	uint32_t most = a->n > b->n ? a->n : b->n, common = 0;
	trims_make(a);
	trims_make(b);
	for (uint32_t k = 0; k <= a->trims_mask; k++) {
		const struct trim_count *c = &a->trims[k];
		uint32_t other = c->n ? trim_slot(b, c->trim)->n : 0;
		common += c->n < other ? c->n : other;
	}
	return most ? (double)common / most : 0;
}

uint32_t text_count(struct text *t, const struct line *l)
{
	trims_make(t);
	return trim_slot(t, l->trim)->n;
}

static uint32_t once_slot(const struct text *t, uint64_t raw)
{
	uint32_t k = (uint32_t)(raw ^ raw >> 32) & t->once_mask;
	while (t->once[k] != UINT32_MAX && t->lines[t->once[k]].raw != raw)
		k = (k + 1) & t->once_mask;
	return k;
}

static void once_make(struct text *t)
{
	uint32_t size = table_size(t->n);
	t->once_mask = size - 1;
	t->once = xmalloc(size * sizeof(*t->once));
	memset(t->once, 0xff, size * sizeof(*t->once));
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t *first = &t->once[once_slot(t, t->lines[i].raw)];
		if (*first == UINT32_MAX) {
			*first = i;
			continue;
		}
		t->lines[*first].flags |= LINE_REPEATED;
		t->lines[i].flags |= LINE_REPEATED;
	}
}

bool text_once(struct text *t, uint32_t i)
{
	if (!t->once)
		once_make(t);
	return !(t->lines[i].flags & LINE_REPEATED);
}

bool text_has(struct text *t, uint64_t raw)
{
	if (!t->once)
		once_make(t);
	return t->once[once_slot(t, raw)] != UINT32_MAX;
}

static int cmp_words(const void *a, const void *b)
{
	uint32_t x = ((const struct word *)a)->hash, y = ((const struct word *)b)->hash;
	return x < y ? -1 : x > y;
}

/* A long name says more than a short one, and any name more than a mark. */
static float word_weight(size_t len, bool mark)
{
	return mark ? 0.3f : len >= 9 ? 1.5f : 0.6f + 0.1f * (float)len;
}

static void words_cut(struct words *w, const char *p, uint32_t len)
{
	for (uint32_t i = 0; i < len && w->n < LIKE_WORDS;) {
		unsigned char c = (unsigned char)p[i];
		uint32_t start = i++;
		if (is_space(c))
			continue;
		while (is_word(c) && i < len && is_word((unsigned char)p[i]))
			i++;
		float weight = word_weight(i - start, !is_word(c));
		w->items[w->n++] = (struct word){ (uint32_t)hash_bytes(p + start, i - start), weight };
		w->total += weight;
	}
	qsort(w->items, w->n, sizeof(*w->items), cmp_words);
}

/* Words that begin a statement, not a definition; sorted. */
static const char *const statement_words[] = {
	"assert", "await", "break", "case", "catch", "continue", "delete", "do", "elif", "else", "except", "for", "from", "goto", "if",
	"import", "include", "package", "print", "raise", "return", "switch", "throw", "try", "until", "using", "when", "while",
	"with", "yield",
};

static bool begins_statement(const char *p, uint32_t len)
{
	char word[16];
	if (len >= sizeof(word))
		return false;
	memcpy(word, p, len);
	word[len] = '\0';
	return in_words(word, statement_words, ARRAY_SIZE(statement_words));
}

/* Behind the arguments of a type, "<String, List<X>>" or "[]"; the same place where there are none. */
static uint32_t skip_arguments(const char *p, uint32_t len, uint32_t i)
{
	unsigned depth = 0;
	for (uint32_t k = i; k < len && (is_word((unsigned char)p[k]) || strchr("<>,.?&[] ", p[k])); k++) {
		depth += p[k] == '<' || p[k] == '[';
		if ((p[k] == '>' || p[k] == ']') && depth && !--depth)
			return k + 1;
		if (!depth)
			break;
	}
	return i;
}

/* "# text" and " * text" name nothing; "#define X", "*p = x" and "# define X" are code. */
static bool begins_comment(const char *p, uint32_t len)
{
	static const char define[] = "# define";
	return len > sizeof(define) && (p[0] == '#' || p[0] == '*') && is_space((unsigned char)p[1]) &&
	    memcmp(p, define, sizeof(define) - 1);
}

/*
 * The name that a line is about: what stands before the first "=", "(", ":", ";", "," or "{" of "static int name = 3;",
 * "def name(x):", "name: value", "struct name {". Others may say the same words; who sets a name is the line of that name.
 */
static uint32_t line_subject(const char *p, uint32_t len, bool *strong)
{
	uint32_t start = 0, end = 0, before = 0, first = 0;
	while (first < len && is_space((unsigned char)p[first]))
		first++;
	uint32_t i = first;
	while (i < len && (is_space((unsigned char)p[i]) || p[i] == '#' || p[i] == '"' || p[i] == '\''))
		i++;
	bool outermost = !i && len && is_word((unsigned char)p[0]), macro = len && p[0] == '#';
	if (begins_comment(p + first, len - first))
		return 0;
	while (i < len) {
		unsigned char c = (unsigned char)p[i];
		if (is_word(c)) {
			bool joined = end && end < i && (p[i - 1] == '.' || p[i - 1] == '>' || p[i - 1] == ':') && !is_space((unsigned char)p[end]);
			if (end && !joined && before++ == 0 && begins_statement(p + start, end - start))
				return 0;
			for (start = i; i < len && is_word((unsigned char)p[i]); i++)
				;
			end = i;
			i = p[i == len ? i - 1 : i] == '<' || p[i == len ? i - 1 : i] == '[' ? skip_arguments(p, len, i) : i;
			continue;
		}
		bool pair = i + 1 < len && (p[i + 1] == '=' || (c == ':' && p[i + 1] == ':'));
		if (c == '=' && (pair || !end))
			return 0;
		if (c == ':' && pair && p[i + 1] == ':') {
			i += 2;
			continue;
		}
		if (strchr("=(:;,{", c))
			break;
		if (!strchr(" \t*&.-><[]\"'@$", c))
			return 0;
		i++;
	}
	if (!end || (!before && begins_statement(p + start, end - start)))
		return 0;
	while (len && is_space((unsigned char)p[len - 1]))
		len--;
	char mark = i < len ? p[i] : 0;
	bool call = mark == '(' && ((!before && !outermost) || p[len - 1] == ';');
	/* Prose has these marks too. */
	bool prose = (strchr(",;", mark) && p[len - 1] != ';') || (mark == '(' && end != i && !outermost) || (mark == ':' && before > 1);
	if (!mark || prose || (!before && strchr(";,{", mark)))
		return 0;
	*strong = !call && (before || outermost || mark == ':');
	/* A macro is another thing than a function of its name. */
	return ((uint32_t)hash_bytes(p + start, end - start) ^ (macro ? 0x80000000u : 0)) | 1;
}

static struct name *name_slot(const struct text *t, uint32_t hash)
{
	uint32_t k = hash & t->names_mask;
	while (t->names[k].hash && t->names[k].hash != hash)
		k = (k + 1) & t->names_mask;
	return &t->names[k];
}

static uint32_t name_of(const struct text *t, uint32_t i)
{
	bool strong = false;
	uint32_t len = t->lines[i].len, hash = line_subject(text_at(t, i), len < 400 ? len : 400, &strong);
	return strong ? hash : 0;
}

static void names_make(struct text *t)
{
	t->names_mask = table_size(t->n) - 1;
	t->names = xcalloc((size_t)t->names_mask + 1, sizeof(*t->names));
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t hash = name_of(t, i);
		struct name *s = hash ? name_slot(t, hash) : NULL;
		if (s)
			*s = (struct name){ hash, s->hash ? UINT32_MAX : i };
	}
}

uint32_t text_name(struct text *t, uint32_t i) { return name_of(t, i); }

bool text_defines(struct text *t, uint32_t name, uint32_t *line)
{
	if (!t->names)
		names_make(t);
	*line = name_slot(t, name)->line;
	return name_slot(t, name)->hash && *line != UINT32_MAX;
}

static const struct words *text_words(struct text *t, uint32_t i)
{
	if (!t->words)
		t->words = xcalloc(t->n, sizeof(*t->words));
	if (t->words[i])
		return t->words[i];
	const struct line *l = text_line(t, i);
	const char *p = text_at(t, i);
	uint32_t len = l->len < 4096 ? l->len : 4096, most = len < LIKE_WORDS ? len : LIKE_WORDS;
	struct words *w = ARENA_NEW(&t->arena, struct words);
	w->items = arena_alloc(&t->arena, (most + 1) * sizeof(*w->items));
	unsigned char *chars = arena_alloc(&t->arena, (len < LIKE_CHARS ? len : LIKE_CHARS) + 1);
	for (uint32_t k = 0; k < len && w->n_chars < LIKE_CHARS; k++)
		if (!is_space((unsigned char)p[k]))
			chars[w->n_chars++] = (unsigned char)p[k];
	w->chars = chars;
	words_cut(w, p, len);
	w->defined = line_subject(p, len, &w->strong);
	return t->words[i] = w;
}

static double words_shared(const struct words *a, const struct words *b)
{
	float common = 0;
	for (uint32_t i = 0, j = 0; i < a->n && j < b->n;) {
		if (a->items[i].hash < b->items[j].hash) {
			i++;
		} else if (a->items[i].hash > b->items[j].hash) {
			j++;
		} else {
			common += a->items[i].weight;
			i++, j++;
		}
	}
	return a->total + b->total > 0 ? 2.0 * common / (a->total + b->total) : 0;
}

/* Edit distance of at most LIKE_CHARS characters each: one column a character of b, 64 rows a machine word. */
static unsigned edit_distance(const unsigned char *a, unsigned n, const unsigned char *b, unsigned m)
{
	enum { BLOCKS = LIKE_CHARS / 64 };
	uint64_t peq[256][BLOCKS], pv[BLOCKS], mv[BLOCKS];
	unsigned blocks = (n + 63) / 64, score = n;
	if (!n || !m)
		return n + m;
	for (unsigned j = 0; j < m; j++)
		memset(peq[b[j]], 0, blocks * sizeof(peq[0][0]));
	for (unsigned i = 0; i < n; i++)
		memset(peq[a[i]], 0, blocks * sizeof(peq[0][0]));
	for (unsigned i = 0; i < n; i++)
		peq[a[i]][i / 64] |= (uint64_t)1 << (i % 64);
	for (unsigned k = 0; k < blocks; k++) {
		pv[k] = UINT64_MAX;
		mv[k] = 0;
	}
	uint64_t last = (uint64_t)1 << ((n - 1) % 64);
	for (unsigned j = 0; j < m; j++) {
		int carry = 1;  /* the row above the first grows by one a column */
		for (unsigned k = 0; k < blocks; k++) {
			uint64_t eq = peq[b[j]][k], xv = eq | mv[k];
			if (carry < 0)
				eq |= 1;
			uint64_t xh = (((eq & pv[k]) + pv[k]) ^ pv[k]) | eq, ph = mv[k] | ~(xh | pv[k]), mh = pv[k] & xh;
			uint64_t top = k + 1 == blocks ? last : (uint64_t)1 << 63;
			int out = (ph & top) ? 1 : (mh & top) ? -1 : 0;
			ph = ph << 1 | (carry > 0);
			mh = mh << 1 | (carry < 0);
			pv[k] = mh | ~(xv | ph);
			mv[k] = ph & xv;
			carry = out;
		}
		score += (unsigned)carry;
	}
	return score;
}

/* Lines that define the same name are more alike than their words say, and of different names less. */
static double subject_likeness(const struct words *x, const struct words *y, double s)
{
	bool strong = x->strong && y->strong;
	if (!x->defined || !y->defined)
		return s;
	if (x->defined == y->defined)
		return s + (strong ? 0.3 : 0.1) * (1 - s);
	return s * (strong ? 0.92 : 0.97);
}

double line_likeness(struct text *a, uint32_t i, struct text *b, uint32_t j)
{
	if (text_norm(a, i) == text_norm(b, j))
		return 1;
	const struct words *x = text_words(a, i), *y = text_words(b, j);
	unsigned most = x->n_chars > y->n_chars ? x->n_chars : y->n_chars;
	unsigned least = x->n_chars < y->n_chars ? x->n_chars : y->n_chars;
	if (!least || least * 5 < most)
		return 0;
	double shared = words_shared(x, y);
	double s = 0.5 * shared + 0.5 * (1 - (double)edit_distance(x->chars, x->n_chars, y->chars, y->n_chars) / most);
	return subject_likeness(x, y, s > 0.99 ? 0.99 : s);
}

static void bag_put(struct bag *b, uint32_t hash)
{
	b->items = array_grow(b->items, b->len, &b->alloc, sizeof(*b->items));
	b->items[b->len++] = hash;
}

void bag_add(struct bag *b, struct text *t, uint32_t i)
{
	const struct words *w = text_words(t, i);
	for (uint32_t k = 0; k < w->n; k++)
		bag_put(b, w->items[k].hash);
	for (uint32_t k = 0; k + 1 < w->n_chars; k++)
		bag_put(b, (uint32_t)w->chars[k] << 8 | w->chars[k + 1]);
}

static int cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

void bag_sort(struct bag *b)
{
	if (b->len)
		qsort(b->items, b->len, sizeof(*b->items), cmp_u32);
}

void bag_release(struct bag *b)
{
	free(b->items);
	*b = (struct bag){ 0 };
}
