# SPDX-License-Identifier: MIT
"""killick-remote's protocol and the adapter contract, over the adapter of a folder of files."""
import json, os, re, shutil, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import *
from talk import *

os.environ.pop('KILLICK_CLOCK', None)
T = tempfile.mkdtemp(prefix='killick-test.')
A = {'type': 'lines', 'path': 'src/a.c', 'line': 3, 'end': 4, 'commit': '1' * 40}
ANA = {'login': 'ana', 'name': 'Ana'}
ids = iter(('%032x' % i for i in range(1, 10000)))


def folder(n=3):
    d = tempfile.mkdtemp(dir=T)
    os.mkdir(d + '/tasks')
    put(d, 'source.json', {'me': ANA, 'title': 'A folder', 'public': False})
    for i in range(1, n + 1):
        put(d, 'tasks/%d.json' % i, {'rev': i, 'task': {'record': 'task', 'key': str(i), 'name': 'DIR-%d' % i, 'state': 'open',
                                     'title': 'Task %d' % i, 'author': {'login': 'bo'}, 'created': '2026-01-02T03:04:05Z'},
                                     'notes': [{'record': 'note', 'key': str(100 + i), 'task': str(i), 'kind': 'comment',
                                                'author': {'login': 'bo'}, 'created': '2026-01-02T03:04:05Z', 'body': 'hello'}]})
    return d


def put(d, name, obj):
    with open(os.path.join(d, name), 'w') as f:
        f.write(json.dumps(obj) if not isinstance(obj, str) else obj)


def get(d, name):
    return json.load(open(os.path.join(d, name)))


def source(d, **more):
    return dict(name='f', kind='dir', api=d + '/', caps=['hidden-mark', 'comment'], **more)


def op(verb, **more):
    return dict(id=next(ids), verb=verb, **more)


def faults(d, *lines):
    put(d, 'faults', ''.join(json.dumps(l) + '\n' for l in lines))


def push(d, *ops):
    """Each through mark and push in one conversation: (records, outcome) of the last."""
    t = Talk('send', source(d))
    for o in ops:
        o['mark'] = t.ask('mark', o)[-1]['mark']
        got = t.ask('push', o)
    t.end()
    return got[:-1], got[-1]


# -- the protocol --
d = folder()
lines, st, err = run('pull', source(d))
is_([l['record'] for l in records(lines)], ['task', 'note'] * 3, 'pull tells tasks and their notes')
is_((last(lines, 'page'), lines[-1], st, err), ('3', {'done': True}, 0, ''), 'and a cursor, done, status 0')
lines, st, err = run('pull', source(d), cursor='3')
is_((records(lines), last(lines, 'page')), ([], '3'), 'nothing new behind the cursor')
lines, st, err = run('pull', source(d), cursor='x')
is_((lines[-1]['error']['code'], st), ('bad-data', 1), 'a cursor that is none')
lines, st, err = run('pull', source(d), cursor='3', full=True)
is_([l['keys'] for l in records(lines, 'list')], [['101'], ['102'], ['103']], 'a reconcile lists what is there')
big = folder(120)
lines, st, err = run('pull', source(big))
is_([l['page'] for l in lines if 'page' in l], ['50', '100', '120'], 'a page every 50 tasks')
lines, st, err = run('pull', source(big), cursor='50')
is_(len(records(lines, 'task')), 70, 'and it goes on behind any')
lines, st, err = run('look', source(d), task='2')
is_([l['key'] for l in records(lines, 'task')], ['2'], 'look at one task')
lines, st, err = run('look', source(d), task='77')
is_(lines[-1]['error'], {'code': 'not-found', 'message': 'there is no task 77'}, 'that is not there')
lines, st, err = run('probe', source(d))
p = lines[0]['probe']
is_((p['me']['login'], p['title'], p['public'], 'resolve' in p['caps']), ('ana', 'A folder', False, True), 'probe')
for what, req, like in (
        ('an unknown adapter', ('pull', dict(source(d), kind='nonsense')), "no adapter for 'nonsense'"),
        ('an unknown request', ('jump', source(d)), "'jump' is not known"),
        ('no address', ('pull', {'name': 'x', 'kind': 'dir'}), 'has no address'),
        ('a base without its slash', ('pull', dict(source(d), api=d)), "does not end in '/'"),
        ('a source of another type', ('pull', 17), 'not an object'),
        ('a folder that is not there', ('pull', dict(source(d), api='/nonexistent/')), 'no folder')):
    lines, st, err = run(*req)
    ok(len(lines) == 1 and like in lines[0]['error']['message'] and st == 1 and err == '', what)
t = Talk('pull', source(d))
t.p.kill(), t.end()
for what, raw, like in (('nothing', b'', 'no request'), ('no JSON', b'hello', 'not the JSON'),
                        ('a NUL', b'{"wire":1,"do":"pu\0ll"}', 'not the JSON'), ('another version', b'{"wire":2}', 'different age'),
                        ('depth', b'[' * 10000, 'nested more than')):
    r = subprocess.run([REMOTE], input=raw + (b'\n' if raw else b''), capture_output=True)
    ok(like in json.loads(r.stdout)['error']['message'] and r.returncode == 1 and not r.stderr, 'a request that is ' + what)
r = subprocess.run([REMOTE, '--help'], capture_output=True)
ok(r.returncode == 2 and b'part of killick' in r.stderr, 'started by hand it says whose it is')

# -- writing --
recs, o = push(d, op('comment', task='1', body='Three is what ops allows'))
is_((o['outcome']['is'], recs[0]['kind'], recs[0]['author']['login']), ('landed', 'comment', 'ana'), 'a comment lands')
ok(recs[0]['body'].endswith(' -->') and 'killick:' in recs[0]['body'], 'with its mark')
is_(last(run('pull', source(d), cursor='3')[0], 'page'), '4', 'and the next pull has it')
recs, o = push(d, op('code-note', task='1', anchor=A, body='Why?'))
key = o['outcome']['key']
is_(get(d, 'tasks/1.json')['notes'][-1]['anchor']['line'], 3, 'a note on lines keeps its anchor')
push(d, op('reply', task='1', thread=key, body='Because.'))
push(d, op('resolve', task='1', thread=key))
is_(get(d, 'tasks/1.json')['threads'][0]['resolved'], True, 'reply, resolve')
push(d, op('reopen-thread', task='1', thread=key), op('react', task='1', note=key, value='+1'), op('react', task='1', note=key, value='+1'))
is_(get(d, 'tasks/1.json')['notes'][2]['reactions'], [['+1', 1, True]], 'a reaction twice is one')
push(d, op('unreact', task='1', note=key, value='+1'), op('edit-note', task='1', note=key, body='Why so?'))
is_((get(d, 'tasks/1.json')['notes'][2]['body'], get(d, 'tasks/1.json')['notes'][2]['reactions']), ('Why so?', []), 'edit, unreact')
push(d, op('delete-note', task='1', note=key))
ok(any(g['key'] == key for g in records(run('pull', source(d), cursor='5')[0], 'gone')), 'a deletion is told')
push(d, op('close', task='1'), op('label', task='1', add=['bug', 'x'], drop=['y']), op('label', task='1', drop=['x']),
     op('assign', task='1', add=['cy']), op('milestone', task='1', value='v2'), op('edit-task', task='1', title='New'))
k = get(d, 'tasks/1.json')['task']
is_((k['state'], k['labels'], [p['login'] for p in k['assignees']], k['milestone'], k['title']),
    ('closed', ['bug'], ['cy'], 'v2', 'New'), 'state, labels, people, milestone, title')
recs, o = push(d, op('new-task', title='A new one', body='x', add=['bug']))
is_((o['outcome']['key'], get(d, 'tasks/4.json')['task']['title']), ('4', 'A new one'), 'a new task')
recs, o = push(d, op('review', task='2', verdict='approve', body='Good', notes=[op('code-note', task='2', anchor=A, body='nit')]))
is_([n['kind'] for n in get(d, 'tasks/2.json')['notes']], ['comment', 'review', 'code'], 'a review with its notes')
recs, o = push(d, op('commit-note', anchor=dict(A), body='on a commit'))
is_(get(d, 'tasks/commits.json')['notes'][0]['kind'], 'commit', 'a note on a commit')
recs, o = push(d, op('reply', task='1', thread='nope', body='x'))
is_((o['outcome']['is'], o['outcome']['code']), ('refused', 'not-found'), 'a thread that is not there')
t = Talk('send', source(d))
bad = [t.ask('push', op('comment', task='1'), 'outcome')[-1]]
ok("has no 'body'" in bad[0]['error']['message'], 'an op without what it needs is an error')
t.end()

