# SPDX-License-Identifier: MIT
"""Gitea's REST dialect of the fake forge, and Forgejo's, where it differs (conf 'forgejo').

Shapes are those of Gitea's swagger (contract.py); behaviour as its source has it, with the traps: a fixed order of tasks,
notes of one task in one piece, no Link header on the repository's notes, Link headers with the server's own idea of its
address (conf 'root_url'), positions that are file lines, code notes only by review, a review that takes the user's pending
one along, edits that leave the task's time alone, answers 201 to PATCH and 200 to a new review, times in the server's zone.
Endpoints appear with the version (conf 'version'): resolve and content_version 1.26, replies 1.27; Forgejo has single code
notes in a review and a sort of tasks instead.
"""
import re, time
from forgestate import parse_iso, sha_of
from forgewire import Fail, Resp, compile_routes, route

STATES = {'APPROVED': 'APPROVED', 'CHANGES_REQUESTED': 'REQUEST_CHANGES', 'COMMENTED': 'COMMENT', 'PENDING': 'PENDING'}
EVENTS = {v: k for k, v in STATES.items()}


def version(req):
    v = req.conf['version']
    return v or ('15.0.0+gitea-1.22.0' if req.conf['forgejo'] else '1.27.0')


def at_least(req, major, minor):
    if req.conf['forgejo']:
        return False
    m = re.match(r'v?(\d+)\.(\d+)', version(req))
    return bool(m) and (int(m.group(1)), int(m.group(2))) >= (major, minor)


def gate(req):
    if req.auth == 'bad':
        raise Fail(401, {'message': 'invalid username, password or token'})


def failure(req, f):
    if f.raw is not None:
        return Resp(f.status, raw=f.raw.encode(), kind='text/plain', headers=f.headers)
    obj = {'message': 'The target couldn\'t be found.' if f.status == 404 else '', 'url': req.web + '/api/swagger', **(f.obj or {})}
    return Resp(f.status, obj, f.headers)


def handle(req):
    r = route(ROUTES, req)
    if r is None:
        raise Fail(404)
    if r is False:
        raise Fail(405, raw='405 method not allowed')
    return r


def when(req, t):
    if t is None:
        return None
    z = req.conf['tz']
    if z in ('Z', 'UTC'):
        return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))
    off = (int(z[1:3]) * 3600 + int(z[4:6]) * 60) * (1 if z[0] == '+' else -1)
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(t + off)) + z


def repo_at(req, owner, name, need='read', scope='issue'):
    w = req.world
    repo = w.repo(owner + '/' + name)
    moved = w.moved.get((owner + '/' + name).lower())
    if repo is None and moved is not None:
        rest = req.path.split('/', 4)
        raise Fail(307, {}, {'Location': '%s/repos/%s/%s%s' % (req.base, moved.owner, moved.name,
                                                               '/' + rest[4] if len(rest) > 4 else '')})
    if repo is None or w.perm(repo, req.login) is None:
        raise Fail(404)
    write = req.method not in ('GET', 'HEAD')
    if write and req.login is None:
        raise Fail(401, {'message': 'token is required'})
    t = req.token
    if t and t.kind == 'fine':
        have = t.permissions.get(scope)
        if have is None or (write and have != 'write'):
            raise Fail(403, {'message': 'token does not have at least one of required scope(s): [%s:%s]' %
                             ('write' if write else 'read', scope)})
    if write and repo.archived:
        raise Fail(423, {'message': '%s/%s is archived' % (repo.owner, repo.name)})
    if write and not w.can(repo, req.login, need):
        raise Fail(403, {'message': 'user should have permission to write to the repository'})
    return repo


def task_at(req, repo, n, change=False):
    t = repo.tasks.get(int(n))
    if t is None or (change and not t.change):
        raise Fail(404)
    return t


def limits_of(req):
    return req.number('limit', req.conf['default_items'], 1, req.conf['max_items']), req.number('page', 1)


