#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fake forge itself: what other tests lean on."""
import http.client, os, sys
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import *
from forgeclient import Forge

WORLD = {
    'users': [{'login': 'ana', 'name': 'Ana', 'email': 'ana@example.org'}, {'login': 'bob'}],
    'tokens': [{'token': 't-ana', 'login': 'ana'}, {'token': 't-bob', 'login': 'bob'},
               {'token': 't-fine', 'login': 'ana', 'kind': 'fine', 'permissions': {'issues': 'read'}}],
    'repos': [{'name': 'acme/widget', 'perms': {'ana': 'write', 'bob': 'read'}, 'labels': ['bug'], 'milestones': ['1.0'],
               'tasks': [{'title': 'first', 'user': 'bob', 'comments': [{'user': 'bob', 'body': 'hi'}]},
                         {'title': 'change', 'user': 'bob', 'change': {
                             'files': [{'path': 'a.c', 'patch': '@@ -1,2 +1,3 @@\n x\n+y\n z'}]},
                          'reviews': [{'user': 'ana', 'comments': [{'path': 'a.c', 'line': 2, 'body': 'why'},
                                                                   {'reply': 0, 'body': 'because', 'user': 'bob'}]}]}]}],
}
R = '/repos/acme/widget'


def faults(f):
    path = R + '/issues/1/comments'

    def post(text):
        try:
            return f.call('POST', path, {'body': text}, 't-ana', raw=True)[0]
        except (http.client.HTTPException, OSError):
            return 0
    for do, status, copies in (('close-before-read', 0, 0), ('close-after-read', 0, 0), ('close-after-commit', 0, 1),
                               ('half-reply', 0, 1), ('error-after-commit', 500, 1), ('duplicate', 201, 2),
                               ('late-commit', 502, 0)):
        f.faults({'method': 'POST', 'path': '/comments', 'do': do, 'delay': 0.3})
        got = post('say ' + do)
        is_((got, len(f.find('say ' + do))), (status, copies), 'fault ' + do)
    f.wait()
    is_(len(f.find('say late-commit')), 1, 'a late commit comes')
    f.faults({'method': 'POST', 'path': '/comments', 'do': 'lag', 'delay': 2})
    import time
    n = len(f.call('GET', path, token='t-ana')[1])
    posted = time.monotonic()
    is_(post('say later'), 201, 'a lagging list: the post is taken')
    seen, asked = len(f.call('GET', path, token='t-ana')[1]), time.monotonic()
    ok(seen == n or asked - posted > 2, 'a lagging list does not show it')
    while len(f.call('GET', path, token='t-ana')[1]) == n and time.monotonic() - posted < 60:
        time.sleep(0.1)
    ok(time.monotonic() - posted >= 2, 'for its time')
    is_(len(f.call('GET', path, token='t-ana')[1]), n + 1, 'later it does')
    f.faults({'method': 'GET', 'path': '/issues', 'skip': 1, 'times': 2, 'do': 'answer', 'status': 503,
              'headers': {'Retry-After': '7'}, 'answer': 'sorry'})
    is_([f.call('GET', R + '/issues', token='t-ana', raw=True)[0] for _ in range(4)], [200, 503, 503, 200], 'skip and times')
    f.faults()


