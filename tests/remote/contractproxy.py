# SPDX-License-Identifier: MIT
"""Stands between a client and the fake forge and has every request and answer checked by somebody else's tools.

    client -> Checker -> Prism's proxy (GitHub's OpenAPI description) -> fake forge
                     \\-> Steady, the same request once more: a second reading of the description
                     \\-> /graphql: graphql-js over GitHub's published schema, then the fake forge

Requests and answers that are wrong are kept in Checker.wrong; Checker.checked counts all, Checker.operations which.
"""
import http.client, json, os, re, subprocess, sys, threading, time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit
HERE = os.path.dirname(os.path.abspath(__file__))
HOP = {'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding', 'host', 'date',
       'accept-encoding', 'sl-violations'}
# Answers that GitHub gives everywhere and describes only here and there.
EVERYWHERE = {304, 401, 403, 404, 410, 422, 429, 500, 502, 503}


def free_port():
    import socket
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    p = s.getsockname()[1]
    s.close()
    return p


class Tool:
    """A checker in a process of its own."""
    def __init__(self, args, port, log):
        self.port = port
        self.out = open(log, 'wb')
        self.p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out)
        self.log = log

    def ready(self, seconds=180):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.p.poll() is not None:
                raise RuntimeError('%s ended: %s' % (self.p.args[0], open(self.log, errors='replace').read()[-500:]))
            try:
                c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
                c.request('GET', '/meta', headers={'User-Agent': 'check', 'Accept': 'application/json'})
                c.getresponse().read()
                return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError('%s does not answer' % self.p.args[0])

    def stop(self):
        self.p.terminate()
        try:
            self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        self.out.close()


class Checker:
    def __init__(self, forge, npm, scratch, steady=True):
        self.forge, self.wrong, self.checked, self.operations = forge, [], Counter(), Counter()
        self.undescribed = Counter()
        self.lock, self.ql_lock = threading.Lock(), threading.Lock()
        spec = scratch + '/slim.json'
        subprocess.run([sys.executable, HERE + '/contractslim.py', npm + '/@octokit/openapi/generated/api.github.com.json', spec],
                       check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        self.prism = Tool([npm + '/.bin/prism', 'proxy', spec, forge.url, '-h', '127.0.0.1', '-p', str(port)], port,
                          scratch + '/prism.log')
        port = free_port()
        self.steady = Tool([npm + '/.bin/steady', '--host', '127.0.0.1', '-p', str(port), '--log-format', 'json', spec], port,
                           scratch + '/steady.log') if steady else None
        self.ql = subprocess.Popen(['node', HERE + '/contractql.mjs', npm], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.prism.ready()
        if self.steady:
            self.steady.ready()
        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Relay)
        self.server.daemon_threads, self.server.checker = True, self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = 'http://127.0.0.1:%d' % self.server.server_address[1]
        self.host = urlsplit(self.url).netloc
        forge.config(base_url=self.url)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.prism.stop()
        if self.steady:
            self.steady.stop()
        self.ql.stdin.close()
        self.ql.wait()

    def bad(self, what, request, reason):
        with self.lock:
            self.wrong.append('%s %s: %s' % (what, request, reason))

    def forward(self, port, method, target, headers, body):
        c = http.client.HTTPConnection('127.0.0.1', port, timeout=120)
        try:
            c.request(method, target, body, {k: v for k, v in headers.items() if k.lower() not in HOP})
            r = c.getresponse()
            return r.status, r.getheaders(), r.read()
        finally:
            c.close()

    def rest(self, method, target, headers, body):
        status, h, data = self.forward(self.prism.port, method, target, headers, body)
        name = method + ' ' + re.sub(r'/[0-9a-f]{40}(?=/|$)', '/{sha}', re.sub(r'/\d+(?=/|$)', '/{n}', urlsplit(target).path))
        with self.lock:
            self.checked['requests'] += 1
            self.checked['answers'] += 1
            self.operations['%s %d' % (name, status)] += 1
        for v in json.loads(dict((k.lower(), x) for k, x in h).get('sl-violations', '[]')):
            if 'Unable to match the returned status code' in v.get('message', '') and status in EVERYWHERE:
                with self.lock:
                    self.undescribed[str(status)] += 1
                continue
            if re.search(r'body(\.\d+)?\.(line|position)$', '.'.join(str(x) for x in v.get('location', []))) and \
                    v.get('message', '').endswith('must be integer'):
                with self.lock:          # outdated notes: GitHub's answers have null where its description wants a number
                    self.undescribed['null line of an outdated note'] += 1
                continue
            what = 'request' if v.get('location', [''])[0] == 'request' else 'answer'
            self.bad(what, name + ' %d' % status, '%s %s' % ('.'.join(str(x) for x in v.get('location', [])), v.get('message')))
        if self.steady and 200 <= status < 300:      # what the forge took must be right by the description too
            self.second(method, target, headers, body, name)
        return status, h, data

    def second(self, method, target, headers, body, name):
        status, h, data = self.forward(self.steady.port, method, target, {**headers, 'Accept': 'application/json'}, body)
        with self.lock:
            self.checked['read twice'] += 1
        d = {k.lower(): v for k, v in h}
        if status == 400:
            self.bad('request', name, 'second reading: %s %s' % (d.get('x-steady-error-1-path'), d.get('x-steady-error-1-message')))

    def graphql(self, method, target, headers, body):
        status, h, data = self.forward(int(self.forge.url.rsplit(':', 1)[1]), method, target, headers, body)
        req, ans = json.loads(body), json.loads(data) if data else {}
        with self.ql_lock:
            self.ql.stdin.write(json.dumps({'query': req.get('query'), 'variables': req.get('variables'), 'data': ans.get('data')}) + '\n')
            self.ql.stdin.flush()
            errors = json.loads(self.ql.stdout.readline())['errors']
        with self.lock:
            self.checked['graphql'] += 1
            self.operations['GraphQL %s %d' % (' '.join(re.findall(r'[A-Za-z]+', req.get('query', ''))[:12]), status)] += 1
        for e in errors:
            self.bad('graphql', req.get('query', '')[:80], e)
        return status, h, data


class Relay(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *a):
        pass

    def serve(self):
        c = self.server.checker
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)) or None
        headers = dict(self.headers.items())
        path = urlsplit(self.path).path
        try:
            run = c.graphql if path == '/graphql' else c.rest
            status, h, data = run(self.command, self.path, headers, body)
        except (OSError, http.client.HTTPException, ValueError) as x:
            c.bad('relay', self.path, repr(x))
            status, h, data = 599, [], b''
        self.send_response_only(status)
        for k, v in h:
            if k.lower() not in HOP or k.lower() == 'date':
                self.send_header(k, v)
        if status not in (204, 304):
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve
