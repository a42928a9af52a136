# SPDX-License-Identifier: MIT
"""Bad input over the whole table of commands: every command has a case; outputs that are closed or full, files that may not
grow, empty and huge texts, desks, stores, configurations and terminals that are broken, nobody's home, kill -9 at any call.
What was said before is there afterwards."""
import os, sys
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests', 'cmd'))
from badlib import *
import pty, resource, select

R = source('r')
TABLE = json.loads(run('help', '--json', cwd=R)[1])['commands']
FULL = {((c['parent'] + ' ') if c['parent'] else '') + c['name']: c for c in TABLE}
first = {' '.join(c[:2]) for c in COMMANDS} | {c[0] for c in COMMANDS}
is_(sorted(set(FULL) - first), [], 'every command of the table has a case')
Q = json.loads(run('ask', 'src/a.c:3', '-m', 'Why?', '--json', cwd=R)[1])['thread']['id']
K1 = json.loads(run('task', 'new', 'A task', '--json', cwd=R)[1])['task']['id']
D1 = json.loads(run('note', '.', '-m', 'a draft', '--draft', '--json', cwd=R)[1])['draft']['id']
P1 = json.loads(run('note', '.', '-m', 'mine', '--private', '--json', cwd=R)[1])['thread']['id']
SUB = {'ID': Q, 'TASK': K1, 'DRAFT': D1}
WRITES = ('ask', 'remark', 'decide', 'note', 'reply', 'edit', 'resolve', 'reopen', 'accept', 'react', 'move', 'task')


def ops(cwd=R, env=None):
    """What is kept for good, as a set of lines."""
    out = run('export', cwd=cwd, env=env)[1] + run('export', '--private', cwd=cwd, env=env)[1]
    return {l for l in out.splitlines() if l.startswith('{"op"')}


# ---- standard files ----
def shell(name, line, statuses, quiet=False, part=0, **kw):
    """Every command as "$@" of a shell line; two of the five lines for each."""
    for i, c in enumerate(COMMANDS):
        if (i - part) % 5 > 1 and not WHOLE:
            continue
        a = words(c, **SUB)
        if a[0] == 'recall' or a[:2] in (['drafts', 'send'], ['drafts', 'drop']):
            continue
        p = subprocess.run(['bash', '-c', line, 'x', K] + a, cwd=R, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=60, **kw)
        err = p.stderr.decode('utf-8', 'surrogateescape')
        good = p.returncode in statuses and len(err.splitlines()) <= 4 and not DIRTY.search(err) and \
            not re.search(r'BUG|assert|Sanitizer|runtime error', err) and not (quiet and 'write' in err)
        ok(good, '%s: %s' % (name, ' '.join(a))) or diag('%d %r' % (p.returncode, err))


shell('standard output is full', '"$@" >/dev/full', STATUSES, part=0)
st = subprocess.run(['bash', '-c', '"$0" threads >/dev/full', K], cwd=R, env=ENV, stderr=subprocess.PIPE)
ok(st.returncode == 1 and b'No space left' in st.stderr, 'standard output is full: said')
shell('standard output is closed', '"$@" >&-', STATUSES, part=1)
shell('nobody reads standard output', 'set -o pipefail; "$@" | :', STATUSES + (141,), quiet=True, part=2)
shell('standard input is closed', '"$@" <&-', STATUSES, part=3)
shell('all three are closed', '"$@" <&- >&- 2>&-', STATUSES, part=4)


def no_growth(n):
    def set_():
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
    return set_


# ---- files that may not grow: a full disk without root ----
for k, n in enumerate((0, 4096, 40000)):
    before = ops()
    for i, c in enumerate(COMMANDS):
        a = words(c, **SUB)
        if a == ['recall'] or (n and (i - k) % 2 and not WHOLE):
            continue # recall takes a word back, as it should
        st, out, err = run(*a, cwd=R, preexec_fn=no_growth(n))
        sane('files of at most %d bytes: %s' % (n, ' '.join(a)), st, out, err, lines=5)
        if n == 0 and a[0] in WRITES and '--dry-run' not in a and a[-1] != '-h' and a[:2] not in (['task', 'show'], ['task', 'milestone']):
            ok(st in (3, 4) or (st != 0 and ('large' in err or 'space' in err)), 'files may not grow: %s says so' % ' '.join(a)) or diag('%d %r %r' % (st, out, err))
    ok(before <= ops(), 'files of at most %d bytes: nothing was lost' % n)
    is_(run('doctor', '--mend', cwd=R)[0], 0, 'files of at most %d bytes: doctor' % n)