def page_of(req, items, render, link=True):
    per, page = limits_of(req)
    h = {'X-Total-Count': str(len(items)), 'Access-Control-Expose-Headers': 'X-Total-Count, Link'}
    last = max(1, (len(items) + per - 1) // per)
    if link and last > 1:
        root = (req.conf['root_url'] or req.web).rstrip('/') + '/api/v1'
        rest = '&'.join('%s=%s' % kv for kv in req.q.items() if kv[0] != 'page')
        url = lambda p: '<%s%s?%spage=%d>' % (root, req.path, rest + '&' if rest else '', p)
        out = []
        if page < last:
            out += [url(page + 1) + '; rel="next"', url(last) + '; rel="last"']
        if page > 1:
            out += [url(1) + '; rel="first"', url(page - 1) + '; rel="prev"']
        h['Link'] = ','.join(out)
    return Resp(200, [render(x) for x in items[(page - 1) * per:page * per]], h)


def between(req, items):
    for key, keep in (('since', lambda x, t: x.updated >= t), ('before', lambda x, t: x.updated <= t)):
        if key in req.q:
            t = parse_iso(req.q[key].replace(' ', '+'))
            if t is None:
                raise Fail(422, {'message': 'parsing time "%s" as "2006-01-02T15:04:05Z07:00"' % req.q[key]})
            items = [x for x in items if keep(x, t)]
    return items


def text_of(req, name='body', required=True):
    v = req.json.get(name)
    if v is None and not required:
        return None
    if not isinstance(v, str) or (required and not v):
        raise Fail(422, {'message': '[%s]: Required' % name.capitalize()})
    return v


# -- shapes ------------------------------------------------------------------------------------------------------
def user(req, login):
    if login is None:
        return None
    u = req.world.users.get(login.lower()) or req.world.user('ghost')
    return {'id': u.id, 'login': u.login, 'login_name': '', 'source_id': 0, 'full_name': u.name or '',
            'email': u.email or u.login + '@noreply.localhost', 'avatar_url': req.web + '/avatars/%d' % u.id,
            'html_url': req.web + '/' + u.login, 'language': '', 'is_admin': False, 'last_login': '0001-01-01T00:00:00Z',
            'created': when(req, u.created), 'restricted': False, 'active': False, 'prohibit_login': False, 'location': '',
            'website': '', 'description': '', 'visibility': 'public', 'followers_count': 0, 'following_count': 0,
            'starred_repos_count': 0}


def repository(req, repo):
    web = '%s/%s/%s' % (req.web, repo.owner, repo.name)
    d = {'id': repo.id, 'owner': user(req, repo.owner), 'name': repo.name, 'full_name': repo.owner + '/' + repo.name,
         'description': repo.description or '', 'empty': False, 'private': repo.private, 'fork': False, 'template': False,
         'mirror': False, 'size': 24, 'language': 'C', 'html_url': web, 'url': '%s/repos/%s/%s' % (req.base, repo.owner, repo.name),
         'clone_url': web + '.git', 'ssh_url': 'git@localhost:%s/%s.git' % (repo.owner, repo.name), 'original_url': '',
         'website': '', 'stars_count': 0, 'forks_count': 0, 'watchers_count': 1,
         'open_issues_count': sum(t.state == 'open' and not t.change for t in repo.tasks.values()),
         'open_pr_counter': sum(t.state == 'open' and t.change is not None for t in repo.tasks.values()),
         'default_branch': repo.default_branch, 'archived': repo.archived, 'created_at': when(req, repo.created),
         'updated_at': when(req, repo.created), 'has_issues': repo.has_issues, 'has_pull_requests': True, 'has_wiki': True,
         'internal': False, 'object_format_name': 'sha1', 'topics': []}
    p = req.world.perm(repo, req.login) if req.login else 'read'
    d['permissions'] = {'admin': p == 'admin', 'push': p in ('admin', 'maintain', 'write'), 'pull': True}
    return d


def label(req, repo, x):
    return {'id': x.id, 'name': x.name, 'exclusive': False, 'is_archived': False, 'color': x.color,
            'description': x.description or '', 'url': '%s/repos/%s/%s/labels/%d' % (req.base, repo.owner, repo.name, x.id)}


def milestone(req, repo, m):
    if m is None:
        return None
    return {'id': m.id, 'title': m.title, 'description': m.description or '', 'state': m.state, 'open_issues': 0,
            'closed_issues': 0, 'created_at': when(req, m.created), 'updated_at': when(req, m.updated), 'closed_at': None,
            'due_on': None}


def web_url(req, repo, *tail):
    return '%s/%s/%s/%s' % (req.web, repo.owner, repo.name, '/'.join(str(x) for x in tail))


def issue(req, repo, t):
    d = {'id': t.id, 'url': '%s/repos/%s/%s/issues/%d' % (req.base, repo.owner, repo.name, t.number),
         'html_url': web_url(req, repo, 'pulls' if t.change else 'issues', t.number), 'number': t.number,
         'user': user(req, t.user), 'original_author': '', 'original_author_id': 0, 'title': t.title, 'body': t.body or '',
         'ref': '', 'assets': [], 'labels': [label(req, repo, repo.labels[x.lower()]) for x in t.labels],
         'milestone': milestone(req, repo, repo.milestones.get(t.milestone)),
         'assignee': user(req, t.assignees[0]) if t.assignees else None,
         'assignees': [user(req, x) for x in t.assignees] or None, 'state': t.state, 'is_locked': t.locked,
         'comments': len(t.comments), 'created_at': when(req, t.created), 'updated_at': when(req, t.updated),
         'closed_at': when(req, t.closed), 'due_date': None, 'pull_request': None, 'pin_order': 0, 'repository': {
             'id': repo.id, 'name': repo.name, 'owner': repo.owner, 'full_name': repo.owner + '/' + repo.name}}
    if at_least(req, 1, 26):
        d['content_version'] = t.content_version
    if t.change:
        d['pull_request'] = {'merged': t.change.merged is not None, 'merged_at': when(req, t.change.merged),
                             'draft': t.change.draft, 'html_url': d['html_url']}
    return d


def branch(req, repo, ref, sha):
    return {'label': ref, 'ref': ref, 'sha': sha, 'repo_id': repo.id, 'repo': repository(req, repo)}


def pull(req, repo, t):
    c = t.change
    web = web_url(req, repo, 'pulls', t.number)
    d = {'id': c.id, 'url': '%s/repos/%s/%s/pulls/%d' % (req.base, repo.owner, repo.name, t.number), 'number': t.number,
         'user': user(req, t.user), 'title': t.title, 'body': t.body or '',
         'labels': [label(req, repo, repo.labels[x.lower()]) for x in t.labels],
         'milestone': milestone(req, repo, repo.milestones.get(t.milestone)),
         'assignee': user(req, t.assignees[0]) if t.assignees else None,
         'assignees': [user(req, x) for x in t.assignees] or None, 'requested_reviewers': [user(req, x) for x in t.reviewers],
         'requested_reviewers_teams': [], 'state': t.state, 'draft': c.draft, 'is_locked': t.locked,
         'comments': len(t.comments), 'review_comments': len(t.rcomments), 'additions': 1, 'deletions': 0,
         'changed_files': len(c.files or {}), 'html_url': web, 'diff_url': web + '.diff', 'patch_url': web + '.patch',
         'mergeable': not c.merged, 'merged': c.merged is not None, 'merged_at': when(req, c.merged),
         'merge_commit_sha': sha_of('merge' + c.head) if c.merged else None, 'merged_by': user(req, c.merged_by),
         'allow_maintainer_edit': False, 'base': branch(req, repo, c.base_ref, c.base),
         'head': branch(req, repo, c.head_ref, c.head), 'merge_base': c.base, 'due_date': None,
         'created_at': when(req, t.created), 'updated_at': when(req, t.updated), 'closed_at': when(req, t.closed), 'pin_order': 0}
    if at_least(req, 1, 26):
        d['content_version'] = t.content_version
    return d


def comment(req, repo, c):
    t = repo.tasks[c.task]
    web = web_url(req, repo, 'pulls' if t.change else 'issues', t.number)
    return {'id': c.id, 'html_url': web + '#issuecomment-%d' % c.id, 'pull_request_url': web if t.change else '',
            'issue_url': '' if t.change else web, 'user': user(req, c.user), 'original_author': '', 'original_author_id': 0,
            'body': c.body, 'assets': [], 'created_at': when(req, c.created), 'updated_at': when(req, c.updated)}


def review(req, repo, r):
    t = repo.tasks[r.task]
    web = web_url(req, repo, 'pulls', t.number)
    return {'id': r.id, 'user': user(req, r.user), 'team': None, 'state': STATES[r.state], 'body': r.body or '',
            'commit_id': r.commit, 'stale': r.commit != t.change.head, 'official': req.world.can(repo, r.user, 'write'),
            'dismissed': r.dismissed, 'comments_count': len(r.comments),
            'submitted_at': when(req, r.submitted or r.updated), 'updated_at': when(req, r.updated),
            'html_url': web + '#issuecomment-%d' % (r.comment_id or r.id), 'pull_request_url': web}


def code_note(req, repo, c):
    web = web_url(req, repo, 'pulls', c.task)
    old = c.side == 'LEFT'
    line = c.original_line or 0
    return {'id': c.id, 'body': c.body, 'user': user(req, c.user), 'resolver': user(req, repo.resolved.get(c.id)),
            'pull_request_review_id': c.review, 'created_at': when(req, c.created), 'updated_at': when(req, c.updated),
            'path': c.path, 'commit_id': c.original_commit, 'original_commit_id': '' if not old else c.original_commit,
            'diff_hunk': c.hunk, 'position': 0 if old else line, 'original_position': line if old else 0,
            'html_url': web + '#issuecomment-%d' % c.id, 'pull_request_url': web}


def reaction(req, v):
    return {'user': user(req, v.user), 'content': v.content, 'created_at': when(req, v.created)}


# -- reading -----------------------------------------------------------------------------------------------------
def get_version(req):
    return Resp(200, {'version': version(req)})


def get_settings(req):
    return Resp(200, {'max_response_items': req.conf['max_items'], 'default_paging_num': req.conf['default_items'],
                      'default_git_trees_per_page': 1000, 'default_max_blob_size': 10485760,
                      'default_max_response_size': 104857600})


def get_me(req):
    if not req.login:
        raise Fail(401, {'message': 'token is required'})
    if req.token.kind == 'fine' and 'user' not in req.token.permissions:
        raise Fail(403, {'message': 'token does not have at least one of required scope(s): [read:user]'})
    return Resp(200, user(req, req.login))


def get_user(req, login):
    if login.lower() not in req.world.users:
        raise Fail(404)
    return Resp(200, user(req, login))


def get_repo(req, o, r):
    return Resp(200, repository(req, repo_at(req, o, r, scope='repository')))


def list_issues(req, o, r):
    repo = repo_at(req, o, r)
    state, kind = req.arg('state', 'open') or 'open', req.arg('type', '')
    with req.world.lock:
        items = [t for t in req.world.listed(list(repo.tasks.values())) if state in ('all', t.state)]
        if kind in ('issues', 'pulls'):
            items = [t for t in items if (t.change is not None) == (kind == 'pulls')]
        items = between(req, items)
        for key, get in (('created_by', lambda t: [t.user]), ('assigned_by', lambda t: t.assignees)):
            if key in req.q:
                items = [t for t in items if req.q[key].lower() in [x.lower() for x in get(t)]]
        key, down = (lambda t: (t.created, t.id)), True
        if req.conf['forgejo'] and 'sort' in req.q:
            key = (lambda t: (t.updated, t.id)) if 'update' in req.q['sort'] else key
            down = req.q['sort'] in ('recentupdate', 'latest')
        return page_of(req, sorted(items, key=key, reverse=down), lambda t: issue(req, repo, t))


def list_pulls(req, o, r):
    repo = repo_at(req, o, r, scope='repository')
    state = req.arg('state', 'open') or 'open'
    with req.world.lock:
        items = [t for t in req.world.listed(list(repo.tasks.values())) if t.change and state in ('all', t.state)]
        by = req.arg('sort', '')
        items.sort(key=lambda t: (t.updated if 'update' in by else t.created, t.id), reverse=by not in ('oldest', 'leastupdate'))
        return page_of(req, items, lambda t: pull(req, repo, t))


def get_issue(req, o, r, n):
    repo = repo_at(req, o, r)
    return Resp(200, issue(req, repo, task_at(req, repo, n)))


def get_pull(req, o, r, n):
    repo = repo_at(req, o, r, scope='repository')
    return Resp(200, pull(req, repo, task_at(req, repo, n, True)))


def list_files(req, o, r, n):
    repo = repo_at(req, o, r, scope='repository')
    t = task_at(req, repo, n, True)
    return page_of(req, list((t.change.files or {}).values()), lambda f: {
        'filename': f.path, 'status': 'changed' if f.status == 'modified' else f.status, 'additions': f.patch.count('\n+'),
        'deletions': f.patch.count('\n-'), 'changes': f.patch.count('\n+') + f.patch.count('\n-'),
        'html_url': web_url(req, repo, 'src/commit', t.change.head, f.path), 'raw_url': web_url(req, repo, 'raw/commit', t.change.head, f.path)})


def comments_of_task(req, o, r, n):
    repo = repo_at(req, o, r)
    t = task_at(req, repo, n)
    with req.world.lock:
        items = between(req, req.world.listed([repo.comments[i] for i in t.comments]))
        items.sort(key=lambda c: (c.created, c.id))
        return Resp(200, [comment(req, repo, c) for c in items], {'X-Total-Count': str(len(items))})


def comments_of_repo(req, o, r):
    repo = repo_at(req, o, r)
    with req.world.lock:
        items = between(req, req.world.listed(list(repo.comments.values())))
        items.sort(key=lambda c: (c.created, c.id))
        return page_of(req, items, lambda c: comment(req, repo, c), link=False)


def list_reviews(req, o, r, n):
    repo = repo_at(req, o, r, scope='repository')
    t = task_at(req, repo, n, True)
    with req.world.lock:
        items = [x for x in req.world.listed([repo.reviews[i] for i in t.reviews])
                 if x.state != 'PENDING' or x.user == req.login or req.world.can(repo, req.login, 'admin')]
        return page_of(req, items, lambda x: review(req, repo, x))


def review_at(req, repo, n, rid):
    t = task_at(req, repo, n, True)
    rv = repo.reviews.get(int(rid))
    if rv is None or rv.task != t.number or (rv.state == 'PENDING' and rv.user != req.login and
                                             not req.world.can(repo, req.login, 'admin')):
        raise Fail(404)
    return t, rv


def get_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, scope='repository')
    return Resp(200, review(req, repo, review_at(req, repo, n, rid)[1]))


