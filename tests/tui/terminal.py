#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""killick and its terminal: kinds of it, its size, the mouse, job control, its end."""
import sys, os
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive import *

w = World()
w.write('src/a.c', ''.join('line %d\n' % i for i in range(1, 60)))
w.commit('start')
for i in range(40):
    w.killick('ask', 'src/a.c:%d' % (i + 1), '-m', 'Question %02d' % i)
COLOUR = re.compile(rb'\x1b\[[0-9;]*[345][0-9]')


def shows_inbox(name, **env):
    t = Tty(w, **env)
    ok(t.shows('Question 39'), name)
    return t


def end(t, name='and ends'):
    t.keys('Q')
    is_(t.ends(), 0, name)
    return t.raw


def colours(raw):
    """SGR numbers that are colours."""
    return {n for m in re.findall(rb'\x1b\[([0-9;]*)m', raw) for n in re.findall(rb'(?:^|;)([34]8;[25];[0-9;]+|[349][0-7])(?=;|$)', m)}


# Kinds.
for term, more, want in (('xterm-256color', {}, rb'38;5;'), ('xterm', {}, rb'3[0-7]$'), ('xterm-direct', {}, None), ('vt100', {}, None),
                         ('xterm-256color', {'NO_COLOR': '1'}, None)):
    t = shows_inbox('%s %s shows the inbox' % (term, more), TERM=term, **more)
    raw = end(t)
    got = colours(raw)
    if want:
        ok(got and any(re.match(want, c) for c in got), 'in its colours')
    elif term != 'xterm-direct':
        is_(got, set(), 'without colours')
# A colours file.
config = w.top + '/home/.config/killick'
os.makedirs(config)
for depth, env, want in (('256', dict(TERM='xterm-256color'), b'38;5;201'), ('16', dict(TERM='xterm'), b'35')):
    with open(config + '/colours', 'w') as f:
        f.write('# mine\nbase light\naccent 5 201 #ff00ff\n\nnosuch 1\ndim #zzz\n')
    t = Tty(w, **env)
    ok(t.shows('Question 39', "colours file, line 6: '#zzz' is no colour"), 'a colours file: what is wrong is said')
    ok(any(re.fullmatch(want, c) for c in colours(end(t))), 'and the rest is used with %s colours' % depth)
for theme in sorted(os.listdir(SRC + '/contrib/themes')):
    shutil.copy(SRC + '/contrib/themes/' + theme, config + '/colours')
    ok(w.script('line messages\ndump\n')[0][0].startswith(' messages · 0'), 'contrib/themes/%s is one' % theme)
os.unlink(config + '/colours')
for term in ('dumb', ''):
    t = Tty(w, TERM=term)
    ok(t.ends() == 2 and b'--plain' in t.raw, 'TERM=%s: one line that says what there is instead' % term)
t = shows_inbox('a terminal of 1x1 is no fault', LC_ALL='C')
ok(all(ord(c) < 128 for c in t.text()), 'with LC_ALL=C everything is ASCII')
t.resize(1, 1)
t.pump(0.5)
t.resize(24, 80)
ok(t.shows('Question 39'), 'and back')
end(t)

# What is painted by its differences is what is painted anew (Ctrl-L): wide, combining and narrow text, bands, marks.
cells = lambda t: [[t.screen.buffer[y][x] for x in range(t.screen.columns)] for y in range(t.screen.lines)]
pieces = ['word', 'Ä', '日本', 'e\u0301', '→', '  ', '\t', '─' * 12, 'x' * 30, '한', '· ']
w.write('mixed.txt', ''.join(''.join(pieces[(i * 7 + k * k + i * k) % len(pieces)] for k in range(i % 19)) + '\n' for i in range(300)))
w.commit('mixed')
for term, size in (('xterm-256color', (24, 80)), ('xterm-256color', (11, 41)), ('vt100', (24, 80))):
    t = Tty(w, TERM=term, rows=size[0], cols=size[1])
    t.shows('Question 39' if size[1] > 60 else 'inbox')
    t.keys(':file mixed.txt\r')
    t.shows('of 300')
    t.keys('/日本\r')
    for k in 'jjj\x04jG\x15kkng\x04\x04nlllhjjVjj\x1b?\x04Gq\x06gj':
        t.keys(k)
        t.pump(0.05)
    # Behind all those keys: a prompt, and that it is gone.
    t.keys(':zz')
    t.shows(':zz')
    t.keys('\x7f\x7f\x7f')
    t.shows('of 300', '? keys', gone=(':zz',))
    before = cells(t)
    ok(not re.search(rb'\x1b[\[(]?\x1b|\x1b\[[0-9;]+\x1b|m[0-9;]+m', t.raw), 'no sequence is cut in two, %s at %dx%d' % (term, size[1], size[0]))
    t.raw = b''
    t.keys('\x0c')
    while b'\x1b[2J' not in t.raw and b'\x1b[J' not in t.raw and t.pump(0.1):
        pass
    t.shows('of 300')
    ok(cells(t) == before, 'differences add up to the page, %s at %dx%d' % (term, size[1], size[0]))
    end(t)

