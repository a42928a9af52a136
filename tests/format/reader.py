#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A reader of killick's store, written from killick-format(5) alone: prints its threads, one JSON object a line."""
import hashlib, json, re, subprocess, sys
def git(*args): return subprocess.run(['git', '--git-dir', sys.argv[1], *args], capture_output=True).stdout
def is_hex(v, n): return isinstance(v, str) and len(v) == n and not set(v) - set('0123456789abcdef')
def is_num(v, low, bits): return type(v) is int and low <= v < 2**bits
def once(pairs): return dict(pairs) if len(dict(pairs)) == len(pairs) else 1 / 0
def one_line(v): return re.sub('[\0- \x7f]+', ' ', v).strip(' ') or None if isinstance(v, str) else None
ENTITY = dict(dict.fromkeys('post edit redact resolve reopen accept kind title label assign react move link'.split(), 1), open=0, rewrite=0, sign=0)
accepted = git('config', '--file', sys.argv[1] + '/config', '--get-regexp', r'killick\.(repository|joined)').decode().split()

def decode(line, writer, seq, prev):  # the op, or None: it is kept out
    try:
        op = json.loads(line.decode(), object_pairs_hook=once)
        needs = ENTITY.get(op['type']) if op['v'] == 1 else None
        ok = (is_num(op['v'], 1, 31) and op['repo'] in accepted and is_hex(op['repo'], 32) and op['writer'] == writer
              and is_num(op['seq'], 0, 63) and op['seq'] == seq and op['prev'] == prev and is_num(op['lamport'], 0, 63)
              and (op['entity'] is None or is_hex(op['entity'], 64)) and needs in (None, op['entity'] is not None)
              and all(isinstance(op['author'][k], (str, type(None))) for k in ('name', 'email')) and isinstance(op['type'], str)
              and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', op['time']) and isinstance(op['payload'], dict))
        return dict(op, id=hashlib.sha256(line).hexdigest()) if ok and len(line) <= 4194304 and b'\r' not in line else None
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError): return None

def read():  # every op that is taken, in order
    logs, ops, clock, moved = {}, [], 0, True
    for ref in git('for-each-ref', '--format=%(refname)', 'refs/killick/log').decode().split():
        texts = [m.partition(b'\n\n')[2] for m in git('log', '-z', '--first-parent', '--reverse', '--format=%B', ref).split(b'\0')]
        logs[ref[17:]] = {'lines': [l for t in texts for l in t.split(b'\n') if l], 'at': 0, 'prev': None, 'last': -1}
    while moved:
        moved = False
        for writer, log in logs.items():
            for line in log['lines'][log['at']:]:
                op = decode(line, writer, log['at'], log['prev'])
                if op and (log['at'] == 0 or op['lamport'] > log['last']):
                    if op['lamport'] > clock + 1000000: break
                    clock, log['last'], _ = max(clock, op['lamport']), op['lamport'], ops.append(op)
                log['at'], log['prev'], moved = log['at'] + 1, hashlib.sha256(line).hexdigest(), True
    return sorted(ops, key=lambda o: (o['lamport'], o['writer'], o['seq']))

def fold(first, ops):
    p, t = first['payload'], dict(id=first['id'], state='open', created=first['time'], updated=first['time'], resolved_by=None, accepted=None)
    t.update(kind=p.get('kind'), title=one_line(p.get('title')), labels=set(p.get('labels', [])), links=set())
    posts = {o['id']: dict(id=o['id'], author=o['author'], time=o['time'], body=o['payload']['body'], edited=None) for o in [first] + ops
             if o['type'] in ('open', 'post', 'resolve') and isinstance(o['payload'].get('body'), str)}
    at, who = {o['id']: i for i, o in enumerate([first] + ops)}, lambda o: (o['author']['email'] or '').lower()
    own = lambda o: o['payload'].get('post') in posts and who(posts[o['payload']['post']]) == who(o) != ''
    gone = {o['payload']['post'] for o in ops if o['type'] == 'redact' and own(o)}
    for o in ops:
        p, kind, post, applied = o['payload'], o['type'], o['payload'].get('post'), True
        if kind == 'edit' and own(o) and post not in gone and at[post] < at[o['id']] and isinstance(p.get('body'), str):
            posts[post].update(body=p['body'], edited=max(o['time'], posts[post]['time']))
        elif kind in ('resolve', 'reopen'): t.update(state=kind.replace('resolve', 'resolved').replace('reopen', 'open'), resolved_by=p.get('commit'))
        elif kind == 'accept' and post in posts and post not in gone: t.update(accepted=post, state='answered', resolved_by=None)
        elif kind == 'accept' and p.get('post', 0) is None: t.update(accepted=None, state=t['state'].replace('answered', 'open'))
        elif kind == 'kind' and p.get('kind') in ('question', 'remark', 'decision', 'note'): t['kind'] = p['kind']
        elif kind == 'title' and isinstance(p.get('title', 0), (str, type(None))): t['title'] = one_line(p['title'])
        elif kind == 'label': t['labels'] = t['labels'] - set(p.get('remove', [])) | set(p.get('add', []))
        elif kind == 'link': t['links'] = t['links'] | {p['to']} if p['on'] else t['links'] - {p['to']}
        else: applied = kind == 'post' and o['id'] in posts or kind == 'redact' and own(o) or kind in ('assign', 'move')
        t['updated'] = max(o['time'], t['created']) if applied else t['updated']
    for i in gone: posts[i].update(body=None, edited=None)
    return dict(t, labels=sorted(t['labels']), links=sorted(t['links']), posts=list(posts.values()))

ops = [o for o in read() if o['v'] == 1]
for first in (o for o in ops if o['type'] == 'open'): print(json.dumps(fold(first, [o for o in ops if o['entity'] == first['id']])))
