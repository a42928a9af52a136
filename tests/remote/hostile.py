# SPDX-License-Identifier: MIT
"""A server that means harm, and the HTTP floor against it: each case gives one clear line, in bounded time and memory, and no
byte ever reaches the second listener, which stands for somebody else's host."""
import http.server, json, os, re, shutil, socket, ssl, subprocess, sys, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import *

TOOL = os.path.join(os.path.dirname(REMOTE), 'tests/remote/httptool')
CANARY = 'canary-' + 'x7' * 10
T = tempfile.mkdtemp(prefix='killick-test.')
for name in ('GIT_SSL_CAINFO', 'CURL_CA_BUNDLE', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'http_proxy', 'https_proxy', 'all_proxy',
             'HTTPS_PROXY', 'ALL_PROXY', 'KILLICK_TRACE', 'KILLICK_CLOCK'):
    os.environ.pop(name, None)
if not os.access(TOOL, os.X_OK):
    skip_all('no ' + TOOL)
ROOM = 64 << 10 if b'__asan_init' not in open(TOOL, 'rb').read() else 1 << 20     # KiB


class Elsewhere(threading.Thread):
    """Another host: whoever connects is remembered, with what was said."""

    def __init__(self):
        super().__init__(daemon=True)
        self.s = socket.create_server(('127.0.0.1', 0))
        self.port, self.heard = self.s.getsockname()[1], []
        self.start()

    def run(self):
        while True:
            c, _ = self.s.accept()
            self.heard.append(b'')
            c.settimeout(1)
            try:
                self.heard[-1] = c.recv(65536)
                c.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]')
            except OSError:
                pass
            c.close()


class Prompt(Elsewhere):
    """Answers in the same millisecond, in one piece."""

    def run(self):
        while True:
            c, _ = self.s.accept()
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while c.recv(65536):
                c.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
            c.close()


hits = {}
lock = threading.Lock()


def bomb():
    import zlib
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = [z.compress(b'["')]
    block = b'a' * (1 << 20)
    for _ in range(1024):
        out.append(z.compress(block))
    out.append(z.compress(b'"]') + z.flush())
    return b''.join(out)