# The mouse: SGR reports, coordinates from 1.
t = shows_inbox('the mouse')
t.keys('\x1b[<0;30;6M\x1b[<0;30;6m')
ok(t.shows('▸  ? src/a.c:37 '), 'a click puts the cursor there')
t.keys('\x1b[<65;30;6M' * 3)
ok(t.shows('Question 11', gone=('Question 39',)), 'the wheel scrolls')
t.keys('\x1b[<0;30;5M\x1b[<0;30;5m\x1b[<0;30;5M\x1b[<0;30;5m')
ok(t.shows('work tree', '? Question 2'), 'a double click opens, also when all of it arrives together')
t.keys('q')
t.shows('inbox')
t.keys('\x1b[M >$\x1b[M#>$')
ok(t.shows('inbox', '▸  ? src/a.c:30 '), 'reports of the old kind are understood')
end(t)

# In a shell: stopped and brought back, with and without a resize; an editor while the size changes.
w.editor('sleep 1\n')
t = Tty(w, '/bin/bash', '--norc', '-i', PS1='shell> ')
t.shows('shell>')
t.keys(BIN + '\r')
ok(t.shows('Question 39'), 'from a shell')
t.keys('\x1a')
ok(t.shows('Stopped'), 'Ctrl-Z stops it')
t.resize(30, 100)
t.keys('fg\r')
ok(t.shows('inbox', '? keys', gone=('Stopped',)), 'fg brings it back')
ok(t.text().split('\n')[29].strip() != '', 'at the size the terminal has now')
t.keys('r')
t.pump(0.4)
t.resize(20, 70)
ok(t.shows('nothing was written', '? keys'), 'the size changes while the editor is there')
ok(t.text().split('\n')[19].strip() != '', 'and is right afterwards')
t.keys('Q')
t.shows('shell>')
t.keys('clear; stty -a | tr " ;" "\\n\\n" | grep -c -x -e icanon -e echo\r')
ok(t.shows('2\nshell>', gone=('inbox',)), 'the shell has its terminal as it was')
t.close()

# Upgraded while it runs.
copy = w.top + '/killick'
shutil.copy(BIN, copy)
t = Tty(w, copy)
t.shows('Question 39')
os.unlink(copy)
shutil.copy(BIN, copy)
w.git('commit', '-q', '--allow-empty', '-m', 'second')
w.killick('ask', 'HEAD', '-m', 'After the upgrade?')
t.keys('s')
ok(t.shows('After the upgrade?') and 'cannot run' not in t.text(), 'its own children are the program that stands there now')
end(t)

# The end of the terminal.
t = shows_inbox('a terminal that is closed')
t.child.kill(signal.SIGHUP)
is_(t.ends(), -signal.SIGHUP, 'SIGHUP ends it by SIGHUP')
t = shows_inbox('and without a signal')
pid = t.child.pid
os.close(t.child.child_fd)
gone = False
for i in range(100):
    try:
        if os.waitpid(pid, os.WNOHANG)[0]:
            gone = True
            break
    except ChildProcessError:
        gone = True
        break
    time.sleep(0.1)
ok(gone, 'a hung-up line ends it too')
w.done()
done()
