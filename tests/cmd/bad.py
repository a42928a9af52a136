# SPDX-License-Identifier: MIT
"""Bad input: every command in every bad place. Each works or says one clear line with its status; nothing crashes, hangs,
loses a word or leaks a raw control character."""
import os, sys
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests', 'cmd'))
from badlib import *

R = source('r')

# ---- no repository, an empty one, a bare one ----
os.makedirs(T + '/none')
each('no repository', T + '/none')
st, out, err = run('threads', cwd=T + '/none')
is_(st, 3, 'no repository: status 3')
ok('git init' in err, 'no repository: says what to do')
each('no commit', new('empty'))
each('bare', new('bare', bare=True))
os.makedirs(T + '/gone')
p = subprocess.run(['sh', '-c', 'cd %s/gone && rmdir %s/gone && exec %s threads' % (T, T, K)], env=ENV, stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
sane('a working folder that is gone', p.returncode, p.stdout.decode(), p.stderr.decode())

# ---- a good one, then things in it that are not ----
each('a good repository', R)
Q = json.loads(run('ask', 'src/a.c:3', '-m', 'Why?', '--json', cwd=R)[1])['thread']['id']
K1 = json.loads(run('task', 'new', 'A task', '--json', cwd=R)[1])['task']['id']
D1 = json.loads(run('note', '.', '-m', 'a draft', '--draft', '--json', cwd=R)[1])['draft']['id']
SUB = {'ID': Q, 'TASK': K1, 'DRAFT': D1}
each('with ids', R, sub=SUB)
for a in ('nosuch', 'nosuch:1', 'src/a.c:0', 'src/a.c:11', 'src/a.c:5-3', 'src/a.c:99999999999', 'src/a.c:4294967296',
          'src/a.c@nosuch', 'src/a.c:1@', '', ':', '#', '@', 'src/a.c:', 'src/a.c#x', '../x', '/etc/passwd', '/', '-x', '--',
          '~', 'HEAD~99', 'commit:nosuch', 'task:nosuch', 'path:"a', 'path:""', 'x' * 5000, 'https://github.com/a/b/blob/x/y#L1',
          '!58', 'GH-1', '\x1b]0;x\x07', '\u202egnp.c', 'a\nb', '\udcff'):
    for verb in (['ask'], ['at'], ['place'], ['file'], ['move', Q]):
        st, out, err = run(*verb, '--', a, cwd=R) if verb != ['ask'] else run('ask', '-m', 'x', '--', a, cwd=R)
        sane('%s %r' % (' '.join(verb), a[:40]), st, out, err)
for i in ('k', 'kzzz', 'k' + '0' * 64, '', 'p000000', Q + 'f' * 12, 'x' * 5000, '%s', "'; DROP TABLE thread; --", '*', '\x1b[31m'):
    for verb in (['show'], ['reply', '-m', 'x'], ['resolve'], ['task', 'show'], ['drafts', 'send']):
        st, out, err = run(*verb, '--', i, cwd=R)
        sane('%s %r' % (' '.join(verb), i[:40]), st, out, err, (2, 3))
for q in ('(', ')', 'is:', 'is:nosuch', 'nosuch:x', 'updated:<', 'updated:<99999y', '"', 'not', 'or', '((((a))))', '(' * 5000, 'a or',
          '*', '%', "'", 'on:[', 'label:"a b"', 'NEAR(a b)', 'a:b:c', '\x00x'[1:], 'x' * 100000, '"' + 'y ' * 20000 + '"'):
    st, out, err = run('threads', '--', q, cwd=R)
    sane('threads %r' % q[:30], st, out, err, (0, 2))
    st, out, err = run('search', '--', q, cwd=R)
    sane('search %r' % q[:30], st, out, err, (0, 2))

# ---- files of every kind ----
F = new('files')
kinds = {'crlf.c': b'a\r\nb\r\nc\r\n', 'latin1.c': 'caf\xe9\nb\nc\n'.encode('latin-1'), 'nul.c': b'a\0b\nc\nd\n', 'nonl.c': b'a\nb\nc',
         'empty.c': b'', 'newlines.c': b'\n' * 1000, 'long.c': b'x' * 10000 + b'\n' + b'y' * 100000 + b'\nz\n', 'cr.c': b'a\rb\rc\r',
         'esc.c': b'\x1b]0;owned\x07\n\x1b[2Jb\n\xe2\x80\xaec\n', 'utf16.c': 'a\nb\n'.encode('utf-16'), 'bom.c': b'\xef\xbb\xbfa\nb\nc\n',
         'ctrl.md': b'# \x1b[31mHead\x07ing\n\ntext\n\n## \xe2\x80\xaeevil\n',
         'big.c': b'0123456789' * 9 + b'01234567\n', 'a:12': b'a\nb\nc\n', '-x': b'a\nb\nc\n', 'a b': b'a\nb\nc\n',
         'q"uo\'te': b'a\nb\nc\n', 'new\nline': b'a\nb\nc\n', 'tab\tx': b'a\nb\nc\n', 'üñï': b'a\nb\nc\n', 'x@HEAD': b'a\nb\nc\n',
         'x#y': b'a\nb\nc\n', 'esc\x1b[31m': b'a\nb\nc\n', '\u202egnp.c': b'a\nb\nc\n', '.hidden': b'a\nb\nc\n', 'HEAD': b'a\nb\nc\n',
         '$(touch evil)': b'a\nb\nc\n', 'T-123456': b'a\nb\nc\n', 'n' * 250: b'a\nb\nc\n', b'by\xfftes'.decode('utf-8', 'surrogateescape'): b'a\nb\nc\n'}
for n, b in kinds.items():
    with open(os.path.join(F, n), 'wb') as f:
        f.write(b * (1060000 if n == 'big.c' else 1))
os.symlink('crlf.c', F + '/link')
os.symlink('/etc/passwd', F + '/outside')
os.symlink('nowhere', F + '/dangling')
os.makedirs(F + '/dir')
open(F + '/dir/x', 'w').write('x\n')
git('add', '-A', cwd=F)
git('commit', '-qm', 'files', cwd=F)
ignored = ['outside', 'dangling', 'link', 'dir']
for n in list(kinds) + ignored:
    a = './' + n
    show = ascii(n)[:30]
    st, out, err = run('ask', '-m', 'on ' + show, '--json', '--', a + ':2', cwd=F)
    one = sane('ask %s:2' % show, st, out, err)
    if n in kinds and n not in ('empty.c', 'nul.c', 'utf16.c', 'cr.c'):
        is_(st, 0, 'ask %s:2 works' % show)
    if st == 0:
        t = json.loads(out)['thread']
        is_(t['anchor']['line'], 2, '%s: on line 2' % show)
        # Its anchor as printed means the same thread again.
        st, out, err = run('at', '--json', '--', t['anchor']['text'], cwd=F)
        ok(st == 0 and t['id'] in [x['id'] for x in json.loads(out)['threads']], 'at %s finds it as printed' % show)
    for verb in (['note', '-m', 'x'], ['at'], ['at', '--json'], ['at', '--format=quickfix'], ['file'], ['place'], ['log', '-n', '2']):
        st, out, err = run(*verb, '--', a, cwd=F)
        sane('%s %s' % (' '.join(verb), show), st, out, err)
st, out, err = run('file', 'outside', cwd=F)
ok('root:' not in out, 'a link out of the tree is not followed')
is_(os.path.exists(F + '/evil'), False, 'no shell ran')
st, out, err = run('threads', cwd=F)
sane('threads over all of them', st, out, err, (0,))
st, out, err = run('threads', '--json', cwd=F)
sane('threads --json over all of them', st, out, err, (0,))
ok(len(json.loads(out)['threads']) > 40, 'there are many')
st, out, err = run('export', cwd=F)
sane('export of them', st, out, err, (0,))
t0 = time.time()
st, out, err = run('file', 'big.c:1-5', cwd=F)
sane('file of 100 MB', st, out, err, (0, 6))
st, out, err = run('at', 'big.c:3', '--json', cwd=F)
sane('at in 100 MB', st, out, err, (0,))
diag('100 MB: %.1f s' % (time.time() - t0))

# ---- control and bidi characters in everything ----
EVIL = ['\x1b]0;owned\x07', '\x1b[31mred', '\x9b2J', '\u202eabc', '\u2066x', 'a\u200bb', '\x7f', 'a\rb', '\x08\x08', '\U000e0041', '\ufeff']
D = new('dirty')
open(D + '/a.c', 'w').write('x\n' * 9)
git('add', '.', cwd=D)
for n, s in enumerate(EVIL):
    e = dict(ENV, GIT_AUTHOR_NAME='Eve ' + s.replace('\n', ''), GIT_AUTHOR_EMAIL='eve%d@example.org' % n)
    with open('%s/f%d%s.c' % (D, n, s.replace('/', '')), 'w') as f:
        f.write(s + '\n' + s + '\n')
    git('add', '-A', cwd=D)
    git('commit', '-qm', 'subject ' + s, cwd=D, env=e)
    path = './f%d%s.c' % (n, s)
    for a in (['ask', '-m', s + ' body ' + s, '--', path + ':1'], ['note', '--title', 'title ' + s, '-m', 'x ' + s, '--', '.'],
              ['ask', '--ask', 'Bo ' + s + ' <bo' + s + '@x>', '-m', 'put', '--', 'a.c:1'],
              ['task', 'new', 'task ' + s, '-m', s, '--label', 'l' + s], ['note', '--draft', '-m', s, '--', path],
              ['note', '--private', '-m', s + '```\n' + s + '\n```\n', '--', path],
              ['threads', '--', s], ['show', '--', s], [s], ['threads', '--' + s], ['threads', '-' + s], ['config', s], ['config', 'push', s],
              ['help', s], ['sync', '--', s], ['log', '--', s], ['task', s], ['-C', s, 'threads'], ['import', '--', s], ['note', '.', '-F', s],
              ['note', '.', '-m', 'x', '--to', s], ['react', Q, s], ['threads', '--sort', s], ['threads', '--limit', s]):
        sane('%s with %s' % (a[0] if a[0] != s else 'command', ascii(s)), *run(*a, cwd=D, env=e))
git('branch', 'b-\u202e', cwd=D)
git('remote', 'add', 'origin', 'https://example.org/\u202e\x1b[31m.git', cwd=D)
threads = json.loads(run('threads', '--json', cwd=D)[1])['threads']
tasks = json.loads(run('tasks', '--json', cwd=D)[1])['tasks']
for a in [['threads'], ['threads', '--posts', '--json'], ['inbox'], ['tasks'], ['tasks', '--json'], ['log', '-t'], ['log', '--json'],
          ['drafts'], ['drafts', '--json'], ['at', '.'], ['at', '--format=quickfix', '.'], ['search', 'body'], ['doctor'], ['config'], ['export'],
          ['__complete', 'show', ''], ['__complete', 'ask', ''], ['__complete', 'log', ''], ['init'], ['file', 'a.c', '-p'],
          ['threads', '--color=always']]:
    st, out, err = run(*a, cwd=D)
    if '--color=always' in a:
        out = re.sub(r'\x1b\[[0-9;]*m', '', out)
    sane('dirty: ' + ' '.join(a), st, out, err, (0, 1))
for t in threads:
    sane('dirty: show', *run('show', t['id'], cwd=D), (0,))
for t in tasks:
    sane('dirty: task show', *run('task', 'show', t['id'], cwd=D), (0,))

# ---- homes, stores and disks that do not work ----
each('without HOME', R, env={k: v for k, v in ENV.items() if k != 'HOME'}, sub=SUB) if os.getuid() else None
each('HOME is a file', R, env=dict(ENV, HOME=R + '/src/a.c', GIT_AUTHOR_NAME='A', GIT_AUTHOR_EMAIL='a@x'), sub=SUB, lines=4)
each('XDG folders that cannot be', R, env=dict(ENV, XDG_CACHE_HOME='/proc/x', XDG_DATA_HOME='/proc/y'), sub=SUB, lines=4)
each('relative XDG folders', R, env=dict(ENV, XDG_CACHE_HOME='x', XDG_DATA_HOME='y'), sub=SUB)
each('PATH is empty', R, env=dict(ENV, PATH=''), sub=SUB, lines=4)

B = ENV['HOME'] + '/.cache/killick/index.db'
before = run('export', cwd=R)[1]
for what, data in (('empty', b''), ('text', b'this is no database\n' * 100), ('random', os.urandom(100000)), ('another schema', None),
                   ('zeros', bytes(65536))):
    for x in ('', '-wal', '-shm'):
        if os.path.exists(B + x):
            os.unlink(B + x)
    if data is None:
        subprocess.run(['/usr/bin/python3', '-c', 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("create table thread(x)"); c.commit()', B])
    else:
        open(B, 'wb').write(data)
    st, out, err = run('threads', cwd=R)
    sane('index: ' + what, st, out, err, (0,))
    is_(run('export', cwd=R)[1], before, 'index: %s: nothing is lost' % what)
with open(B, 'r+b') as f:
    f.seek(4096)
    f.write(os.urandom(20000))
for x in ('-wal', '-shm'):
    if os.path.exists(B + x):
        os.unlink(B + x)
st, out, err = run('threads', cwd=R)
sane('index: damaged in the middle', st, out, err, (0, 1, 6))
run('doctor', '--mend', cwd=R)
is_(run('export', cwd=R)[1], before, 'index: damaged in the middle: mended')
os.unlink(B)
os.makedirs(B)
sane('index: a folder', *run('threads', cwd=R), (0,), 4)
os.rmdir(B)

# A file system of our own: full, then read-only.
M = T + '/disk'
os.makedirs(M)
if os.getuid() == 0 and subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=3m', 'none', M], stderr=subprocess.DEVNULL).returncode == 0:
    try:
        env = dict(ENV, HOME=M + '/home', GIT_AUTHOR_NAME='A', GIT_AUTHOR_EMAIL='a@x', GIT_COMMITTER_NAME='A', GIT_COMMITTER_EMAIL='a@x')
        os.makedirs(M + '/home')
        subprocess.run(['cp', '-r', R, M + '/r'], check=True)
        shutil.rmtree(M + '/r/.git/hooks', ignore_errors=True)
        n = len(json.loads(run('threads', '--json', cwd=M + '/r', env=env)[1])['threads'])
        run('note', '.', '-m', 'x', '--private', cwd=M + '/r', env=env)
        with open(M + '/fill', 'wb', buffering=0) as f:
            try:
                for size in (65536, 4096, 512, 1):
                    try:
                        while True:
                            f.write(b'x' * size)
                    except OSError:
                        pass
            except OSError:
                pass
        each('full disk', M + '/r', env=env, sub=SUB, lines=5)
        st, out, err = run('note', '.', '-m', 'a word', cwd=M + '/r', env=env)
        ok(st != 0 and ('space' in err or 'full' in err), 'full disk: says so')
        st, out, err = run('note', '.', '-F', '-', cwd=M + '/r', env=env, stdin=b'from a pipe')
        ok(st != 0 and 'from a pipe' in err, 'full disk: words from a pipe are shown, not lost')
        os.unlink(M + '/fill')
        got = len(json.loads(run('threads', '--json', cwd=M + '/r', env=env)[1])['threads'])
        ok(got >= n + 1, 'full disk: everything is there afterwards')
        sane('full disk, then room: note', *run('note', '.', '-m', 'x', cwd=M + '/r', env=env), (0,))
        is_(run('doctor', cwd=M + '/r', env=env)[0], 0, 'full disk, then room: doctor')
        subprocess.run(['mount', '-o', 'remount,ro', M], check=True)
        each('read-only', M + '/r', env=env, sub=SUB, lines=5)
        st, out, err = run('note', '.', '-m', 'a word', cwd=M + '/r', env=env)
        ok(st == 1 and 'ead-only' in err, 'read-only: says so')
        st, out, err = run('threads', '--json', cwd=M + '/r', env=env)
        ok(st == 0 and len(json.loads(out)['threads']) == got + 1, 'read-only: everything can be read')
    finally:
        subprocess.run(['umount', '-l', M])
else:
    diag('no mount: full and read-only disks are not tried')

# ---- big posts ----
text = ('word ' * 20 + '\n') * 10000
st, out, err = run('note', '.', '-F', '-', '--json', cwd=R, stdin=text.encode()[:1 << 20])
is_(st, 0, 'a post of 1 MiB')
big = json.loads(out)['thread']['id']
sane('is shown', *run('show', big, cwd=R), (0,))
st, out, err = run('note', '.', '-F', '-', cwd=R, stdin=('\x01' * (1 << 20)).encode())
sane('1 MiB of control characters', st, out, err, (0, 6))
st, out, err = run('note', '.', '-F', '-', cwd=R, stdin=('*' * 300000 + '[' * 100000 + '<!--' * 50000).encode())
sane('hostile Markdown', st, out, err, (0,))
sane('is shown too', *run('show', out.split()[0], cwd=R, timeout=20), (0,))
st, out, err = run('note', '.', '-F', '/dev/zero', cwd=R)
sane('an endless file', st, out, err, (6,))

# ---- killed at any moment: posted or kept, never half, never twice ----
strace = shutil.which('strace')
if strace and subprocess.run([strace, '-o', '/dev/null', 'true'], stderr=subprocess.DEVNULL).returncode == 0 and 'ASAN_OPTIONS' not in ENV:
    S = new('kill')
    open(S + '/a.c', 'w').write('x\n' * 9)
    git('add', '.', cwd=S)
    git('commit', '-qm', 's', cwd=S)
    run('note', '.', '-m', 'first', cwd=S)
    calls = 'pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,unlink,ftruncate,openat'
    log = subprocess.run([strace, '-f', '-e', 'trace=' + calls, '-o', T + '/calls', K, 'note', 'a.c:2', '-m', 'probe'], cwd=S, env=ENV,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    total = sum(1 for _ in open(T + '/calls'))
    points = list(range(1, total + 1, max(1, total // 40)))
    diag('%d calls, killed at %d of them' % (total, len(points)))
    bad, posted, kept = [], 0, 0
    for sig, step in (('KILL', 1), ('INT', 4), ('TERM', 4)):
        for n in points[::step]:
            body = 'word-%s-%d' % (sig, n)
            subprocess.run([strace, '-f', '-e', 'trace=' + calls, '-e', 'inject=%s:signal=%s:when=%d' % (calls, sig, n), '-o', '/dev/null', K,
                            'note', 'a.c:2', '-m', body], cwd=S, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            st, out, err = run('threads', '--posts', '--json', cwd=S)
            if st:
                bad.append('%s at %d: threads: %d %s' % (sig, n, st, err))
                continue
            hits = sum(p['body'] == body for t in json.loads(out)['threads'] for p in t['posts'])
            drafts = sum(d['body'] == body for d in json.loads(run('drafts', '--json', cwd=S)[1])['drafts'])
            posted += hits
            kept += drafts
            if hits > 1 or drafts > 1:
                bad.append('%s at %d: %d times, %d drafts' % (sig, n, hits, drafts))
    is_(bad, [], 'killed in the middle: nothing is half done or twice')
    ok(posted > 3, 'some were posted (%d), some kept (%d)' % (posted, kept))
    st, out, err = run('note', '.', '-m', 'after all of it', cwd=S)
    sane('and it still works', st, out, err, (0,))
    is_(run('doctor', cwd=S)[0], 0, 'doctor agrees')
else:
    diag('no strace: signals are not tried')
done()
