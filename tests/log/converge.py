#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clones that write at once, offline, in any order, end with the same ops (logtool) and the same bytes (killick export).

Random histories of threads, posts, edits and redactions over several clones and two remotes: partitions (each clone
talks to whom it likes, when it likes), duplicates (logs carried by hand as packs and bundles), clocks ten years off,
stores that are copied and restored, redactions that arrive first because logs travel one by one. The seed is printed;
SEED=n repeats one run, ROUNDS=n makes more of them."""
import os, random, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *

TOOL = os.path.join(os.path.dirname(BIN), 'tests/log/logtool')
if not os.access(TOOL, os.X_OK):
    skip_all('tests/log/logtool is not built')
top = tempfile.mkdtemp(prefix='killick-converge.')
home = os.path.join(top, 'home')
os.mkdir(home)
for key in [k for k in os.environ if k.startswith(('GIT_', 'XDG_', 'KILLICK_CLOCK'))]:
    del os.environ[key]
os.environ.update(HOME=home, GIT_CONFIG_NOSYSTEM='1', LC_ALL='C.UTF-8', TZ='UTC', GIT_AUTHOR_DATE='2026-01-02T03:04:05Z',
                  GIT_COMMITTER_DATE='2026-01-02T03:04:05Z')
with open(os.path.join(home, '.gitconfig'), 'w') as f:
    f.write('[user]\n\tname = Ana\n\temail = ana@example.org\n[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n')


def run(*argv, cwd=top, env=None, fail=False):
    p = subprocess.run(argv, cwd=cwd, env=dict(os.environ, **(env or {})), capture_output=True, text=True)
    if p.returncode and not fail:
        raise AssertionError('%s in %s: %d %s' % (argv, cwd, p.returncode, p.stderr))
    return p


class Clone:
    def __init__(self, name, rng):
        self.dir, self.rng = os.path.join(top, name), rng
        year = 2026 + rng.randint(-10, 10)
        self.env = {'KILLICK_CLOCK': '%d-05-06T07:08:09Z+' % year, 'LOG_NAME': name, 'LOG_EMAIL': rng.choice('ab') + '@example.org',
                    'XDG_CACHE_HOME': os.path.join(top, 'cache', name), 'XDG_DATA_HOME': os.path.join(top, 'data', name)}
        run('git', 'init', '-q', self.dir)
        run('git', 'commit', '-q', '--allow-empty', '-m', 'root', cwd=self.dir)
        for r in ('r1', 'r2'):
            run('git', 'remote', 'add', r, os.path.join(top, r + '.git'), cwd=self.dir)
        self.tool('init')

    store = property(lambda self: os.path.join(self.dir, '.git/killick/store.git'))

    def tool(self, *args, fail=False):
        return run(TOOL, *args, cwd=self.dir, env=self.env, fail=fail)

    def write(self):
        self.tool('random', str(self.rng.randrange(1 << 30)), str(self.rng.randint(1, 6)))

    def talk(self, remote):
        self.tool('fetch', remote)
        self.tool('push', remote)

    def carry(self, other):
        """One log of the other's, or an older state of it, by hand: as if it had come over a third remote."""
        refs = run('git', '--git-dir', other.store, 'for-each-ref', '--format=%(refname)', 'refs/killick/log').stdout.split()
        if not refs:
            return
        ref = self.rng.choice(refs)
        back = self.rng.choice(['', '', '~1', '~3'])
        if run('git', '--git-dir', other.store, 'rev-parse', '-q', '--verify', ref + back, fail=True).returncode:
            back = ''
        box = os.path.join(top, 'box.git')
        shutil.rmtree(box, ignore_errors=True)
        run('git', 'init', '-q', '--bare', box)
        run('git', '--git-dir', other.store, 'push', '-q', box, ref + back + ':' + ref)
        self.tool('fetch', box, fail=True)

    def ids(self):
        lines = self.tool('read').stdout.splitlines()
        return sorted(l.split()[1] for l in lines if l.startswith('op ')), [l for l in lines if l.startswith('out ')]

    def export(self):
        return run(BIN, 'export', cwd=self.dir, env=self.env).stdout


def story(seed):
    rng = random.Random(seed)
    for d in os.listdir(top):
        if d != 'home':
            shutil.rmtree(os.path.join(top, d))
    for r in ('r1', 'r2'):
        run('git', 'init', '-q', '--bare', os.path.join(top, r + '.git'))
    clones = [Clone('c%d' % i, rng) for i in range(rng.randint(2, 4))]
    for step in range(rng.randint(12, 24)):
        c, what = rng.choice(clones), rng.random()
        if what < 0.5:
            c.write()
        elif what < 0.75:
            c.talk(rng.choice(['r1', 'r1', 'r2']))
        elif what < 0.9:
            c.carry(rng.choice([o for o in clones if o is not c]))
        elif what < 0.95:
            c.tool('gc', fail=True)
        elif len(clones) < 6:
            # Somebody copies the whole folder and goes on in the copy: it must not go on with the same log.
            copy = Clone.__new__(Clone)
            copy.__dict__.update(c.__dict__, dir=c.dir + 'x%d' % step)
            copy.env = dict(c.env, XDG_CACHE_HOME=c.env['XDG_CACHE_HOME'] + 'x%d' % step)
            shutil.copytree(c.dir, copy.dir, symlinks=True)
            copy.write()
            clones.append(copy)
    for _ in range(2):
        for c in clones:
            for r in ('r1', 'r2'):
                c.talk(r)
    sets = [c.ids() for c in clones]
    exports = [c.export() for c in clones] if os.access(BIN, os.X_OK) else []
    return sets, exports


rounds = int(os.environ.get('ROUNDS', '6'))
first = int(os.environ.get('SEED', '20261122'))
try:
    for seed in range(first, first + rounds):
        try:
            sets, exports = story(seed)
        except AssertionError as x:
            ok(False, 'seed %d runs' % seed)
            diag(x)
            continue
        ids, out = sets[0]
        is_([len(s[1]) for s in sets], [0] * len(sets), 'seed %d: nothing is kept out' % seed)
        ok(all(s[0] == ids for s in sets) and ids, 'seed %d: %d clones have the same %d ops' % (seed, len(sets), len(ids)))
        if exports:
            ok(all(e == exports[0] for e in exports) and len(exports[0].splitlines()) > len(ids),
               'seed %d: and export the same bytes' % seed)
finally:
    shutil.rmtree(top, ignore_errors=True)
done()
