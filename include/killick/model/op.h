/* SPDX-License-Identifier: MIT */
/*
 * The native log's record. An op is one line of JSON with these keys in this order (killick-format(5)):
 *
 *	{"v":1,"repo":HEX32,"writer":HEX32,"seq":N,"prev":HEX64|null,"lamport":N,"entity":HEX64|null,
 *	 "type":WORD,"author":{"name":…,"email":…},"time":RFC3339,"payload":{…}}
 *
 * Its id is the SHA-256 of exactly the stored bytes, without the newline: never re-encoded before hashing. prev is the
 * id of the writer's op seq-1. entity is the id of the op that opened the thread or created the task; null in that op
 * itself, whose own id is the entity.
 *
 * Payloads:
 *	open     {"kind","title"?,"body","anchor":{…},"asked":[person]?,"labels":[…]?,
 *	          "trailer":KEY?}
 *	post     {"body","reply_to":HEX64?}        edit {"post":HEX64,"body"}      redact {"post":HEX64}
 *	resolve  {"body"?,"commit"?}               reopen {}                       accept {"post":HEX64|null}
 *	kind {"kind"}  title {"title"}  label {"add":[…],"remove":[…]}  assign {"add":[person],"remove":[person]}
 *	react {"post":HEX64,"emoji","on":bool}     move {"anchor":{…}}             link {"to":TEXT,"on":bool}
 *	task     {"title","body","labels":[…]?}    creates one (entity null); with an entity: {"state"?, "title"?, "body"?}
 *	rewrite  {"from":COMMIT,"to":COMMIT}       entity null: a commit was amended or rebased; anchors follow
 *	sign     {"head":HEX64,"seq":N,"lamport":N,"sig":TEXT}   entity null: an SSH signature over the writer's log
 * An op that a commit message's trailer made has "trailer", the trailer's key (hook/trailer.c), so that none is made twice.
 * The first post of a thread has the thread's entity as its id. A resolve's body is a post with the resolve's id.
 * An unknown type is kept and ignored; so is every op whose version is above 1, if its envelope reads like this one.
 * Keys beside these are allowed and mean nothing.
 */
#ifndef KILLICK_MODEL_OP_H
#define KILLICK_MODEL_OP_H

#include "killick/base/hash.h"
#include "killick/base/json.h"
#include "killick/model/person.h"

#define OP_WRITER_HEX 33
#define OP_MAX_BYTES (4u << 20)      /* one op; posts over 1 MiB are refused at the command */
#define OP_MAX_JUMP 1000000          /* a Lamport clock further than this ahead of all known ops is quarantined */

enum op_type {
	OP_UNKNOWN, OP_OPEN, OP_POST, OP_EDIT, OP_REDACT, OP_RESOLVE, OP_REOPEN, OP_ACCEPT, OP_KIND, OP_TITLE, OP_LABEL,
	OP_ASSIGN, OP_REACT, OP_MOVE, OP_LINK, OP_TASK, OP_REWRITE, OP_SIGN,
};

struct op {
	int version;
	char repo[OP_WRITER_HEX], writer[OP_WRITER_HEX];
	uint64_t seq, lamport;       /* seq counts from 0 */
	char prev[SHA256_HEX];       /* "" for none */
	char entity[SHA256_HEX];     /* "" for none: the op is the entity */
	char id[SHA256_HEX];
	enum op_type type;
	const char *type_name;
	struct person author;
	int64_t time;
	json_t *payload;             /* borrowed from `doc` when decoded; the caller's when encoding */
	json_t *doc;                 /* decoded: owns everything; op_release drops it */
};

const char *op_type_name(enum op_type t);
enum op_type op_type_find(const char *name);
/* Whether an op of this type may (not) be about an entity. */
bool op_type_fits(enum op_type t, bool has_entity);
/* Adds the exact bytes (no newline; ASCII) to b and sets op->id. Every field but id, type_name (for unknown types
 * only) and doc must be set; version is 1. Payload NULL is {}. The time is written in whole seconds. */
void op_encode(struct op *op, struct buf *b);
/* Reads stored bytes, one line without its newline: checks the envelope's shape, ranges and ids (lower-case hex; seq and
 * lamport up to 2^63-1; prev null exactly for seq 0; entity null or not as the type demands); sets id from the bytes.
 * ERR_BAD_DATA otherwise, with nothing to release. Payloads are not checked here: the fold ignores what does not fit.
 * Strings live in op->doc. */
int op_decode(const char *p, size_t n, struct op *op, struct err *e);
/*
 * The envelope alone, several times faster: author, time, payload and doc stay empty unless the type is REWRITE, SIGN or
 * unknown. It takes and refuses exactly what op_decode does. Release it too.
 */
int op_scan(const char *p, size_t n, struct op *op, struct err *e);
/*
 * op_decode for bytes whose id is known, several times faster: they are not hashed, and doc has only author and payload.
 * For what was decoded or scanned before it was kept.
 */
int op_decode_kept(const char *p, size_t n, const char *id, struct op *op, struct err *e);
void op_release(struct op *op);

/* The fold order: (lamport, writer, seq) as 32 bytes that memcmp sorts: 8 big-endian, 16 writer, 8 big-endian. */
#define OP_STAMP_SIZE 32
void op_stamp(const struct op *op, uint8_t out[OP_STAMP_SIZE]);

#endif