def notes_of_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, scope='repository')
    _, rv = review_at(req, repo, n, rid)
    with req.world.lock:
        items = req.world.listed([repo.rcomments[i] for i in rv.comments])
        return Resp(200, [code_note(req, repo, c) for c in items])


def list_labels(req, o, r):
    repo = repo_at(req, o, r)
    return page_of(req, sorted(repo.labels.values(), key=lambda x: x.name), lambda x: label(req, repo, x))


def org_labels(req, org):
    return page_of(req, [], lambda x: x)


def list_milestones(req, o, r):
    repo = repo_at(req, o, r)
    state = req.arg('state', 'open')
    items = [m for m in repo.milestones.values() if state in ('all', m.state) and req.arg('name') in (None, m.title)]
    return page_of(req, items, lambda m: milestone(req, repo, m))


def list_assignees(req, o, r):
    repo = repo_at(req, o, r)
    return Resp(200, [user(req, x) for x in sorted(repo.perms) if req.world.can(repo, x, 'write')])


def labels_of_task(req, o, r, n):
    repo = repo_at(req, o, r)
    return Resp(200, [label(req, repo, repo.labels[x.lower()]) for x in task_at(req, repo, n).labels])


def timeline(req, o, r, n):
    repo = repo_at(req, o, r)
    t = task_at(req, repo, n)
    items = []
    for i in t.comments:
        d = comment(req, repo, repo.comments[i])
        for k in ('original_author', 'original_author_id', 'assets'):
            del d[k]
        items.append((repo.comments[i].created, {**d, 'type': 'comment'}))
    for i in t.reviews:
        x = repo.reviews[i]
        if x.state != 'PENDING':
            items.append((x.submitted, {'id': x.comment_id or x.id, 'type': 'review', 'review_id': x.id, 'body': getattr(x, 'text', x.body),
                                        'user': user(req, x.user), 'created_at': when(req, x.submitted),
                                        'updated_at': when(req, x.updated)}))
    for e in t.events:
        kind = {'closed': 'close', 'reopened': 'reopen', 'labeled': 'label', 'unlabeled': 'label', 'renamed': 'change_title',
                'assigned': 'assignees'}[e.event]
        d = {'id': e.id, 'type': kind, 'body': '', 'user': user(req, e.actor), 'created_at': when(req, e.created),
             'updated_at': when(req, e.created)}
        if kind == 'change_title':
            d.update(old_title=e.old, new_title=e.new)
        items.append((e.created, d))
    items.sort(key=lambda x: x[0])
    per, page = limits_of(req)
    out = [d for _, d in items[(page - 1) * per:page * per]]
    return Resp(200, out, {'X-Total-Count': str(len(out))})


