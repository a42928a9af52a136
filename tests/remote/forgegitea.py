# SPDX-License-Identifier: MIT
"""Gitea's dialect of the fake forge."""
from forgewire import Fail, Resp


def gate(req):
    pass


def failure(req, f):
    return Resp(f.status, f.obj or {'message': 'not found'}, f.headers)


def handle(req):
    raise Fail(404)
