#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The Redmine adapter against Redmine itself, from Debian's packages: thousands of issues read, everything written that can be,
answers lost on the way; the server's database says what is true.

contrib/quickstart check installs the packages; the seeded application is kept in the cache folder. Skipped with --quick.
"""
import hashlib, http.client, json, os, re, shutil, socket, sqlite3, subprocess, sys, tempfile, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
from tap import *
from talk import *

SCRIPTS = HERE + '/redmine'
KEYS = {'admin': 'a' * 40, 'alice': 'b' * 40, 'bob': 'c' * 40, 'carol': 'd' * 40}
ISSUES = 2000
if os.environ.get('KILLICK_TEST_QUICK'):
    skip_all('--quick: Redmine is not installed by it')
if not os.path.exists('/usr/share/redmine/config/environment.rb') or not shutil.which('puma'):
    skip_all('Redmine is not installed: "contrib/quickstart check" does it')
CACHE = os.environ.get('KILLICK_TEST_CACHE') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'killick-tests')
T = tempfile.mkdtemp(prefix='killick-test.')
os.chmod(T, 0o755)      # the server runs as nobody
ENV = {k: v for k, v in os.environ.items() if not k.startswith(('KILLICK_CLOCK', 'KILLICK_TRACE'))}
ENV.update(HOME=T, XDG_CACHE_HOME=T + '/cache', GIT_CONFIG_NOSYSTEM='1')
ids = iter('%032x' % i for i in range(1, 10000))


def sh(*args, **env):
    return subprocess.run(args, check=True, capture_output=True, text=True, env={**os.environ, **env}).stdout.strip()


def git(*args):
    return sh('git', '-c', 'user.name=Alice', '-c', 'user.email=alice@example.org', *args)


def template():
    """Built once for each version of the scripts and of the package."""
    sums = hashlib.sha256()
    for name in ('seed.rb', 'template.sh', 'env.sh'):
        with open(SCRIPTS + '/' + name, 'rb') as f:
            sums.update(f.read())
    sums.update(sh('dpkg-query', '-W', '-f', '${Version}', 'redmine').encode())
    path = '%s/redmine-%s' % (CACHE, sums.hexdigest()[:16])
    if os.path.exists(path + '/.done'):
        return path
    for old in os.listdir(CACHE) if os.path.isdir(CACHE) else []:
        if old.startswith('redmine-'):
            shutil.rmtree(os.path.join(CACHE, old), ignore_errors=True)
    work = T + '/commits'
    git('init', '-q', '-b', 'main', work)
    for i in (1, 2, 3):
        git('-C', work, 'commit', '-q', '--allow-empty', '-m', 'Mend it, refs #%d' % i)
    git('clone', '-q', '--bare', work, T + '/repo.git')
    sh('bash', SCRIPTS + '/template.sh', path, SEED_ISSUES=str(ISSUES), SEED_JOURNALS='4', SEED_REPO=T + '/repo.git')
    shutil.copytree(T + '/repo.git', path + '/repo.git')
    return path


class Server:
    def __init__(self):
        path = template()
        shutil.rmtree(T + '/repo.git', ignore_errors=True)
        shutil.copytree(path + '/repo.git', T + '/repo.git')
        git('-C', T + '/repo.git', 'config', 'safe.directory', '*')
        sh('chmod', '-R', 'a+rX', T + '/repo.git')
        self.url = sh('bash', SCRIPTS + '/start.sh', path, T + '/run', WATCH=str(os.getpid()))
        self.db = T + '/run/app/instances/default/db.sqlite3'
        self.run("UPDATE repositories SET url=?, root_url=?", T + '/repo.git', T + '/repo.git')

    def run(self, sql, *args):
        db = sqlite3.connect(self.db, timeout=20)
        try:
            rows = db.execute(sql, args).fetchall()
            db.commit()
            return rows
        finally:
            db.close()

    def one(self, sql, *args):
        rows = self.run(sql, *args)
        return rows[0][0] if rows else None

    def call(self, method, path, body=None, who='admin'):
        data = None if body is None else json.dumps(body).encode()
        req = urllib.request.Request(self.url + path, data, {'X-Redmine-API-Key': KEYS[who], 'Content-Type': 'application/json'},
                                     method=method)
        with urllib.request.urlopen(req, timeout=60) as r:
            text = r.read()
        return json.loads(text) if text else None

    def stop(self):
        subprocess.run(['bash', SCRIPTS + '/stop.sh', T + '/run'])


def env(who):
    return {**ENV, 'KILLICK_TOKEN_F': KEYS[who]} if who else ENV


def source(s, **more):
    return {'name': 'f', 'kind': 'redmine', 'api': s.url + '/', 'web': s.url + '/', 'project': 'demo',
            'options': {'markup': 'textile', 'backoff-ms': 50}, **more}


def probe(s, who, **more):
    lines, st, err = run('probe', source(s, **more), env(who))
    return last(lines, 'probe') or lines[-1]


def op(verb, **more):
    return dict(id=next(ids), verb=verb, **more)


def send(src, o, how='push', who='alice'):
    t = Talk('send', src, env(who))
    if how == 'push' and 'mark' not in o:
        said = t.ask('mark', o)[-1]
        if 'mark' not in said:
            t.end()
            return said['error'], []
        o['mark'] = said['mark']
    got = t.ask(how, o)
    st, rest, err = t.end()
    return got[-1].get('outcome') or got[-1], got[:-1]


def notes_of(s, issue, text=None):
    return s.run("SELECT id, notes, private_notes, user_id FROM journals WHERE journalized_id=? AND journalized_type='Issue'"
                 " AND notes<>'' AND (?2 IS NULL OR notes=?2) ORDER BY id", issue, text)


def probing(s):
    p = probe(s, 'alice')
    is_((p['me'], p['title'], p['public'], sorted(p['caps'])),
        ({'name': 'Alice Tester', 'email': None, 'login': 'alice'}, 'Demo', True,
         ['assign', 'comment', 'delete-note', 'edit-note', 'milestones', 'moderate', 'new-task', 'private-notes', 'state', 'tasks']), 'a manager')
    caps = p
    p = probe(s, 'bob')
    is_((sorted(p['caps']), p['caps_why']['private-notes'], p['caps_why']['state']),
        (['comment', 'new-task', 'tasks'], 'your role may not make notes private here', 'your role may not change issues here'),
        'a reporter is offered what a reporter may')
    p = probe(s, 'carol')
    is_((p['me']['login'], 'private-notes' in p['caps']), ('carol', False), 'one who is no member')
    p = probe(s, None)
    is_((p['me'], p['caps'], p['caps_why']['comment']), (None, ['tasks'], 'a key is needed to write'), 'nobody')
    lines, st, err = run('probe', source(s), {**ENV, 'KILLICK_TOKEN_F': 'e' * 40})
    is_(lines[-1]['error']['code'], 'auth', 'a wrong key, though the project is public')
    lines, st, err = run('pull', source(s), {**ENV, 'KILLICK_TOKEN_F': 'e' * 40})
    is_((lines[-1]['error']['code'], records(lines)), ('auth', []), 'and nothing is read with it as nobody')
    is_(probe(s, 'alice', project='nothere')['error']['code'], 'not-found', 'no such project')
    is_(probe(s, 'bob', project='secret')['error']['code'], 'auth', 'a project that one may not see')
    is_(sorted(k for k in os.listdir(T) if k == 'cache'), ['cache'], 'answers are remembered')
    found = [f for d, _, fs in os.walk(T + '/cache') for f in fs if b'bbbbbbbbbb' in open(os.path.join(d, f), 'rb').read()]
    is_(found, [], 'but none with a key in it')
    lines, st, err = run('sniff', {'name': 'f', 'web': s.url + '/projects/demo/issues'}, ENV)
    got = last(lines, 'source') or {}
    is_((got.get('kind'), got.get('api'), got.get('project')), ('redmine', s.url + '/', 'demo'), 'its address says what it is')
    return source(s, caps=caps['caps'], me=caps['me'])


def keys(lines):
    return {(x['record'], x.get('task'), x['key']) for x in records(lines) if x['record'] in ('task', 'note')}


def pulling(s, src):
    t0 = time.monotonic()
    lines, st, err = run('pull', src, env('alice'))
    t1 = time.monotonic() - t0
    tasks = {x['key']: x for x in records(lines, 'task')}
    notes = [x for x in records(lines, 'note') if x['kind'] == 'comment']
    wanted = s.run("SELECT id, subject, status_id FROM issues WHERE project_id=1")
    is_((st, lines[-1]), (0, {'done': True}), 'pull')
    is_(sorted((int(k), x['title']) for k, x in tasks.items()), sorted((a, b) for a, b, _ in wanted), 'every issue, by the database')
    closed = {a for a, in s.run("SELECT id FROM issue_statuses WHERE is_closed=1")}
    is_({k for k, x in tasks.items() if x['state'] == 'closed'}, {str(a) for a, _, c in wanted if c in closed}, 'those that are closed')
    is_({(x['task'], x['key']) for x in notes},
        {(str(a), str(b)) for a, b in s.run("SELECT journalized_id, id FROM journals WHERE notes<>''")}, 'every note')
    is_(tasks['1']['body'].split('\n')[-1], 'last line', 'line ends are LF')
    is_((tasks['1']['labels'], tasks['1']['milestone'], tasks['97'].get('private')), (['Bug', 'High'], '1.0', True), 'its fields')
    ev = [x for x in records(lines, 'note') if x['kind'] == 'event' and x['task'] == '1']
    is_([x['body'] for x in ev if x['key'][0] == 'e'][0], 'status: New → Feedback', 'what happened to it')
    commit = next(x for x in ev if x['key'][0] == 'c')
    is_((commit['anchor']['type'], commit['anchor']['commit'], commit['body']),
        ('commit', git('-C', T + '/repo.git', 'rev-parse', 'main~2'), 'Mend it, refs #1'), 'the commit that names it')
    diag('%d issues, %d notes, %d events in %.1f s; %d pages' % (len(tasks), len(notes), len(records(lines, 'note')) - len(notes), t1,
                                                               len([1 for l in lines if 'page' in l])))
    pages = [i for i, l in enumerate(lines) if 'page' in l]
    at = pages[len(pages) - 3]
    rest, st, err = run('pull', src, env('alice'), cursor=lines[at]['page'])
    is_(keys(lines[:at]) | keys(rest), keys(lines), 'cut near the end and resumed')
    ok(len(keys(rest)) < len(keys(lines)) / 4, 'without reading it all again')
    cursor = last(lines, 'page')
    lines, st, err = run('pull', src, env('alice'), cursor=cursor)
    is_(records(lines), [], 'nothing new')
    return cursor


def writing(s, src, cursor):
    o = op('comment', task='7', body='Some *words* of `mine`')
    out, recs = send(src, o)
    mine = notes_of(s, 7, 'Some _words_ of @mine@')
    is_((out['is'], len(mine), out.get('key')), ('landed', 1, str(mine[0][0]) if mine else None), 'a note, in Textile, and its number')
    n = next(x for x in recs if x.get('record') == 'note' and x['key'] == out['key'])
    is_((n['body'], n['wire'], n['can_edit'], n['author']['login']), ('Some *words* of `mine`', 'Some _words_ of @mine@', True, 'alice'),
        'and comes back in Markdown')
    is_(send(src, o, 'find')[0], {'is': 'landed', 'key': out['key']}, 'it is found')
    is_(send(src, {**o, 'mark': out['key']}, 'find')[0]['is'], 'absent', 'but not behind itself')
    key = out['key']
    o = op('edit-note', task='7', note=key, body='Other words')
    is_((send(src, o)[0]['is'], s.one("SELECT notes FROM journals WHERE id=?", int(key)), send(src, o, 'find')[0]['is']),
        ('landed', 'Other words', 'landed'), 'edit')
    lines, st, err = run('pull', src, env('alice'), cursor=cursor)
    is_([x['body'] for x in records(lines, 'note') if x['key'] == key], ['Other words'], 'the next pull has it')
    o = op('delete-note', task='7', note=key)
    is_((send(src, o)[0]['is'], notes_of(s, 7, 'Other words'), send(src, o, 'find')[0]['is']), ('landed', [], 'landed'), 'delete')
    out, _ = send(src, op('edit-note', task='8', note=str(s.one(
        "SELECT id FROM journals WHERE journalized_id=8 AND notes<>'' AND user_id<>5")), body='not mine'), who='bob')
    ok(out['is'] == 'refused', "somebody else's note is not edited: " + str(out.get('message')))
    n = s.one("SELECT id FROM journals WHERE journalized_id=8 AND notes<>'' AND user_id<>5")
    out, _ = send(src, op('edit-note', task='8', note=str(n), body='moderated'))
    is_((out['is'], s.one('SELECT notes FROM journals WHERE id=?', n)), ('landed', 'moderated'), 'but by a manager, as on the web')

    o = op('comment', task='7', body='for few', private=True)
    out, recs = send(src, o)
    is_((out['is'], [x[2] for x in notes_of(s, 7, 'for few')]), ('landed', [1]), 'a private note')
    lines, _, _ = run('look', src, env('alice'), task='7')
    is_([x.get('private') for x in records(lines, 'note') if x['body'] == 'for few'], [True], 'is told as private')
    lines, _, _ = run('look', src, env('bob'), task='7')
    is_([x for x in records(lines, 'note') if x['body'] == 'for few'], [], 'and is not shown to a reporter')
    out, _ = send(src, op('comment', task='7', body='secret of bob', private=True), who='bob')
    is_((out['is'], notes_of(s, 7, 'secret of bob')), ('refused', []), 'who may not make notes private sends none')

    for o, sql, want in (
            (op('close', task='9'), 'SELECT s.name FROM issues i JOIN issue_statuses s ON s.id=i.status_id WHERE i.id=9', 'Closed'),
            (op('reopen', task='9', value='in progress'), 'SELECT s.name FROM issues i JOIN issue_statuses s ON s.id=i.status_id WHERE i.id=9',
             'In Progress'),
            (op('close', task='9', value='Rejected'), 'SELECT s.name FROM issues i JOIN issue_statuses s ON s.id=i.status_id WHERE i.id=9',
             'Rejected'),
            (op('reopen', task='9'), 'SELECT s.name FROM issues i JOIN issue_statuses s ON s.id=i.status_id WHERE i.id=9', 'New'),
            (op('assign', task='9', add=['Bob Tester']), 'SELECT assigned_to_id FROM issues WHERE id=9', 6),
            (op('assign', task='9', add=['alice']), 'SELECT assigned_to_id FROM issues WHERE id=9', 5),
            (op('assign', task='9', drop=['alice']), 'SELECT assigned_to_id FROM issues WHERE id=9', None),
            (op('milestone', task='9', value='2.0'), 'SELECT fixed_version_id FROM issues WHERE id=9', 2),
            (op('milestone', task='9'), 'SELECT fixed_version_id FROM issues WHERE id=9', None),
            (op('edit-task', task='9', title='Better', body='With **more**\n\nof it'), 'SELECT subject FROM issues WHERE id=9', 'Better')):
        before = send(src, o, 'find')[0]['is'] if o['verb'] != 'milestone' or 'value' in o else 'absent'
        out, recs = send(src, o)
        is_((before, out['is'], s.one(sql), send(src, o, 'find')[0]['is']), ('absent', 'landed', want, 'landed'),
            o['verb'] + ' ' + str(o.get('value', o.get('add', ''))))
    is_(s.one('SELECT description FROM issues WHERE id=9'), 'With *more*\r\n\r\nof it', 'a description in Textile')
    out, _ = send(src, op('close', task='9', value='Blue'))
    is_((out['is'], 'allows: New, In Progress' in out['message']), ('refused', True), 'a state that is none')
    out, _ = send(src, op('assign', task='9', add=['Zoe']))
    is_((out['is'], out['message']), ('refused', "there is no member 'Zoe' in this project"), 'a person who is none')
    status = s.one('SELECT status_id FROM issues WHERE id=10')
    out, _ = send(src, op('close', task='10') if status < 5 else op('reopen', task='10'), who='bob')
    is_((out['is'], s.one('SELECT status_id FROM issues WHERE id=10')), ('refused', status), 'what a reporter may not is refused, and told')
    out, _ = send(src, op('edit-task', task='10', title='Bob was here'), who='bob')
    is_((out['is'], 'changed nothing' in out.get('message', '')), ('refused', True), '204 and nothing changed')

    o = op('new-task', title='From here', body='- one\n- two', add=['Feature', 'Urgent'], value='Bob Tester')
    out, recs = send(src, o)
    row = s.run('SELECT subject, description, tracker_id, priority_id, assigned_to_id FROM issues WHERE id=?', int(out.get('key') or 0))
    is_((out['is'], row), ('landed', [('From here', '* one\r\n* two', 2, 4, 6)]), 'a new issue')
    is_(send(src, o, 'find')[0]['key'], out['key'], 'is found')
    out, _ = send(src, op('new-task', title='   ', body='x'))
    is_((out.get('is'), 'blank' in out.get('message', '')), ('refused', True), "the server's words")
    out, _ = send(src, op('comment', task='999999', body='x'))
    is_(out['code'], 'not-found', 'an issue that is not there')


def traps(s, src, cursor):
    """What leaves an issue's time alone, what has one time, and what moves while it is read."""
    git('init', '-q', '-b', 'main', T + '/more')
    git('-C', T + '/more', 'pull', '-q', T + '/repo.git', 'main')
    git('-C', T + '/more', 'commit', '-q', '--allow-empty', '-m', 'Again, refs #11')
    git('-C', T + '/more', 'push', '-q', T + '/repo.git', 'main')
    sh('chmod', '-R', 'a+rX', T + '/repo.git')
    with urllib.request.urlopen(s.url + '/sys/fetch_changesets?key=' + 's' * 20, timeout=60) as r:
        r.read()
    is_(s.one('SELECT count(*) FROM changesets_issues WHERE issue_id=11'), 1, 'a commit names an issue')
    lines, _, _ = run('look', src, env('alice'), task='11')
    is_([x['body'] for x in records(lines, 'note') if x['key'][0] == 'c'], ['Again, refs #11'], 'a look shows it')
    lines, st, err = run('pull', src, env('alice'), cursor=cursor)
    cursor = last(lines, 'page')
    s.run("UPDATE issues SET updated_on='2030-01-01 00:00:00' WHERE id BETWEEN 100 AND 349")
    lines, st, err = run('pull', src, env('alice'), cursor=cursor)
    is_(({int(x['key']) for x in records(lines, 'task')}, len([1 for l in lines if 'page' in l]) >= 3),
        (set(range(100, 350)), True), '250 issues of one second')
    first = next(i for i, l in enumerate(lines) if 'page' in l)
    s.run("UPDATE issues SET updated_on='2030-01-01 00:05:00' WHERE id=100")
    rest, st, err = run('pull', src, env('alice'), cursor=lines[first]['page'])
    is_({x['key'] for x in records(lines[:first], 'task')} | {x['key'] for x in records(rest, 'task')},
        {str(i) for i in range(100, 350)}, 'one moved while it was read: none is lost')
    is_('100' in {x['key'] for x in records(rest, 'task')}, True, 'and it is read again')
    s.call('DELETE', '/issues/349.json')
    lines, st, err = run('look', src, env('alice'), task='349')
    is_(lines[0], {'record': 'gone', 'of': 'task', 'key': '349', 'why': 'deleted'}, 'a deleted one')
    lines, st, err = run('look', src, env('bob'), task='97')
    is_(lines[0], {'record': 'gone', 'of': 'task', 'key': '97', 'why': 'hidden'}, 'one that is not for us')