def notifications(req, *a):
    if not req.login:
        raise Fail(401, {'message': 'token is required'})
    return Resp(200, [])


# -- writing -----------------------------------------------------------------------------------------------------
def new_issue(req, o, r):
    repo = repo_at(req, o, r)
    j, w = req.json, req.world
    title = text_of(req, 'title')
    if not title.strip():
        raise Fail(422, {'message': '[Title]: Required'})
    ids = j.get('labels') or []
    may = w.can(repo, req.login, 'write')
    found = [x for x in repo.labels.values() if x.id in ids]
    if may and len(found) != len(ids):
        raise Fail(404, {'message': 'label does not exist'})
    who = list(j.get('assignees') or []) + ([j['assignee']] if j.get('assignee') else [])
    for x in who:
        if x.lower() not in w.users:
            raise Fail(422, {'message': 'Assignee does not exist: [name: %s]' % x})
    with w.change():
        t = w.add_task(repo, req.login, title, j.get('body') or '')
        if may:
            t.labels = [x.name for x in found]
            t.assignees = [w.user(x).login for x in who]
            t.milestone = by_milestone_id(repo, j.get('milestone'))
        if j.get('closed'):
            w.set_state(repo, t, req.login, 'closed')
        return Resp(201, issue(req, repo, t))


