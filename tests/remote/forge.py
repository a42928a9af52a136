#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A fake forge that keeps state: GitHub's and Gitea's APIs over one world, on a loopback port, with faults on demand.

    forge.py [--dialect github|gitea|forgejo|both] [--version V] [--port N] [--log FILE] [--seed FILE] [--ready FILE]
             [--tls CERT KEY] [--parent-pipe]

prints "http://127.0.0.1:PORT" and serves until it is told to stop (SIGTERM, or end of file on standard input with
--parent-pipe, so that a killed test leaves nothing behind).

    GitHub   /repos/… and /graphql at the root (as api.github.com), and /api/v3/… and /api/graphql (as an Enterprise server)
    Gitea    /api/v1/…
both also under any prefix (/git/api/v1/…: an installation in a sub-path).

The control endpoint, JSON in and out, never counted nor hit by faults:
    POST /_forge/seed    users, tokens, repos with tasks, bulk (forgestate.py: World.seed)
    GET  /_forge/state?repo=O/R[&task=N]     everything as it is: the oracle
    GET  /_forge/find?text=T                 every note and task that has this text: [{kind,id,task,user,…}]
    POST /_forge/config  any of CONFIG below
    POST /_forge/faults  [rule…]: replaces the script; GET: the rules with their hits; DELETE: none
    POST /_forge/act     what no API request does: {"do":"push|delete|transfer|rename|perm|merge|lock|hide|revoke", …}
    GET  /_forge/log?since=N                 the requests, as in --log; GET /_forge/counts: how many of each status
A fault rule: {"method":"regex, whole","path":"regex","body":"regex","skip":N,"times":N (0: always),"do":WHAT, …}; WHAT:
    close-before-read    the connection is reset before the body is read      nothing was done
    close-after-read     the same after the body was read                     nothing was done
    close-after-commit   done, and no answer
    half-reply           done, the answer is cut in the middle of its body
    error-after-commit   done, the answer is "status" (500) and HTML
    late-commit          the answer is "status" (502) at once, and it is done "delay" seconds later
    duplicate            done twice (a proxy repeated it), answered once
    answer               not done; the answer is "status", "headers", "answer" (a string, or JSON)
    hang                 not done; no answer for "delay" seconds, then the connection is closed
    slow                 done; the answer's body comes "rate" bytes a second (1)
    latency              done "delay" seconds later, answered then
    lag                  done; what it made is hidden from lists for "delay" seconds ("lag": N does so beside another fault)
Each request is a line in --log: {"n","time","method","path","query","login","status","bytes","ms","fault","body","if_none_match"}.
"""
import argparse, gzip, hashlib, json, os, re, socket, ssl, struct, sys, threading, time, traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import forgegithub, forgegitea
from forgestate import World, parse_iso
from forgewire import Fail, Req, Resp

CONFIG = {
    'latency': 0.0,              # seconds added to each answer
    'lag': 0.0,                  # seconds for which lists show what was
    'clock': None,               # seconds since 1970, or RFC 3339: the world's clock stands there; null: the real one
    'base_url': None,            # what URLs in answers begin with; null: as the request came
    'rate_limit': 5000, 'rate_remaining': None, 'rate_reset': 3600, 'rate_status': 403, 'rate_headers': True,
    'writes_per_minute': 0,      # the secondary limit, 0: none
    'bad_credentials': 0,        # wrong tokens before even good ones are refused for a while, 0: never
    'max_per_page': 100, 'default_per_page': 30,
    'max_items': 50, 'default_items': 30,      # Gitea
    'version': None, 'forgejo': False, 'tz': '+02:00', 'root_url': None,
    'etags': True, 'gzip': True, 'graphql': True,
    'review_adopts': True,       # Gitea: a review takes the user's pending one along
    'strict_lines': True,        # GitHub: notes only on lines of the diff, where the diff is known
    'keep_alive': True,
}


class Forge:
    def __init__(self, dialect='github', log=None):
        self.dialects = {'github': ['github'], 'gitea': ['gitea'], 'forgejo': ['gitea'], 'both': ['github', 'gitea']}[dialect]
        self.world = World('overlap' if dialect == 'github' else 'apart')
        self.conf = dict(CONFIG)
        self.conf['forgejo'] = dialect == 'forgejo'
        self.faults, self.refuse = [], 0
        self.n, self.log, self.lines, self.counts = 0, log, [], {}
        self.lock = threading.Lock()
        self.pages, self.pages_bytes = {}, 0
        self.rate, self.people = {}, {}
        self.writes, self.bad = {}, 0
        self.timers = []

    # -- the log -------------------------------------------------------------------------------------------------
    def record(self, entry):
        with self.lock:
            self.n += 1
            entry = {'n': self.n, **entry}
            self.counts[str(entry['status'])] = self.counts.get(str(entry['status']), 0) + 1
            self.lines.append(entry)
            del self.lines[:-200000]
            if self.log:
                self.log.write(json.dumps(entry) + '\n')
                self.log.flush()

    def later(self, delay, fn):
        """A test that owns the clock has its own."""
        def wait():
            time.sleep(delay)
            fn()
        t = threading.Thread(target=wait, daemon=True)
        self.timers.append(t)
        t.start()

    # -- faults --------------------------------------------------------------------------------------------------
    def fault_for(self, method, path, body):
        """The rule that this request meets, counted. body None: the head was read only; only that early fault is asked."""
        with self.lock:
            for f in self.faults:
                if (f['do'] == 'close-before-read') != (body is None):
                    continue
                if not re.fullmatch(f.get('method', '.*'), method) or not re.search(f.get('path', ''), path):
                    continue
                if body is not None and not re.search(f.get('body', ''), body.decode('utf-8', 'replace')):
                    continue
                f['seen'] = f.get('seen', 0) + 1
                if f['seen'] <= f.get('skip', 0) or (f.get('times', 1) and f.get('hits', 0) >= f.get('times', 1)):
                    continue
                f['hits'] = f.get('hits', 0) + 1
                return f
        return None

    # -- answering -----------------------------------------------------------------------------------------------
    def split(self, path):
        """(dialect, path inside its API, prefix of the API)"""
        m = re.match(r'^(.*?)/api/(v1|v3|graphql)(/.*|$)', path)
        if m:
            if m.group(2) == 'v1':
                return 'gitea', m.group(3) or '/', m.group(1) + '/api/v1', m.group(1)
            if m.group(2) == 'v3':
                return 'github', m.group(3) or '/', m.group(1) + '/api/v3', m.group(1)
            return 'github', '/graphql', m.group(1) + '/api/v3', m.group(1)
        return 'github', path, '', ''

    def identify(self, req):
        """Who asks: a token by header, or Basic with the token as one of the two."""
        h = req.headers.get('Authorization')
        if not h:
            return
        kind, _, value = h.partition(' ')
        value = value.strip()
        candidates = [value]
        if kind.lower() == 'basic':
            import base64
            try:
                user, _, word = base64.b64decode(value).decode('utf-8', 'replace').partition(':')
            except ValueError:
                user = word = ''
            candidates = [word, user]
        elif kind.lower() not in ('bearer', 'token'):
            candidates = []
        req.auth = 'bad'
        for c in candidates:
            t = self.world.tokens.get(c)
            if t:
                req.auth, req.token, req.login = 'ok', t, t.login
                return

    def request(self, method, target, headers, body, host, tls):
        u = urlsplit(target)
        dialect, path, prefix, web = self.split(u.path)
        req = Req(self, method, path, u.query, headers, body)
        origin = self.conf['base_url'] or '%s://%s' % ('https' if tls else 'http', headers.get('Host') or host)
        req.base, req.web, req.dialect = origin + prefix, origin + web, dialect
        self.identify(req)
        return req

    def answer(self, req, module):
        path, body = req.path, req.body
        if body and req.method not in ('GET', 'HEAD'):
            try:
                req.json = json.loads(body)
            except ValueError:
                raise Fail(400, {'message': 'Problems parsing JSON'})
            if not isinstance(req.json, dict) and not (path.endswith('/labels') and isinstance(req.json, list)):
                raise Fail(400, {'message': 'Body should be a JSON object'})
        req.json = {} if req.json is None else req.json
        return module.handle(req)

    def page(self, method, target, headers, body, host, tls):
        """(answer, its bytes, the request); from what was written out before where nothing changed since."""
        req = self.request(method, target, headers, body, host, tls)
        if req.dialect not in self.dialects:
            return Resp(404, kind='text/html'), b'<html><body>404 page not found</body></html>', req
        module = {'github': forgegithub, 'gitea': forgegitea}[req.dialect]
        key = (target, headers.get('Authorization'), headers.get('Accept'), headers.get('Host')) if method == 'GET' else None
        before, settled = self.world.version, self.world.ticks() > self.world.settled
        try:
            module.gate(req)
            with self.lock:
                hit = self.pages.get(key)
            if hit and hit[0] == (before, self.conf['clock']) and settled:
                return (*hit[1], req)
            resp = self.answer(req, module)
        except Fail as f:
            resp = module.failure(req, f)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as x:     # a fault of ours, told in a line
            at = traceback.extract_tb(x.__traceback__)[-1]
            print('forge: %s %s: %r at %s:%d' % (method, target, x, os.path.basename(at.filename), at.lineno), file=sys.stderr)
            resp = Resp(500, {'message': 'the fake forge has a fault: %r' % x})
        data = resp.raw
        if data is None:
            data = b'' if resp.obj is None else json.dumps(resp.obj, ensure_ascii=False, separators=(',', ':')).encode(
                'utf-8', 'surrogatepass')
        if key and resp.status == 200 and settled:
            with self.lock:
                if self.pages_bytes > 400e6:
                    self.pages, self.pages_bytes = {}, 0
                self.pages[key] = ((before, self.conf['clock']), (resp, data))
                self.pages_bytes += len(data)
        return resp, data, req

    # -- the control endpoint ------------------------------------------------------------------------------------
    def control(self, method, path, q, body):
        d = json.loads(body) if body else {}
        what = path[len('/_forge/'):]
        w = self.world
        if what == 'seed':
            with w.change():
                return 200, w.seed(d)
        if what == 'config':
            for k, v in d.items():
                if k == 'ids':
                    w.ids = v
                elif k == 'counters':
                    w.counters.update(v)
                elif k not in self.conf:
                    return 400, {'error': 'no setting ' + k}
                else:
                    self.conf[k] = v
            if isinstance(self.conf['clock'], str):
                self.conf['clock'] = parse_iso(self.conf['clock'])
            with w.change():
                w.clock, w.lag = self.conf['clock'], self.conf['lag']
            with self.lock:
                self.rate.clear()
                self.writes.clear()
                self.bad = 0
            return 200, self.conf
        if what == 'faults':
            with self.lock:
                if method == 'POST':
                    self.faults = d if isinstance(d, list) else [d]
                elif method == 'DELETE':
                    self.faults = []
                return 200, self.faults
        if what == 'refuse':
            self.refuse = d.get('connections', 1)
            return 200, {}
        if what == 'state':
            with w.lock:
                repo = w.repo(q['repo']) if 'repo' in q else None
                if not repo:
                    return 200, {'repos': [r.owner + '/' + r.name for r in w.repos.values()], 'users': list(w.users)}
                return 200, w.dump(repo, int(q['task']) if 'task' in q else None)
        if what == 'find':
            with w.lock:
                return 200, w.find(q['text'])
        if what == 'log':
            with self.lock:
                since = int(q.get('since', 0))
                return 200, [x for x in self.lines if x['n'] > since]
        if what == 'counts':
            with self.lock:
                return 200, {'requests': self.n, 'status': dict(self.counts)}
        if what == 'act':
            with w.change():
                return self.act(d)
        if what == 'wait':       # until every late commit was done
            for t in list(self.timers):
                t.join()
            return 200, {}
        return 404, {'error': 'no such control'}

    def act(self, d):
        w, do = self.world, d['do']
        repo = w.repo(d['repo']) if 'repo' in d else None
        task = repo.tasks[d['task']] if repo and 'task' in d else None
        if do == 'push':
            w.push(repo, task, d['head'], d.get('files'), d.get('lines'))
        elif do == 'delete':         # a task, as an admin can: 410 from now on
            repo.gone[task.number] = True
            w.delete_task(repo, task)
        elif do == 'transfer':
            repo.moved[task.number] = d['to']
            w.delete_task(repo, task)
        elif do == 'rename':
            full = (repo.owner + '/' + repo.name).lower()
            del w.repos[full]
            w.moved[full] = repo
            owner, repo.name = d['to'].split('/')
            repo.owner = w.user(owner).login
            w.repos[d['to'].lower()] = repo
        elif do == 'perm':
            if d.get('perm') is None:
                repo.perms.pop(d['login'].lower(), None)
            else:
                repo.perms[d['login'].lower()] = d['perm']
            if 'private' in d:
                repo.private = d['private']
        elif do == 'merge':
            w.bump(task)
            task.change.merged, task.change.merged_by = w.now(), d.get('login', repo.owner)
            w.set_state(repo, task, d.get('login', repo.owner), 'closed')
        elif do == 'lock':
            w.bump(task)
            task.locked = d.get('locked', True)
        elif do == 'archive':
            repo.archived = d.get('archived', True)
        elif do == 'revoke':
            w.tokens.pop(d['token'], None)
        elif do == 'body':           # a body that the API would not take: any text, silently
            table = {'comment': repo.comments, 'rcomment': repo.rcomments, 'task': repo.tasks}[d['kind']]
            table[d['id']].body = d['body']
        else:
            return 400, {'error': 'no act ' + do}
        return 200, {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = -1

    def log_message(self, *a):
        pass

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self):
        f = self.server.forge
        if f.refuse > 0:
            f.refuse -= 1
            self.reset()
            return
        try:
            super().handle()
        except (ConnectionError, BrokenPipeError, ssl.SSLError, ValueError, OSError):
            self.close_connection = True

    def reset(self):
        """A reset, not an orderly end."""
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self.connection.close()
        except OSError:
            pass
        self.close_connection = True

    def read_body(self):
        if 'chunked' in (self.headers.get('Transfer-Encoding') or ''):
            out = b''
            while True:
                n = int(self.rfile.readline().split(b';')[0], 16)
                out += self.rfile.read(n)
                self.rfile.readline()
                if n == 0:
                    return out
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def serve(self):
        forge, t0 = self.server.forge, time.monotonic()
        u = urlsplit(self.path)
        if u.path.startswith('/_forge/'):
            return self.serve_control(u)
        entry = {'time': time.time(), 'method': self.command, 'path': u.path, 'query': u.query}
        if forge.faults and forge.fault_for(self.command, self.path, None):
            forge.record({**entry, 'status': 0, 'fault': 'close-before-read'})
            return self.reset()
        body = self.read_body()
        fault = forge.fault_for(self.command, self.path, body) if forge.faults else None
        if forge.conf['latency']:
            time.sleep(forge.conf['latency'])
        self.perform(forge, entry, fault, body, t0)

    def perform(self, forge, entry, fault, body, t0):
        do = fault['do'] if fault else None
        host = '%s:%d' % self.server.server_address[:2]
        go = lambda: forge.page(self.command, self.path, self.headers, body, host, self.server.tls)
        entry['fault'] = do
        if body:
            entry['body'] = body.decode('utf-8', 'replace')[:100000]
        if self.headers.get('If-None-Match'):
            entry['if_none_match'] = True
        if do in ('close-after-read', 'hang'):
            if do == 'hang':
                time.sleep(fault.get('delay', 60))
            forge.record({**entry, 'status': 0})
            return self.reset()
        if do == 'answer':
            b = fault.get('answer', '')
            data = b.encode('utf-8', 'surrogateescape') if isinstance(b, str) else json.dumps(b).encode()
            forge.record({**entry, 'status': fault.get('status', 500)})
            return self.reply(fault.get('status', 500), {'Content-Type': 'application/json', **fault.get('headers', {})}, data)
        if do == 'late-commit':
            forge.later(fault.get('delay', 1), go)
            forge.record({**entry, 'status': fault.get('status', 502)})
            return self.html(fault.get('status', 502))
        if do == 'latency':
            time.sleep(fault.get('delay', 1))
        lag = fault and (fault.get('delay', 1) if do == 'lag' else fault.get('lag'))
        if lag:
            with forge.world.lock:
                keep, forge.world.lag = forge.world.lag, lag
                try:
                    resp, data, req = go()
                finally:
                    forge.world.lag = keep
        else:
            resp, data, req = go()
        if do == 'duplicate':
            go()
        entry['login'] = req.login
        status, headers, data = self.dress(forge, resp, data, req)
        entry.update(status=status, bytes=len(data), ms=round((time.monotonic() - t0) * 1000, 1))
        if do == 'close-after-commit':
            forge.record({**entry, 'status': 0, 'did': status})
            return self.reset()
        forge.record(entry)
        if do == 'error-after-commit':
            return self.html(fault.get('status', 500))
        if do == 'half-reply':
            return self.reply(status, headers, data, cut=True)
        if do == 'slow':
            return self.reply(status, headers, data, rate=fault.get('rate', 1))
        self.reply(status, headers, data)

    def dress(self, forge, resp, data, req):
        """Status, headers and bytes as they go out: limits, ETag, 304, gzip."""
        h = {'Date': self.http_date(forge.world.now()), **resp.headers}
        status = resp.status
        if data or resp.raw is not None:
            h['Content-Type'] = resp.kind
        if req.dialect == 'github':
            h.update(forgegithub.headers(req))
            if forge.conf['etags'] and self.command in ('GET', 'HEAD') and status == 200 and data:
                seed = (self.headers.get('Authorization') or '') + (self.headers.get('Accept') or '') + h.get('Link', '')
                tag = 'W/"%s"' % hashlib.sha256(seed.encode() + data).hexdigest()
                h['ETag'] = tag
                h['Vary'] = 'Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept, X-Requested-With'
                h['Cache-Control'] = 'private, max-age=60, s-maxage=60'
                if tag in [x.strip() for x in (self.headers.get('If-None-Match') or '').split(',')]:
                    forgegithub.give_back(req)
                    h.update(forgegithub.headers(req))
                    h.pop('Content-Type', None)
                    return 304, h, b''
        if forge.conf['gzip'] and len(data) > 860 and 'gzip' in (self.headers.get('Accept-Encoding') or ''):
            h['Content-Encoding'] = 'gzip'
            data = self.squeeze(forge, data)
        return status, h, data

    def squeeze(self, forge, data):
        key = ('gz', hashlib.sha1(data).digest())
        with forge.lock:
            hit = forge.pages.get(key)
        if hit:
            return hit
        z = gzip.compress(data, 1)
        with forge.lock:
            forge.pages[key] = z
            forge.pages_bytes += len(z)
        return z

    def http_date(self, t):
        return time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(t))

    def html(self, status):
        self.reply(status, {'Content-Type': 'text/html'}, b'<html><body><h1>%d</h1>the proxy is sorry</body></html>' % status)

    def reply(self, status, headers, data, cut=False, rate=None):
        bare = status in (204, 304) or self.command == 'HEAD'
        self.send_response_only(status)
        for k, v in headers.items():
            self.send_header(k, v)
        if status not in (204, 304):
            self.send_header('Content-Length', str(len(data)))
        if cut or not self.server.forge.conf['keep_alive']:
            self.send_header('Connection', 'close')
            self.close_connection = True
        self.end_headers()
        if bare:
            data = b''
        if cut:
            data = data[:len(data) // 2]
        if rate:
            for i in range(0, len(data), rate):
                self.wfile.write(data[i:i + rate])
                self.wfile.flush()
                time.sleep(1)
        else:
            self.wfile.write(data)
        self.wfile.flush()
        if cut:
            self.reset() if not bare else None

    def serve_control(self, u):
        body = self.read_body()
        q = {k: v[-1] for k, v in parse_qs(u.query).items()}
        try:
            status, obj = self.server.forge.control(self.command, u.path, q, body)
        except (KeyError, ValueError, TypeError) as x:
            status, obj = 400, {'error': repr(x)}
        self.reply(status, {'Content-Type': 'application/json'}, json.dumps(obj).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    tls = False

    def __init__(self, address, forge, tls=None):
        self.forge = forge
        super().__init__(address, Handler)
        if tls:
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(*tls)
            self.socket = ctx.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.tls = True

    def handle_error(self, request, client_address):
        x = sys.exc_info()[1]
        if not isinstance(x, (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--dialect', default='github', choices=['github', 'gitea', 'forgejo', 'both'])
    p.add_argument('--version')
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--log')
    p.add_argument('--seed')
    p.add_argument('--ready')
    p.add_argument('--tls', nargs=2)
    p.add_argument('--parent-pipe', action='store_true')
    a = p.parse_args()
    forge = Forge(a.dialect, open(a.log, 'a') if a.log else None)
    if a.version:
        forge.conf['version'] = a.version
    if a.seed:
        with open(a.seed) as f:
            forge.world.seed(json.load(f))
    server = Server(('127.0.0.1', a.port), forge, a.tls)
    url = '%s://127.0.0.1:%d' % ('https' if a.tls else 'http', server.server_address[1])
    print(url, flush=True)
    if a.ready:
        with open(a.ready + '.new', 'w') as f:
            f.write(url + '\n')
        os.rename(a.ready + '.new', a.ready)
    if a.parent_pipe:
        def watch():
            while os.read(0, 4096):
                pass
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
    server.serve_forever()


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        pass