class Proxy(BaseHTTPRequestHandler):
    """Between killick and Redmine: loses requests or answers."""
    protocol_version = 'HTTP/1.1'
    upstream = fault = None

    def log_message(self, *a):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        fault = Proxy.fault if self.command in ('PUT', 'POST') else None
        if fault == 'before':
            return self.drop()
        if fault in ('public', 'stuck', 'fast') and ('/issues' in self.path or fault != 'public'):
            body = re.sub(rb',?"(is_private|private_notes)":true', b'', body).replace(b'{,', b'{')
        if fault == 'fast' and ('/journals/' in self.path or self.command == 'PUT' and b'"notes"' not in body):
            self.send_response_only(403)
            self.send_header('Content-Length', '0')
            return self.end_headers()
        c = http.client.HTTPConnection(*Proxy.upstream, timeout=60)
        c.request(self.command, self.path, body or None, {k: v for k, v in self.headers.items() if k.lower() not in ('host', 'connection', 'content-length')})
        r = c.getresponse()
        data = r.read()
        if fault == 'after':
            return self.drop()
        status = 502 if fault == '502' else r.status
        self.send_response_only(status)
        for k, v in r.getheaders():
            if k.lower() not in ('transfer-encoding', 'connection', 'content-length', 'set-cookie'):
                self.send_header(k, v)
        if status != 204:
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    do_GET = do_PUT = do_POST = serve


