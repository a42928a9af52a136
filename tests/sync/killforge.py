# SPDX-License-Identifier: MIT
"""killick is killed at every step of sending to a forge that loses answers: one copy there, the outbox empty, shown once.

As kill.py, against the fake forge in GitHub's and Gitea's dialect, whose own state is the oracle. Each point has texts of its
own, since the forge goes on while the client's world is set back."""
import json, os, re, shutil, subprocess, sys, tempfile, time
SRC_ = os.environ.get('KILLICK_TEST_SRC', '.')
sys.path[:0] = [os.path.join(SRC_, 'tests'), os.path.join(SRC_, 'tests', 'remote')]
from tap import *
from forgeclient import Forge

T = tempfile.mkdtemp(prefix='killick-kill.')
ENV = dict(os.environ, HOME=T + '/now/home', LC_ALL='C.UTF-8', TZ='UTC', GIT_CONFIG_NOSYSTEM='1', KILLICK_TOKEN_F='t-ana')
for k in ('XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'KILLICK_CLOCK', 'KILLICK_TRACE', 'GIT_DIR', 'KILLICK_DIE_AT'):
    ENV.pop(k, None)
R = T + '/now/r'


def sh(*a, **env):
    p = subprocess.run(a, env=dict(ENV, **env), cwd=R, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, p.stdout.decode()


def killick(*a, **env):
    return sh(BIN, *a, **env)


def rows():
    out = killick('outbox', '--json')[1]
    return json.loads(out)['outbox'] if out else None


def setup(f, api, kind):
    shutil.rmtree(T + '/now', ignore_errors=True)
    for d in ('home', 'r'):
        os.makedirs(T + '/now/' + d)
    for a in (('user.name', 'Ana'), ('user.email', 'ana@example.org'), ('killick.post.delay', '0'),
              ('killick.post.settle', '0'), ('killick.post.background', 'false'), ('init.defaultBranch', 'main')):
        sh('git', 'config', '--global', *a)
    sh('git', 'init', '-q')
    sh('git', 'commit', '-q', '--allow-empty', '-m', 'a')
    head = sh('git', 'rev-parse', 'HEAD')[1].strip()
    f.seed(users=[{'login': 'ana'}, {'login': 'bob'}], tokens=[{'token': 't-ana', 'login': 'ana'}], repos=[{
        'name': 'acme/widget', 'perms': {'ana': 'write', 'bob': 'write'}, 'tasks': [
            {'title': 'Which release?', 'user': 'bob', 'body': 'x', 'comments': [{'user': 'bob', 'body': 'Next week?'}]},
            {'title': 'Retry', 'user': 'bob', 'body': 'x', 'change': {'head': head, 'files': [
                {'path': 'a.c', 'patch': '@@ -0,0 +1,2 @@\n+one\n+two'}]},
             'reviews': [{'user': 'bob', 'state': 'COMMENTED', 'body': '', 'comments': [
                 {'path': 'a.c', 'line': 2, 'body': 'This leaks'}]}]}]}])
    killick('source', 'add', '--kind', kind, '--api', f.url + api, '--web', f.url + '/', '--project', 'acme/widget', '--name', 'f')
    for o in ('write-gap-ms', 'backoff-ms'):
        sh('git', 'config', 'killick.source.f.' + o, '1')
    killick('sync', '-q')
    shutil.rmtree(T + '/base', ignore_errors=True)
    shutil.copytree(T + '/now', T + '/base', symlinks=True)


def restore():
    shutil.rmtree(T + '/now')
    shutil.copytree(T + '/base', T + '/now', symlinks=True)
    killick('sync', '-q')


def resume():
    for n in range(40):
        killick('sync', '-q', 'f')
        left = rows()
        if left == []:
            return True
        for r in left:
            if r['problem'] and r['state'] in ('queued', 'unknown', 'asks', 'held'):
                killick('outbox', 'retry', r['id'])
        time.sleep(0.01)
    return False


def threads():
    l = json.loads(killick('threads', '--json', 'source:f')[1])['threads']
    return [t['id'] for t in l if t['anchor']['type'] == 'task'][0], [t['id'] for t in l if t['anchor']['type'] == 'lines'][0]


def wrong_with(f, texts):
    for t in texts:
        n = len(f.find(t))
        if n != 1:
            return '%r is %d times at the forge' % (t, n)
    shown = ''.join(killick('show', x)[1] for x in threads())
    for t in texts:
        if shown.count(t) != 1:
            return '%r is shown %d times' % (t, shown.count(t))
    return ''


FAULTS = [
    ('nothing goes wrong', []),
    ('the answer is lost after the post', [{'method': 'POST', 'path': '.*(comments|replies|reviews).*', 'times': 1, 'do': 'close-after-commit'}]),
    ('500 after the post', [{'method': 'POST', 'path': '.*(comments|replies|reviews).*', 'times': 1, 'do': 'error-after-commit'}]),
]
STRIDE = 1 if os.environ.get('KILLICK_KILL_ALL') else 4     # all of them takes six minutes
points = 0
for kind, api in (('github', '/'), ('gitea', '/api/v1/')):
    with Forge('both', '--version', '1.26.0') as f:
        setup(f, api, kind)
        for name, faults in FAULTS:
            n, wrong = points % STRIDE + 1 - STRIDE, ''
            while not wrong:
                n += STRIDE
                f.faults(*[])
                restore()
                talk, code = threads()
                texts = ['%s-%d-%d-%s' % (kind, FAULTS.index((name, faults)), n, w) for w in ('alpha', 'beta')]
                killick('reply', talk, '-m', texts[0])
                killick('reply', code, '-m', texts[1])
                f.faults(*faults)
                st, out = killick('sync', '-q', 'f', KILLICK_DIE_AT=str(n))
                if st != 100:
                    break
                points += 1
                wrong = '' if resume() else 'not sent: %r' % [(r['state'], r['problem']) for r in rows() or []]
                wrong = wrong or wrong_with(f, texts)
            ok(not wrong and n > 20, '%s, %s: killed at steps of %d' % (kind, name, n - 1))
            if wrong:
                diag('killed at step %d: %s' % (n, wrong))
diag('%d points' % points)
ok(points >= 180 // STRIDE, 'enough of them')
shutil.rmtree(T)
done()
