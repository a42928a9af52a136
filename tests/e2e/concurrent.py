#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The screens, hooks and one-shot commands write to one store at once: nothing is lost, and what they wait is printed.

KILLICK_TEST_SECONDS sets how long (default 10). How long commands and hooks took is printed, and of that what killick waited
for a lock; not judged: machines differ.
"""
import json, os, re, shutil, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *
import pexpect

seconds = float(os.environ.get('KILLICK_TEST_SECONDS', '10'))
top = tempfile.mkdtemp(prefix='killick-test.')
os.makedirs(top + '/home')
os.makedirs(top + '/bin')
os.symlink(BIN, top + '/bin/killick')
env = {'PATH': top + '/bin:' + os.environ['PATH'], 'HOME': top + '/home', 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC',
       'TERM': 'xterm-256color', 'GIT_CONFIG_NOSYSTEM': '1', 'KILLICK_TRACE': 'lock', 'KILLICK_TRACE_FILE': top + '/trace'}
for v in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
    if v in os.environ:
        env[v] = os.environ[v]


def sh(*argv, cwd=None):
    return subprocess.run(argv, cwd=cwd or top, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


sh('git', 'config', '--global', 'user.name', 'Ana')
sh('git', 'config', '--global', 'user.email', 'ana@example.org')
repo = top + '/r'
sh('git', 'init', '-q', '-b', 'main', repo)
with open(repo + '/a.c', 'w') as f:
    f.write('one\ntwo\nthree\n')
sh('git', 'add', '.', cwd=repo)
sh('git', 'commit', '-qm', 'start', cwd=repo)
is_(sh('killick', 'init', cwd=repo).returncode, 0, 'init')
is_(sh('killick', 'hook', 'install', cwd=repo).returncode, 0, 'hooks installed')

# The inbox is what opens first only where there are threads.
is_(sh('killick', 'note', '.', '-m', 'first', cwd=repo).returncode, 0, 'a note')
stop = time.time() + seconds
said, failed, waits = ['first'], [], {'command': [], 'hook': []}
lock = threading.Lock()


def commands(n):
    i = 0
    while time.time() < stop:
        i += 1
        text = 'command %d.%d' % (n, i)
        began = time.time()
        r = sh('killick', 'note', 'a.c:%d' % (i % 3 + 1), '-m', text, cwd=repo)
        with lock:
            waits['command'].append(time.time() - began)
            (said if r.returncode == 0 else failed).append(text if r.returncode == 0 else text + ': ' + r.stderr)


def commits():
    i = 0
    while time.time() < stop:
        i += 1
        text = 'hook %d' % i
        began = time.time()
        r = sh('git', 'commit', '-q', '--allow-empty', '-m', 'c%d\n\nNote: %s' % (i, text), cwd=repo)
        with lock:
            waits['hook'].append(time.time() - began)
            (said if r.returncode == 0 and 'opened' in r.stderr else failed).append(text + ('' if 'opened' in r.stderr else ': ' + r.stderr))


def readers():
    while time.time() < stop:
        r = sh('killick', 'threads', '--json', cwd=repo)
        if r.returncode:
            with lock:
                failed.append('reader: ' + r.stderr)


threads = [threading.Thread(target=commands, args=(n,)) for n in range(2)]
threads += [threading.Thread(target=commits), threading.Thread(target=readers)]
tui = pexpect.spawn('killick', cwd=repo, env=env, dimensions=(24, 80), timeout=60)
tui.expect('inbox')


def drain(seconds):
    until = time.time() + seconds
    while time.time() < until:
        try:
            tui.read_nonblocking(65536, 0.05)
        except pexpect.TIMEOUT:
            pass


for t in threads:
    t.start()
i = 0
while time.time() < stop:
    i += 1
    tui.send(':note . -m "screen %d"\r' % i)
    said.append('screen %d' % i)
    drain(0.5)
for t in threads:
    t.join()
until = time.time() + 60                # what was typed last may still be on its way
while time.time() < until and 'screen %d' % i not in sh('killick', 'threads', 'by:me', '-n', '20', cwd=repo).stdout:
    drain(0.2)
ok(tui.isalive(), 'the screens are still there')
tui.send('qqqqqq')
tui.expect(pexpect.EOF)
tui.close()

is_(failed, [], 'no write failed')
r = sh('killick', 'threads', '--json', cwd=repo)
titles = [t['title'] for t in json.loads(r.stdout)['threads']]
is_(sorted(set(said) - set(titles)), [], 'nothing of %d was lost' % len(said))
is_(len(titles), len(set(titles)), 'nothing was said twice')
ok(len([s for s in said if s.startswith('hook')]) > 3 and len(said) > 10, 'there was something to lose')
shutil.rmtree(top + '/home/.cache/killick', ignore_errors=True)
r2 = sh('killick', 'threads', '--json', cwd=repo)
is_(sorted(t['title'] for t in json.loads(r2.stdout)['threads']), sorted(titles), 'the index rebuilt from nothing has it all')
for who, w in waits.items():
    w.sort()
    diag('%s: %d, median %.0f ms, longest %.0f ms' % (who, len(w), w[len(w) // 2] * 1000, w[-1] * 1000))
locks = {}
for name, ms in re.findall(r'/([a-z]+)\.lock: waited (\d+) ms', open(top + '/trace', errors='replace').read()):
    locks.setdefault(name, []).append(int(ms))
for name, w in locks.items():
    w.sort()
    diag('%s.lock: taken %d times, waited for %d ms at the 99th percentile, %d ms at most' % (name, len(w), w[len(w) * 99 // 100], w[-1]))
shutil.rmtree(top, ignore_errors=True)
done()
