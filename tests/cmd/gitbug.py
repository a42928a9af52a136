# SPDX-License-Identifier: MIT
"""git-bug in: repositories in its formats made by hand. Version 4 (of 0.8.0 to 0.10.1: a graph, "version-4" in the tree, one
author a pack) and version 1 (of 0.3.0 to 0.7.0: "version" in the blob, an author an operation, at first without identities).
The same was tried with the real git-bug 0.10.1, whose trees and blobs these are byte by byte but for the names in them."""
import hashlib, json, os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *

T = tempfile.mkdtemp(prefix='killick-gitbug.')
K = os.path.abspath(BIN)
ENV = {'PATH': os.environ['PATH'], 'HOME': T + '/home', 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb', 'GIT_CONFIG_NOSYSTEM': '1',
       'GIT_AUTHOR_DATE': '2026-01-02T03:04:05Z', 'GIT_COMMITTER_DATE': '2026-01-02T03:04:05Z'}
for k in ('LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS'):
    if k in os.environ:
        ENV[k] = os.environ[k]
os.makedirs(ENV['HOME'])


def run(*a, stdin=b'', cwd=None):
    p = subprocess.run(list(a), cwd=cwd or R, env=ENV, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def git(*a, stdin=b''):
    st, out, err = run('git', *a, stdin=stdin)
    assert st == 0, (a, err)
    return out.strip()


def js(*a):
    st, out, err = run(K, *a, '--json')
    assert st == 0, (a, out, err)
    return json.loads(out)


def repo(name):
    global R
    R = os.path.join(T, name)
    os.makedirs(R)
    git('init', '-q', '-b', 'main')
    git('commit', '-q', '--allow-empty', '-m', 'x')


def go(x):
    """As Go's encoding/json writes it."""
    s = json.dumps(x, separators=(',', ':'), ensure_ascii=False)
    return s.replace('&', '\\u0026').replace('<', '\\u003c').replace('>', '\\u003e').encode()


def blob(data):
    return git('hash-object', '-w', '--stdin', stdin=data)


def tree(entries):
    return git('mktree', stdin=''.join('%s %s %s\t%s\n' % ('040000' if k == 'tree' else '100644', k, h, n)
                                       for n, k, h in sorted(entries)).encode())


def commit(t, *parents):
    return git('commit-tree', t, '-m', '', *[w for p in parents for w in ('-p', p)])


sha = lambda b: hashlib.sha256(b).hexdigest()
NONCE = 'SRQwUWTJCXAmQBIS+1ctKgOcbF0='


def identity(old=None, **kw):
    v = {'version': 2, 'times': {'bugs-create': 1, 'bugs-edit': 1}, 'unix_time': 1700000000}
    v.update(kw)
    v['nonce'] = NONCE
    data = go(v)
    c = commit(tree([('version', 'blob', blob(data))]), *([old[1]] if old else []))
    i = old[0] if old else sha(data)
    git('update-ref', 'refs/identities/' + i, c)
    return i, c


def op(kind, when, **kw):
    o = {'type': kind, 'timestamp': when, 'nonce': NONCE}
    o.update(kw)
    return go(o)


def pack4(author, ops, clock, *parents, create=None, version=4, files=()):
    data = b'{"author":' + go({'id': author}) + b',"ops":' + (b'[' + b','.join(ops) + b']' if ops else b'null') + b'}'
    empty = blob(b'')
    t = [('version-%d' % version, 'blob', empty), ('ops', 'blob', blob(data)), ('edit-clock-%d' % clock, 'blob', empty)]
    if create:
        t.append(('create-clock-%d' % create, 'blob', empty))
    if files:
        t.append(('extra', 'tree', tree([('file%d' % n, 'blob', f) for n, f in enumerate(files)])))
    return commit(tree(t), *parents)


git_config = lambda: [run('git', 'config', '--global', *a, cwd=T) for a in (['user.name', 'Ana'], ['user.email', 'ana@example.org'])]
git_config()

# ---- nothing there ----
repo('none')
st, out, err = run(K, 'import', '--from=git-bug')
is_(st, 3, 'no bugs: status 3')
ok('refs/bugs/*:refs/bugs/*' in err and len(err.splitlines()) == 1, 'no bugs: says how to get them')
is_(run(K, 'import', '--from=git-bug', 'file')[0], 2, 'no file is taken')

# ---- version 4 ----
repo('four')
ana = identity(name='Ana', email='ana@example.org')
bo0 = identity(name='Bob', email='bo@example.org')
bo = identity(bo0, name='Bo', email='bo@example.org', login='bo')
cy = identity(login='cy-on-github')
shot = blob(b'\x89PNG')
create = op(1, 1700000000, title='Crash <on> & "start"', message='It crashes.\nümlaut & <b>', files=None)
c0 = pack4(ana[0], [create], 2, create=1)
first = op(3, 1700000100, message='first, by Bo', files=[shot], metadata={'github-url': 'https://example.org/1'})
c1 = pack4(bo[0], [first], 3, c0, files=[shot])
second = op(3, 1700000200, message='second', files=None)
mine = [second, op(5, 1700000201, added=['bug', 'ui'], removed=None), op(5, 1700000202, added=[], removed=['ui']),
        op(2, 1700000203, title='Crash at start', was='Crash <on> & "start"'), op(8, 1700000204, target=sha(first), new_metadata={'a': 'b'}),
        op(4, 1700000205, status=2)]
c2 = pack4(ana[0], mine, 5, c1)
theirs = op(3, 1700000150, message='third, elsewhere: {"ops":[1,2]} \\" ]', files=None)
c3 = pack4(cy[0], [theirs], 4, c1)
c4 = pack4(ana[0], [], 6, c2, c3)
edits = [op(6, 1700000300, target=sha(first), message='first, by Bo, edited by Ana', files=[shot]), op(6, 1700000301, target=sha(second), message='second, edited', files=None),
         op(6, 1700000302, target=sha(create), message='It crashes, edited.', files=None), op(6, 1700000303, target='0' * 64, message='of nothing', files=None),
         op(7, 1700000304)]
c5 = pack4(ana[0], edits, 7, c4)
git('update-ref', 'refs/bugs/' + sha(create), c5)
other = op(1, 1700001000, title='Other', message='', files=None)
git('update-ref', 'refs/bugs/' + sha(other), pack4(cy[0], [other, op(4, 1700001001, status=2), op(4, 1700001002, status=1)], 8, create=2))

d = js('import', '--from=git-bug', '--dry-run')['import']
is_((d['ops'], d['dry_run']), (14, True), 'a dry run counts')
is_(js('tasks')['tasks'], [], 'and writes nothing')
st, out, err = run(K, 'import', '--from=git-bug')
is_((st, out, err), (0, "took in 14 changes of git-bug's\n", ''), 'import')
tasks = {t['title']: t for t in js('tasks')['tasks']}
is_(sorted(tasks), ['Crash at start', 'Other'], 'two tasks')
t = tasks['Crash at start']
is_((t['state'], t['labels'], t['author']['email'], t['created']), ('closed', ['bug'], 'ana@example.org', '2023-11-14T22:13:20Z'), 'state, labels, author, time')
is_(tasks['Other']['state'], 'open', 'closed and opened again')
is_((tasks['Other']['author']['name'], tasks['Other']['author']['email']), ('cy-on-github', cy[0][:16] + '@git-bug.invalid'), 'somebody without a mail address')
show = js('task', 'show', t['id'])['task']
is_(show['body'], 'It crashes, edited.', 'the text as it was edited')
is_(len(show['threads']), 1, 'one conversation')
posts = show['threads'][0]['posts']
is_([p['body'] for p in posts], ['first, by Bo, edited by Ana\n\nAttached in git-bug: git cat-file blob ' + shot,
                                 'third, elsewhere: {"ops":[1,2]} \\" ]', 'second, edited'], 'comments in the order of the clocks, with edits')
is_([p['author']['name'] for p in posts], ['Bo', 'cy-on-github', 'Ana'], 'their authors, by the newest name')
is_([p['time'] for p in posts], ['2023-11-14T22:15:00Z', '2023-11-14T22:15:50Z', '2023-11-14T22:16:40Z'], 'their times')
ok('import_by' in run(K, 'export')[1], 'who edited for somebody else is kept')
before = run(K, 'export')[1]
st, out, err = run(K, 'import', '--from=git-bug')
is_((st, out), (0, 'nothing new: all of it was here before\n'), 'again: nothing new')
is_(run(K, 'export')[1], before, 'and nothing is written')

# What came later, also before what was known: a comment with an older clock.
late = op(3, 1700000120, message='a late one', files=None)
c6 = pack4(bo[0], [late], 4, c1)
c7 = pack4(bo[0], [], 9, c5, c6)
c8 = pack4(bo[0], [op(6, 1700000400, target=sha(late), message='a late one, edited', files=None), op(4, 1700000401, status=1)], 10, c7)
git('update-ref', 'refs/bugs/' + sha(create), c8)
is_(js('import', '--from=git-bug')['import']['ops'], 3, 'what is new comes in')
show = js('task', 'show', t['id'])['task']
is_(show['state'], 'open', 'the state follows')
is_([len(x['posts']) for x in show['threads']], [4], 'in the same conversation')
ok('a late one, edited' in [p['body'] for p in show['threads'][0]['posts']], 'with its edit')

is_(len(run(K, 'threads', 'is:unread')[1].splitlines()), 1, 'and is new to me')

# ---- versions 1 and 2 ----
repo('old')
def pack1(ops, clock, *parents, create=None):
    empty = blob(b'')
    data = b'{"version":1,"ops":[' + b','.join(ops) + b']}'
    o = blob(data)
    t = [('ops', 'blob', o), ('root', 'blob', o), ('edit-clock-%d' % clock, 'blob', empty)]
    if create:
        t.append(('create-clock-%d' % create, 'blob', empty))
    return commit(tree(t), *parents)


def op1(kind, when, author, **kw):
    o = {'type': kind, 'author': author, 'timestamp': when}
    o.update(kw)
    return go(o)


di = commit(tree([('version', 'blob', blob(go({'version': 1, 'time': 3, 'unix_time': 1500000000, 'name': 'Di', 'email': 'di@example.org', 'nonce': NONCE})))]))
git('update-ref', 'refs/identities/' + di, di)
bare = {'name': 'Eve', 'email': 'eve@example.org'}
a = op1(1, 1500000000, bare, title='Old', message='one', files=None)
b = op1(3, 1500000100, {'id': di}, message='two', files=None)
p1 = pack1([a], 2, create=1)
p2 = pack1([b, op1(6, 1500000200, bare, target=sha(b), message='two, edited', files=None)], 3, p1)
git('update-ref', 'refs/bugs/' + p1, p2)
is_(js('import', '--from=git-bug')['import']['ops'], 3, 'the old format')
show = js('task', 'show', js('tasks')['tasks'][0]['id'])['task']
is_((show['title'], show['body'], show['author']['name']), ('Old', 'one', 'Eve'), 'an author without an identity')
is_([(p['body'], p['author']['name']) for p in show['threads'][0]['posts']], [('two, edited', 'Di')], 'and one with')

# ---- what cannot be read does not keep the rest out ----
repo('bad')
ana = identity(name='Ana', email='ana@example.org')
good = op(1, 1700000000, title='Good', message='yes\0no\x1b[31m\u202e'.replace('\0', ''), files=None)
git('update-ref', 'refs/bugs/' + sha(good), pack4(ana[0], [good], 2, create=1))
git('update-ref', 'refs/bugs/' + '1' * 64, pack4(ana[0], [good], 2, create=1, version=5))
git('update-ref', 'refs/bugs/' + '2' * 64, commit(tree([('ops', 'blob', blob(b'{"author":{"id":"x"},"ops":[{'))])))
git('update-ref', 'refs/bugs/' + '3' * 64, commit(tree([('else', 'blob', blob(b'x'))])))
git('update-ref', 'refs/bugs/' + '4' * 64, pack4(ana[0], [op(3, 1, message='no creation', files=None)], 2, create=1))
git('update-ref', 'refs/bugs/' + '5' * 64, commit(tree([('ops', 'blob', blob(b'[1,2,{"ops":3}]')), ('version-4', 'blob', blob(b''))])))
git('update-ref', 'refs/bugs/' + '6' * 64, pack4(ana[0], [b'{"type":1,"title":7,"message":[],"timestamp":"x","files":{}}', b'7', b'"x"', b'null'], 2, create=1))
st, out, err = run(K, 'import', '--from=git-bug')
is_(st, 6, 'bugs that cannot be read: status 6')
ok('5 of 7 bugs could not be read' in err and 'format version 5' in err, 'says which and why')
ok('\x1b' not in err + out and '\u202e' not in err + out, 'cleaned')
is_(sorted(t['title'] for t in js('tasks')['tasks'])[-1], 'Good', 'the good one is in')
is_(len(js('tasks')['tasks']), 2, 'and the odd one')
is_(run(K, 'import', '--from=git-bug')[0], 6, 'again the same')
is_(run(K, 'doctor')[0], 0, 'doctor agrees')
subprocess.run(['rm', '-rf', T])
done()
