# SPDX-License-Identifier: MIT
"""No question costs the whole index: every statement that the commands prepare is explained by SQLite itself, and none may
walk through a table that grows with what people write, but for the few that are meant to. No time is taken."""
import fcntl, json, os, re, shutil, sqlite3, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *

T = tempfile.mkdtemp(prefix='killick-plans.')
R = T + '/r'
ENV = dict(os.environ, HOME=T, GIT_CONFIG_NOSYSTEM='1', LC_ALL='C.UTF-8', KILLICK_TRACE='sql')
for v in ('XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME'):
    ENV.pop(v, None)
GROWS = set('thread post task op record place part box link label assignee trailer readmark map fileid person who'.split())
MEANT = [
    # People are few, and are meant by any part of their names.
    (r'SELECT DISTINCT who FROM person', 'person'),
    # What has no word in it, as "->", cannot be in an index of words.
    (r'instr\(o\.body', 'o'),
    # What no task can be is not looked for at all.
    (r'\(0\)', 'k'),
]
SQL = {}


def run(*args, stdin=''):
    p = subprocess.run([BIN] + list(args), cwd=R, env=ENV, input=stdin, capture_output=True, text=True, errors='replace')
    for line in p.stderr.splitlines():
        m = re.search(r'\bindex: ((?:WITH|SELECT|INSERT|UPDATE|DELETE)\b.*)', line)
        if m:
            SQL.setdefault(m.group(1), ' '.join(args))
    if p.returncode not in (0, 3):
        diag('%s: status %d' % (' '.join(args), p.returncode))
    return p.stdout


def git(*args):
    subprocess.run(('git',) + args, cwd=R, env=ENV, check=True, stdout=subprocess.DEVNULL)


def new(*args):
    return list(json.loads(run(*args, '--json')).values())[1]['id']


os.makedirs(R + '/src')
with open(R + '/src/a.c', 'w') as f:
    f.write('\n'.join(map(str, range(50))) + '\n')
git('init', '-q')
git('config', '--global', 'user.name', 'Ana')
git('config', '--global', 'user.email', 'ana@example.org')
git('add', '.')
git('commit', '-qm', 'start')
q = new('ask', 'src/a.c:3', '-m', 'Why a retry?')
n = new('note', 'HEAD', '-m', 'on the commit')
t = new('task', 'new', 'A task', '-m', 'to be done')
c = new('task', 'comment', t, '-m', 'soon')
p = json.loads(run('show', q, '--json'))['thread']['posts'][0]['id']
for args in (('show', q), ('show', q, '--json'), ('show', p), ('reply', q, '-m', 'so'), ('resolve', q), ('reopen', q), ('react', q, '+1'),
             ('move', q, 'src/a.c:5'), ('at', 'src/a.c', '--json'), ('at', 'src/a.c:5'), ('at', 'src'), ('at', '.'), ('at', 'HEAD'),
             ('file', 'src/a.c', '--json'), ('log', '--json'), ('place', q), ('threads', '--json'), ('threads', '-n', '1'),
             ('inbox', '--json'), ('inbox',), ('tasks', '--json'), ('tasks',), ('task', 'show', t, '--json'), ('task', 'close', t),
             ('task', 'label', t, 'x'), ('task', 'assign', t, 'ana@example.org'), ('drafts',),
             ('search', 'retry'), ('search', 'retry so', '--json'), ('export',), ('doctor',), ('outbox',)):
    run(*args)
run('place', '--stdin', stdin='{"from":"HEAD","path":"src/a.c","line":3,"to":"HEAD"}\n')
for name in ('GH-1', '!58', '#412', 'T-123456', 'PROJ-77'):
    run('task', 'show', name)
for query in ('is:open', 'is:answered', 'is:unread', 'is:mine', 'is:gone', 'is:private', 'kind:question', 'place:moved', 'on:src',
              'on:src/a.c', 'on:src/a.c:3', 'on:*.c', 'on:.', 'on:GH-1', 'on:!58', 'commit:abcd', 'id:' + q, 'id:' + p, 'by:ana',
              'author:me', 'with:ana', 'waiting:me', 'waiting:others', 'waiting:ana', 'source:native', 'task:GH-1', 'task:' + t,
              'task:58', 'label:x', 'assignee:me', 'milestone:1.0', 'updated:<2w', 'created:>2020-01-01', 'retry', '"a retry"', 'ret*', '->',
              'is:open kind:question on:src by:ana', 'not is:open', 'is:open or label:x'):
    for list_ in ('threads', 'tasks', 'search'):
        run(list_, '--json', '--', query)
    run('inbox', '--json', '--', query)
# Threads without a place, and nobody can give them one while another writes.
with sqlite3.connect(T + '/.cache/killick/index.db') as db:
    db.execute('DELETE FROM place')
    db.execute('UPDATE view SET ops=0, unplaced_at=-1')
db.close()
with open(T + '/.cache/killick/index.lock') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    run('threads', '--json', '--', 'on:src')
    run('at', 'src/a.c', '--json')
ok(any('FROM thread y' in sql for sql in SQL), 'also of threads that have no place yet')
with open(R + '/src/a.c', 'a') as f:
    f.write('more\n')
run('at', 'src/a.c')
git('commit', '-qam', 'Answer\n\nResolves-thread: ' + q)
run('hook', 'run', 'post-commit')
run('at', 'src/a.c')
run('hook', 'run', 'pre-push', 'origin', 'nowhere', stdin='')

db = sqlite3.connect('file:%s/.cache/killick/index.db?mode=ro' % T, uri=True)
ok(len(SQL) > 150, 'the commands prepared statements by the hundred')
diag('%d statements' % len(SQL))
bad = []
for sql, by in sorted(SQL.items()):
    names = dict((alias or table, table) for table, alias in re.findall(r'(?:FROM|JOIN|,) (\w+)(?: (?!ON\b|WHERE\b|CROSS\b|LEFT\b|JOIN\b'
                 r'|UNION\b|ORDER\b|GROUP\b|LIMIT\b|SET\b)(\w+))?', sql))
    plan = [row[3] for row in db.execute('EXPLAIN QUERY PLAN ' + sql, [None] * max([0] + [int(x) for x in re.findall(r'\?(\d+)', sql)]))]
    for step in plan:
        m = re.match(r'SCAN (\w+)', step)
        if m and names.get(m.group(1), m.group(1)) in GROWS and 'VIRTUAL' not in step and \
           not any(re.search(x, sql) and m.group(1) == y for x, y in MEANT):
            bad.append((by, step, sql))
for by, step, sql in bad[:20]:
    diag('%s: %s' % (by, step))
    diag('    ' + sql)
is_(len(bad), 0, 'and none walks through a table that grows')
shutil.rmtree(T, ignore_errors=True)
done()