class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *a):
        pass

    def answer(self, body, status=200, kind='application/json', headers=(), length=None):
        body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        if kind:
            self.send_header('Content-Type', kind)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header('Content-Length', str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        self.connection.close()

    def do_GET(self):
        path, _, query = self.path.partition('?')
        with lock:
            hits[path] = hits.get(path, 0) + 1
            n = hits[path]
        f = getattr(self, 'at_' + path.strip('/').replace('-', '_').split('/')[0], None)
        try:
            f(n, query, path) if f else self.answer({'message': 'Not Found'}, 404)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.do_GET()

    do_DELETE = do_PUT = do_PATCH = do_GET

    def at_ok(self, n, q, p):
        self.answer({'n': n, 'auth': self.headers.get('Authorization') is not None})

    def at_away(self, n, q, p):
        self.answer('', int(q or 302), headers=[('Location', 'http://127.0.0.1:%d/x?%s' % (elsewhere.port, CANARY))])

    def at_scheme(self, n, q, p):
        self.answer('', 302, headers=[('Location', 'file:///etc/passwd')])

    def at_user(self, n, q, p):
        self.answer('', 302, headers=[('Location', 'http://a:b@127.0.0.1:%d/ok' % port)])

    def at_dots(self, n, q, p):
        self.answer('', 302, headers=[('Location', 'http://localhost:%d/ok' % port)])

    def at_slashes(self, n, q, p):
        self.answer('', 302, headers=[('Location', '//127.0.0.1:%d/ok' % elsewhere.port)])

    def at_loop(self, n, q, p):
        self.answer('', 302, headers=[('Location', '/loop')])

    def at_moved(self, n, q, p):
        self.answer('', 301, headers=[('Location', '/ok')])

    def at_nextaway(self, n, q, p):
        self.answer([1], headers=[('Link', '<http://127.0.0.1:%d/y>; rel="next"' % elsewhere.port)])

    def at_nextself(self, n, q, p):
        self.answer([1], headers=[('Link', '</nextself>; rel="next"')])

    def at_same(self, n, q, p):
        self.answer([1], headers=[('Link', '</same?page=%d>; rel="next"' % (n + 1))])

    def at_endless(self, n, q, p):
        self.answer([n], headers=[('Link', '</endless?page=%d>; rel="next"' % (n + 1))])

    def at_pages(self, n, q, p):
        page = int(re.search(r'page=(\d+)', q).group(1)) if 'page=' in q else 1
        link = [] if page == 9 else ['</pages?per=2&page=%d>; rel="next"' % (page + 1), '</pages?per=2&page=9>; rel="last"']
        time.sleep(0.15 if page != 3 else 0.4)
        self.answer([page], headers=[('Link', ', '.join(link))] if link else [])

    def at_shrinks(self, n, q, p):
        page = int(re.search(r'page=(\d+)', q).group(1)) if 'page=' in q else 1
        link = [] if page >= 3 else ['</shrinks?page=%d>; rel="next"' % (page + 1), '</shrinks?page=9>; rel="last"']
        self.answer([page], headers=[('Link', ', '.join(link))] if link else [])

    def at_bomb(self, n, q, p):
        self.answer(BOMB, headers=[('Content-Encoding', 'gzip')])

    def at_flood(self, n, q, p):
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()
        self.close_connection = True
        for i in range(100000):
            self.wfile.write(b'[' + b'1,' * 50000)

    def at_headers(self, n, q, p):
        self.send_response(200)
        for i in range(100000):
            self.send_header('X-%d' % i, 'y' * 1000)
            if i % 50 == 0:
                self.flush_headers()
        self.end_headers()

    def at_torn(self, n, q, p):
        self.answer(b'\x1f\x8b' + b'garbage' * 9, headers=[('Content-Encoding', 'gzip')])

    def at_raw(self, n, q, p):
        self.answer(RAW[q][0])

    def at_html(self, n, q, p):
        self.answer('<html>log in', 200, 'text/html')

    def at_untyped(self, n, q, p):
        self.answer('[]', 200, None)

    def at_short(self, n, q, p):
        self.answer('[1,2', length=100)
        self.close_connection = True

    def at_slow(self, n, q, p):
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', '100000')
        self.end_headers()
        for i in range(60):
            self.wfile.write(b' ')
            self.wfile.flush()
            time.sleep(1)

    def at_silent(self, n, q, p):
        time.sleep(30)

    def at_reset(self, n, q, p):
        self.reset() if n <= int(q or 99) else self.answer({'n': n})

    def at_five(self, n, q, p):
        self.answer('<h1>oops', 502, 'text/html') if n <= int(q or 99) else self.answer({'n': n})

    def at_status(self, n, q, p):
        self.answer(*STATUS[q])

    def at_limit(self, n, q, p):
        if n > 1 and 'once' in q:
            return self.answer({'n': n})
        self.answer(*LIMITS[q])

    def at_etag(self, n, q, p):
        if self.headers.get('If-None-Match') == '"v1"':
            return self.answer('', 304, None)
        self.answer({'n': n}, headers=[('ETag', '"v1"'), ('Link', '</etag?page=2>; rel="next"')])

    def at_once(self, n, q, p):
        """Takes the request, counts it, closes without a word: on a kept connection libcurl would send it again."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


RAW = {
    'depth': ('[' * 10000 + ']' * 10000, 'nested more than 64'), 'twice': ('{"a":1,"a":2}', 'duplicate'),
    'half': ('{"a":[1,2', 'not the JSON'), 'trail': ('[] x', 'not the JSON'), 'words': ('hello', 'not the JSON'),
    'real': ('[1e999]', 'not the JSON'),
    'big': ('[{"id":9223372036854775808},{"id":-99999999999999999999,"ok":9223372036854775807}]',
            '"9223372036854775808"},{"id":"-99999999999999999999","ok":9223372036854775807'),
    'nul': ('["a\\u0000b"]', r'a\uFFFDb'), 'nulraw': ('["a\0b"]', r'a\uFFFDb'), 'utf8': (b'["a\xff\xfeb"]', r'a\uFFFD\uFFFDb'),
    'lone': ('["\\ud800x"]', r'\uFFFDx'), 'pair': ('["\\ud83d\\ude00"]', r'\uD83D\uDE00'), 'bom': (b'\xef\xbb\xbf[1]', '[1]'),
    'line': ('["a\nb"]', r'a\nb'),
}
STATUS = {
    '401': ({'message': 'Bad credentials'}, 401), '403': ({'message': 'Resource not accessible'}, 403),
    '404': ({'message': 'Not Found'}, 404), '410': ({'message': 'Issues are disabled'}, 410), '409': ({'message': 'x'}, 409),
    '422': ({'message': 'Validation Failed', 'errors': [{'resource': 'Issue', 'field': 'title', 'code': 'missing_field'}]}, 422),
    '400': ({'message': {'title': ["can't be blank"]}}, 400), 'esc': ({'message': 'a\x1b]0;x\x07b'}, 400), '418': ('x' * 5000, 418, 'text/plain'),
}
LIMITS = {
    '429once': ('Retry later', 429, 'text/plain', [('Retry-After', '1')]),
    '429': ('Retry later', 429, 'text/plain', [('Retry-After', '100')]),
    'date': ('', 429, None, [('Retry-After', time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(time.time() + 300)))]),
    'remaining': ({'message': 'API rate limit exceeded'}, 403, 'application/json',
                  [('X-RateLimit-Remaining', '0'), ('X-RateLimit-Reset', str(int(time.time() + 200)))]),
    'secondary': ({'message': 'You have exceeded a secondary rate limit'}, 403),
    '503': ('', 503, None, [('Retry-After', '40')]),
}


def serve(cert=None):
    s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
    s.handle_error = lambda *a: None
    if cert:
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(cert + '.pem', cert + '.key')
        s.socket = c.wrap_socket(s.socket, server_side=True)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s.server_address[1]


elsewhere = Elsewhere()
BOMB = bomb()
port = serve()
BASE = 'http://127.0.0.1:%d/' % port


def tool(*args, base=BASE, opts=(), env=None, timeout=60, auth='Authorization: Bearer ' + CANARY):
    e = dict(os.environ, KILLICK_TRACE='http', **(env or {}))
    r = subprocess.run([TOOL, 'auth=' + auth, 'stall=2000', *opts, base, *args], capture_output=True, timeout=timeout, env=e)
    out = r.stdout.decode().splitlines()
    global last
    m = re.search(r'requests (\d+) not-modified (\d+) retries (\d+) bytes (\d+) rss (\d+) ms (\d+)', out[-1] if out else '')
    last = dict(zip(('requests', 'same', 'retries', 'bytes', 'rss', 'ms'), map(int, m.groups()))) if m else {}
    seen = r.stdout + r.stderr
    if CANARY.encode() in seen:
        ok(False, 'the token is told')
        diag(seen)
    if r.returncode < 0 or r.returncode > 1:
        ok(False, 'ended with %d' % r.returncode)
        diag(r.stderr.decode(errors='replace'))
    return out[:-1] if m else out


def says(got, like, name):
    if not ok(len(got) == 1 and like in got[0], name):
        diag(got)


# -- whose host --
for code in ('301', '302', '303', '307', '308'):
    says(tool('get', 'away?' + code), 'refused: 127.0.0.1:%d: where it sends us is on another host' % port, 'redirect elsewhere, ' + code)
for p, name in (('scheme', 'to a file'), ('user', 'with a name in it'), ('dots', 'to another name of this host'), ('slashes', 'without a scheme')):
    says(tool('get', p), 'refused: ', 'redirect ' + name)
says(tool('get', 'loop'), 'leads on and on', 'redirects in a circle')
says(tool('get', 'moved'), '200 fresh', 'a redirect within the host is followed')
says(tool('get', 'http://127.0.0.1:%d/ok' % elsewhere.port), 'refused: ', 'an address elsewhere is not asked')
says(tool('get', 'http://evil@127.0.0.1:%d/ok' % port), 'refused: ', 'nor one with a name in it')
for m in ('POST', 'PUT', 'PATCH', 'DELETE'):
    says(tool('write', m, 'away?307', '{"a":1}'), 'not-sent refused: ', m + ' follows no redirect')
    says(tool('write', m, 'moved', '{"a":1}'), 'not-sent refused: ', m + ' nor one within the host')
got = tool('pages', 'nextaway')
says(got, 'refused: 127.0.0.1:%d: the next page is on another host' % port, 'next elsewhere')
for p, like in (('nextself', 'the same page again'), ('same', 'the same page again')):
    got = tool('pages', p)
    ok(like in got[-1] and last['requests'] < 5, 'endless pages: ' + p)
got = tool('pages', 'endless', '30')
ok('more than 30 pages' in got[-1] and len(got) == 31, 'endless pages that differ')
is_(elsewhere.heard, [], 'nobody ever came to the other host')
for base in ('http://example.org/', 'ftp://127.0.0.1/', 'http://u:p@127.0.0.1/', 'file:///etc/', 'http://127.0.0.1.example.org/'):
    out = tool('get', 'ok', base=base)
    ok(len(out) == 1 and out[0].startswith('usage: ') and 'u:p' not in out[0], 'no such base: ' + base)

# -- pages in order, side by side --
got = tool('all', 'pages', opts=['parallel=4'])
is_([l.split()[-1] for l in got], ['[%d]' % i for i in range(1, 10)] + ['end'], 'numbered pages come in order')
side = last['ms']
got = tool('pages', 'pages')
is_([l.split()[-1] for l in got], ['[%d]' % i for i in range(1, 10)] + ['end'], 'and one by one')
ok(side < last['ms'] * 0.75, 'side by side is quicker (%d ms, %d ms)' % (side, last['ms']))
got = tool('all', 'shrinks')
is_([l.split()[-1] for l in got], ['[1]', '[2]', '[3]', 'end'], 'fewer pages than were told')
got = tool('each', 'ok', 'nope', 'raw?half', 'ok', 'away')
is_([re.split(r'[ :]', l)[1] for l in got], ['200', 'not-found', 'bad-data', '200', 'refused'], 'each answer in its place, failures too')

# -- what is too much --
says(tool('get', 'bomb'), 'unpacks to far more than was sent', 'a gzip bomb of 1 GiB')
ok(last['rss'] < ROOM and last['ms'] < 60000, 'in %d KiB, %d ms' % (last['rss'], last['ms']))
says(tool('get', 'flood'), 'larger than 16 MiB', 'a flood without an end')
ok(last['rss'] < ROOM and last['ms'] < 60000, 'in %d KiB, %d ms' % (last['rss'], last['ms']))
got = tool('get', 'headers')
ok(len(got) == 1 and ('KiB of headers' in got[0] or 'offline' in got[0]) and last['ms'] < 60000, 'headers without an end')
says(tool('get', 'torn'), 'does not unpack', 'gzip that is none')
t0 = time.time()
says(tool('get', 'slow'), 'offline: 127.0.0.1:%d cannot be reached: it takes too long' % port, 'a byte a second')
ok(time.time() - t0 < 60, 'not waited for: %.1f s' % (time.time() - t0))
says(tool('get', 'silent'), 'it takes too long', 'no byte at all')

# -- what is no JSON --
for name, (raw, like) in RAW.items():
    got = tool('get', 'raw?' + name)
    if not ok(len(got) == 1 and like in got[0] and ('bad-data' in got[0] or '200' in got[0]), 'JSON: ' + name):
        diag(got)
says(tool('get', 'html'), 'bad-data: 127.0.0.1:%d answers with text/html where JSON' % port, 'HTML with 200')
says(tool('get', 'untyped'), 'something unnamed', 'no type')
says(tool('get', 'short'), 'bad-data: 127.0.0.1:%d: the answer was cut off after 4 bytes' % port, 'a body cut off')

# -- what fails --
for q, like in (('401', 'auth: 127.0.0.1:%d does not accept the credential (401 Bad credentials)'), ('403', 'auth: 127.0.0.1:%d does not let you (403 Resource'),
                ('404', 'not-found: '), ('410', 'not-found: 127.0.0.1:%d: it was deleted or turned off (410 Issues are'), ('409', 'conflict: '),
                ('422', 'refused: 127.0.0.1:%d refuses this (422 Validation Failed, title: missing_field)'), ('400', "can't be blank"), ('418', 'refused: ')):
    says(tool('get', 'status?' + q), like % port if '%d' in like else like, 'GET ' + q)
    says(tool('write', 'POST', 'status?' + q, '{}'), 'not-sent ' + (like % port if '%d' in like else ''), 'POST ' + q + ' did nothing')
    is_(last['requests'], 1, 'and is not repeated')
ok(len(tool('get', 'status?418')[0]) < 600, 'words of a server are cut')
says(tool('get', 'status?401', auth=''), 'wants a credential', '401 without one')
hits.clear()
says(tool('get', 'five?2'), '200 fresh', '502 twice, then an answer')
hits.clear()
says(tool('get', 'five'), 'offline: 127.0.0.1:%d is in trouble (502)' % port, '502 for ever')
is_(hits['/five'], 4, 'four times')
hits.clear()
says(tool('get', 'reset?2'), '200 fresh', 'a reset twice, then an answer')
says(tool('write', 'POST', 'five', '{}'), 'sent offline: ', 'a write and 502: perhaps')
hits.clear()
says(tool('write', 'POST', 'reset', '{}'), 'sent offline: ', 'a write and a reset: perhaps')
is_(hits['/reset'], 1, 'once')
hits.clear()
says(tool('write', 'POST', 'short', '{}'), 'sent bad-data: ', 'a write and half an answer: perhaps')
says(tool('write', 'POST', 'silent', '{}'), 'sent offline: ', 'a write and no answer: perhaps')
is_((hits['/short'], hits['/silent']), (1, 1), 'once each')
dead = socket.create_server(('127.0.0.1', 0))
dead_port = dead.getsockname()[1]
dead.close()
says(tool('get', 'x', base='http://127.0.0.1:%d/' % dead_port), 'offline: 127.0.0.1:%d cannot be reached: it does not answer' % dead_port, 'nobody there')
says(tool('write', 'POST', 'x', '{}', base='http://127.0.0.1:%d/' % dead_port), 'not-sent offline: ', 'a write to nobody did nothing')
says(tool('get', 'x', base='https://nonexistent.invalid/'), 'its name is not known', 'no such name')

# -- what is there already is not waited for: an answer that came between two looks was taken for one to come, for a second --
prompt = 'http://127.0.0.1:%d/' % Prompt().port
waits = 0
for i in range(16):
    tool('write', 'POST', 'x', '{}', base=prompt)
    waits += last['ms'] > 900
ok(waits < 4, 'of 16 prompt answers %d took a second' % waits)

# -- limits --
hits.clear()
says(tool('get', 'limit?429once', opts=['max-wait=3000']), '200 fresh', 'a short limit is waited out')
ok(1000 <= last['ms'] < 4000, '%d ms' % last['ms'])
for q, like in (('429', 'about 101 s'), ('date', 'about'), ('remaining', 'about'), ('secondary', 'about 61 s')):
    got = tool('get', 'limit?' + q, opts=['max-wait=3000'])
    ok(len(got) == 1 and got[0].startswith('rate-limited: ') and like in got[0] and last['ms'] < 2500, 'a long limit is told: ' + q)
    says(tool('write', 'POST', 'limit?' + q, '{}', opts=['max-wait=3000']), 'not-sent rate-limited', 'and a write was not done')
n = int(re.search(r'about (\d+) s', tool('get', 'limit?date')[0]).group(1))
ok(150 < n < 310, 'Retry-After as a date: %d s' % n)
says(tool('get', 'limit?503'), 'offline: 127.0.0.1:%d is not available just now (503), for about 41 s' % port, '503 with a time')
tool('each', *['ok'] * 8, opts=['per-minute=600', 'parallel=8'])
t = last['ms']
ok(t < 3000, 'as many a minute as were asked for: %d ms' % t)

# -- remembered answers --
cache = T + '/cache'
os.umask(0)
first = tool('get', 'etag', opts=['cache=' + cache])
again = tool('get', 'etag', opts=['cache=' + cache])
is_((first[0].replace('fresh', 'same'), last['same']), (again[0], 1), '304 gives the same again')
ok(all(os.stat(os.path.join(d, f)).st_mode & 0o77 == 0 for d, ds, fs in os.walk(cache) for f in fs + ['.']), 'and nobody else may read it')
os.umask(0o22)
for f in os.listdir(cache):
    open(cache + '/' + f, 'w').write('{"url":')
says(tool('get', 'etag', opts=['cache=' + cache]), '200 fresh', 'a damaged memory is as good as none')

# -- a kept connection that is dead when the write comes --
hits.clear()
got = tool('write', 'POST', 'once', '{}')
is_((got[0].split()[0], hits['/once']), ('sent', 1), 'a write is never sent again by itself')

# -- certificates --
def openssl(*a):
    subprocess.run(['openssl', *a], check=True, capture_output=True, cwd=T)


def cert(name, subject, days='2', ca=True, extra=()):
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', name + '.key', '-out', name + '.csr', '-subj', '/CN=' + name,
            *extra, '-addext', 'subjectAltName=' + subject)
    if ca:
        with open(T + '/ext', 'w') as f:
            f.write('subjectAltName=%s\n' % subject)
        openssl('x509', '-req', '-in', name + '.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', days,
                '-extfile', 'ext', '-out', name + '.pem')
    else:
        openssl('x509', '-req', '-in', name + '.csr', '-signkey', name + '.key', '-days', days, '-out', name + '.pem')
    return T + '/' + name


if shutil.which('openssl'):
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test CA')
    ca = ['ca=' + T + '/ca.pem']
    good = serve(cert('good', 'IP:127.0.0.1'))
    says(tool('get', 'ok', base='https://127.0.0.1:%d/' % good, opts=ca), '200 fresh', 'a good certificate')
    says(tool('get', 'ok', base='https://127.0.0.1:%d/' % good), 'nobody known vouches', 'signed by somebody unknown')
    says(tool('write', 'POST', 'ok', '{}', base='https://127.0.0.1:%d/' % good), 'not-sent offline', 'and nothing was sent')
    other = serve(cert('other', 'DNS:example.org'))
    says(tool('get', 'ok', base='https://127.0.0.1:%d/' % other, opts=ca), 'its certificate is for another name', 'for another name')
    selfs = serve(cert('self', 'IP:127.0.0.1', ca=False))
    says(tool('get', 'ok', base='https://127.0.0.1:%d/' % selfs, opts=ca), 'signed by itself', 'self-signed')
    old = serve(cert('old', 'IP:127.0.0.1', days='-1'))
    says(tool('get', 'ok', base='https://127.0.0.1:%d/' % old, opts=ca), 'has expired', 'expired')
    says(tool('get', 'ok', base='https://127.0.0.1:%d/' % port, opts=ca), 'no safe connection', 'https to a server of http')
    says(tool('get', 'ok', base='http://127.0.0.1:%d/' % good), 'offline', 'http to a server of https')
    says(tool('get', 'ok', base='https://127.0.0.1:%d/' % good, opts=['ca=/nonexistent']), 'file of certificates cannot be read', 'no such file of certificates')
is_(elsewhere.heard, [], 'and still nobody came to the other host')
shutil.rmtree(T)
done()