def by_milestone_id(repo, mid):
    if not mid:
        return None
    for m in repo.milestones.values():
        if m.id == mid:
            return m.number
    raise Fail(404, {'message': 'milestone does not exist [id: %d]' % mid})


def edit_issue(req, o, r, n, change=False):
    repo = repo_at(req, o, r, scope='repository' if change else 'issue')
    t, w, j = task_at(req, repo, n, change), req.world, req.json
    may = w.can(repo, req.login, 'write')
    if not may and t.user != req.login:
        raise Fail(403, {'message': ''})
    if at_least(req, 1, 26) and j.get('content_version') is not None and j['content_version'] != t.content_version:
        raise Fail(409, {'message': 'The content was changed by another user'})
    if t.change and t.change.merged and j.get('state'):
        raise Fail(412, {'message': 'cannot change state of this pull request, it was already merged'})
    if j.get('state') not in (None, '', 'open', 'closed'):
        raise Fail(422, {'message': 'unknown state: %s' % j['state']})
    with w.change():
        w.bump(t)
        if j.get('title'):
            w.event(t, 'renamed', req.login, old=t.title, new=j['title'])
            t.title = j['title']
        if j.get('body') is not None:
            t.body = j['body']
            t.content_version += 1
        if may:
            if j.get('assignees') is not None:
                t.assignees = [w.user(x).login for x in j['assignees']]
            if j.get('milestone') is not None:
                t.milestone = by_milestone_id(repo, j['milestone'])
        if j.get('state'):
            w.set_state(repo, t, req.login, j['state'])
        return Resp(201, (pull if change else issue)(req, repo, t))


