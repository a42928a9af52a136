# SPDX-License-Identifier: MIT
"""A running fake forge for Python tests:

    with Forge('github') as f:
        f.seed(users=[…], tokens=[…], repos=[…]);  f.faults({'method': 'POST', 'do': 'half-reply'})
        f.url;  f.call('GET', '/repos/acme/widget/issues', token='t-ana');  f.find('text');  f.log()
"""
import http.client, json, os, subprocess, sys
from urllib.parse import quote, urlsplit
HERE = os.path.dirname(os.path.abspath(__file__))


class Forge:
    def __init__(self, dialect='github', *args):
        self.p = subprocess.Popen([sys.executable, HERE + '/forge.py', '--dialect', dialect, '--parent-pipe', *args],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.p.stdout.readline().strip()
        if not self.url:
            raise RuntimeError('the forge did not start')
        self.host = urlsplit(self.url).netloc

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.p.stdin.close()
        self.p.wait()

    def call(self, method, path, body=None, token=None, headers=None, raw=False):
        """(status, JSON or bytes, headers); the connection is its own. Raises what http.client raises when it breaks."""
        c = http.client.HTTPConnection(self.host, timeout=120)
        h = {'User-Agent': 'test', **({'Authorization': 'Bearer ' + token} if token else {}), **(headers or {})}
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        try:
            c.request(method, path, data, h)
            r = c.getresponse()
            text = r.read()
            return r.status, text if raw else (json.loads(text) if text else None), dict(r.getheaders())
        finally:
            c.close()

    def control(self, method, what, body=None):
        status, d, _ = self.call(method, '/_forge/' + what, body)
        if status != 200:
            raise RuntimeError('%s: %r' % (what, d))
        return d

    def seed(self, **d):
        return self.control('POST', 'seed', d)

    def config(self, **d):
        return self.control('POST', 'config', d)

    def faults(self, *rules):
        return self.control('POST', 'faults', list(rules))

    def hits(self):
        return [f.get('hits', 0) for f in self.control('GET', 'faults')]

    def act(self, do, **d):
        return self.control('POST', 'act', {'do': do, **d})

    def state(self, repo, task=None):
        return self.control('GET', 'state?repo=%s%s' % (quote(repo), '' if task is None else '&task=%d' % task))

    def find(self, text):
        return self.control('GET', 'find?text=' + quote(text))

    def log(self, since=0):
        return self.control('GET', 'log?since=%d' % since)

    def wait(self):
        self.control('POST', 'wait', {})