# ---- texts ----
TAKES = [c for c in COMMANDS if '-m' in c and '--draft' not in c and '--dry-run' not in c and c[0] != 'outbox']
is_(sorted({n for n, c in FULL.items() if 'message' in [o['name'] for o in c['options']]} -
           {' '.join(c[:2]) for c in TAKES} - {c[0] for c in TAKES} - {'resolve', 'outbox edit'}), [], 'every command that takes a text is tried')
TAKES.append(['resolve', 'ID', '-m', 'text'])
R0, SUB0 = R, SUB
R = source('texts')
Q = json.loads(run('ask', 'src/a.c:3', '-m', 'Why?', '--json', cwd=R)[1])['thread']['id']
SUB = {'ID': Q, 'TASK': json.loads(run('task', 'new', 'A task', '--json', cwd=R)[1])['task']['id']}
for c in TAKES:
    a = words(c, **SUB)
    base = a[:a.index('-m')]
    name = ' '.join(base)
    for what, text, want in (('empty', '', (2, 3, 4)), ('blank', ' \n\t \n', (2, 3, 4)), ('1 MiB', 'word\n' * 209715 + 'x', (0, 3, 4)),
                             ('more', 'word\n' * 209720, (3, 4, 6)), ('control characters', '\x1b]0;x\x07\x9b\u202e\x7f\b' * 50, (0, 2, 3, 4)),
                             ('CRLF', 'a\r\nb\r\n', (0, 2, 3, 4)), ('one line of 100,000', 'x' * 100000, (0, 2, 3, 4))):
        if base[:2] == ['task', 'new']:
            want = want + (0,) # its title is enough
        n = len(run('drafts', '--jsonl', cwd=R)[1].splitlines())
        st, out, err = run(*base, '-F', '-', cwd=R, stdin=text.encode())
        sane('%s: text %s' % (name, what), st, out, err, want)
        if what == 'more' and st == 6:
            is_(len(run('drafts', '--jsonl', cwd=R)[1].splitlines()), n + 1, '%s: a text that is too long is kept' % name)
    for what, raw, want in (('Latin-1', 'caf\xe9'.encode('latin-1'), (0, 3, 4)), ('NUL', b'a\0b', (0, 3, 4, 6)), ('no UTF-8', b'\xff\xfe\xc0\xaf' * 9, (0, 3, 4))):
        st, out, err = run(*base, '-F', '-', cwd=R, stdin=raw)
        sane('%s: text with %s' % (name, what), st, out, err, want)
    for where, want in (('/nowhere/x', (3,)), ('.', (1, 6)), ('/dev/full', (1, 2, 6)), ('src', (1, 6)), ('/proc/self/mem', (1, 6))):
        st, out, err = run(*base, '-F', where, cwd=R)
        sane('%s: -F %s' % (name, where), st, out, err, want + (3, 4))
sane('all of it is shown', *run('threads', '--posts', '--json', cwd=R), (0,))
sane('all of it in text', *run('threads', cwd=R), (0,))
sane('all of it in a thread', *run('show', Q, cwd=R), (0,))
R, SUB = R0, SUB0
Q = SUB['ID']