def edit_pull(req, o, r, n):
    return edit_issue(req, o, r, n, True)


def set_labels(req, o, r, n):
    repo = repo_at(req, o, r, 'write')
    t, w = task_at(req, repo, n), req.world
    got = []
    for x in req.json.get('labels') or []:
        m = [y for y in repo.labels.values() if y.id == x or (isinstance(x, str) and y.name.lower() == x.lower())]
        if not m and isinstance(x, str):
            raise Fail(404, {'message': 'label not found'})
        got += m
    with w.change():
        w.bump(t)
        if req.method == 'PUT':
            t.labels = []
        t.labels += [x.name for x in got if x.name not in t.labels]
        return Resp(200, [label(req, repo, repo.labels[x.lower()]) for x in t.labels])


def drop_label(req, o, r, n, lid):
    repo = repo_at(req, o, r, 'write')
    t, w = task_at(req, repo, n), req.world
    got = [x for x in repo.labels.values() if x.id == int(lid)]
    if not got:
        raise Fail(422, {'message': 'label does not exist [label_id: %s]' % lid})
    with w.change():
        w.bump(t)
        t.labels = [x for x in t.labels if x != got[0].name]
        return Resp(204)


def new_comment(req, o, r, n):
    repo = repo_at(req, o, r)
    t = task_at(req, repo, n)
    if t.locked and not req.world.can(repo, req.login, 'write'):
        raise Fail(403, {'message': 'issue is locked'})
    body = text_of(req)
    with req.world.change():
        return Resp(201, comment(req, repo, req.world.add_comment(repo, t, req.login, body)))


def any_note(repo, cid):
    """A plain note, a code note or a review's body: all are rows of one table."""
    c = repo.comments.get(int(cid)) or repo.rcomments.get(int(cid))
    if c is None:
        for rv in repo.reviews.values():
            if rv.comment_id == int(cid):
                return rv
    if c is None:
        raise Fail(404)
    return c


def get_comment(req, o, r, cid):
    repo = repo_at(req, o, r)
    c = any_note(repo, cid)
    if int(cid) not in repo.comments:
        return Resp(204)
    return Resp(200, comment(req, repo, c))


def change_comment(req, o, r, cid):
    repo, w = repo_at(req, o, r), req.world
    c = any_note(repo, cid)
    if c.user != req.login and not w.can(repo, req.login, 'write'):
        raise Fail(403, {'message': ''})
    if req.method == 'PATCH':
        body = text_of(req)
    with w.change():
        if req.method == 'DELETE':
            if int(cid) in repo.comments:
                w.delete_comment(repo, c)
            elif int(cid) in repo.rcomments:
                w.delete_rcomment(repo, c)
            return Resp(204)
        if hasattr(c, 'dismissed'):                # its row among the comments; the review itself goes on saying what it said
            c.text, body_now = body, body
        else:
            w.edit_body(c, body)
            body_now = c.body
        if int(cid) in repo.comments:
            return Resp(200, comment(req, repo, c))
        web = web_url(req, repo, 'pulls', c.task)
        return Resp(200, {'id': int(cid), 'html_url': web + '#issuecomment-%s' % cid, 'pull_request_url': web, 'issue_url': '',
                          'user': user(req, c.user), 'original_author': '', 'original_author_id': 0, 'body': body_now,
                          'assets': [], 'created_at': when(req, getattr(c, 'created', c.updated)),
                          'updated_at': when(req, c.updated if body_now is c.body else w.now())})


def root_of(repo, t, path, line, side):
    for i in t.rcomments:
        c = repo.rcomments[i]
        if c.path == path and c.original_line == line and c.side == side and c.reply_to is None and \
                repo.reviews[c.review].state != 'PENDING':
            return c
    return None


