/* SPDX-License-Identifier: MIT */
/* Ops as they are stored, for tests of the index: made in memory, put in one by one. */
#ifndef KILLICK_TESTS_STORE_H
#define KILLICK_TESTS_STORE_H

#include "unit.h"
#include "killick/base/clock.h"
#include "killick/store/index.h"

#define NOW INT64_C(1767322800000)
#define SEC INT64_C(1000)
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)

struct made { struct buf bytes; char id[SHA256_HEX]; };

static const struct person ana = { "Ana Lim", "Ana@x.org", NULL }, bo = { "Bo", "bo@x.org", NULL },
			   chen = { "Chen", "chen@y.org", NULL };

/* Each call is the writer's next op; the clock of all writers is one unless lamport says otherwise. */
struct maker { uint64_t lamport, seq[64]; char prev[64][SHA256_HEX]; int64_t now; };
#define MAKER_INIT { .now = NOW }

UNUSED static struct made make_op(struct maker *m, unsigned writer, enum op_type type, const char *entity,
    const struct person *author, json_t *payload)
{
	struct op op = { .version = 1, .seq = m->seq[writer]++, .lamport = ++m->lamport, .type = type, .author = *author,
			 .payload = payload };
	struct made out = { .bytes = BUF_INIT };

	op.time = m->now += SEC;
	snprintf(op.repo, sizeof(op.repo), "%032x", 7);
	snprintf(op.writer, sizeof(op.writer), "%032x", writer + 1);
	memcpy(op.prev, m->prev[writer], SHA256_HEX);
	if (entity)
		memcpy(op.entity, entity, SHA256_HEX);
	op_encode(&op, &out.bytes);
	json_decref(payload);
	memcpy(m->prev[writer], op.id, SHA256_HEX);
	memcpy(out.id, op.id, SHA256_HEX);
	return out;
}

UNUSED static void put_made(struct index *ix, int64_t source, const struct made *m)
{
	struct err e = ERR_INIT;
	struct op op;

	if (op_decode(m->bytes.ptr, m->bytes.len, &op, &e) || index_put_op(ix, source, &op, m->bytes.ptr, m->bytes.len, &e))
		fail_msg("%s", e.msg);
	op_release(&op);
}

UNUSED static json_t *anchor_of(const char *path, unsigned line, unsigned end)
{
	return json_pack("{s:s,s:s,s:i,s:i,s:s,s:s}", "type", "lines", "path", path, "line", line, "end", end, "commit",
			 "1111111111111111111111111111111111111111", "quote", "int x;");
}

UNUSED static json_t *opening(const char *kind, const char *body, json_t *anchor)
{
	return json_pack("{s:s,s:s,s:o}", "kind", kind, "body", body, "anchor", anchor);
}

#endif
