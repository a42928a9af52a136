# SPDX-License-Identifier: MIT
"""killick is killed at every step of sending, and started again: one copy at the tracker, the outbox empty, no word lost.

KILLICK_DIE_AT=N ends it at its Nth step (before and after each commit to the desk, each line to killick-remote, each answer).
Every scenario is a few posts and what goes wrong with them at the tracker; N counts up until a run gets through alive.
Resuming once more changes nothing."""
import json, os, re, shutil, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *

T = tempfile.mkdtemp(prefix='killick-kill.')
ENV = dict(os.environ, HOME=T + '/now/home', LC_ALL='C.UTF-8', TZ='UTC', GIT_CONFIG_NOSYSTEM='1')
for k in ('XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'KILLICK_CLOCK', 'KILLICK_TRACE', 'GIT_DIR', 'KILLICK_DIE_AT'):
    ENV.pop(k, None)
R = T + '/now/r'
D = T + '/now/tracker'


def sh(*a, env=None, cwd=R):
    p = subprocess.run(a, env=dict(ENV, **(env or {})), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def killick(*a, **env):
    return sh(BIN, *a, env=env)


def tracker(*a):
    return sh('/usr/bin/python3', SRC + '/tests/sync/tracker.py', D, *a, cwd='/')[1]


def said(*tasks):
    """As tracker.py's bodies, here: asked six times at each of a hundred points."""
    out = ''
    for key in tasks:
        with open('%s/tasks/%s.json' % (D, key)) as f:
            notes = json.load(f)['notes']
        for n in notes:
            out += n['author'].get('login', '?') + ': ' + n['body'].split('\n\n<!--')[0].replace('\n', '|') + '\n'
    return out


def setup():
    """Everything before the first post, kept as T/base."""
    for d in ('home', 'r'):
        os.makedirs(T + '/now/' + d)
    for a in (('user.name', 'Ana'), ('user.email', 'ana@example.org'), ('killick.post.delay', '0'),
              ('killick.post.settle', '0'), ('killick.post.background', 'false'), ('init.defaultBranch', 'main')):
        sh('git', 'config', '--global', *a)
    sh('git', 'init', '-q', '--template=')
    with open(R + '/a.c', 'w') as f:
        f.write('one\ntwo\n')
    sh('git', 'add', '.')
    sh('git', 'commit', '-qm', 'a')
    tracker('init')
    tracker('task', '412', 'Which release?')
    tracker('note', '412', 'bo', 'Next week?')
    sha = sh('git', 'rev-parse', 'HEAD')[1].strip()
    tracker('change', '58', 'Retry', sha, sha, 'topic')
    tracker('code', '58', 'chen', 'This leaks', 'a.c', '2', sha)
    killick('source', 'add', '--kind', 'dir', '--api', 'file://' + D + '/', '--project', 'widget')
    killick('sync', '-q')
    shutil.copytree(T + '/now', T + '/base', symlinks=True)


def restore(name):
    shutil.rmtree(T + '/now')
    shutil.copytree(T + '/' + name, T + '/now', symlinks=True)


def rows():
    st, out, err = killick('outbox', '--json')
    return json_rows(out)


def json_rows(out):
    return json.loads(out)['outbox'] if out else None


def resume(limit=60):
    """Syncs until nothing waits; how often it took. (What the killed one started has ended: it shares our pipe.)"""
    for n in range(1, limit):
        killick('sync', '-q', 'dir')
        left = rows()
        if left == []:
            return n
        # What waits for minutes by itself is told to go on now; what asks (lost twice: killed, and by a fault) is told to.
        for r in left:
            if r['problem'] and r['state'] in ('queued', 'unknown', 'asks'):
                killick('outbox', 'retry', r['id'])
        time.sleep(0.02 if SETTLE.get(name) is None else 0.3)
    return 0


def posts(texts):
    """What is wrong with the tracker or what is shown here; '' for nothing."""
    got = said('412', '58')
    for t in texts:
        if got.count(t) != 1:
            return '%r is %d times at the tracker:\n%s' % (t, got.count(t), got)
    st, out, err = killick('threads', '--json', 'source:dir')
    shown = killick('show', *re.findall(r'"id":"(k[0-9a-f]+)"', out))[1]
    for t in texts:
        if shown.count(t) != 1:
            return '%r is shown %d times:\n%s' % (t, shown.count(t), shown)
    if killick('drafts', '--json')[1] != '{"format":1,"drafts":[]}\n':
        return 'a draft was left'
    return ''


def conversation():
    l = json.loads(killick('threads', '--json', 'source:dir')[1])['threads']
    return [t['id'] for t in l if t['anchor']['type'] == 'task'][0], [t['id'] for t in l if t['anchor']['type'] == 'lines'][0]


def queue(talk, code):
    killick('reply', talk, '-m', 'Alpha reply')
    killick('reply', code, '-m', 'Beta reply')


TEXTS = ['Alpha reply', 'Beta reply']
SCENARIOS = [
    ('nothing goes wrong', []),
    ('an answer is lost after the post', ['{"on":"push","do":"unknown-after","verb":"reply"}']),
    ('an answer is lost before the post', ['{"on":"push","do":"unknown","verb":"comment"}']),
    ('killick-remote dies after the post', ['{"on":"push","do":"crash-after","verb":"comment"}']),
    ('killick-remote dies before the post', ['{"on":"push","do":"crash","verb":"reply"}']),
    ('a look fails', ['{"on":"push","do":"unknown-after","verb":"comment"}', '{"on":"find","do":"offline"}']),
    ('garbage', ['{"on":"push","do":"garbage","verb":"comment"}', '{"on":"look","do":"garbage"}']),
    ('a post is hidden for a while', ['{"on":"push","do":"hide","ms":900,"verb":"comment"}']),
]
SETTLE = {'a post is hidden for a while': '1s'}   # longer than it is hidden: else the promise does not hold

STRIDE = 1 if os.environ.get('KILLICK_KILL_ALL') else 2
setup()
talk, code = conversation()
points = 0
for name, faults in SCENARIOS:
    restore('base')
    queue(talk, code)
    sh('git', 'config', 'killick.post.settle', SETTLE.get(name, '0'))
    for f in faults:
        tracker('fault', f)
    shutil.rmtree(T + '/queued', ignore_errors=True)
    shutil.copytree(T + '/now', T + '/queued', symlinks=True)
    n, wrong = points % STRIDE + 1 - STRIDE, ''
    while not wrong:
        n += STRIDE
        restore('queued')
        st, out, err = killick('sync', '-q', 'dir', KILLICK_DIE_AT=str(n))
        if st != 100:
            break
        points += 1
        if not resume():
            wrong = 'killed at step %d: %r' % (n, [(r['state'], r['problem']) for r in rows() or []])
        else:
            wrong = posts(TEXTS)
            if wrong:
                wrong = 'killed at step %d: %s' % (n, wrong)
        if not wrong:
            before = said('412', '58')
            killick('sync', '-q', 'dir')
            if before != said('412', '58'):
                wrong = 'killed at step %d: a further sync changed something' % n
    ok(not wrong and n > 3, '%s: killed at steps of %d' % (name, n - 1))
    if wrong:
        diag(wrong)
diag('%d points' % points)
ok(points >= 200 // STRIDE, 'enough of them')
shutil.rmtree(T)
done()