def add_code_note(req, repo, t, rv, body, path, new, old, commit=None):
    side, line = ('LEFT', old) if not new else ('RIGHT', new)
    root = root_of(repo, t, path, line, side)
    return req.world.add_rcomment(repo, t, rv, req.login, body, path, line, side, commit=commit,
                                  reply_to=root.id if root else None)


def check_event(req, t, event, body, n):
    if event not in ('APPROVED', 'REQUEST_CHANGES', 'COMMENT'):
        event = 'PENDING'
    if event in ('APPROVED', 'REQUEST_CHANGES') and t.user == req.login:
        raise Fail(422, {'message': '%s your own pull is not allowed' % ('approve' if event == 'APPROVED' else 'reject')})
    if not (body or '').strip() and (event in ('REQUEST_CHANGES', 'PENDING') or (event == 'COMMENT' and not n)):
        raise Fail(422, {'message': 'review event %s requires a body' % event if event != 'COMMENT' else
                         'review event COMMENT requires a body or a comment'})
    return event


def new_review(req, o, r, n):
    repo = repo_at(req, o, r, scope='repository')
    t, j, w = task_at(req, repo, n, True), req.json, req.world
    notes = j.get('comments') or []
    event = check_event(req, t, j.get('event'), j.get('body'), len(notes))
    commit = j.get('commit_id') or t.change.head
    with w.change():
        mine = w.pending_review(repo, t, req.login) if req.conf['review_adopts'] else None
        rv = mine or w.add_review(repo, t, req.login, 'PENDING', '', commit)
        for c in notes:
            add_code_note(req, repo, t, rv, c.get('body', ''), c.get('path', ''), c.get('new_position') or 0,
                          c.get('old_position') or 0, commit)
        if event == 'PENDING':
            rv.body = j.get('body') or rv.body
        else:
            w.submit_review(repo, t, rv, EVENTS[event], j.get('body') or '')
            rv.commit = commit
        return Resp(200, review(req, repo, rv))


def submit_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, scope='repository')
    t, rv = review_at(req, repo, n, rid)
    if rv.state != 'PENDING':
        raise Fail(422, {'message': 'only a pending review can be submitted'})
    event = check_event(req, t, req.json.get('event'), req.json.get('body'), len(rv.comments))
    if event == 'PENDING':
        raise Fail(422, {'message': 'review stay pending'})
    with req.world.change():
        req.world.submit_review(repo, t, rv, EVENTS[event], req.json.get('body') or '')
        return Resp(200, review(req, repo, rv))


def delete_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, scope='repository')
    t, rv = review_at(req, repo, n, rid)
    if rv.user != req.login and not req.world.can(repo, req.login, 'admin'):
        raise Fail(403, {'message': ''})
    with req.world.change():
        req.world.delete_review(repo, t, rv)
        return Resp(204)


def dismiss(req, o, r, n, rid):
    repo = repo_at(req, o, r, 'admin', scope='repository')
    t, rv = review_at(req, repo, n, rid)
    with req.world.change():
        req.world.touch(rv)
        rv.dismissed = True
        return Resp(200, review(req, repo, rv))


def new_code_note(req, o, r, n, rid):
    """Forgejo's."""
    if not req.conf['forgejo']:
        raise Fail(405, raw='405 method not allowed')
    repo = repo_at(req, o, r, scope='repository')
    t, rv = review_at(req, repo, n, rid)
    j = req.json
    with req.world.change():
        c = add_code_note(req, repo, t, rv, text_of(req), text_of(req, 'path'), j.get('new_position') or 0, j.get('old_position') or 0)
        return Resp(200, code_note(req, repo, c))


def one_code_note(req, o, r, n, rid, cid):
    if not req.conf['forgejo']:
        raise Fail(404)
    repo = repo_at(req, o, r, scope='repository')
    review_at(req, repo, n, rid)
    c = repo.rcomments.get(int(cid))
    if c is None or c.review != int(rid):
        raise Fail(404)
    if req.method == 'DELETE':
        if c.user != req.login and not req.world.can(repo, req.login, 'admin'):
            raise Fail(403, {'message': ''})
        with req.world.change():
            req.world.delete_rcomment(repo, c)
        return Resp(204)
    return Resp(200, code_note(req, repo, c))


def new_reply(req, o, r, n, cid):
    if not at_least(req, 1, 27):
        raise Fail(404)
    repo = repo_at(req, o, r, scope='repository')
    t = task_at(req, repo, n, True)
    c = repo.rcomments.get(int(cid))
    if c is None or c.task != t.number:
        raise Fail(404)
    body = text_of(req)
    root = repo.rcomments[c.reply_to] if c.reply_to else c
    with req.world.change():
        rv = repo.reviews[root.review]
        return Resp(201, code_note(req, repo, req.world.add_reply(repo, t, rv, req.login, root, body)))


