# SPDX-License-Identifier: MIT
"""A small checker of requests and answers against Gitea's swagger (version 2): paths, methods, parameters, bodies, answers.

Go writes null where a pointer, a list or a time is empty, which swagger cannot say: null is taken there. What the description
does not name is a violation: nobody may lean on a field that is not there.
"""
import http.client, json, os, re, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit
from forgestate import parse_iso


SPEC = 'specs/gitea/gitea-v1-swagger2.json'


def find_spec(src):
    """Where Gitea's description is, beside the project; None: it is not here."""
    for d in (os.environ.get('KILLICK_SHARED'), src + '/../shared'):
        if d and os.path.exists(os.path.join(d, SPEC)):
            return os.path.join(d, SPEC)
    return None


POINTERS = ('merge_commit_sha',)     # *string in Gitea's source: null until there is one


class Swagger:
    def __init__(self, path):
        with open(path) as f:
            self.d = json.load(f)
        self.paths = [(re.compile('/api/v1' + re.sub(r'\\?\{(\w+)\\?\}', r'(?P<\1>[^/]+)', re.escape(p).replace(r'\{', '{').replace(r'\}', '}')) +
                       '$'), p, v) for p, v in self.d['paths'].items()]
        self.paths.sort(key=lambda x: x[1].count('{'))       # /issues/comments before /issues/{index}
        self.wrong, self.checked, self.operations = [], 0, set()

    def ref(self, o):
        while isinstance(o, dict) and '$ref' in o:
            x = self.d
            for k in o['$ref'].split('/')[1:]:
                x = x[k]
            o = x
        return o

    def value(self, v, schema, at, out, answer):
        is_ref = '$ref' in schema
        schema = self.ref(schema)
        if 'allOf' in schema:
            return [self.value(v, x, at, out, answer) for x in schema['allOf']]
        kind = schema.get('type')
        if v is None:
            if answer and at.split('.')[-1] in POINTERS:
                return
            if not answer or not (is_ref or kind in ('array', 'object', None) or schema.get('format') == 'date-time'):
                out.append('%s is null' % at)
            return
        want = {'string': str, 'boolean': bool, 'integer': int, 'number': (int, float), 'array': list, 'object': dict}.get(kind)
        if want and (not isinstance(v, want) or (kind == 'integer' and isinstance(v, bool))):
            return out.append('%s is no %s' % (at, kind))
        if 'enum' in schema and v not in schema['enum']:
            out.append('%s: %r is none of %s' % (at, v, schema['enum']))
        if schema.get('format') == 'date-time' and parse_iso(v) is None:
            out.append('%s: %r is no time' % (at, v))
        if schema.get('format') == 'uint64' and v < 0:
            out.append('%s is negative' % at)
        if kind == 'array':
            for i, x in enumerate(v):
                self.value(x, schema['items'], '%s[%d]' % (at, i), out, answer)
        if isinstance(v, dict) and 'properties' in schema:
            for k in schema.get('required', []):
                if k not in v:
                    out.append('%s has no %s' % (at, k))
            for k, x in v.items():
                if k in schema['properties']:
                    self.value(x, schema['properties'][k], at + '.' + k, out, answer)
                elif not isinstance(schema.get('additionalProperties'), dict):
                    out.append('%s.%s is not described' % (at, k))

    def find(self, method, path):
        for rx, name, item in self.paths:
            m = rx.fullmatch(path)
            if m and method.lower() in item:
                return name, item[method.lower()], m.groupdict()
        return None, None, None

    def query(self, op, q, out):
        known = {p['name']: p for p in op.get('parameters', []) if p['in'] == 'query'}
        for k, v in parse_qsl(q, keep_blank_values=True):
            p = known.get(k)
            if p is None:
                out.append('query %s is not described' % k)
            elif p.get('type') == 'integer' and not re.fullmatch(r'-?\d+', v):
                out.append('query %s=%s is no number' % (k, v))
            elif 'enum' in p and v not in p['enum']:
                out.append('query %s=%s is none of %s' % (k, v, p['enum']))
            elif p.get('format') == 'date-time' and parse_iso(v) is None:
                out.append('query %s=%s is no time' % (k, v))

    def check(self, method, target, body, status, answer):
        """body and answer: parsed JSON, None for nothing."""
        u, out = urlsplit(target), []
        name, op, parts = self.find(method, u.path)
        self.checked += 1
        if op is None:
            out.append('no such operation')
        else:
            self.operations.add('%s %s %d' % (method, name, status))
            for p in op.get('parameters', []):
                if p['in'] == 'path' and p.get('type') == 'integer' and not unquote(parts[p['name']]).isdigit():
                    out.append('%s is no number' % p['name'])
                if p['in'] == 'body' and status < 400:
                    if body is None and p.get('required'):
                        out.append('no body')
                    elif body is not None:
                        self.value(body, p['schema'], 'body', out, False)
            self.query(op, u.query, out)
            r = op['responses'].get(str(status))
            if r is None:
                if status not in (401, 403, 404, 405, 409, 412, 422, 423):
                    out.append('answer %d is not described' % status)
            else:
                r = self.ref(r)
                if 'schema' in r and status < 400:
                    self.value(answer, r['schema'], 'answer', out, True)
                elif answer is not None and status in (204, 205):
                    out.append('answer %d has a body' % status)
        self.wrong += ['%s %s %d: %s' % (method, name or target, status, x) for x in out]
        return out


class Relay(BaseHTTPRequestHandler):
    """Hands requests on to the forge and has them and their answers checked."""
    protocol_version = 'HTTP/1.1'

    def log_message(self, *a):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        c = http.client.HTTPConnection(self.server.upstream, timeout=60)
        c.request(self.command, self.path, body or None, {k: v for k, v in self.headers.items()
                                                          if k.lower() not in ('host', 'connection', 'accept-encoding')})
        r = c.getresponse()
        data = r.read()
        with self.server.lock:
            self.server.swagger.check(self.command, self.path, json.loads(body) if body else None, r.status,
                                      json.loads(data) if data else None)
        self.send_response_only(r.status)
        for k, v in r.getheaders():
            if k.lower() not in ('transfer-encoding', 'connection', 'content-length'):
                self.send_header(k, v)
        if r.status != 204:
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve


class Checked:
    """with Checked(forge, spec) as c: c.url is the forge's, checked; c.swagger has what was wrong."""
    def __init__(self, forge, spec):
        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Relay)
        self.server.daemon_threads = True
        self.server.upstream, self.server.lock = forge.host, threading.Lock()
        self.swagger = self.server.swagger = Swagger(spec)
        self.url = 'http://127.0.0.1:%d' % self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *a):
        self.server.shutdown()
        self.server.server_close()
