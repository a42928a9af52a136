#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writing from the screens: editors that behave and that do not, a line in place, taking back, drafts."""
import json, sys, os
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.write('src/a.c', ''.join('line %d\n' % i for i in range(1, 60)))
w.commit('start')
w.killick('ask', 'src/a.c:12', '-m', 'Why twelve?\n\n' + '\n\n'.join('Paragraph %d.' % i for i in range(30)))
BO = dict(GIT_AUTHOR_NAME='Bo', GIT_AUTHOR_EMAIL='bo@example.org')


def threads():
    return json.loads(w.killick('threads', '--json'))['threads']


def show():
    return json.loads(w.killick('show', threads()[-1]['id'], '--json'))['thread']


def drafts():
    return json.loads(w.killick('drafts', '--json'))['drafts']


def say(out):
    return '\n'.join(out[-1])


OPEN = 'settle\nkeys <Enter>\nsettle\n'

# The editor.
w.editor('exit 0\n')
ok('nothing was written, nothing is sent' in say(w.script(OPEN + 'keys r\ndump\n')), 'an editor that leaves the text empty sends nothing')
w.editor('sed -i "/your text goes below/a half a thought" "$f"; exit 3\n')
out = say(w.script(OPEN + 'keys r\ndump\n'))
ok('nothing is sent, the text is kept' in out and 'status 3' in out, 'one that fails: said, and the text is a draft')
w.editor('sed -i "/your text goes below/a half a word" "$f"; kill -9 $$\n')
out = say(w.script(OPEN + 'keys r\ndump\n'))
ok('killed by signal 9' in out, 'one that is killed: said')
is_(sorted(d['body'] for d in drafts()), ['half a thought', 'half a word'], 'and the text is a draft')
w.env['VISUAL'] = '/nonexistent/editor'
ok('cannot run' in say(w.script(OPEN + 'keys r\ndump\n')), 'one that is not there: said')
is_(len(show()['posts']), 1, 'nothing of all that was sent')
for d in drafts():
    w.killick('drafts', 'drop', d['id'])
w.editor('sed -i "/your text goes below/a from the editor" "$f"\n')
out = w.script(OPEN + 'keys r\nsettle\ndump\n')
ok('from the editor' in say(out), 'what was written is sent, and scrolled to')

# In place.
out = w.script(OPEN + 'keys <Alt-r>\ndump\ntype one line\nkeys <Enter>\nsettle\ndump\nkeys u\nsettle\ndump\n')
ok('reply to ' in out[0][-1] and '(everyone)' in out[0][-1], 'a line in place: who will see it stands before it')
ok(any(row.strip(' ▸') == 'one line' for row in out[1]), 'it is sent')
ok('taken back: your reply' in say(out[:3]), 'u takes it back')
ok('draft reply' in say(out[:3]), 'and its words stand in the thread as a draft')
is_([d['body'] for d in drafts()], ['one line'], 'which it is')
out = w.script(OPEN + 'keys G!\nsettle\ndump\n')
is_((len(drafts()), show()['posts'][-1]['body']), (0, 'one line'), '! sends it from there')

# A range that was asked about is done with: the next key means the thread there.
out = w.script('line file src/a.c:40\nsettle\nkeys Vjj<Alt-a>\ndump\ntype about three lines\nkeys <Enter>\nsettle\nkeys <Alt-r>\ndump\n')
ok('ask on src/a.c:40-42' in out[0][-1], 'a range is asked about')
ok('reply to ' in out[1][-1], 'and a reply is one to that')
w.killick('retract', threads()[0]['id'])

# u takes back what was done last, not what was said last.
w.killick('reply', threads()[-1]['id'], '-m', 'an answer', **BO)
out = w.script(OPEN + 'keys gAu\nsettle\ndump\n')
ok('taken back: the accepted answer' in say(out), 'u behind accept takes the acceptance back')
ok(show()['posts'][0]['body'], 'and leaves every post alone')
out = w.script(OPEN + 'keys Ru\nsettle\ndump\n')
is_(show()['state'], 'open', 'u behind resolve reopens')
out = w.script('line file src/a.c:5\nsettle\nkeys <Alt-a>\ntype taken back?\nkeys <Enter>\nsettle\nkeys <Enter>\nsettle\nkeys u\nsettle\ndump\n')
ok('no thread' not in say(out) and 'your question' in say(out), 'a thread that is taken back leaves the screen')
w.env['KILLICK_CLOCK'] = '2026-02-02T04:00:00Z+'
out = w.script(OPEN + 'keys u\ndump\nkeys n\nsettle\n')
n = len(show()['posts'])
ok('take it back' in say(out), 'what is older is asked about first')
is_(len(show()['posts']), n, 'and left')

# A short answer of a command is said, not a screen.
out = w.script('settle\nline retract %s\nsettle\ndump\n' % show()['posts'][1]['id'])
ok('inbox' in out[0][0] and 'hosts and clones' in say(out), 'two lines of a command are a message')

# What is typed goes to whom it was begun for, whatever others write above him meanwhile.
w.killick('ask', 'src/a.c:50', '-m', 'Question 50', KILLICK_CLOCK='2026-02-03T04:00:00Z+')
first = threads()[0]['id']
t = Tty(w)
t.shows('inbox')
t.keys(':threads\r')
t.shows('Question 50', 'threads ·')
t.keys('\x1br')
t.shows('reply to')
t.keys('Is it ')
w.killick('ask', 'src/a.c:55', '-m', 'From elsewhere', KILLICK_CLOCK='2026-02-04T04:00:00Z+', **BO)
t.pump(3)
ok('From elsewhere' not in t.text(), 'nothing moves while a reply is typed')
t.keys('you?\r')
ok(t.shows('From elsewhere'), 'what came meanwhile is shown afterwards')
is_([p['body'] for p in json.loads(w.killick('show', first, '--json'))['thread']['posts']], ['Question 50', 'Is it you?'],
    'the reply is where it was begun')
t.keys('Q')
t.ends()
w.done()
done()
