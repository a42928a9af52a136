# SPDX-License-Identifier: MIT
"""Requests and answers of the fake forge, between its server (forge.py) and its dialects."""
import re
from urllib.parse import parse_qsl, unquote


class Fail(Exception):
    def __init__(self, status, obj=None, headers=None, raw=None):
        super().__init__(status)
        self.status, self.obj, self.headers, self.raw = status, obj, headers or {}, raw


class Resp:
    def __init__(self, status, obj=None, headers=None, raw=None, kind='application/json; charset=utf-8'):
        self.status, self.obj, self.headers, self.raw, self.kind = status, obj, headers or {}, raw, kind


class Req:
    """One request as a dialect sees it."""
    def __init__(self, forge, method, path, query, headers, body):
        self.forge, self.world, self.conf = forge, forge.world, forge.conf
        self.method, self.path, self.query, self.headers, self.body = method, path, query, headers, body
        self.q = dict(parse_qsl(query, keep_blank_values=True))
        self.login = self.token = None
        self.auth = 'none'                     # none, bad, ok
        self.base = self.web = self.json = self.dialect = None
        self.lag = None

    def arg(self, name, default=None):
        return self.q.get(name, default)

    def number(self, name, default, low=1, high=10 ** 9):
        v = self.q.get(name, '')
        return max(low, min(high, int(v))) if re.fullmatch(r'\d{1,9}', v) else default


def route(routes, req):
    """Calls the row's function with the path's pieces, decoded; None: no such path; False: not with this method."""
    seen = None
    for method, pattern, fn in routes:
        m = pattern.fullmatch(req.path)
        if not m:
            continue
        seen = False
        if method == req.method:
            return fn(req, *[unquote(x) for x in m.groups()])
    return seen


def compile_routes(rows):
    """{x} is one segment, {n} digits, {x+} the rest."""
    out = []
    for method, path, fn in rows:
        rx = re.sub(r'\{n\}', r'(\\d+)', path)
        rx = re.sub(r'\{\w+\+\}', '(.+)', rx)
        rx = re.sub(r'\{\w+\}', '([^/]+)', rx)
        out.append((method, re.compile(rx), fn))
    return out
