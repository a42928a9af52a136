#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The first screen of a repository without threads: what it offers, where, and that each offer does what it says."""
import os, re, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.write('src/a.c', ''.join('line %d\n' % i for i in range(1, 60)))
w.commit('start')


def offers(screen):
    """{key: words} of the screen's offers."""
    return dict(re.findall(r'(?m)^[▸ ] +(\S)   (.+)', '\n'.join(screen)))


first = w.script('settle\ndump\n')[0]
is_(list(offers(first)), ['a', 't', 'L', 'h', 'T'], 'no remote: nothing to sync with')
w.killick('init')
is_(w.script('settle\ndump\n')[0][:-1], first[:-1], 'init alone changes nothing of it')
is_(len(w.script('size 10 40\nsettle\ndump\n')[0]), 10, 'at 40x10')

out = w.script('settle\nkeys h\nsettle\ndump\nkeys q\nsettle\ndump\n')
ok('post-commit installed' in '\n'.join(out[0]), 'h installs the hooks')
ok('h' not in offers(out[1]) and 'T' in offers(out[1]), 'and they are not offered again')
w.killick('hook', 'remove')
w.git('config', 'core.hooksPath', 'my-hooks')
ok('h' in offers(w.script('settle\ndump\n')[0]), 'removed: they are')
w.killick('hook', 'install')
ok('h' not in offers(w.script('settle\ndump\n')[0]), 'installed where core.hooksPath says: they are not')

is_(w.script('settle\nkeys t\nsettle\ndump\n')[0][0], ' widget · tasks', 't shows the tasks')
w.git('remote', 'add', 'origin', 'https://github.localhost:1/acme/widget.git')
out = w.script('settle\ndump\nkeys t\nsettle\ndump\nline tasks\ndump\n')
is_(offers(out[0])['t'], 'see your tasks: connect github (found in remote "origin")', 'a tracker that a remote speaks of is offered')
ok('not connected' in '\n'.join(out[1]) and 'no threads yet' in out[1][0], 'one that cannot be reached: said, there')
ok(':connect' in '\n'.join(out[2]), 'the empty list of tasks says it too')

w.run('git', 'init', '-q', '--bare', w.top + '/r.git')
w.git('remote', 'set-url', 'origin', w.top + '/r.git')
w.git('push', '-q', 'origin', 'main')
w.git('clone', '-q', w.top + '/r.git', w.top + '/other')
w.editor('sed -i "/your text goes below/a Why twelve?" "$f"\n')
out = w.script('settle\nkeys a\nsettle\ndump\nkeys <Enter>jja\nsettle\nline inbox\nsettle\ndump\n')
ok('files' in out[0][0], 'a opens the list of files')
ok('Why twelve?' in '\n'.join(out[1]), 'and from there a thread is two keys away')
ok('inbox' in w.script('settle\ndump\n')[0][0], 'with one, the inbox comes first')
w.killick('sync')

w.repo = w.top + '/other'
out = w.script('settle\ndump\nkeys s\nsettle\ndump\n')
ok('s' in offers(out[0]), 'a colleague\'s clone, where nothing was set up: sync is offered')
ok('inbox' in out[1][0] and 'Why twelve?' in '\n'.join(out[1]), 's fetches, and the inbox takes its place')
w.done()
done()
