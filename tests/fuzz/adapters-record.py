#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes adapters.json, the honest answers that fuzz-adapters mutates: killick-remote reads and writes a small world of the fake
forge (GitHub's and Gitea's dialects) and, where it is installed, of Debian's Redmine, through a proxy that keeps every exchange.

    adapters-record.py [FILE]     with KILLICK_REMOTE naming the program; once an adapter asks for something new
"""
import glob, http.client, json, os, shutil, sqlite3, subprocess, sys, tempfile, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE + '/../remote', HERE + '/..']
from forgeclient import Forge
from talk import Talk, last, records, run

T = tempfile.mkdtemp(prefix='killick-test.')
ENV = {k: v for k, v in os.environ.items() if not k.startswith(('KILLICK_CLOCK', 'KILLICK_TRACE'))}
ENV.update(HOME=T, XDG_CACHE_HOME=T + '/cache', KILLICK_TOKEN_F='t-ana', GIT_CONFIG_NOSYSTEM='1')
BASE, HEAD = 'https://forge.example', 'c0ffee' + '0' * 34
KEPT = ('Content-Type', 'Link', 'X-Total-Count', 'Date', 'X-OAuth-Scopes', 'Location')
ids = iter('%032x' % i for i in range(1, 1000))
PATCH = '@@ -1,4 +1,5 @@\n one\n-two\n+zwei\n+drei\n four\n five'
WORLD = {
    'users': [{'login': 'ana', 'name': 'Ana', 'email': 'ana@example.org'}, {'login': 'bob', 'name': 'Bob'}],
    'tokens': [{'token': 't-ana', 'login': 'ana'}],
    'repos': [{'name': 'acme/widget', 'perms': {'ana': 'write', 'bob': 'write'}, 'labels': ['bug', 'ui'], 'milestones': ['1.0'],
               'tasks': [{'title': 'first', 'user': 'bob', 'body': 'a\r\nb', 'labels': ['bug'], 'milestone': '1.0',
                          'assignees': ['ana'], 'comments': [{'user': 'bob', 'body': 'hi'}, {'user': 'ana', 'body': 'there'}]},
                         {'title': 'change', 'user': 'bob', 'body': 'please', 'comments': [{'user': 'bob', 'body': 'look'}],
                          'change': {'head': HEAD, 'files': [{'path': 'src/a.c', 'patch': PATCH}]},
                          'reviews': [{'user': 'bob', 'state': 'CHANGES_REQUESTED', 'body': 'hm', 'comments': [
                              {'path': 'src/a.c', 'line': 2, 'body': 'why'}, {'reply': 0, 'body': 'because', 'user': 'ana'},
                              {'path': 'src/a.c', 'line': 2, 'side': 'LEFT', 'body': 'gone'}]}]},
                         {'title': 'merged', 'user': 'ana', 'change': {'merged': '2026-01-03T00:00:00Z', 'merged_by': 'bob'}}],
               'commit_comments': [{'commit': HEAD, 'user': 'bob', 'body': 'nice', 'path': 'src/a.c', 'position': 3}]}],
}


def slim(v):
    """Without addresses that nobody reads."""
    if isinstance(v, list):
        return [slim(x) for x in v]
    if isinstance(v, dict):
        return {k: slim(x) for k, x in v.items() if not (k.endswith('_url') or k in ('_links', 'repo', 'repository', 'url')) or
                k in ('html_url', 'issue_url', 'pull_request_url')}
    return v


class Recorder:
    """A proxy that keeps what goes through it."""
    def __init__(self, to):
        kept, host = [], urlsplit(to).netloc

        class H(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *a):
                pass

            def do(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                c = http.client.HTTPConnection(host, timeout=60)
                h = {k: v for k, v in self.headers.items() if k.lower() not in ('accept-encoding', 'if-none-match', 'if-modified-since')}
                c.request(self.command, self.path, body or None, h)
                r = c.getresponse()
                data, got = r.read(), dict(r.getheaders())
                mine = 'http://' + self.headers['Host']
                one = {'m': self.command, 'p': self.path, 's': r.status,
                       'h': {k.lower(): got[k].replace(mine, BASE).replace(to, BASE) for k in got if k in KEPT}}
                try:
                    if self.path.endswith('graphql'):
                        one['q'] = json.loads(body)['query'][:60]
                    if data:
                        one['b'] = slim(json.loads(data.decode().replace(mine, BASE).replace(to, BASE)))
                    kept.append(one)
                except ValueError:          # a page of the web
                    pass
                self.send_response_only(r.status)
                for k, v in got.items():
                    if k.lower() not in ('transfer-encoding', 'content-length', 'connection'):
                        self.send_header(k, v)
                if r.status not in (204, 304):
                    self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), H)
        self.server.daemon_threads = True
        self.exchanges, self.url = kept, 'http://127.0.0.1:%d' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        """What came since the last call, each question once."""
        got = {}
        for x in self.exchanges:
            got.setdefault(json.dumps([x['m'], x['p']] + ([x] if x['p'].endswith('graphql') else [])), x)
        self.exchanges.clear()
        return list(got.values())


def op(verb, **more):
    return dict(id=next(ids), verb=verb, **more)


def fresh(exchanges, known):
    return [x for x in exchanges if x not in known]


def record(kind, to, api, project, ops, env, task, **options):
    rec = Recorder(to)
    src = {'name': 'f', 'kind': kind, 'api': rec.url + api, 'web': rec.url + '/', 'project': project,
           'options': {'write-gap-ms': 0, 'backoff-ms': 1, **options}}
    run('sniff', {'name': 'f', 'web': rec.url + '/' + (project if kind != 'redmine' else 'projects/' + project)}, env)
    p = last(run('probe', src, env)[0], 'probe')
    src.update(caps=p['caps'], me=p['me'])
    lines = run('pull', src, env)[0]
    cursor = last(lines, 'page')
    run('pull', src, env, cursor=cursor)
    run('pull', src, env, cursor=cursor, full=True)
    for t in (task if isinstance(task, list) else [task]):
        run('look', src, env, task=t)
    read, done = rec.take(), []
    for o in ops(lines):
        t = Talk('send', src, env)
        o['mark'] = t.ask('mark', o)[-1].get('mark', '')
        before = rec.take()
        out = t.ask('push', o)[-1].get('outcome')
        pushed = list(rec.exchanges)
        rec.exchanges.clear()
        t.ask('find', o)
        t.end()
        after = rec.take()
        print('%s %s: %s' % (kind, o['verb'], out), file=sys.stderr)
        done.append({'op': o, 'is': out['is'], 'mark': fresh(before, read), 'push': pushed, 'find': fresh(after, read)})
    src.update(api=BASE + api, web=BASE + '/', options={'backoff-ms': 1, 'write-gap-ms': 0, 'per-minute': 0, 'parallel': 1, **options})
    return {'source': src, 'cursor': cursor, 'tasks': task, 'ops': done, 'answers': read}


def forge_ops(lines):
    n = {x['body']: x for x in records(lines, 'note')}
    th = {x['key']: x for x in records(lines, 'thread')}
    why = n['why']
    handle = th.get(why['thread'], {}).get('handle')
    a = {'type': 'lines', 'path': 'src/a.c', 'line': 2, 'end': 2, 'commit': HEAD}
    code = dict(task='2', head=HEAD, base=None)
    thread = dict(task='2', thread=why['thread'], handle=handle)
    return [op('comment', task='1', body='mine'), op('reply', reply_to=why['key'], body='an answer', **thread),
            op('code-note', anchor=a, body='a line', **code),
            op('commit-note', anchor={'type': 'commit', 'commit': HEAD}, body='a commit'),
            op('edit-note', note=n['there']['key'], task='1', body='there it is'), op('resolve', **thread), op('reopen-thread', **thread),
            op('react', note=n['hi']['key'], task='1', value='👍'), op('unreact', note=n['hi']['key'], task='1', value='👍'),
            op('react', task='1', value='🎉'), op('new-task', title='new', body='one', add=['bug'], value='bob'),
            op('edit-task', task='1', title='better', body='text'), op('close', task='1'), op('reopen', task='1'),
            op('label', task='1', add=['ui'], drop=['bug']), op('assign', task='1', add=['bob'], drop=['ana']),
            op('milestone', task='1', value='1.0'),
            op('review', verdict='comment', body='all', notes=[op('code-note', anchor=a, body='in it', **code),
                                                               op('reply', reply_to=why['key'], body='and this', **thread)], **code),
            op('delete-note', note=n['there']['key'], task='1')]


def redmine_ops(lines):
    n = next(x for x in records(lines, 'note') if x['kind'] == 'comment' and x['task'] == '2')
    return [op('comment', task='2', body='Some *words*'), op('comment', task='2', body='for few', private=True),
            op('edit-note', task='2', note=n['key'], body='Other'), op('close', task='2'), op('reopen', task='2'),
            op('assign', task='2', add=['Bob Tester']), op('milestone', task='2', value='2.0'),
            op('edit-task', task='2', title='Better', body='with **more**'),
            op('new-task', title='New', body='- one', add=['Feature', 'Urgent'], value='Bob Tester'),
            op('delete-note', task='2', note=n['key'])]


def redmine():
    cache = os.environ.get('KILLICK_TEST_CACHE') or os.path.expanduser('~/.cache/killick-tests')
    template = next(iter(glob.glob(cache + '/redmine-*')))
    os.chmod(T, 0o755)
    scripts = HERE + '/../remote/redmine/'
    url = subprocess.run(['bash', scripts + 'start.sh', template, T + '/run'], check=True, capture_output=True, text=True,
                         env={**os.environ, 'WATCH': str(os.getpid())}).stdout.strip()
    try:
        db = sqlite3.connect(T + '/run/app/instances/default/db.sqlite3', timeout=20)
        db.execute('DELETE FROM issues WHERE id > 6')
        db.execute('DELETE FROM journals WHERE journalized_id > 6')
        db.commit()
        db.close()
        return record('redmine', url, '/', 'demo', redmine_ops, {**ENV, 'KILLICK_TOKEN_F': 'a' * 40}, '2', markup='textile')
    finally:
        subprocess.run(['bash', scripts + 'stop.sh', T + '/run'])


def main():
    out = {}
    for kind, dialect, api, args in (('github', 'github', '/', []), ('gitea', 'gitea', '/api/v1/', ['--version', '1.27.0'])):
        with Forge(dialect, *args) as f:
            f.config(gzip=False, clock='2026-03-01T10:00:00Z')
            f.seed(**WORLD)
            f.config(clock='2026-03-01T11:00:30Z', base_url=f.url)
            out[kind] = record(kind, f.url, api, 'acme/widget', forge_ops, ENV, ['1', '2'])
    out['redmine'] = redmine()
    for x in out.values():
        pool = {}
        lists = [x['answers']] + [o[k] for o in x['ops'] for k in ('mark', 'push', 'find')]
        for a in {id(a): a for l in lists for a in l}.values():
            if 'b' in a:
                a['b'] = pool.setdefault(json.dumps(a['b'], sort_keys=True), len(pool))
        x['bodies'] = [json.loads(b) for b in pool]
    path = sys.argv[1] if len(sys.argv) > 1 else HERE + '/adapters.json'
    with open(path, 'w') as f:
        json.dump(out, f, ensure_ascii=False, indent=0, separators=(',', ':'))
        f.write('\n')
    shutil.rmtree(T, ignore_errors=True)


main()
