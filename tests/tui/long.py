#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A thread of 1,500 posts: its beginning is painted before the rest is set, and nothing of that can be seen."""
import json, os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.run('rm', '-r', w.repo)
w.run(os.path.join(os.path.dirname(BIN), 'tests/bench/mkstore'), w.repo, '3', '1', '1500')
name = json.loads(w.killick('threads', '--jsonl'))['id']
w.killick('reply', name, '-m', 'The epilogue.')
posts = json.loads(w.killick('show', name, '--json'))['thread']['posts']
is_(len(posts), 1501, 'a long thread')
every = ' '.join(' '.join(p['body'].split()) for p in posts)
middle = next(words for p in posts[700:] for words in [' '.join(p['body'].split()[:4])] if every.count(words) == 1 and len(words) < 40)
OPEN = ':thread %s\r' % name


def opened(rows=24, cols=80, more=''):
    t = Tty(w, rows=rows, cols=cols)
    t.shows('inbox')
    t.keys(OPEN + more)
    return t


w.env['KILLICK_TRACE'] = 'tui'
w.script('line thread %s\nsettle\n' % name)
del w.env['KILLICK_TRACE']
first = re.findall(r'thread: (\d+) rows are set', w.err)
ok(first and int(first[0]) < 300, 'few rows are set before it is painted: %s' % first[:1])
dumps = w.script('line thread %s\nkeys G\ndump\nkeys g\ndump\nkeys /%s<Enter>\ndump\n' % (name, middle.replace(' ', '<Space>')))
ok('The epilogue.' in '\n'.join(dumps[0]), 'a script goes to its end')
ok('1501 posts' in dumps[1][0] and 'The epilogue' not in '\n'.join(dumps[1]), 'and back')
ok(middle in '\n'.join(dumps[2]), 'and finds what is far behind')

t = opened(more='G')
ok(t.shows('The epilogue.', '1501 posts', gone=('to the end',)), 'opened and to the end at once')
t.resize(40, 130)
ok(t.shows('The epilogue.', '1501 posts'), 'wider, it is still the end')
t.keys('g')
ok(t.shows('1501 posts', gone=('The epilogue.',)), 'the beginning')
t.keys('/%s\r' % middle)
ok(t.shows(middle, gone=('looking',)), 'a search finds it in the middle')
for rows, cols in ((24, 80), (10, 60), (50, 200), (24, 80)):
    t.resize(rows, cols)
    ok(t.shows(middle.split()[0], middle.split()[-1], '? keys'), 'which is still read at %dx%d' % (cols, rows))
w.killick('reply', name, '-m', 'A late guest.')
ok(t.shows('1502 posts', middle), 'and when others write')
t.keys('G')
ok(t.shows('A late guest.'), 'whose words are at the end')
t.keys('/no such words\r')
ok(t.shows('"no such words" is not here'), 'what is nowhere is said to be nowhere')
t.keys('Q')
t.ends()
t = opened(more='/epilogue\r')
ok(t.shows('The epilogue.', '1502 posts'), 'a search that is typed with the opening goes all the way')
t.keys('Q')
t.ends()
w.done()
done()