def faults(s, src):
    Proxy.upstream = ('127.0.0.1', int(s.url.rsplit(':', 1)[1]))
    server = ThreadingHTTPServer(('127.0.0.1', 0), Proxy)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    src = {**src, 'api': 'http://127.0.0.1:%d/' % server.server_address[1]}
    good = points = 0
    for fault in ('before', 'after', '502'):
        for verb, more in (('comment', {'task': '12'}), ('comment', {'task': '12', 'private': True}), ('new-task', {'title': 'Lost ' + fault}),
                           ('edit-task', {'task': '13', 'title': 'Title ' + fault})):
            text = 'lost %s %d' % (fault, points)
            o = op(verb, body=text, **more)
            count = lambda: s.one('SELECT count(*) FROM journals WHERE notes=?', text) + s.one(
                'SELECT count(*) FROM issues WHERE description=?', text)
            o['mark'] = mark_of(src, o)
            Proxy.fault = fault
            out, _ = send(src, o)
            Proxy.fault = None
            there = count()
            found = send(src, o, 'find')[0]
            if found['is'] == 'absent':
                send(src, o)
            right = out['is'] == 'unknown' and found['is'] == ('landed' if there else 'absent') and count() == 1
            points += 1
            good += right
            if not right:
                diag('%s %s: %r, %d there, then %r, %d copies' % (fault, verb, out, there, found, count()))
    is_(good, points, 'answers and requests lost: %d points, one copy each' % points)
    server.shutdown()
    server.server_close()


