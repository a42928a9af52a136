#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keys that are typed ahead: all of a sentence in one read ends where its keys end one by one, whatever is still to be read,
painted, listed or counted when they come. Without a terminal (also with nothing read before a key has waited), and in one."""
import json, os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.run('rm', '-r', w.repo)
w.run(os.path.join(os.path.dirname(BIN), 'tests/bench/mkstore'), w.repo, '1500', '400', '1200')
listed = json.loads(w.killick('threads', '--json'))['threads']
name = listed[0]['id'][:10]
ok(len(listed) > 200, 'many threads')
path = next(p for p in w.git('ls-files').split('\n') if p.endswith('.c'))
w.write('zz-new.txt', ''.join('line %d\n' % i for i in range(1, 90000)))

SENTENCES = (
    ':threads<Enter>G<Enter>', ':threads<Enter>Gkk', ':threads<Enter>:250<Enter>', ':threads<Enter><Space><Space><Enter>',
    ':threads<Enter>/kind:note<Enter>jj<Enter>', 'Skind:remark<Enter>jj<Enter>', ':tasks<Enter>Gk', 'jj<Enter>q', 'jj<Enter>Gq',
    ':log<Enter>G<Enter>', ':log<Enter>Gkkk', ':log<Enter>:1200<Enter><Enter>', ':log<Enter>]]<Enter>', ':log<Enter>Gjk[<Enter>',
    'F<Enter>', 'FGk', 'F/zz-new<Enter><Enter>', 'FGk<Enter>G', ':file<Space>zz-new.txt<Enter>:80000<Enter>k',
    ':file<Space>zz-new.txt<Enter>/line<Space>7777<Enter>j', ':file<Space>zz-new.txt<Enter>Gkk',
    ':file<Space>zz-new.txt<Enter>/line<Space>60000<Enter>n', '<Ctrl-P>zz-new<Enter>jj', '<Ctrl-P>%s<Enter>' % name,
    '<Ctrl-P>commit<Ctrl-N><Ctrl-N><Enter>', ':thread<Space>%s<Enter>G' % name, ':thread<Space>%s<Enter><Tab>jj<Tab>]' % name,
    ':commit<Space>HEAD~700<Enter>Gk', '?Gkk', ':log<Enter>/chang<Enter>nnnN<Enter>', ':messages<Enter>qjj', 'tqDqLjj<Enter>',
    ':thread<Space>%s<Enter>Vjjq:threads<Enter>j<Enter>' % name,
)


def end_of(how, keys):
    """The screen without its bottom line, which says how the world stands."""
    return w.script('%s%s\nsettle\ndump\n' % (how, keys))[-1][:-1]


wanted = {}
for keys in SENTENCES:
    wanted[keys] = end_of('keys ', keys)
    for how in ('ahead ', 'patience 0\nahead ', 'patience 1\nahead '):
        got = end_of(how, keys)
        if not ok(got == wanted[keys], '%s, %s' % (keys, how.replace('\n', ', '))):
            diag('\n'.join(got))
            diag('\n'.join(wanted[keys]))

# In a terminal. What its cursor stands on is awaited, not slept for.
NAMED = {'<Enter>': '\r', '<Space>': ' ', '<Tab>': '\t', '<Ctrl-N>': '\x0e', '<Ctrl-P>': '\x10'}
rows = lambda screen: [row.rstrip() for row in screen]
for keys in SENTENCES:
    t = Tty(w)
    t.shows('inbox', '? keys')
    t.keys(re.sub(r'<[^>]+>', lambda m: NAMED[m.group()], keys))
    end = time.time() + WAIT
    while rows(t.text().split('\n')[:-1]) != rows(wanted[keys]) and time.time() < end and t.pump(0.05):
        pass
    if not ok(rows(t.text().split('\n')[:-1]) == rows(wanted[keys]), keys + ', in a terminal'):
        diag(t.text())
        diag('\n'.join(wanted[keys]))
    t.keys('\x1bQ')
    t.close()
w.done()
done()