# ---- a desk that is none ----
E = dict(ENV, XDG_DATA_HOME=T + '/data')
run('note', '.', '--private', '-m', 'a private word', cwd=R, env=E)
desk = T + '/data/killick/desk.db'
kept = open(desk, 'rb').read()
for k, (what, data) in enumerate((('empty', b''), ('text', b'this is no database\n' * 100), ('zeros', bytes(65536)), ('cut off', kept[:5000]),
                   ('damaged', kept[:4096] + os.urandom(len(kept) - 4096)), ('newer', None), ('foreign', None), ('a folder', None))):
    if os.path.isdir(desk):
        os.rmdir(desk)
    for x in ('', '-journal', '-wal', '-shm'):
        if os.path.exists(desk + x):
            os.unlink(desk + x)
    if data is not None:
        open(desk, 'wb').write(data)
    elif what == 'newer':
        open(desk, 'wb').write(kept)
        subprocess.run(['/usr/bin/python3', '-c', 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("pragma user_version=99"); c.commit()', desk])
    elif what == 'foreign':
        subprocess.run(['/usr/bin/python3', '-c', 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("create table x(y)"); c.commit()', desk])
    else:
        os.makedirs(desk)
    size = open(desk, 'rb').read() if os.path.isfile(desk) else None
    each('desk: ' + what, R, env=E, sub=SUB, lines=4, part=k, parts=8)
    if what not in ('empty',) and size is not None:
        ok(open(desk, 'rb').read() == size, 'desk: %s: is not written to' % what)
    if what not in ('empty', 'zeros'):
        st, out, err = run('note', '.', '--private', '-m', 'x', cwd=R, env=E)
        ok(st != 0 and desk in err, 'desk: %s: said, with where it is' % what) or diag('%d %r' % (st, err))

# ---- a store that is damaged ----
G = os.path.join(R, '.git', 'killick', 'store.git')
whole = os.path.join(T, 'whole')
subprocess.run(['cp', '-a', G, whole], check=True)
before = ops()


kinds = iter(range(100))


def store(what, harm, lines=4):
    subprocess.run(['rm', '-rf', G], check=True)
    subprocess.run(['cp', '-a', whole, G], check=True)
    harm()
    each('store: ' + what, R, sub=SUB, lines=lines, part=next(kinds), parts=9, skip=('recall',))
    subprocess.run(['chmod', '-R', 'u+rwX', G])
    subprocess.run(['rm', '-rf', G], check=True)
    subprocess.run(['cp', '-a', whole, G], check=True)
    ok(before <= ops(), 'store: %s: put back, everything is there' % what)


refs = []
for d, _, files in os.walk(G + '/refs/killick/log'):
    refs += [os.path.join(d, f) for f in files]
put = lambda p, b: open(p, 'wb').write(b)
store('config is garbage', lambda: put(G + '/config', b'[core\n\xff\0garbage'))
store('config is gone', lambda: os.unlink(G + '/config'))
store('HEAD is gone', lambda: os.unlink(G + '/HEAD'))
store('objects are gone', lambda: shutil.rmtree(G + '/objects'))
store('refs are empty', lambda: [put(r, b'') for r in refs])
store('refs are garbage', lambda: [put(r, b'\0\xff\x1b[31m') for r in refs])
store('refs name what is not there', lambda: [put(r, b'1' * 40 + b'\n') for r in refs])
store('a file for the folder', lambda: (shutil.rmtree(G), put(G, b'x')))
store('an empty folder', lambda: (shutil.rmtree(G), os.makedirs(G)))

# ---- a repository that is damaged ----
for k, (what, path, data) in enumerate((('config', 'config', b'[core\nx'), ('HEAD', 'HEAD', b'garbage'), ('HEAD that leads nowhere', 'HEAD', b'1' * 40 + b'\n'), ('index', 'index', b'DIRCgarbage'),
                         ('packed refs', 'packed-refs', b'\xff\xfe\n'), ('commondir', 'commondir', b'/nowhere\n'), ('shallow', 'shallow', b'x\n'))):
    p = os.path.join(R, '.git', path)
    old = open(p, 'rb').read() if os.path.exists(p) else None
    put(p, data)
    each('repository: bad ' + what, R, sub=SUB, lines=4, part=k, parts=7, skip=('recall',))
    os.unlink(p)
    if old is not None:
        put(p, old)
ok(before <= ops(), 'repository: put right, everything is there')
os.makedirs(T + '/file')
put(T + '/file/.git', b'gitdir: /nowhere\n')
each('.git leads nowhere', T + '/file', part=0, parts=3)
put(T + '/file/.git', os.urandom(1000))
each('.git is garbage', T + '/file', part=1, parts=3)
each('GIT_DIR leads nowhere', R, env=dict(ENV, GIT_DIR='/nowhere'), part=2, parts=3)

# ---- somebody who has no home, or nothing that can be written ----
if os.getuid() == 0:
    os.chmod(T, 0o711)
    N = T + '/nobody'
    os.makedirs(N)
    subprocess.run(['cp', K, N + '/killick'], check=True)
    subprocess.run(['cp', '-r', R, N + '/r'], check=True)
    for x in ('.git/hooks',):
        shutil.rmtree(N + '/r/' + x, ignore_errors=True)
    subprocess.run(['chown', '-R', '65534:65534', N], check=True)
    saved, as_nobody = K, dict(user=65534, group=65534, extra_groups=[])
    env = {k: v for k, v in ENV.items() if k not in ('HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME')}
    env.update(GIT_AUTHOR_NAME='No', GIT_AUTHOR_EMAIL='no@body', GIT_COMMITTER_NAME='No', GIT_COMMITTER_EMAIL='no@body')

    def nobody(name, sub):
        for c in COMMANDS:
            a = words(c, **sub)
            p = subprocess.run([N + '/killick'] + a, cwd=N + '/r', env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               timeout=60, **as_nobody)
            sane('%s: %s' % (name, ' '.join(a)), p.returncode, p.stdout.decode('utf-8', 'surrogateescape'), p.stderr.decode('utf-8', 'surrogateescape'), lines=5)
    nobody('nobody, without HOME', SUB)
    p = subprocess.run([N + '/killick', 'note', '.', '-m', 'a word'], cwd=N + '/r', env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, **as_nobody)
    is_(p.returncode, 0, 'nobody, without HOME: what is for everyone can be written') if p.returncode == 0 else \
        ok(b'HOME' in p.stderr, 'nobody, without HOME: says what is missing') or diag(p.stderr)
    subprocess.run(['chown', '-R', '0:0', N + '/r/.git'], check=True)
    env['GIT_CONFIG_COUNT'], env['GIT_CONFIG_KEY_0'], env['GIT_CONFIG_VALUE_0'] = '1', 'safe.directory', '*'
    nobody("somebody else's repository, read only", SUB)
    del env['GIT_CONFIG_COUNT']
    nobody("somebody else's repository", SUB)
else:
    for c in ('home',):
        each('without HOME', R, env={k: v for k, v in ENV.items() if k != 'HOME'}, sub=SUB, lines=5)

# ---- terminals ----
def on_terminal(name, a, env, seconds=20):
    """In a pseudo-terminal that nobody types at; what came out of it, and the status (None: it waits for a key)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(R)
        os.execve(K, [K] + a, env)
    out, end, quiet = b'', time.time() + seconds, time.time() + 2
    while time.time() < min(end, quiet):
        if select.select([fd], [], [], 0.2)[0]:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
            quiet = time.time() + 0.7
        if os.waitpid(pid, os.WNOHANG)[0]:
            return out.decode('utf-8', 'surrogateescape'), 'ended'
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError:
        pass
    os.close(fd)
    status = os.waitpid(pid, 0)[1]
    return out.decode('utf-8', 'surrogateescape'), status


for term in ('dumb', '', 'nosuchterminal', 'vt100'):
    env = dict(ENV, TERM=term, EDITOR='true')
    if term == 'nosuchterminal' and 'ASAN_OPTIONS' in ENV:
        env['ASAN_OPTIONS'] += ':detect_leaks=0'  # curses keeps what it began (newterm, new_prescr)
    for a in ([], ['threads'], ['show', Q], ['log'], ['ask', 'src/a.c:1'], ['help', 'ask']):
        if not a and term == 'vt100':
            continue # the screens: tests/tui
        out, how = on_terminal(term, a, env)
        ok(not re.search(r'BUG|assert|Sanitizer|terminals database|core dumped', out) and '\x1b' not in (re.sub('\x1b\\[[0-9;]*m', '', out) if term == 'nosuchterminal' else '' if term == 'vt100' else out),
           'TERM=%s on a terminal: %s' % (term or '""', ' '.join(a) or 'killick')) or diag(out[:400])

# ---- kill -9 at any call of every command that writes ----
strace = shutil.which('strace')
if strace and subprocess.run([strace, '-o', '/dev/null', 'true'], stderr=subprocess.DEVNULL).returncode == 0 and 'ASAN_OPTIONS' not in ENV:
    calls = 'pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,unlink,ftruncate'
    S = source('kill')
    git('init', '-q', '--bare', T + '/kill.git', cwd=S)
    git('remote', 'add', 'origin', T + '/kill.git', cwd=S)
    tid = json.loads(run('ask', 'src/a.c:3', '-m', 'Why?', '--json', cwd=S)[1])['thread']['id']
    kid = json.loads(run('task', 'new', 'A task', '--json', cwd=S)[1])['task']['id']
    sub = {'ID': tid, 'TASK': kid}
    put(T + '/exported', run('export', '--private', cwd=R)[1].encode())
    bad, n_kills = [], 0
    for c in [c for c in COMMANDS if c[0] in WRITES and c[:2] != ['task', 'show'] and '--dry-run' not in c] + \
            [['sync'], ['export', '--private'], ['import', T + '/exported'], ['doctor', '--mend'], ['hook', 'install'], ['config', 'push', 'true']]:
        a = words(c, **sub)
        subprocess.run([strace, '-f', '-e', 'trace=' + calls, '-o', T + '/calls', K] + a, cwd=S, env=ENV, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        total = sum(1 for _ in open(T + '/calls'))
        for at in range(1, total + 1, max(1, total // (20 if WHOLE else 3))):
            before = ops(S)
            subprocess.run([strace, '-f', '-e', 'trace=' + calls, '-e', 'inject=%s:signal=KILL:when=%d' % (calls, at), '-o', '/dev/null', K] + a,
                           cwd=S, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            n_kills += 1
            if not before <= ops(S):
                bad.append('%s at %d: something was lost' % (' '.join(a), at))
            st, out, err = run('threads', cwd=S)
            if st or err:
                bad.append('%s at %d: threads: %d %s' % (' '.join(a), at, st, err))
    is_(bad, [], 'killed %d times: nothing is lost, everything works' % n_kills)
    is_(run('doctor', cwd=S)[0], 0, 'doctor agrees') if run('doctor', cwd=S)[0] == 0 else is_(run('doctor', '--mend', cwd=S)[1], '', 'doctor agrees')
else:
    diag('no strace: nothing is killed')
done()