def came_out_public(s, src):
    """The right to make notes private goes between killick's asking and its writing: what is written is public."""
    server = ThreadingHTTPServer(('127.0.0.1', 0), Proxy)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Proxy.upstream = ('127.0.0.1', int(s.url.rsplit(':', 1)[1]))
    src = {**src, 'api': 'http://127.0.0.1:%d/' % server.server_address[1]}

    def told(fault, verb, **more):
        Proxy.fault = fault
        text = 'secret %s %s' % (fault, verb)
        o = op(verb, body=text, private=True, **more)
        out = send(src, o)[0]
        Proxy.fault = None
        return o, out, [x[2] for x in notes_of(s, 14, text)], s.one('SELECT is_private FROM issues WHERE description=?', text)

    o, out, notes, _ = told('public', 'comment', task='14')
    is_((out['is'], out.get('message'), notes), ('landed', None, [1]), 'a private note that came out public is made private at once')
    o, out, notes, _ = told('stuck', 'comment', task='14')
    is_((out['is'], 'taken back' in out['message'], notes), ('refused', True, []), 'or taken back, and told')
    o, out, notes, _ = told('fast', 'comment', task='14')
    is_((out['is'], out.get('message', '').startswith('EVERYBODY SEES the private note http'), notes), ('landed', True, [0]),
        'or, where neither may be, told as what it is')
    found = send(src, o, 'find')[0]
    is_((found['is'], found.get('message'), notes_of(s, 14, o['body'])[0][2]), ('landed', None, 1), 'and hidden when it is found later')
    o, out, _, private = told('public', 'new-task', title='Secret')
    is_((out['is'], bool(out.get('message')), bool(private)), ('landed', True, False) if out.get('message') else ('landed', False, True),
        'a private issue that came out public is made private')
    o, out, _, private = told('stuck', 'new-task', title='Secret')
    is_((out['is'], out.get('message', '').startswith('EVERYBODY SEES the private issue http'), bool(private)), ('landed', True, False),
        'or told as what it is')
    server.shutdown()
    server.server_close()


