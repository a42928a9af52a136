#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Answers that api.github.com gave, recorded with all their headers (npm @octokit/fixtures), replayed to killick-remote.

They are years old and in GitHub's own hand: what the fake forge may have got wrong in the same way as the adapter shows here.
What no recording has is answered with an empty list.
"""
import json, os, shutil, sys, tempfile, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import *
from talk import *

NPM = os.path.join(os.environ.get('KILLICK_TEST_CACHE') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'killick-tests'), 'npm', 'node_modules')
SCENARIOS = NPM + '/@octokit/fixtures/scenarios/api.github.com'
if os.environ.get('KILLICK_TEST_QUICK'):
    skip_all("--quick: GitHub's recorded answers come from npm, which it does not install")
if not os.path.isdir(SCENARIOS):
    skip_all('the recordings are not there: "contrib/quickstart check" puts them into ' + os.path.dirname(NPM))
T = tempfile.mkdtemp(prefix='killick-test.')
ENV = {k: v for k, v in os.environ.items() if not k.startswith(('KILLICK_CLOCK', 'KILLICK_TRACE'))}
ENV.update(HOME=T, XDG_CACHE_HOME=T + '/cache', KILLICK_TOKEN_F='t', GIT_CONFIG_NOSYSTEM='1')
DROP = {'content-length', 'transfer-encoding', 'connection', 'content-encoding', 'strict-transport-security'}


class Replay(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *a):
        pass

    def serve(self):
        u = urlsplit(self.path)
        self.rfile.read(int(self.headers.get('Content-Length') or 0))
        page = parse_qs(u.query).get('page', ['1'])[0]
        r = self.server.answers.get((self.command, u.path, page))
        self.server.asked.append((self.command, u.path, page, r is not None))
        status, headers, body = (r['status'], r['headers'], r['response']) if r else (
            200, {'content-type': 'application/json; charset=utf-8'}, self.server.other.get(u.path, []))
        own = lambda s: str(s).replace('https://api.github.com', self.server.url)
        data = b'' if status == 204 else own(json.dumps(body)).encode()
        self.send_response_only(status)
        for k, v in headers.items():
            if k.lower() not in DROP and not k.lower().startswith('x-ratelimit-reset'):
                self.send_header(k, own(v))
        if status != 204:
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve


class Server:
    def __init__(self, scenario, other=None):
        with open('%s/%s/normalized-fixture.json' % (SCENARIOS, scenario)) as f:
            recorded = json.load(f)
        self.s = ThreadingHTTPServer(('127.0.0.1', 0), Replay)
        self.s.daemon_threads = True
        self.s.url = self.url = 'http://127.0.0.1:%d' % self.s.server_address[1]
        self.s.asked = self.asked = []
        self.s.other = {'/user': {'login': 'octokit-fixture-user-a', 'id': 1000, 'name': None, 'email': None}, **(other or {})}
        self.s.answers = {}
        for r in recorded:
            u = urlsplit(r['path'])
            self.s.answers[(r['method'].upper(), u.path, parse_qs(u.query).get('page', ['1'])[0])] = r
        self.recorded = recorded
        threading.Thread(target=self.s.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.s.shutdown()
        self.s.server_close()

    def source(self, project):
        return {'name': 'f', 'kind': 'github', 'api': self.url + '/', 'web': 'https://github.com/', 'project': project,
                'caps': ['tasks', 'changes', 'comment', 'new-task', 'labels', 'id-in-answer'],
                'me': {'login': 'octokit-fixture-user-a'}, 'options': {'write-gap-ms': 0, 'backoff-ms': 10}}


def op(verb, n, **more):
    return dict(id='%032x' % n, verb=verb, mark='', **more)


with Server('paginate-issues') as s:
    lines, st, err = run('pull', s.source('octokit-fixture-org/paginate-issues'), ENV)
    wanted = [x['number'] for r in s.recorded for x in r['response']]
    got = records(lines, 'task')
    is_((st, sorted({int(x['key']) for x in got})), (0, sorted(wanted)), 'five recorded pages of issues, %d in all' % len(wanted))
    is_(len([1 for a in s.asked if a[3]]), 5, 'along their Link headers, which lead to another path')
    first = next(x for x in got if x['key'] == str(wanted[0]))
    rec = s.recorded[0]['response'][0]
    is_((first['title'], first['author']['login'], first['created'], first['state']),
        (rec['title'], rec['user']['login'], rec['created_at'], rec['state']), 'as they were')

with Server('rename-repository') as s:
    lines, st, err = run('probe', s.source('octokit-fixture-org/rename-repository'), ENV)
    p = last(lines, 'probe') or lines[-1]
    is_(p.get('title'), s.recorded[2]['response']['full_name'], 'a renamed repository, by its recorded 301')

with Server('add-labels-to-issue') as s:
    t = Talk('send', s.source('octokit-fixture-org/add-labels-to-issue'), ENV)
    out = t.ask('push', op('new-task', 1, title='Issue without a label', body=''))[-1].get('outcome', {})
    is_((out.get('is'), out.get('key')), ('landed', str(s.recorded[0]['response']['number'])), 'a recorded 201 of a new issue')
    out = t.ask('push', op('label', 2, task='1', add=['Foo', 'bAr', 'baZ']))[-1].get('outcome', {})
    is_(out.get('is'), 'landed', 'a recorded answer to labels')
    t.end()

with Server('errors') as s:
    r = s.recorded[0]
    s.s.answers = {('POST', '/repos/octokit-fixture-org/errors/issues', '1'): r}
    t = Talk('send', s.source('octokit-fixture-org/errors'), ENV)
    out = t.ask('push', op('new-task', 3, title='x', body=''))[-1].get('outcome', {})
    is_((out.get('is'), 'Validation Failed' in out.get('message', '')), ('refused', True), 'a recorded 422: ' + out.get('message', ''))
    t.end()
shutil.rmtree(T)
done()
