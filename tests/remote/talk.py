# SPDX-License-Identifier: MIT
"""Speaks to killick-remote as killick does (include/killick/remote/wire.h), for tests: one request, or a conversation."""
import json, os, subprocess, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import REMOTE


class Talk:
    """A running killick-remote: ask lines, read lines; end() closes its input and waits."""

    def __init__(self, do, source, env=None, **more):
        self.p = subprocess.Popen([REMOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self.write(dict(wire=1, do=do, source=source, **more))

    def write(self, obj):
        line = obj if isinstance(obj, bytes) else json.dumps(obj).encode()
        try:
            self.p.stdin.write(line + b'\n')
            self.p.stdin.flush()
        except BrokenPipeError:
            pass

    def read(self):
        """The next line as an object; None at the end; {'bad': line} for what is no JSON."""
        line = self.p.stdout.readline()
        if not line:
            return None
        try:
            return json.loads(line)
        except ValueError:
            return {'bad': line}

    def until(self, *keys):
        """All lines up to the first with one of these keys (or the end); the last one is [-1]."""
        got = []
        while True:
            line = self.read()
            got.append(line)
            if line is None or any(k in line for k in keys + ('error', 'bad')):
                return got

    def ask(self, key, value, answer=None):
        self.write({key: value})
        return self.until(answer or {'mark': 'mark', 'push': 'outcome', 'find': 'outcome', 'look': 'done'}[key])

    def end(self):
        try:
            self.p.stdin.close()
        except BrokenPipeError:
            pass
        rest = self.p.stdout.read()
        err = self.p.stderr.read().decode(errors='replace')
        self.p.stdout.close()
        self.p.stderr.close()
        return self.p.wait(), rest, err


def run(do, source, env=None, timeout=60, **more):
    """One request to its end: (lines, status, standard error)."""
    t = Talk(do, source, env, **more)
    lines = t.until('done')
    if lines and lines[-1] is None:
        lines.pop()
    st, rest, err = t.end()
    return lines, st, err


def records(lines, kind=None):
    return [l for l in lines if 'record' in l and (kind is None or l['record'] == kind)]


def last(lines, key):
    return next((l[key] for l in reversed(lines) if key in l), None)
