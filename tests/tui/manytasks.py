#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A list of 2,500 tasks: to its end, by a filter, and made anew far down when others write."""
import json, os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.run('rm', '-r', w.repo)
w.run(os.path.join(os.path.dirname(BIN), 'tests/bench/mktasks'), w.repo, '2500', '2500', '1')
ids = [json.loads(line)['id'] for line in w.killick('tasks', '--jsonl').splitlines()]
is_(len(ids), 2500, 'many tasks')
mine = [json.loads(line)['id'] for line in w.killick('tasks', 'is:open', '--jsonl').splitlines()]


def on_cursor(screen):
    return next((line.split()[1] for line in screen if '▸' in line), None)


def cursor(t, want, name):
    ok(t.shows(want + ' ') and on_cursor(t.text().split('\n')) == want, '%s: %s' % (name, want)) or diag(t.text())


dumps = w.script('line tasks\ndump\nkeys G\ndump\nkeys kkk\ndump\nkeys g\ndump\nline tasks is:open\nkeys G\ndump\n')
is_([on_cursor(d) for d in dumps], [ids[0], ids[-1], ids[-4], ids[0], mine[-1]], 'first, last, three up, first, the last of some')
is_([dumps[1][0].split()[4], dumps[4][0].split()[4]], ['2500', str(len(mine))], 'and they are counted')

t = Tty(w)
t.shows('inbox')
t.keys(':tasks\r')
ok(t.shows('tasks · 2500', ids[0], gone=('2500+',)), 'counted in a terminal too, without a key')
t.keys('G')
cursor(t, ids[-1], 'the end')
t.keys('\x15')
cursor(t, ids[-1 - 11], 'half a page up')
w.killick('task', 'new', 'One more')
ok(t.shows('tasks · 2501', gone=('2501+',)), 'another one from elsewhere is counted')
cursor(t, ids[-1 - 11], 'the cursor stays with its task')
t.keys('g')
ok(t.shows('One more'), 'and the new one is the first')
t.keys('/is:open\r')
ok(t.shows('tasks · %d' % (len(mine) + 1), 'is:open'), 'a filter counts anew')
t.keys('G')
cursor(t, mine[-1], 'and has its end')
t.keys('Q')
t.ends()
w.done()
done()
