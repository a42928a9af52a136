/* SPDX-License-Identifier: MIT */
/*
 * Messages. What is said stands above the bottom line until a key is pressed, and stays in a list (":messages"). The
 * list keeps the last few hundred.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/clock.h"
#include "ui.h"

#define KEEP 400

void tui_say(struct tui *t, enum message_kind kind, const char *fmt, ...)
{
	struct messages *m = &t->messages;
	struct buf b = BUF_INIT;
	struct message *one;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	buf_trim(&b);
	if (m->list.len >= KEEP) {
		free(m->list.items[0].text);
		memmove(m->list.items, m->list.items + 1, --m->list.len * sizeof(*m->list.items));
	}
	one = array_add(&m->list);
	*one = (struct message){ kind, clock_now(), buf_detach(&b) };
	m->fresh = true;
	t->dirty = true;
	trace("tui", "says: %s", one->text);
}

void messages_release(struct messages *m)
{
	for (size_t i = 0; i < m->list.len; i++)
		free(m->list.items[i].text);
	array_release(&m->list);
}
