# SPDX-License-Identifier: MIT
"""TAP for Python tests: from tap import *; ok(cond, name); is_(got, wanted, name); done()."""
import os, sys
_n = 0
_bad = 0
SRC = os.environ.get('KILLICK_TEST_SRC') or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get('KILLICK_TEST_BIN') or next((b for b in (SRC + '/killick', SRC + '/_build/killick') if os.path.exists(b)),
                                                SRC + '/killick')

REMOTE = os.environ.setdefault('KILLICK_REMOTE', BIN + '-remote')


def diag(text):
    for line in str(text).split('\n'):
        print('#', line.encode('unicode_escape').decode(), flush=True)


def ok(cond, name):
    global _n, _bad
    _n += 1
    if not cond:
        _bad += 1
    print('%sok %d - %s' % ('' if cond else 'not ', _n, name), flush=True)
    return bool(cond)


def is_(got, wanted, name):
    if not ok(got == wanted, name):
        diag('got:    %r' % (got,))
        diag('wanted: %r' % (wanted,))


def skip(why, name='skipped'):
    global _n
    _n += 1
    print('ok %d - %s # SKIP %s' % (_n, name, why), flush=True)


def skip_all(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


def done():
    print('1..%d' % _n)
    sys.exit(1 if _bad else 0)