def github(f):
    s, d, h = f.call('GET', R + '/issues?state=all&sort=created&direction=asc&per_page=1', token='t-ana')
    is_((s, d[0]['title'], 'rel="next"' in h['Link']), (200, 'first', True), 'a page and its link')
    s, _, h2 = f.call('GET', R + '/issues?state=all&sort=created&direction=asc&per_page=1', token='t-ana',
                      headers={'If-None-Match': h['ETag']})
    is_((s, h2['X-RateLimit-Remaining']), (304, h['X-RateLimit-Remaining']), '304 costs nothing')
    is_(f.call('GET', '/user')[0], 401, 'nobody is nobody')
    is_(f.call('GET', '/user', token='no')[0], 401, 'a wrong token')
    is_(f.call('POST', R + '/issues/1/comments', {'body': 'x'}, 't-fine')[0], 403, 'a token without the permission')
    is_(f.call('POST', R + '/pulls/2/comments', {'body': 'x', 'path': 'a.c', 'line': 9, 'commit_id': 'f' * 40}, 't-ana')[0],
        422, 'a line outside of the diff')
    s, d, _ = f.call('POST', R + '/pulls/2/reviews', {'body': 'fine', 'event': 'APPROVE', 'comments': [
        {'path': 'a.c', 'line': 2, 'body': 'nit'}]}, 't-ana')
    is_((s, d['state']), (200, 'APPROVED'), 'a review with a note')
    s, d, _ = f.call('POST', R + '/pulls/2/reviews', {'body': 'draft'}, 't-ana')
    is_((s, d['state']), (200, 'PENDING'), 'a pending review')
    is_(f.call('POST', R + '/pulls/2/reviews', {'body': 'x', 'event': 'COMMENT'}, 't-ana')[0], 422, 'only one of them')
    is_(len([r for r in f.call('GET', R + '/pulls/2/reviews', token='t-bob')[1] if r['state'] == 'PENDING']), 0,
        'and nobody else sees it')
    q = ('query($o:String!,$r:String!,$n:Int!){repository(owner:$o,name:$r){pullRequest(number:$n){'
         'reviewThreads(first:10){nodes{id isResolved comments(first:5){nodes{fullDatabaseId}}}}}}}')
    v = {'o': 'acme', 'r': 'widget', 'n': 2}
    threads = lambda: f.call('POST', '/graphql', {'query': q, 'variables': v}, 't-ana')[1]['data']['repository'][
        'pullRequest']['reviewThreads']['nodes']
    t = threads()
    is_([len(x['comments']['nodes']) for x in t], [2, 1], 'threads')
    s, d, _ = f.call('POST', '/graphql', {'query': 'mutation($t:ID!){resolveReviewThread(input:{threadId:$t}){thread{isResolved}}}',
                                          'variables': {'t': t[0]['id']}}, 't-ana')
    is_((d['data']['resolveReviewThread']['thread']['isResolved'], threads()[0]['isResolved']), (True, True), 'resolving')
    s, d, _ = f.call('POST', '/graphql', {'query': '{viewer{nonsense}}'}, 't-ana')
    is_((s, "doesn't exist" in d['errors'][0]['message']), (200, True), 'an unknown field')
    f.act('delete', repo='acme/widget', task=1)
    is_(f.call('GET', R + '/issues/1', token='t-ana')[0], 410, 'a deleted task')
    f.act('rename', repo='acme/widget', to='acme/gadget')
    s, d, h = f.call('GET', R + '/issues/2', token='t-ana')
    is_(s, 301, 'a renamed repository')
    is_(f.call('GET', h['Location'].replace(f.url, ''), token='t-ana')[1]['number'], 2, 'and where it went')
    f.config(rate_remaining=1)
    is_([f.call('GET', '/user', token='t-ana')[0] for _ in range(2)], [200, 403], 'the primary limit')
    f.config(rate_remaining=None, writes_per_minute=1)
    s = [f.call('POST', '/repos/acme/gadget/issues', {'title': 'x'}, 't-bob') for _ in range(2)]
    is_((s[0][0], s[1][0], 'Retry-After' in s[1][2]), (201, 403, True), 'the secondary limit')


def gitea(f, forgejo):
    P = '/api/v1' + R
    v = f.call('GET', '/api/v1/version')[1]['version']
    is_('+gitea-' in v, forgejo, 'version ' + v)
    s, d, h = f.call('GET', P + '/issues?state=all&limit=1', token='t-ana')
    is_((s, d[0]['number'], h['X-Total-Count'], 'rel="next"' in h['Link']), (200, 2, '2', True), 'newest first, a page and its link')
    s, d, h = f.call('GET', P + '/issues/comments', token='t-ana')
    is_((s, d[0]['body'], 'Link' in h), (200, 'hi', False), 'the notes of all tasks come without links')
    d = f.call('GET', P + '/pulls/2/reviews', token='t-ana')[1]
    is_((len(d), d[0]['state'], d[0]['comments_count']), (1, 'COMMENT', 2), 'reviews')
    n = f.call('GET', P + '/pulls/2/reviews/%d/comments' % d[0]['id'], token='t-ana')[1]
    is_([(x['position'], x['original_position'], x['resolver']) for x in n], [(2, 0, None)] * 2, 'positions are lines')
    is_(f.call('POST', P + '/pulls/comments/%d/resolve' % n[0]['id'], {}, 't-ana', raw=True)[0], 404 if forgejo else 204, 'resolve')
    is_(f.call('POST', P + '/pulls/2/comments/%d/replies' % n[0]['id'], {'body': 'so'}, 't-ana', raw=True)[0],
        404 if forgejo else 201, 'reply')
    s, d, _ = f.call('POST', P + '/pulls/2/reviews', {'body': 'mine', 'comments': [
        {'path': 'a.c', 'body': 'old', 'new_position': 0, 'old_position': 1}]}, 't-ana')
    is_((s, d['state']), (200, 'PENDING'), 'no event: a pending review')
    is_(f.call('POST', P + '/pulls/2/reviews/%d/comments' % d['id'], {'body': 'one', 'path': 'a.c', 'new_position': 1}, 't-ana',
               raw=True)[0], 200 if forgejo else 405, 'a single code note')
    s, e, _ = f.call('POST', P + '/pulls/2/reviews', {'body': 'done', 'event': 'COMMENT'}, 't-ana')
    is_((s, e['id'], e['state']), (200, d['id'], 'COMMENT'), 'a review takes the pending one along')
    s, d, _ = f.call('PATCH', P + '/issues/1', {'state': 'closed'}, 't-ana')
    is_((s, d['state']), (201, 'closed'), 'closing answers 201')


for dialect in ('gitea', 'forgejo'):
    with Forge(dialect) as f:
        f.seed(**WORLD)
        gitea(f, dialect == 'forgejo')
with Forge('github') as f:
    f.seed(**WORLD)
    faults(f)
    github(f)
done()
