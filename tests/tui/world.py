#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The screens follow what is outside them: an edited work tree, other processes' commits, settings and caches."""
import glob, sys, os
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.write('src/a.c', ''.join('line %d\n' % i for i in range(1, 60)))
w.write('src/b.c', 'one\ntwo\nthree\n')
w.commit('start')
w.killick('ask', 'src/a.c:12', '-m', 'Why twelve?')
w.killick('ask', 'src/b.c:2', '-m', 'Why two?')
w.killick('ask', 'HEAD', '-m', 'On the commit?')

# Lines that were not committed shift the place: in the rows, and where Enter puts the cursor.
w.write('src/a.c', 'new\n' * 7 + ''.join('line %d\n' % i for i in range(1, 60)))
inbox, opened = w.script('settle\ndump\nline threads twelve\nsettle\nkeys <Enter>\nsettle\ndump\n')
ok(any('src/a.c:19 ' in row for row in inbox), 'the inbox shows the line of the work tree')
ok(any(row.startswith('▸  19 ? line 12') for row in opened), 'Enter puts the cursor on it')
ok('19 of 66' in opened[0], 'and says so')
w.editor('echo "$@" >"%s/args"\n' % w.top)
w.script('line threads twelve\nkeys e\nsettle\n')
ok(os.path.exists(w.top + '/args') and '+19 ' in open(w.top + '/args').read(), 'e in a list opens the editor at it')
w.git('checkout', '-q', '.')

# Another process commits, and sets something, while this one is open.
t = Tty(w)
ok(t.shows('Why twelve?', 'Why two?'), 'a killick is open')
t.keys('L')
ok(t.shows('start', '1 commit'), 'on the log')
w.write('src/b.c', 'zero\none\ntwo\nthree\n')
w.commit('seen while open')
ok(t.shows('seen while open', '2 commits'), 'a commit of another process appears')
t.keys('q')
ok(t.shows('src/b.c:3 '), 'and places follow it')
w.git('branch', 'side', 'HEAD~1')
w.git('config', 'killick.view3', 'is:open two')
t.keys('\x1b[15~')
t.keys('3')
ok(t.shows('is:open two', gone=('Why twelve?',)), 'F5 reads settings again')
ok(t.shows('Why two?'), 'and the words that were found bear no marks')
t.keys('q')

# Another process throws the index away.
for f in glob.glob(w.top + '/home/.cache/killick/index.db*'):
    os.unlink(f)
w.killick('ask', 'src/a.c:30', '-m', 'After the index was dropped?')
ok(t.shows('After the index was dropped?'), 'what is written into a new index appears')
for f in glob.glob(w.top + '/home/.cache/killick/index.db*'):
    os.unlink(f)
t.keys(':ask src/a.c:31 -m "Written over no index?"\r')
ok(t.shows('Written over no index?'), 'an index that is gone is built anew')
t.keys('Q')
is_(t.ends(), 0, 'Q leaves')

# Line by line, over no index: what is told first is what there is.
for f in glob.glob(w.top + '/home/.cache/killick/index.db*'):
    os.unlink(f)
p = subprocess.run([BIN, 'tui', '--plain'], cwd=w.repo, env=w.env, input=b'2\n', capture_output=True)
out = p.stdout.decode()
ok(re.search(r'^2\. question .*Written over no index', out, re.M), 'plain mode waits for the index')
ok(re.search(r'> .*src/a\.c:31.*\n\d* ?question Written over no index', out), 'a number opens the row, kinds are words')

# Code that is gone, and nothing like it.
w.write('src/b.c', 'quite another thing\n')
w.commit('b is new')
out = w.script('settle\nsettle 500\nline threads two\nsettle\nkeys <Enter>\nsettle\ndump\n')
ok('gone since' in '\n'.join(out[0]) and 'M move it' in '\n'.join(out[0]), 'a thread without a guess says what can be done')

# A repository that is not set up has a history too.
w.run('rm', '-rf', w.repo + '/.git/killick')
t = Tty(w)
ok(t.shows('no threads yet'), 'a repository without threads')
t.keys('L')
ok(t.shows('3 commits'), 'has a log')
w.git('commit', '-q', '--allow-empty', '-m', 'third')
ok(t.shows('third', '4 commits'), 'that follows as well')
t.keys('Q')
t.ends()
w.done()
done()
