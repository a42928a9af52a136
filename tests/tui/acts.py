#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a key does on each screen where it makes sense: copy, edit, browse, mark as read, undo, again, saved views, jump."""
import json, os, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.write('src/a.c', ''.join('line %d\n' % i for i in range(1, 60)))
w.commit('start')
HEAD = w.git('rev-parse', 'HEAD').strip()
BO = dict(GIT_AUTHOR_NAME='Bo', GIT_AUTHOR_EMAIL='bo@example.org')
for where, text in (('src/a.c:12', 'Why twelve?'), ('src/a.c:20', 'Why twenty?'), ('HEAD', 'On the commit?')):
    w.killick('ask', where, '-m', text, **BO)
w.killick('task', 'new', 'A task', '-m', 'with text')
task = json.loads(w.killick('tasks', '--json'))['tasks'][0]['id']
w.killick('ask', 'task:' + task, '-m', 'On the task?', **BO)
w.git('remote', 'add', 'origin', 'https://github.com/acme/widget.git')
w.git('update-ref', 'refs/remotes/origin/main', 'HEAD')
w.git('config', 'killick.view1', 'is:open twenty')
w.git('config', '--global', 'killick.browser', w.top + '/browser')
for name, text in (('browser', 'echo "$1" >>"%s/urls"\n' % w.top),):
    with open(w.top + '/' + name, 'w') as f:
        f.write('#!/bin/sh\n' + text)
    os.chmod(w.top + '/' + name, 0o755)
w.editor('echo "$@" >>"%s/args"\n' % w.top)
ids = {t['title']: t['id'] for t in json.loads(w.killick('threads', '--json'))['threads']}
PAGE = 'https://github.com/acme/widget/'

SCREENS = {
    'inbox': 'line inbox twelve\n', 'threads': 'line threads twelve\n', 'search': 'line search twelve\n',
    'file': 'line file src/a.c:12\n', 'thread': 'line thread %s\n' % ids['Why twelve?'], 'log': 'line log\n',
    'commit': 'line commit HEAD\n', 'tasks': 'line tasks\n', 'task': 'line task %s\n' % task, 'files': 'line files\n',
}


def written(name):
    """What a program that was started wrote; it may still be on its way."""
    path, end, text = w.top + '/' + name, time.time() + 60, ''
    while not text.endswith('\n') and time.time() < end:
        text = open(path).read() if os.path.exists(path) else ''
        time.sleep(0.05)
    if text:
        os.unlink(path)
    return text.strip()


def press(screen, keys):
    return '\n'.join(w.script('settle\n' + SCREENS[screen] + 'settle\nkeys %s\nsettle\ndump\n' % keys)[-1])


for screen in ('inbox', 'threads', 'search', 'file', 'thread'):
    ok(ids['Why twelve?'] in press(screen, 'yi'), 'y i on the %s' % screen)
    said = press(screen, 'yq')
    ok('line 12' in said or 'Why twelve?' in said, 'y q on the %s' % screen)
    ok(HEAD + '/src/a.c#L12' in ''.join(press(screen, 'yl').split()), 'y l on the %s' % screen)
    press(screen, 'e')
    ok('+12 ' in written('args'), 'e on the %s' % screen)
    press(screen, 'o')
    is_(written('urls'), PAGE + 'blob/' + HEAD + '/src/a.c#L12', 'o on the %s' % screen)
for screen in ('log', 'commit'):
    ok(HEAD in press(screen, 'yi'), 'y i on the %s' % screen)
    press(screen, 'o')
    is_(written('urls'), PAGE + 'commit/' + HEAD, 'o on the %s' % screen)
for screen in ('tasks', 'task'):
    ok(task in press(screen, 'yi'), 'y i on the %s' % screen)
press('files', 'e')
ok('src/a.c' in written('args'), 'e on the files')
w.write('src/a.c', 'new\n' + ''.join('line %d\n' % i for i in range(1, 60)))
press('file', 'o')
is_(written('urls'), PAGE + 'blob/' + HEAD + '/src/a.c', 'o on a line of a changed file: its page, not a wrong line')
w.git('checkout', '-q', '.')

for screen in SCREENS:
    ok('is:open twenty' in press(screen, '1').split('\n')[0], '1 on the %s' % screen)
    ok('jump to' in press(screen, '<Ctrl-P>').split('\n')[0], 'Ctrl-P on the %s' % screen)
ok('drafts' in w.script('settle\nline outbox\ndump\n')[0][0], ':outbox is the screen of drafts')


def unread():
    return sorted(t['title'] for t in json.loads(w.killick('threads', 'is:unread', '--json'))['threads'])


all_of_them = unread()
start = time.time()
w.script('settle\nline thread %s\nkeys <F5><F5><F5>q\n' % ids['On the task?'])
quick = time.time() - start < 1
ok(unread() == all_of_them or not quick, 'what was shown for less than a second was not read, however often others wrote')
w.script('settle\nline thread %s\nsettle 2500\n' % ids['On the task?'])
is_(unread(), [title for title in all_of_them if title != 'On the task?'], 'for two seconds: it was')
press('inbox', 'm')
is_(unread(), ['On the commit?', 'Why twenty?'], 'm marks as read')
w.script('settle\nline threads why\nsettle\nkeys R\nsettle\nkeys j.\nsettle\n')
is_([t['state'] for t in json.loads(w.killick('threads', 'why', '--json'))['threads']], ['resolved', 'resolved'], '. resolves the next one too')
w.script('settle\nline threads why\nsettle\nkeys R\nsettle\nkeys u\nsettle\n')
is_([t['state'] for t in json.loads(w.killick('threads', 'why', '--json'))['threads']], ['resolved', 'resolved'], 'u takes a reopening back')
w.done()
done()