# -- unknown, and found again --
o = op('comment', task='3', body='once  \r\nonly\n\n')
faults(d, {'on': 'push', 'do': 'unknown-after'})
t = Talk('send', source(d))
o['mark'] = t.ask('mark', o)[-1]['mark']
is_(t.ask('push', o)[-1]['outcome']['is'], 'unknown', 'the answer was lost')
is_(t.ask('find', o)[-1]['outcome']['is'], 'landed', 'and it is found by its mark')
is_(t.ask('find', dict(o, id='f' * 32))[-1]['outcome']['is'], 'absent', "another op's mark is not ours")
o2 = op('comment', task='3', body='never')
faults(d, {'on': 'push', 'do': 'unknown'})
is_((t.ask('push', o2)[-1]['outcome']['is'], t.ask('find', o2)[-1]['outcome']['is']), ('unknown', 'absent'), 'and if it was not done')
src = source(d)
src['options'] = {'marks': False}
t2 = Talk('send', src)
o3 = op('comment', task='3', body='no  \nmark\n')
o3['mark'] = t2.ask('mark', o3)[-1]['mark']
t2.ask('push', o3)
ok('killick:' not in get(d, 'tasks/3.json')['notes'][-1]['body'], 'marks can be turned off')
is_(t2.ask('find', dict(o3, body='no\r\nmark'))[-1]['outcome']['is'], 'landed', 'then the text is compared')
t.end(), t2.end()
for do, want in (('offline', 'unsent'), ('limit', 'unsent'), ('auth', 'unsent'), ('refused', 'refused'), ('conflict', 'refused')):
    faults(d, {'on': 'push', 'do': do, 'ms': 5000, 'message': 'says the server'})
    n = len(get(d, 'tasks/3.json')['notes'])
    recs, o = push(d, op('comment', task='3', body='x'))
    ok(o['outcome']['is'] == want and o['outcome']['message'] == 'says the server' and len(get(d, 'tasks/3.json')['notes']) == n
       and ('retry_at' in o['outcome']) == (do == 'limit'), 'push: ' + do)
for do, n in (('crash', 0), ('crash-after', 1)):
    before = len(get(d, 'tasks/3.json')['notes'])
    faults(d, {'on': 'push', 'do': do})
    t = Talk('send', source(d))
    is_((t.ask('push', op('comment', task='3', body='x'))[-1], t.end()[0]), (None, 9), do + ': the line ends')
    is_(len(get(d, 'tasks/3.json')['notes']) - before, n, 'done: %d' % n)
faults(d, {'on': 'push', 'do': 'hide', 'ms': 3600000})
o = op('comment', task='3', body='late in lists', mark='0')
t = Talk('send', source(d))
t.ask('push', o)
is_(t.ask('find', o)[-1]['outcome']['is'], 'absent', 'hidden from lists at first')
task = get(d, 'tasks/3.json')
ok([n.pop('hidden_until') for n in task['notes'] if 'hidden_until' in n], 'the folder says until when')
put(d, 'tasks/3.json', task)
is_(t.ask('find', o)[-1]['outcome']['is'], 'landed', 'and there later')
t.end()
faults(d, {'on': 'pull', 'do': 'offline', 'page': 1})

lines, st, err = run('pull', source(d), cursor='')
is_((lines[-1]['error']['code'], st), ('offline', 1), 'a pull cut at a page')
faults(d, {'on': 'pull', 'do': 'garbage'})
ok(any('bad' in l for l in run('pull', source(d))[0]), 'a line that is no JSON')
faults(d, {'on': 'pull', 'do': 'hang'})
t = Talk('pull', source(d))
time.sleep(0.2)
t0 = time.time()
st, rest, err = t.end()
ok(st == 1 and time.time() - t0 < 20, 'the end of its input ends it')
# -- the manual's example --
page = open(SRC + '/man/killick-adapters.7').read()
example = re.search(r'A folder that plays a tracker.*?\.Bd[^\n]*\n(.*?)\.Ed', page, re.S).group(1)
script = example.replace('/tmp/t', T + '/t')
script = script.replace('/usr/libexec/killick/killick-remote', REMOTE)
r = subprocess.run(['sh', '-euc', script], capture_output=True, cwd=T)
is_([l.get('name') or l['page'] for l in map(json.loads, r.stdout.splitlines()) if 'name' in l or 'page' in l] + [r.stderr], ['DIR-1', '1', b''],
    "killick-adapters(7)'s example does what it says")
wire = open(SRC + '/src/remote/wire.c').read() + open(SRC + '/src/remote/session.c').read() + open(SRC + '/src/remote/cred.c').read()
names = re.findall(r'^\.It (?:Li|Ev) (.*)$', page[page.index('.Sh PROTOCOL'):], re.M)
opts = [n for l in names for n in re.split('[ ,]+', l) if n and '-' in n and n.islower()]
is_([o for o in opts if '"%s"' % o not in wire], [], 'options in the manual are there')
is_([o for o in re.findall(r'\{ "([a-z-]+)", &o->', wire) if o not in ' '.join(names)], [], 'and the other way round')
is_([v for v in re.findall(r'"((?:GH|GITHUB|GITEA|FORGEJO|REDMINE)[A-Z_]*)"', wire) if v not in page and v not in ('GITHUB_PAT', 'GH_CONFIG_DIR')], [],
    'variables in the manual')
shutil.rmtree(T)
done()
