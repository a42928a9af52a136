#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keeps the fake forge, and what killick asks of it, to GitHub's published contract; and Gitea's to its swagger.

The tools come from npm (contract.json) and are put into a cache folder by "contrib/quickstart check"; without them, or
with --quick, this test is skipped. Part 1 shows that the checkers see what is wrong, part 2 goes through every endpoint of
the forge. Printed at the end: how much was checked, and how many violations (zero).
"""
import json, os, shutil, sys, tempfile
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import *
from contractgitea import Swagger, find_spec
from contractproxy import Checker
from forgeclient import Forge
from githubwalk import walk

NPM = os.path.join(os.environ.get('KILLICK_TEST_CACHE') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'killick-tests'), 'npm', 'node_modules')
R = '/repos/acme/widget'
HEAD = 'c0ffee' + '0' * 34
PATCH = '@@ -1,4 +1,5 @@\n one\n-two\n+zwei\n+drei\n four\n five'
WORLD = {
    'users': [{'login': 'ana', 'name': 'Ana', 'email': 'ana@example.org'}, {'login': 'bob'}],
    'tokens': [{'token': 't-ana', 'login': 'ana'}, {'token': 't-bob', 'login': 'bob'}],
    'repos': [{'name': 'acme/widget', 'perms': {'ana': 'admin', 'bob': 'write'}, 'labels': ['bug', {'name': 'a b/c'}],
               'milestones': ['1.0', '2.0'],
               'tasks': [{'title': 'first', 'user': 'bob', 'labels': ['bug'], 'milestone': '1.0', 'assignees': ['ana'],
                          'comments': [{'user': 'bob', 'body': 'hi'}, {'user': 'ana', 'body': 'there'}]},
                         {'title': 'change', 'user': 'bob', 'body': 'please', 'change': {
                             'head': HEAD, 'files': [{'path': 'src/a.c', 'patch': PATCH}]},
                          'comments': [{'user': 'ana', 'body': 'looking'}],
                          'reviews': [{'user': 'ana', 'body': 'hm', 'comments': [
                              {'path': 'src/a.c', 'line': 2, 'body': 'why'},
                              {'reply': 0, 'body': 'because', 'user': 'bob'},
                              {'path': 'src/a.c', 'line': 3, 'start_line': 2, 'body': 'both'},
                              {'path': 'src/a.c', 'line': 2, 'side': 'LEFT', 'body': 'gone'},
                              {'path': 'src/a.c', 'subject': 'file', 'body': 'the file'}]}]},
                         {'title': 'closed', 'user': 'ana', 'state': 'closed', 'reason': 'not_planned'},
                         {'title': 'merged', 'user': 'ana', 'change': {'merged': '2026-01-03T00:00:00Z', 'merged_by': 'bob'}}],
               'commit_comments': [{'commit': HEAD, 'user': 'bob', 'body': 'nice', 'path': 'src/a.c', 'position': 1, 'line': 2}]}],
}


class Client:
    def __init__(self, checker, forge):
        self.c, self.f = checker, forge
        self.last = None

    def __call__(self, method, path, body=None, want=200, token='t-ana'):
        keep = self.f.host
        self.f.host = self.c.host
        try:
            s, d, h = self.f.call(method, path, body, token, {'Accept': 'application/vnd.github+json',
                                  'X-GitHub-Api-Version': '2022-11-28', 'Content-Type': 'application/json'}, raw=True)
        finally:
            self.f.host = keep
        if s != want:
            ok(False, '%s %s answers %d, not %d' % (method, path, s, want))
            diag(d.decode('utf-8', 'replace')[:300])
        self.last = h
        return json.loads(d) if d else None


def control_group(go, c, f):
    """Wrong requests and wrong answers are seen: without this, zero violations would mean nothing."""
    def seen(name, fn):
        n = len(c.wrong)
        fn()
        ok(len(c.wrong) > n, 'the checker sees ' + name)
        del c.wrong[n:]
    for path, body in ((R + '/issues/1/comments', {'text': 'x'}), (R + '/issues', {'body': 'no title'}),
                       (R + '/pulls/2/comments', {'body': 'no path', 'line': 2}), (R + '/issues/1/reactions', {'content': 'ok'}),
                       (R + '/pulls/2/reviews', {'event': 'NO'}), (R + '/pulls/2/reviews', {'event': 'COMMENT', 'comments': [{'line': 1}]})):
        seen('a wrong POST %s' % path, lambda: go('POST', path, body, 422))
    seen('a wrong PATCH', lambda: go('PATCH', R + '/issues/1', {'state': 'ajar'}, 422))
    seen('a wrong query', lambda: go('GET', R + '/issues?state=ajar', None, 422))
    for path in (R + '/issues/1', R + '/pulls/2', R + '/issues/comments', R + '/pulls/comments', R + '/pulls/2/reviews'):
        d = go('GET', path)
        one = d[0] if isinstance(d, list) else d
        for k in ('id', 'user'):
            broken = {x: v for x, v in one.items() if x != k}
            f.faults({'path': path + '$', 'do': 'answer', 'status': 200, 'answer': [broken] if isinstance(d, list) else broken})
            seen('an answer to %s without "%s"' % (path, k), lambda: go('GET', path))
    f.faults()
    seen('a wrong GraphQL query', lambda: go('POST', '/graphql', {'query': '{viewer{nonsense}}'}))
    f.faults({'path': '/graphql', 'do': 'answer', 'status': 200, 'answer': {'data': {'viewer': {'login': None}}}})
    seen('a wrong GraphQL answer', lambda: go('POST', '/graphql', {'query': '{viewer{login}}'}))
    f.faults()
    c.checked.clear()
    c.operations.clear()


def reading(go, f):
    for p in ('/user', '/users/bob', '/rate_limit', R, R + '/labels', R + '/milestones?state=all', R + '/assignees',
              R + '/collaborators/bob/permission', R + '/issues?state=all&sort=updated&direction=asc&per_page=100',
              R + '/issues?state=all&per_page=1&page=2', R + '/issues?since=2020-01-01T00:00:00Z&labels=bug&assignee=ana',
              R + '/issues/1', R + '/issues/2', R + '/issues/3', R + '/issues/1/comments?per_page=1',
              R + '/issues/comments?sort=updated&direction=asc&since=2020-01-01T00:00:00Z&per_page=100',
              R + '/issues/1/labels', R + '/issues/1/timeline', R + '/issues/1/reactions',
              R + '/pulls?state=all&sort=updated&direction=desc&per_page=100', R + '/pulls/2', R + '/pulls/4', R + '/pulls/2/files',
              R + '/pulls/2/comments', R + '/pulls/comments?sort=updated&direction=asc&since=2020-01-01T00:00:00Z',
              R + '/pulls/2/reviews', R + '/comments', R + '/commits/%s' % HEAD, R + '/commits/%s/comments' % HEAD, '/notifications'):
        go('GET', p)
    go('GET', R + '/assignees/bob', want=204)
    f.act('push', repo='acme/widget', task=2, head='d' * 40, lines={str(go('GET', R + '/pulls/comments')[0]['id']): None})
    go('GET', R + '/pulls/2/comments')
    go('GET', R + '/issues/99', want=404)
    go('GET', R + '/issues/comments/%d' % go('GET', R + '/issues/comments')[0]['id'])
    rc = go('GET', R + '/pulls/comments')
    go('GET', R + '/pulls/comments/%d' % rc[0]['id'])
    rv = go('GET', R + '/pulls/2/reviews')
    go('GET', R + '/pulls/2/reviews/%d' % rv[0]['id'])
    go('GET', R + '/pulls/2/reviews/%d/comments' % rv[0]['id'])
    go('GET', R + '/comments/%d' % go('GET', R + '/comments')[0]['id'])


def tasks(go):
    d = go('POST', R + '/issues', {'title': 'new', 'body': 'b', 'labels': ['bug'], 'assignees': ['ana'], 'milestone': 1}, 201)
    i = R + '/issues/%d' % d['number']
    go('PATCH', i, {'title': 'newer', 'body': 'c', 'milestone': 2})
    go('PATCH', i, {'milestone': None, 'labels': [], 'assignees': []})
    go('PATCH', i, {'state': 'closed', 'state_reason': 'not_planned'})
    go('PATCH', i, {'state': 'open', 'state_reason': 'reopened'})
    go('POST', i + '/labels', {'labels': ['bug', 'a b/c']})
    go('DELETE', i + '/labels/a%20b%2Fc')
    go('PUT', i + '/labels', {'labels': ['a b/c']})
    go('DELETE', i + '/labels', want=204)
    go('POST', i + '/assignees', {'assignees': ['bob']}, 201)
    go('DELETE', i + '/assignees', {'assignees': ['bob']})
    go('PUT', i + '/lock', {'lock_reason': 'resolved'}, 204)
    go('DELETE', i + '/lock', want=204)
    go('PATCH', R + '/pulls/2', {'title': 'better', 'body': 'x', 'state': 'closed'}, token='t-bob')
    go('PATCH', R + '/pulls/2', {'state': 'open'}, token='t-bob')
    go('POST', R + '/pulls/2/requested_reviewers', {'reviewers': ['ana']}, 201, token='t-bob')
    go('DELETE', R + '/pulls/2/requested_reviewers', {'reviewers': ['ana']}, token='t-bob')
    go('GET', i + '/timeline')


def notes(go):
    c = go('POST', R + '/issues/1/comments', {'body': 'hello'}, 201)
    go('PATCH', R + '/issues/comments/%d' % c['id'], {'body': 'hello again'})
    p = {'body': 'here', 'commit_id': HEAD, 'path': 'src/a.c'}
    a = go('POST', R + '/pulls/2/comments', {**p, 'line': 2, 'side': 'RIGHT'}, 201)
    go('POST', R + '/pulls/2/comments', {**p, 'line': 3, 'side': 'RIGHT', 'start_line': 2, 'start_side': 'RIGHT'}, 201)
    go('POST', R + '/pulls/2/comments', {**p, 'subject_type': 'file'}, 201)
    go('POST', R + '/pulls/2/comments', {**p, 'line': 77}, 422)
    go('POST', R + '/pulls/2/comments/%d/replies' % a['id'], {'body': 'so'}, 201)
    go('PATCH', R + '/pulls/comments/%d' % a['id'], {'body': 'there'})
    cc = go('POST', R + '/commits/%s/comments' % HEAD, {'body': 'on the commit', 'path': 'src/a.c', 'position': 2}, 201)
    go('PATCH', R + '/comments/%d' % cc['id'], {'body': 'still'})
    for u in (R + '/issues/1', R + '/issues/comments/%d' % c['id'], R + '/pulls/comments/%d' % a['id'], R + '/comments/%d' % cc['id']):
        x = go('POST', u + '/reactions', {'content': 'heart'}, 201)
        go('POST', u + '/reactions', {'content': 'heart'}, 200)
        go('GET', u + '/reactions')
        go('DELETE', u + '/reactions/%d' % x['id'], want=204)
    go('DELETE', R + '/comments/%d' % cc['id'], want=204)
    go('DELETE', R + '/pulls/comments/%d' % a['id'], want=204)
    go('DELETE', R + '/issues/comments/%d' % c['id'], want=204)


def reviews(go):
    one = {'path': 'src/a.c', 'body': 'x', 'line': 2, 'side': 'RIGHT'}
    r = go('POST', R + '/pulls/2/reviews', {'commit_id': HEAD, 'body': 'all', 'event': 'REQUEST_CHANGES', 'comments': [
        one, {**one, 'line': 3, 'start_line': 2, 'start_side': 'RIGHT'}]})
    go('PUT', R + '/pulls/2/reviews/%d' % r['id'], {'body': 'all of it'})
    go('PUT', R + '/pulls/2/reviews/%d/dismissals' % r['id'], {'message': 'done', 'event': 'DISMISS'})
    d = go('POST', R + '/pulls/2/reviews', {'body': 'draft', 'comments': [one]})
    go('POST', R + '/pulls/2/comments', {'body': 'x', 'commit_id': HEAD, 'path': 'src/a.c', 'line': 2}, 422)
    go('POST', R + '/pulls/2/reviews/%d/events' % d['id'], {'event': 'APPROVE', 'body': 'fine'})
    d = go('POST', R + '/pulls/2/reviews', {'body': 'draft'})
    go('DELETE', R + '/pulls/2/reviews/%d' % d['id'])
    go('POST', R + '/pulls/2/reviews', {'body': 'mine', 'event': 'APPROVE'}, 422, token='t-bob')


THREADS = '''query($o:String!,$r:String!,$n:Int!,$c:String){repository(owner:$o,name:$r){pullRequest(number:$n){
 id reviewThreads(first:50,after:$c){pageInfo{hasNextPage endCursor} nodes{
  id isResolved isOutdated resolvedBy{login} path line startLine originalLine originalStartLine diffSide startDiffSide subjectType
  viewerCanResolve viewerCanReply comments(first:100){totalCount nodes{id fullDatabaseId body updatedAt replyTo{id}}}}}}}}'''


def graphql(go):
    def ask(q, **v):
        d = go('POST', '/graphql', {'query': q, 'variables': v})
        if d.get('errors'):
            ok(False, 'GraphQL: %r' % d['errors'])
        return d['data']
    pr = ask(THREADS, o='acme', r='widget', n=2)['repository']['pullRequest']
    t = pr['reviewThreads']['nodes'][0]['id']
    for m in ('resolveReviewThread', 'unresolveReviewThread'):
        ask('mutation($t:ID!){%s(input:{threadId:$t}){thread{id isResolved}}}' % m, t=t)
    ask('mutation($t:ID!,$b:String!){addPullRequestReviewThreadReply(input:{pullRequestReviewThreadId:$t,body:$b}){comment{id '
        'fullDatabaseId}}}', t=t, b='reply')
    ask('mutation($p:ID!,$x:String!){addPullRequestReviewThread(input:{pullRequestId:$p,path:$x,line:2,side:RIGHT,body:"b"}){thread'
        '{id}}}', p=pr['id'], x='src/a.c')
    go('GET', R + '/pulls/2/reviews')
    rv = [x for x in go('GET', R + '/pulls/2/reviews') if x['state'] == 'PENDING']
    ask('mutation($r:ID!){submitPullRequestReview(input:{pullRequestReviewId:$r,event:COMMENT,body:"x"}){pullRequestReview{id state}}}',
        r=rv[0]['node_id'])
    ask('mutation($p:ID!,$h:GitObjectID!){addPullRequestReview(input:{pullRequestId:$p,commitOID:$h,event:COMMENT,body:"b",threads:'
        '[{path:"src/a.c",line:2,side:RIGHT,body:"x"}]}){pullRequestReview{id fullDatabaseId}}}', p=pr['id'], h=HEAD)
    ask('mutation($s:ID!){minimizeComment(input:{subjectId:$s,classifier:OUTDATED}){minimizedComment{isMinimized}}}',
        s=pr['reviewThreads']['nodes'][0]['comments']['nodes'][0]['id'])
    ask('{viewer{login} rateLimit{remaining resetAt}}')


def adapter(c, f):
    """What killick-remote itself asks, every verb of it."""
    os.environ.update(HOME=tempfile.mkdtemp(prefix='killick-contract.'), GIT_CONFIG_NOSYSTEM='1')
    before = sum(c.checked.values())
    f.act('push', repo='acme/widget', task=2, head=HEAD)
    bad = walk('http://' + c.host, 'acme/widget', HEAD)
    is_(bad, [], 'killick-remote goes through all that it does')
    is_(c.wrong, [], 'and asks and is answered as GitHub describes')
    diag('of killick-remote: %d checks' % (sum(c.checked.values()) - before))
    shutil.rmtree(os.environ['HOME'])


def gitea_requests(go):
    P = '/api/v1' + R
    for p in ('/api/v1/version', '/api/v1/settings/api', '/api/v1/user', '/api/v1/users/bob', P, P + '/labels', P + '/milestones?state=all',
              P + '/assignees', P + '/issues?state=all&type=issues&since=2020-01-01T00:00:00Z&page=1&limit=50',
              P + '/issues?state=all&type=pulls', P + '/issues/1', P + '/issues/2', P + '/issues/1/comments',
              P + '/issues/comments?since=2020-01-01T00:00:00Z&page=1&limit=50', P + '/issues/1/labels', P + '/issues/1/timeline',
              P + '/issues/1/reactions', P + '/pulls?state=all&sort=recentupdate', P + '/pulls/2', P + '/pulls/4', P + '/pulls/2/files',
              P + '/pulls/2/reviews?page=1&limit=50', '/api/v1/notifications'):
        go('GET', p)
    go('GET', P + '/issues/99', want=404)
    bug = next(x['id'] for x in go('GET', P + '/labels') if x['name'] == 'bug')
    one = go('GET', P + '/milestones')[0]['id']
    d = go('POST', P + '/issues', {'title': 'new', 'body': 'b', 'labels': [bug], 'assignees': ['ana'], 'milestone': one}, 201)
    i = P + '/issues/%d' % d['number']
    go('PATCH', i, {'title': 'newer', 'body': 'c', 'content_version': d['content_version']}, 201)
    go('PATCH', i, {'body': 'd', 'content_version': d['content_version']}, 409)
    go('PATCH', i, {'state': 'closed', 'assignees': []}, 201)
    go('POST', i + '/labels', {'labels': ['a b/c']})
    go('PUT', i + '/labels', {'labels': [bug]})
    go('DELETE', i + '/labels/%d' % bug, want=204)
    c = go('POST', i + '/comments', {'body': 'hello'}, 201)
    go('PATCH', P + '/issues/comments/%d' % c['id'], {'body': 'hello again'})
    go('GET', P + '/issues/comments/%d' % c['id'])
    for u in (i, P + '/issues/comments/%d' % c['id']):
        go('POST', u + '/reactions', {'content': 'heart'}, 201)
        go('POST', u + '/reactions', {'content': 'heart'})
        go('GET', u + '/reactions')
        go('DELETE', u + '/reactions', {'content': 'heart'}, 204)
    go('DELETE', P + '/issues/comments/%d' % c['id'], want=204)
    rv = go('GET', P + '/pulls/2/reviews')[0]
    n = go('GET', P + '/pulls/2/reviews/%d/comments' % rv['id'])[0]
    go('GET', P + '/pulls/2/reviews/%d' % rv['id'])
    go('POST', P + '/pulls/comments/%d/resolve' % n['id'], want=204)
    go('GET', P + '/pulls/2/reviews/%d/comments' % rv['id'])
    go('POST', P + '/pulls/comments/%d/unresolve' % n['id'], want=204)
    go('POST', P + '/pulls/2/comments/%d/replies' % n['id'], {'body': 'so'}, 201)
    one = [{'path': 'src/a.c', 'body': 'x', 'new_position': 2, 'old_position': 0}, {'path': 'src/a.c', 'body': 'y', 'old_position': 2}]
    d = go('POST', P + '/pulls/2/reviews', {'commit_id': HEAD, 'body': 'draft', 'event': 'PENDING', 'comments': one})
    go('POST', P + '/pulls/2/reviews/%d' % d['id'], {'event': 'APPROVED', 'body': 'fine'})
    d = go('POST', P + '/pulls/2/reviews', {'body': 'no', 'event': 'REQUEST_CHANGES', 'comments': one[:1]})
    go('POST', P + '/pulls/2/reviews/%d/dismissals' % d['id'], {'message': 'done'})
    d = go('POST', P + '/pulls/2/reviews', {'body': 'draft', 'event': 'PENDING'})
    go('DELETE', P + '/pulls/2/reviews/%d' % d['id'], want=204)
    go('POST', P + '/pulls/2/reviews', {'event': 'COMMENT'}, 422)
    go('PATCH', P + '/pulls/2', {'title': 'better'}, 201)


def gitea():
    spec = find_spec(SRC)
    if spec is None:
        return skip('../shared/specs/gitea is not here', "Gitea's contract")
    with Forge('gitea') as f:
        f.seed(**WORLD)
        sw = Swagger(spec)

        def go(method, path, body=None, want=200, token='t-ana'):
            s, d, _ = f.call(method, path, body, token, raw=True)
            d = json.loads(d) if d else None
            if s != want:
                ok(False, '%s %s answers %d, not %d' % (method, path, s, want))
            sw.check(method, path, body, s, d)
            return d
        for what, a in (('a body without its text', ('POST', '/api/v1' + R + '/issues/1/comments', {}, 201, {})),
                        ('a field that is not described', ('GET', '/api/v1' + R + '/issues/1', None, 200, {'idd': 1})),
                        ('a wrong type', ('GET', '/api/v1' + R + '/issues/1', None, 200, {'id': '1'})),
                        ('an answer that is not described', ('GET', '/api/v1' + R + '/issues/1', None, 202, None)),
                        ('a wrong query', ('GET', '/api/v1' + R + '/issues?state=ajar', None, 200, [])),
                        ('no such path', ('GET', '/api/v1' + R + '/tissues', None, 200, []))):
            ok(sw.check(*a), 'the checker of Gitea sees ' + what)
        sw.wrong, sw.checked, sw.operations = [], 0, set()
        gitea_requests(go)
        is_(sw.wrong, [], "no violation of Gitea's contract")
        diag("checked against Gitea's description: %d requests and answers, %d operations; %d violations" % (
            sw.checked, len(sw.operations), len(sw.wrong)))


def github():
    if os.environ.get('KILLICK_TEST_QUICK'):
        return skip("--quick: GitHub's contract is checked by tools from npm, which it does not install", "GitHub's contract")
    if not os.path.exists(NPM + '/.bin/prism') or not shutil.which('node'):
        return skip('the tools from npm are not there: "contrib/quickstart check" puts them into ' + os.path.dirname(NPM), "GitHub's contract")
    scratch = tempfile.mkdtemp(prefix='killick-contract.')
    try:
        with Forge('github') as f:
            f.seed(**WORLD)
            c = Checker(f, NPM, scratch)
            try:
                go = Client(c, f)
                control_group(go, c, f)
                reading(go, f)
                for part in (tasks, notes, reviews, graphql):
                    part(go)
                is_(c.wrong, [], 'no violation of GitHub\'s contract')
                adapter(c, f)
                diag('checked against GitHub\'s description: ' + ', '.join('%d %s' % (n, k) for k, n in sorted(c.checked.items())) +
                     ', %d operations; %d violations' % (len(c.operations), len(c.wrong)))
                diag('answers with a status that GitHub gives but does not describe there: %s' % dict(c.undescribed))
            finally:
                c.stop()
    finally:
        shutil.rmtree(scratch)


gitea()
github()
done()
