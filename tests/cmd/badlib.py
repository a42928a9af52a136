# SPDX-License-Identifier: MIT
"""What the tests of bad input share: a scratch HOME, running killick, and one check of everything that holds always."""
import atexit, json, os, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *

T = tempfile.mkdtemp(prefix='killick-bad.')
K = os.path.abspath(BIN)
ENV = {'PATH': os.environ['PATH'], 'HOME': os.path.join(T, 'home'), 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb',
       'GIT_CONFIG_NOSYSTEM': '1', 'GIT_AUTHOR_DATE': '2026-01-02T03:04:05Z', 'GIT_COMMITTER_DATE': '2026-01-02T03:04:05Z'}
for k in ('LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS'):
    if k in os.environ:
        ENV[k] = os.environ[k]
os.makedirs(ENV['HOME'])
# What must never reach a terminal raw: C0 but LF and TAB, DEL, C1, bidi and invisible characters.
DIRTY = re.compile(r'[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]')
STATUSES = (0, 1, 2, 3, 4, 5, 6, 75)


def git(*a, cwd=None, env=None, **kw):
    return subprocess.run(['git'] + list(a), cwd=cwd, env=env or ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True, **kw).stdout.decode().strip()


def run(*a, cwd=None, env=None, stdin=b'', timeout=60, **kw):
    p = subprocess.run([K] + list(a), cwd=cwd, env=env or ENV, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=timeout, **kw)
    return p.returncode, p.stdout.decode('utf-8', 'surrogateescape'), p.stderr.decode('utf-8', 'surrogateescape')


def sane(name, st, out, err, statuses=STATUSES, lines=3):
    """One check of everything that holds always."""
    why = []
    if st not in statuses:
        why.append('status %d' % st)
    if DIRTY.search(out) or re.search('[\udc80-\udcff]', out):
        why.append('raw output %r' % out[:300])
    if DIRTY.search(err) or re.search('[\udc80-\udcff]', err):
        why.append('raw message %r' % err[:300])
    if st and st != 6 and not err.startswith('killick: ') and not out:
        why.append('no message: %r' % err[:300])
    if len(err.splitlines()) > lines:
        why.append('%d lines of message: %r' % (len(err.splitlines()), err[:400]))
    if re.search(r'BUG|assert|Sanitizer|core dumped|runtime error', err):
        why.append('fell over: %r' % err[:600])
    ok(not why, name)
    for w in why:
        diag(w)
    return not why


def new(name, bare=False):
    d = os.path.join(T, name)
    os.makedirs(d)
    git('init', '-q', '-b', 'main', *(['--bare'] if bare else []), cwd=d)
    return d


def source(name):
    """A repository with ten lines of C in it."""
    d = new(name)
    os.makedirs(d + '/src')
    with open(d + '/src/a.c', 'w') as f:
        f.write(''.join('line %d\n' % i for i in range(1, 11)))
    git('add', '.', cwd=d)
    git('commit', '-qm', 'start', cwd=d)
    return d


# Every command of the table with words that would be good. ID, TASK and DRAFT stand for what there is.
COMMANDS = [c.split(' ') for c in '''init
init --join=0123456789abcdef0123456789abcdef
doctor
doctor --mend
config
config push
config push true
config --unset push
ask src/a.c:3 -m text
remark src/a.c:3 -m text
decide src/a.c:3 -m text
note src/a.c:3 -m text
note src/a.c:3 --private -m text
note . -m text --draft
note . -m text --dry-run
inbox
threads
threads is:open
search line
show ID
show ID --json
reply ID -m text
edit ID -m text
resolve ID
reopen ID
accept ID
react ID +1
move ID src/a.c:4
recall
retract ID
at src/a.c
at src/a.c:3 --json
place src/a.c:3
place --stdin
file src/a.c
log
log -- src/a.c
tasks
task new title -m text
task show TASK
task edit TASK -m text
task comment TASK -m text
task close TASK
task reopen TASK
task label TASK l
task milestone TASK v1
submit !58 --comment -m text
task assign TASK bo
task take TASK
drafts
drafts list --json
drafts show DRAFT
drafts edit DRAFT -m text
drafts send DRAFT
drafts drop DRAFT
sync
source
source list --json
source add --kind=dir --api=file:///nonexistent/ --project=p --no-test
source set dir prefix X
source test dir
source remove dir
outbox
outbox list --json
outbox show 0badf00d
outbox recall 0badf00d
outbox hold 0badf00d
outbox release 0badf00d
outbox retry 0badf00d
outbox send 0badf00d
outbox edit 0badf00d -m text
outbox discard 0badf00d
export
export --private
import -
import --from=git-appraise
import --from=git-bug
version
help
help ask
__complete show k
hook install
hook status
hook run post-commit
hook run pre-push origin x
hook remove
tui'''.split('\n')]


def words(c, **sub):
    return [sub.get(w, w) for w in c]


# Kinds of one fault share the commands out, unless everything is wanted.
WHOLE = os.environ.get('KILLICK_TEST_LONG') == '1'


def each(name, cwd, statuses=STATUSES, env=None, sub=None, check=None, lines=3, part=0, parts=1, skip=()):
    """Every command in one bad place; with parts, each parts-th, beginning with part."""
    good = True
    t0 = time.time()
    for i, c in enumerate(COMMANDS):
        if ((i - part) % parts and not WHOLE) or c[0] in skip:
            continue
        a = words(c, **(sub or {}))
        began = time.time()
        try:
            st, out, err = run(*a, cwd=cwd, env=env)
        except subprocess.TimeoutExpired:
            ok(False, '%s: %s hangs' % (name, ' '.join(a)))
            continue
        good = sane('%s: %s' % (name, ' '.join(a)), st, out, err, statuses, lines) and good
        if time.time() - began > 5:
            diag('%s: %s took %.1f s' % (name, ' '.join(a), time.time() - began))
        if check:
            check(a, st, out, err)
    diag('%s: %.1f s' % (name, time.time() - t0))
    return good


git('config', '--global', 'user.name', 'Ana')
git('config', '--global', 'user.email', 'ana@example.org')
atexit.register(subprocess.run, ['rm', '-rf', T])
