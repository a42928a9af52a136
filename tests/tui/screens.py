#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The screens, without a terminal by a script of keys, and in a real one (pexpect and pyte)."""
import os, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *
import pexpect, pyte

top = tempfile.mkdtemp(prefix='killick-test.')
os.makedirs(top + '/home')
env = {k: v for k, v in os.environ.items() if k.startswith(('ASAN', 'UBSAN', 'LSAN'))}
env.update(PATH=os.environ['PATH'], HOME=top + '/home', LC_ALL='C.UTF-8', TZ='UTC', TERM='xterm-256color', VISUAL='true',
           GIT_CONFIG_NOSYSTEM='1', KILLICK_CLOCK='2026-01-02T04:00:00Z+')
repo = top + '/widget'


def sh(*argv, text=None):
    return subprocess.run(argv, cwd=repo if os.path.isdir(repo) else top, env=env, capture_output=True, input=text or b'')


def killick(*argv):
    return sh(BIN, *argv)


def script(text):
    with open(top + '/script', 'w') as f:
        f.write(text)
    r = killick('tui', '--script', top + '/script')
    return r.returncode, r.stdout.decode('utf-8', 'replace'), r.stderr.decode('utf-8', 'replace')


def screens(out):
    """The dumped screens: lists of lines."""
    return [s.split('\n')[1:-1] for s in re.findall(r'(?ms)^--- .*?^---$', out)]


for a in (('user.name', 'Ana'), ('user.email', 'ana@example.org')):
    sh('git', 'config', '--global', *a)
sh('git', 'init', '-q', '-b', 'main', repo)
os.makedirs(repo + '/src')
with open(repo + '/src/a.c', 'w') as f:
    f.write(''.join('line %d\n' % i for i in range(1, 60)))
with open(repo + '/wide.txt', 'w') as f:
    f.write('日本語の行\n👩‍👩‍👧 family ❤️ heart\nשלום עולם\n' + 'x' * 10000 + '\n')
sh('git', 'add', '.')
sh('git', 'commit', '-qm', 'start')

# An unset repository says what can be done.
st, out, err = script('size 24 80\nsettle\ndump\n')
is_(st, 0, 'opens in a repository that is not set up')
ok('ask about a line' in out and 'hooks' in out and 'tour' in out, 'and offers what can be done')
ok(not os.path.exists(repo + '/.git/killick'), 'without touching it')

killick('init')
killick('ask', 'src/a.c:12-14', '-m', 'Why three retries, not five?')
killick('remark', 'src/a.c:30', '-m', 'This leaks when connect() fails')
killick('decide', 'wide.txt:2', '-m', 'Emoji 👩‍👩‍👧 and 日本語 stay in their columns')
killick('ask', '.', '-m', 'evil \x1b]0;title\x07 \x9b31m \u202e reversed')
killick('task', 'new', 'A task', '-m', 'with text')

for rows, cols in ((24, 80), (10, 40), (50, 200)):
    walk = 'size %d %d\nsettle\ndump\n' % (rows, cols)
    for keys in ('L', '<Enter>', 'q', 'q', 'F', '<Enter>', ']', 'q', 'q', '?', 'q'):
        walk += 'keys %s\nsettle\ndump\n' % keys
    for line in ('tasks', 'drafts', 'search retries', 'file wide.txt', 'messages', 'threads'):
        walk += 'line %s\nsettle\ndump\n' % line
    st, out, err = script(walk)
    diag(err) if st else None
    is_(st, 0, 'every screen at %dx%d' % (cols, rows))
    got = screens(out)
    is_(len(got), 18, 'is there')
    ok(all(len(s) == rows for s in got), 'and fills its rows')
    ok(not re.search(r'[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202e]', out), 'no raw control character in any')
    ok(all(s[0].strip() for s in got), 'the top line says where I am')
    ok(all(s[-1].strip() for s in got), 'the bottom line says what I can do')
    if cols == 80:
        inbox = '\n'.join(got[0])
        ok('inbox' in got[0][0] and 'src/a.c:12-14' in inbox and 'Why three' in inbox, 'the inbox has the question')
        ok('start' in '\n'.join(got[1]), 'the log has the commit')
        ok('2 threads' in got[7][0] and '12 ? line 12' in '\n'.join(got[7]), 'the file has its threads in the margin')

# A list that is not read at once is read when no key waits: the same screens come of it.
for i in range(70):
    killick('note', 'src/a.c:%d' % (i % 59 + 1), '-m', 'note %d' % i)
walk = 'size 24 80\nsettle\ndump\n' + ''.join('line %s\ndump\nkeys %s\ndump\n' % pair for pair in (
    ('threads', 'G'), ('search note', '<Space><Space><Space><Space>'), ('threads kind:note', 'GGkk<Ctrl-U>'), ('reload', 'g'),
    ('search nothing-like-this', 'G'), ('inbox retries', 'jj')))
now, later = script(walk), script('patience 0\n' + walk)
is_(screens(later[1]), screens(now[1]), 'rows that come later are the same rows')
is_(len(screens(now[1])), 13, 'in every list')
st, out, err = script('patience 0\nsize 24 80\nline threads\nmonkey 3 150\n')
is_(st, 0, 'a hundred and fifty random keys while lists are read later')

st, out, err = script('size 24 80\nsettle\nmonkey 11 400\nsize 1 1\nmonkey 5 50\nsize 24 80\nsettle\ndump\n')
is_(st, 0, 'four hundred random keys, clicks and sizes')

# A real terminal.
screen = pyte.Screen(80, 24)
stream = pyte.ByteStream(screen)


def pump(child, seconds=0.6):
    end = time.time() + seconds
    while time.time() < end:
        try:
            stream.feed(child.read_nonblocking(65536, 0.05))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return


def shown(child, text, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        pump(child, 0.2)
        if text in '\n'.join(screen.display):
            return True
    return False


child = pexpect.spawn(BIN, cwd=repo, env=env, dimensions=(24, 80))
ok(shown(child, 'Why three retries'), 'a real terminal shows the inbox')
killick('note', 'src/a.c:1', '-m', 'x')
killick('ask', 'src/a.c:40', '-m', 'Seen while open?')
ok(shown(child, 'Seen while open?'), 'what another process writes appears')
child.send(':note src/a.c:2 -m "from the prompt"\r')
end = time.time() + 60
while time.time() < end and b'from the prompt' not in killick('threads').stdout:
    pump(child, 0.2)
ok('from the prompt' in killick('threads').stdout.decode(), 'the prompt runs commands')
screen.resize(10, 40)
child.setwinsize(10, 40)
ok(shown(child, 'inbox'), 'a resize is followed')
child.kill(signal.SIGTERM)
raw = b''
end = time.time() + 60
while time.time() < end:
    try:
        raw += child.read_nonblocking(65536, 0.1)
    except pexpect.TIMEOUT:
        pass
    except pexpect.EOF:
        break
ok(b'\x1b[?1049l' in raw, 'SIGTERM gives the terminal back')
child.close(force=True)

r = subprocess.run([BIN], cwd=repo, env=dict(env, TERM='dumb'), capture_output=True, stdin=subprocess.DEVNULL)
ok(r.returncode != 0 and b'terminal' in r.stderr, 'no terminal: one clear line')
shutil.rmtree(top, ignore_errors=True)
done()