def mark_of(src, o):
    t = Talk('send', src, env('alice'))
    mark = t.ask('mark', o)[-1]['mark']
    t.end()
    return mark


SAMPLE = '''Some **bold**, *slanted*, ~~gone~~ and `x = a@b` text with [a page](https://example.org/p_q_r).

## Steps

1. first
2. second
   - inner

> said before

```c
int *p = a ** b;   // *not bold*
```

| a | b |
|---|---|
| 1 | 2 |

A literal \\*star\\* and -x- stay, snake_case_name too.
'''


def markup(s, src):
    """What killick writes is what Redmine's own renderer makes of it."""
    out, recs = send(src, op('comment', task='14', body=SAMPLE))
    with urllib.request.urlopen(s.url + '/issues/14', timeout=60) as r:
        page = r.read().decode()
    html = re.search(r'id="journal-%s-notes"[^>]*>(.*?)</div>' % out['key'], page, re.S)
    html = html.group(1) if html else page
    for what in ('<strong>bold</strong>', '<em>slanted</em>', '<del>gone</del>', '<code>x = a@b</code>', 'href="https://example.org/p_q_r"',
                 'Steps', '<ol>', '<li>inner', 'said before', '<table>', '<th>a', '*star*', '-x-', 'snake_case_name', '*not bold*'):
        ok(what in html, 'Redmine shows ' + what)
    ok(re.search(r'<td>\s*1', html), 'Redmine shows a table')
    ok('<strong>star' not in html and '<del>x</del>' not in html and '<em>case' not in html, 'and nothing more')
    n = next(x for x in recs if x.get('record') == 'note' and x['key'] == out['key'])
    is_(n['body'], SAMPLE.replace('2. second', '1. second'), 'and it comes back')
    again, _ = send(src, op('comment', task='15', body=n['body']))
    is_(s.one('SELECT notes FROM journals WHERE id=?', int(again['key'])), s.one('SELECT notes FROM journals WHERE id=?', int(out['key'])),
        'what came back says the same when it is sent')