def set_resolved(req, o, r, cid, what):
    if not at_least(req, 1, 26) or what not in ('resolve', 'unresolve'):
        raise Fail(404)
    repo, w = repo_at(req, o, r, scope='repository'), req.world
    c = repo.rcomments.get(int(cid))
    if c is None:
        raise Fail(400 if int(cid) in repo.comments else 404, {'message': 'comment is not a code comment'})
    if not w.can(repo, req.login, 'write') and req.login != repo.tasks[c.task].user:
        raise Fail(403, {'message': 'user does not have permission to resolve the conversation'})
    with w.change():
        w.resolve(repo, c, req.login if what == 'resolve' else None)
    return Resp(204)


def reactions(find):
    def fn(req, *a):
        repo = repo_at(req, a[0], a[1])
        x = find(repo, req, *a[2:])
        if req.method == 'GET':
            there = [reaction(req, v) for v in x.reactions.values()]
            return Resp(200, there) if there else Resp(200, raw=b'null')  # so says Gitea 1.26
        content = req.json.get('content')
        if content not in ('+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'):
            raise Fail(403, {'message': "'%s' is not an allowed reaction" % content})
        with req.world.change():
            if req.method == 'DELETE':
                x.reactions.pop((req.login.lower(), content), None)
                return Resp(204 if at_least(req, 1, 26) else 200)
            v, new = req.world.react(x, req.login, content)
            return Resp(201 if new else 200, reaction(req, v))
    return fn


R = '/repos/{o}/{r}'
on_task = reactions(lambda repo, req, n: task_at(req, repo, n))
on_comment = reactions(lambda repo, req, n: any_note(repo, n))
ROUTES = compile_routes([
    ('GET', '/version', get_version), ('GET', '/settings/api', get_settings), ('GET', '/user', get_me),
    ('GET', '/users/{u}', get_user), ('GET', '/notifications', notifications), ('GET', R + '/notifications', notifications),
    ('GET', R, get_repo), ('GET', R + '/labels', list_labels), ('GET', '/orgs/{org}/labels', org_labels),
    ('GET', R + '/milestones', list_milestones), ('GET', R + '/assignees', list_assignees),
    ('GET', R + '/issues', list_issues), ('POST', R + '/issues', new_issue), ('GET', R + '/issues/comments', comments_of_repo),
    ('GET', R + '/issues/comments/{n}', get_comment), ('PATCH', R + '/issues/comments/{n}', change_comment),
    ('DELETE', R + '/issues/comments/{n}', change_comment),
    *[(m, R + '/issues/comments/{n}/reactions', on_comment) for m in ('GET', 'POST', 'DELETE')],
    ('GET', R + '/issues/{n}', get_issue), ('PATCH', R + '/issues/{n}', edit_issue),
    ('GET', R + '/issues/{n}/comments', comments_of_task), ('POST', R + '/issues/{n}/comments', new_comment),
    ('GET', R + '/issues/{n}/timeline', timeline), ('GET', R + '/issues/{n}/labels', labels_of_task),
    ('POST', R + '/issues/{n}/labels', set_labels), ('PUT', R + '/issues/{n}/labels', set_labels),
    ('DELETE', R + '/issues/{n}/labels/{n}', drop_label),
    *[(m, R + '/issues/{n}/reactions', on_task) for m in ('GET', 'POST', 'DELETE')],
    ('GET', R + '/pulls', list_pulls), ('GET', R + '/pulls/{n}', get_pull), ('PATCH', R + '/pulls/{n}', edit_pull),
    ('GET', R + '/pulls/{n}/files', list_files),
    ('GET', R + '/pulls/{n}/reviews', list_reviews), ('POST', R + '/pulls/{n}/reviews', new_review),
    ('GET', R + '/pulls/{n}/reviews/{n}', get_review), ('POST', R + '/pulls/{n}/reviews/{n}', submit_review),
    ('DELETE', R + '/pulls/{n}/reviews/{n}', delete_review), ('GET', R + '/pulls/{n}/reviews/{n}/comments', notes_of_review),
    ('POST', R + '/pulls/{n}/reviews/{n}/comments', new_code_note),
    *[(m, R + '/pulls/{n}/reviews/{n}/comments/{n}', one_code_note) for m in ('GET', 'DELETE')],
    ('POST', R + '/pulls/{n}/reviews/{n}/dismissals', dismiss),
    ('POST', R + '/pulls/{n}/comments/{n}/replies', new_reply),
    ('POST', R + '/pulls/comments/{n}/{what}', set_resolved),
])