class Killick:
    """The user's own side: a repository whose tracker is this Redmine."""

    def __init__(self, s, project):
        self.env = {**env(None), 'HOME': T + '/home', 'XDG_CACHE_HOME': T + '/home/cache', 'KILLICK_TOKEN_RM': KEYS['alice'],
                    'GIT_AUTHOR_NAME': 'Alice', 'GIT_AUTHOR_EMAIL': 'alice@example.org', 'GIT_COMMITTER_NAME': 'Alice',
                    'GIT_COMMITTER_EMAIL': 'alice@example.org'}
        os.mkdir(T + '/home')
        for k, v in (('user.name', 'Alice'), ('user.email', 'alice@example.org'), ('killick.post.background', 'false'),
                     ('killick.post.delay', '0'), ('killick.post.settle', '0'), ('init.defaultBranch', 'main')):
            subprocess.run(['git', 'config', '--global', k, v], env=self.env, check=True)
        subprocess.run(['git', 'init', '-q', T + '/work'], env=self.env, check=True)
        subprocess.run(['git', '-C', T + '/work', 'commit', '-q', '--allow-empty', '-m', 'start'], env=self.env, check=True)
        self('source', 'add', '--kind', 'redmine', '--api', s.url + '/', '--web', s.url + '/', '--project', project, '--name', 'rm')
        self.added = self.st, self.out + self.err
        for k, v in (('markup', 'textile'), ('backoff-ms', '50')):
            subprocess.run(['git', '-C', T + '/work', 'config', 'killick.source.rm.' + k, v], env=self.env, check=True)

    def __call__(self, *args):
        p = subprocess.run([BIN, '-C', T + '/work', *args], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.st, self.out, self.err = p.returncode, p.stdout, p.stderr
        return p.stdout

    def json(self, *args):
        return json.loads(self(*args, '--json') or '{}')

    def rows(self):
        return [(r['state'], r['verb'], r['problem'] or '') for r in self.json('outbox')['outbox']]


def users_side(s):
    """The same from the command line: connect, pull, comment, recall, edit, keep private, hold, close; the database is the oracle."""
    manager = s.one("SELECT mr.role_id FROM members m JOIN member_roles mr ON mr.member_id=m.id WHERE m.user_id=5 AND m.project_id=1")
    s.call('POST', '/projects.json', {'project': {'name': 'Small', 'identifier': 'small', 'is_public': True}})
    s.call('POST', '/projects/small/memberships.json', {'membership': {'user_id': 5, 'role_ids': [manager]}})
    n = s.call('POST', '/issues.json', {'issue': {'project_id': 'small', 'subject': 'Which release?', 'description': 'h2. Say\n\n*now*'}})
    n = n['issue']['id']
    s.call('PUT', '/issues/%d.json' % n, {'issue': {'notes': 'Next week?'}})
    k = Killick(s, 'small')
    ok(k.added[0] == 0 and 'you are alice' in k.added[1] and 'KILLICK_TOKEN_RM' in k.added[1], 'source add finds the key and says who we are') or \
        diag(k.added)
    k('sync', 'rm')
    is_(k.st, 0, 'sync')
    task = k.json('tasks')['tasks'][0]['id']
    t = k.json('task', 'show', task)['task']
    is_((t['title'], t['body'], t['status']), ('Which release?', '## Say\n\n**now**', 'New'), 'the issue, in Markdown, with its status')
    k('submit', task, '--approve')
    is_((k.st, 'Redmine has no reviews' in k.err), (1, True), 'no review is sent where there are none')
    k('task', 'comment', task, '-m', 'On *Monday*, with `code`')
    k('sync', 'rm')
    is_([x[1:] for x in notes_of(s, n)[1:]], [('On _Monday_, with @code@', 0, 5)], 'a comment, in Textile, once')
    talk = k.json('threads', 'task:%d' % n)['threads'][0]['id']
    is_((k.rows(), [p['body'] for p in k.json('show', talk)['thread']['posts']]), ([], ['Next week?', 'On *Monday*, with `code`']),
        'and shows once')
    k('edit', k.json('show', talk)['thread']['posts'][1]['id'], '-m', 'On **Tuesday**')
    k('outbox', 'send')
    is_((k.st, [x[1] for x in notes_of(s, n)]), (0, ['Next week?', 'On *Tuesday*']), 'an edit, by outbox send')
    k('reply', talk, '--private', '--to', 'rm', '-m', 'Among us')
    ok('private; only who may see private notes there' in k.out, 'a private note: who will see it is said')
    k('sync', 'rm')
    is_([x[2] for x in notes_of(s, n, 'Among us')], [1], 'and is private there')
    ok('seen by some only' in k('show', talk), 'and shown as that here')
    subprocess.run(['git', 'config', '--global', 'killick.post.delay', '1h'], env=k.env)
    k('reply', talk, '-m', 'Too soon')
    k('outbox', 'recall')
    k('sync', 'rm')
    is_((notes_of(s, n, 'Too soon'), k.rows(), [d['body'] for d in k.json('drafts')['drafts']]), ([], [], ['Too soon']), 'recall')
    subprocess.run(['git', 'config', '--global', 'killick.post.delay', '0'], env=k.env)
    k('drafts', 'send', k.json('drafts')['drafts'][0]['id'])
    s.call('PUT', '/issues/%d.json' % n, {'issue': {'notes': 'Meanwhile'}})
    k('outbox', 'send')
    is_((k.st, notes_of(s, n, 'Too soon'), [r[0] for r in k.rows()]), (4, [], ['held']), 'somebody answered meanwhile: held')
    ok('answered' in k.rows()[0][2], 'with the reason')
    k('outbox', 'release', k.json('outbox')['outbox'][0]['id'])
    k('sync', 'rm')
    is_((len(notes_of(s, n, 'Too soon')), k.rows()), (1, []), 'released')
    k('task', 'comment', task, '-m', 'On an open one')
    s.call('PUT', '/issues/%d.json' % n, {'issue': {'status_id': 5}})
    k('sync', 'rm')
    is_((notes_of(s, n, 'On an open one'), [r[0] for r in k.rows()]), ([], ['held']), 'closed meanwhile: held')
    ok('was closed meanwhile' in k.rows()[0][2], 'with the reason')
    s.call('PUT', '/issues/%d.json' % n, {'issue': {'status_id': 1}})
    k('outbox', 'retry', k.json('outbox')['outbox'][0]['id'])
    k('sync', 'rm')
    is_((len(notes_of(s, n, 'On an open one')), k.rows()), (1, []), 'and released, it goes once')
    k('task', 'close', task, '--as', 'Rejected')
    k('task', 'take', task)
    k('task', 'new', 'From the shell', '-m', '- one', '--to', 'rm', '--assign', 'me')
    k('sync', 'rm')
    is_(s.run('SELECT s.name, i.assigned_to_id FROM issues i JOIN issue_statuses s ON s.id=i.status_id WHERE i.id=?', n), [('Rejected', 5)],
        'closed as, and taken')
    is_(s.run("SELECT description, assigned_to_id FROM issues WHERE subject='From the shell'"), [('* one', 5)], 'a new issue, once')
    is_(k.rows(), [], 'and nothing waits')


s = Server()
try:
    src = probing(s)
    cursor = pulling(s, src)
    writing(s, src, cursor)
    traps(s, src, cursor)
    faults(s, src)
    came_out_public(s, src)
    markup(s, src)
    users_side(s)
finally:
    s.stop()
    shutil.rmtree(T, ignore_errors=True)
done()
