# SPDX-License-Identifier: MIT
"""GitHub's REST dialect of the fake forge, API version 2022-11-28.

Shapes are those of GitHub's published OpenAPI description (contract.py proves it); behaviour that the description does
not tell is as GitHub's documentation and its users' reports have it. ROUTES has one row an endpoint.
"""
import time
from base64 import b64encode
from urllib.parse import quote, urlencode
import forgegraphql
from forgestate import REACTIONS, iso, parse_iso, sha_of
from forgewire import Fail, Resp, compile_routes, route

DOCS = 'https://docs.github.com/rest'


def node_id(kind, n):
    return kind + '_' + b64encode(b'%d' % n).decode().rstrip('=').replace('+', '-').replace('/', '_')


# -- what comes before any endpoint ------------------------------------------------------------------------------
def rate_of(req):
    """The account's window: [remaining, reset]. In Forge.rate by login, or '' for nobody."""
    f, now = req.forge, req.world.now()
    with f.lock:
        w = f.rate.get(req.login or '')
        if w is None or w[1] <= now:
            limit = req.conf['rate_limit'] if req.login else min(60, req.conf['rate_limit'])
            n = req.conf['rate_remaining']
            w = f.rate[req.login or ''] = [limit if n is None or w is not None else n, now + req.conf['rate_reset']]
        return w


def gate(req):
    conf, f = req.conf, req.forge
    if not req.headers.get('User-Agent'):
        raise Fail(403, raw='Request forbidden by administrative rules. Please make sure your request has a User-Agent header')
    if req.auth == 'bad':
        f.bad += 1
        raise Fail(401, {'message': 'Bad credentials'})
    if conf['bad_credentials'] and f.bad >= conf['bad_credentials']:
        raise Fail(403, {'message': 'Maximum number of login attempts exceeded. Please try again later.'})
    if req.headers.get('X-GitHub-Api-Version', '2022-11-28') not in ('2022-11-28', '2026-03-10'):
        raise Fail(410, {'message': 'The API version is no longer supported.'})
    if not conf['rate_headers'] or req.path == '/rate_limit':
        return
    w = rate_of(req)
    with f.lock:
        w[0] -= 1
    if w[0] < 0:
        w[0] = -1
        who = 'user ID %d' % req.world.user(req.login).id if req.login else '127.0.0.1'
        raise Fail(conf['rate_status'], {'message': 'API rate limit exceeded for %s.' % who})
    per = conf['writes_per_minute']
    if per and req.method not in ('GET', 'HEAD') and req.path != '/graphql':
        now = time.monotonic()
        with f.lock:
            mine = [t for t in f.writes.get(req.login or '', []) if t > now - 60]
            if len(mine) >= per:
                left = max(1, int(60 - (now - mine[0])))
                raise Fail(403, {'message': 'You have exceeded a secondary rate limit. Please wait a few minutes before '
                                            'you try again.'}, {'Retry-After': str(left)})
            f.writes[req.login or ''] = mine + [now]


def give_back(req):
    """An answer 304 costs nothing."""
    w = rate_of(req)
    with req.forge.lock:
        w[0] += 1


def headers(req):
    h = {'Server': 'github.com', 'X-GitHub-Media-Type': 'github.v3; format=json',
         'X-GitHub-Api-Version-Selected': '2022-11-28', 'X-GitHub-Request-Id': 'F0F0:%X' % req.forge.n,
         'X-Content-Type-Options': 'nosniff'}
    if req.token and req.token.kind == 'classic':
        h['X-OAuth-Scopes'] = ', '.join(req.token.scopes)
    if req.conf['rate_headers']:
        w = rate_of(req)
        limit = req.conf['rate_limit'] if req.login else min(60, req.conf['rate_limit'])
        left = max(0, w[0])
        h.update({'X-RateLimit-Limit': str(limit), 'X-RateLimit-Remaining': str(left), 'X-RateLimit-Used': str(limit - left),
                  'X-RateLimit-Reset': str(w[1]), 'X-RateLimit-Resource': 'graphql' if req.path == '/graphql' else 'core'})
    return h


def failure(req, f):
    if f.raw is not None:
        return Resp(f.status, raw=f.raw.encode(), kind='text/plain', headers=f.headers)
    obj = dict(f.obj or {'message': 'Not Found'})
    obj.setdefault('documentation_url', DOCS)
    obj.setdefault('status', str(f.status))
    return Resp(f.status, obj, f.headers)


def invalid(message='Validation Failed', *errors):
    raise Fail(422, {'message': message, 'errors': list(errors)})


def handle(req):
    if req.path == '/graphql':
        if req.method != 'POST':
            raise Fail(404)
        return forgegraphql.handle(req)
    r = route(ROUTES, req)
    if r is None or r is False:
        raise Fail(404)
    return r


# -- finding things ----------------------------------------------------------------------------------------------
def repo_at(req, owner, name, need='read', area=None):
    """The repository, or 404; writes need a login, and the permission (403); a fine-grained token its area's."""
    w = req.world
    full = (owner + '/' + name).lower()
    if full in w.moved:
        to = '%s/repositories/%d' % (req.base, w.moved[full].id)
        rest = req.path.split('/', 4)
        url = to + ('/' + rest[4] if len(rest) > 4 else '') + ('?' + req.query if req.query else '')
        raise Fail(301, {'message': 'Moved Permanently', 'url': url}, {'Location': url})
    repo = w.repo(full)
    if repo is None or w.perm(repo, req.login) is None:
        raise Fail(404)
    write = req.method not in ('GET', 'HEAD')
    if write and req.login is None:
        raise Fail(401, {'message': 'Requires authentication'})
    t = req.token
    if t and t.kind == 'fine':
        have = t.permissions.get(area or 'metadata', 'read' if area in (None, 'metadata') else None)
        if have is None or (write and have != 'write'):
            if repo.private and have is None:
                raise Fail(404)
            raise Fail(403, {'message': 'Resource not accessible by personal access token'},
                       {'X-Accepted-GitHub-Permissions': '%s=%s' % (area, 'write' if write else 'read')})
    elif t and t.kind == 'classic' and (write or repo.private):
        if 'repo' not in t.scopes and (repo.private or 'public_repo' not in t.scopes):
            raise Fail(404)
    if write and repo.archived:
        raise Fail(403, {'message': 'Repository was archived so is read-only.'})
    if write and not w.can(repo, req.login, need):
        raise Fail(403, {'message': 'Must have admin rights to Repository.' if need == 'admin' else
                                    'You must have %s access to this repository.' % need})
    return repo


def task_at(req, repo, n, change=False):
    n = int(n)
    if n in repo.gone:
        raise Fail(410, {'message': 'This issue was deleted'})
    if n in repo.moved:
        url = req.base + '/repos/' + repo.moved[n]
        raise Fail(301, {'message': 'Moved Permanently', 'url': url}, {'Location': url})
    t = repo.tasks.get(n)
    if t is None or (change and not t.change):
        raise Fail(404)
    return t


def page_of(req, items, render):
    """One page as GitHub cuts it, with its Link header."""
    per = req.number('per_page', req.conf['default_per_page'], 1, req.conf['max_per_page'])
    page = req.number('page', 1)
    last = max(1, (len(items) + per - 1) // per)
    h, links = {}, []

    def url(p):
        q = dict(req.q)
        q['page'] = str(p)
        return req.base + req.path + '?' + urlencode(q)
    if page > 1:
        links.append('<%s>; rel="prev"' % url(min(page - 1, last)))
    if page < last:
        links += ['<%s>; rel="next"' % url(page + 1), '<%s>; rel="last"' % url(last)]
    if page > 1:
        links.append('<%s>; rel="first"' % url(1))
    if links:
        h['Link'] = ', '.join(links)
    return Resp(200, [render(x) for x in items[(page - 1) * per:page * per]], h)


def choice(req, name, allowed, default):
    v = req.arg(name)
    if v is None:
        return default
    if v not in allowed:
        invalid('Validation Failed', {'resource': 'Search', 'field': name, 'code': 'invalid', 'value': v})
    return v


def since_of(req):
    v = req.arg('since')
    if v is None:
        return None
    t = parse_iso(v)
    if t is None:
        invalid('Validation Failed', {'resource': 'Issue', 'field': 'since', 'code': 'invalid'})
    return t


def sort_by(req, items, default, keys, direction):
    by = choice(req, 'sort', keys, default)
    down = choice(req, 'direction', ('asc', 'desc'), direction) == 'desc'
    value = {'created': lambda x: x.created, 'created_at': lambda x: x.created, 'updated': lambda x: x.updated,
             'comments': lambda x: len(x.comments), 'popularity': lambda x: len(x.comments),
             'long-running': lambda x: x.created, 'id': lambda x: 0}[by]
    return sorted(items, key=lambda x: (value(x), x.id), reverse=down)


def text_of(req, name='body', required=True):
    v = req.json.get(name)
    if v is None and not required:
        return None
    if not isinstance(v, str) or (required and not v.strip()):
        invalid('Validation Failed', {'resource': 'IssueComment', 'code': 'missing_field' if v is None else 'invalid',
                                      'field': name, 'message': "%s can't be blank" % name.capitalize()})
    if len(v) > 65536:
        invalid('Validation Failed', {'resource': 'IssueComment', 'code': 'unprocessable', 'field': 'data',
                                      'message': name.capitalize() + ' is too long (maximum is 65536 characters)'})
    return v.replace('\0', '')


# -- shapes ------------------------------------------------------------------------------------------------------
def user(req, login):
    """Written out once: a page has hundreds. Nobody changes the shape that comes."""
    if login is None:
        return None
    u = req.world.users.get(login.lower()) or req.world.user('ghost')
    key = (req.base, u.login, u.type)
    d = req.forge.people.get(key)
    if d is None:
        b = req.base + '/users/' + u.login
        d = req.forge.people[key] = {
            'login': u.login, 'id': u.id, 'node_id': node_id('U', u.id), 'avatar_url': req.web + '/avatars/u/%d?v=4' % u.id,
            'gravatar_id': '', 'url': b, 'html_url': req.web + '/' + u.login, 'followers_url': b + '/followers',
            'following_url': b + '/following{/other_user}', 'gists_url': b + '/gists{/gist_id}',
            'starred_url': b + '/starred{/owner}{/repo}', 'subscriptions_url': b + '/subscriptions',
            'organizations_url': b + '/orgs', 'repos_url': b + '/repos', 'events_url': b + '/events{/privacy}',
            'received_events_url': b + '/received_events', 'type': u.type, 'user_view_type': 'public', 'site_admin': False}
    return d


def whole_user(req, login, private):
    u = req.world.users[login.lower()]
    d = dict(user(req, login))
    d.update(name=u.name, company=None, blog='', location=None, email=u.email, hireable=None, bio=None,
             twitter_username=None, public_repos=len(req.world.repos), public_gists=0, followers=0, following=0,
             created_at=iso(u.created), updated_at=iso(u.created))
    if private:
        d.update(private_gists=0, total_private_repos=0, owned_private_repos=0, disk_usage=0, collaborators=0,
                 two_factor_authentication=True)
    return d


def rollup(x, url):
    n = {c: 0 for c in REACTIONS}
    for _, c in x.reactions:
        n[c] += 1
    return {'url': url + '/reactions', 'total_count': sum(n.values()), **n}


def label(req, repo, x):
    return {'id': x.id, 'node_id': node_id('LA', x.id), 'url': '%s/repos/%s/%s/labels/%s' % (
        req.base, repo.owner, repo.name, quote(x.name, safe='')), 'name': x.name, 'color': x.color, 'default': False,
        'description': x.description}


def milestone(req, repo, m):
    if m is None:
        return None
    u = '%s/repos/%s/%s/milestones/%d' % (req.base, repo.owner, repo.name, m.number)
    mine = [t for t in repo.tasks.values() if t.milestone == m.number] if len(repo.tasks) < 1000 else []
    return {'url': u, 'html_url': '%s/%s/%s/milestone/%d' % (req.web, repo.owner, repo.name, m.number),
            'labels_url': u + '/labels', 'id': m.id, 'node_id': node_id('MI', m.id), 'number': m.number, 'title': m.title,
            'description': m.description, 'creator': user(req, m.creator),
            'open_issues': sum(t.state == 'open' for t in mine), 'closed_issues': sum(t.state != 'open' for t in mine),
            'state': m.state, 'created_at': iso(m.created), 'updated_at': iso(m.updated), 'due_on': iso(m.due),
            'closed_at': None}


def repository(req, repo, full=False):
    u = '%s/repos/%s/%s' % (req.base, repo.owner, repo.name)
    web = '%s/%s/%s' % (req.web, repo.owner, repo.name)
    host = req.web.split('://', 1)[1].split('/', 1)[0]
    if repo.n_open[0] != req.world.version:
        repo.n_open = (req.world.version, sum(t.state == 'open' for t in repo.tasks.values()))
    n_open = repo.n_open[1]
    ends = {'archive_url': '/{archive_format}{/ref}', 'assignees_url': '/assignees{/user}', 'blobs_url': '/git/blobs{/sha}',
            'branches_url': '/branches{/branch}', 'collaborators_url': '/collaborators{/collaborator}',
            'comments_url': '/comments{/number}', 'commits_url': '/commits{/sha}', 'compare_url': '/compare/{base}...{head}',
            'contents_url': '/contents/{+path}', 'contributors_url': '/contributors', 'deployments_url': '/deployments',
            'downloads_url': '/downloads', 'events_url': '/events', 'forks_url': '/forks',
            'git_commits_url': '/git/commits{/sha}', 'git_refs_url': '/git/refs{/sha}', 'git_tags_url': '/git/tags{/sha}',
            'issue_comment_url': '/issues/comments{/number}', 'issue_events_url': '/issues/events{/number}',
            'issues_url': '/issues{/number}', 'keys_url': '/keys{/key_id}', 'labels_url': '/labels{/name}',
            'languages_url': '/languages', 'merges_url': '/merges', 'milestones_url': '/milestones{/number}',
            'notifications_url': '/notifications{?since,all,participating}', 'pulls_url': '/pulls{/number}',
            'releases_url': '/releases{/id}', 'stargazers_url': '/stargazers', 'statuses_url': '/statuses/{sha}',
            'subscribers_url': '/subscribers', 'subscription_url': '/subscription', 'tags_url': '/tags',
            'teams_url': '/teams', 'trees_url': '/git/trees{/sha}', 'hooks_url': '/hooks'}
    d = {'id': repo.id, 'node_id': node_id('R', repo.id), 'name': repo.name, 'full_name': repo.owner + '/' + repo.name,
         'owner': user(req, repo.owner), 'private': repo.private, 'html_url': web, 'description': repo.description,
         'fork': False, 'url': u, **{k: u + v for k, v in ends.items()},
         'git_url': 'git://%s/%s/%s.git' % (host, repo.owner, repo.name),
         'ssh_url': 'git@%s:%s/%s.git' % (host.split(':')[0], repo.owner, repo.name), 'clone_url': web + '.git',
         'mirror_url': None, 'svn_url': web, 'homepage': None, 'language': None, 'forks_count': 0, 'stargazers_count': 0,
         'watchers_count': 0, 'size': 108, 'default_branch': repo.default_branch,
         'open_issues_count': n_open, 'is_template': False, 'topics': [],
         'has_issues': repo.has_issues, 'has_projects': True, 'has_wiki': True, 'has_pages': False, 'has_downloads': True,
         'has_discussions': False, 'archived': repo.archived, 'disabled': False,
         'visibility': 'private' if repo.private else 'public', 'pushed_at': iso(repo.created),
         'created_at': iso(repo.created), 'updated_at': iso(repo.created), 'license': None, 'forks': 0, 'watchers': 0,
         'open_issues': n_open, 'allow_forking': True,
         'web_commit_signoff_required': False}
    if req.login:
        p = req.world.perm(repo, req.login)
        rank = {'read': 0, 'triage': 1, 'write': 2, 'maintain': 3, 'admin': 4}[p]
        d['permissions'] = {'admin': rank >= 4, 'maintain': rank >= 3, 'push': rank >= 2, 'triage': rank >= 1, 'pull': True}
    if full:
        d.update(network_count=0, subscribers_count=0)
    return d


def association(req, repo, login):
    if (login or '').lower() == repo.owner.lower():
        return 'OWNER'
    return 'COLLABORATOR' if (login or '').lower() in repo.perms else 'NONE'


def urls(req, repo, *tail):
    return '%s/repos/%s/%s/%s' % (req.base, repo.owner, repo.name, '/'.join(str(x) for x in tail))


def web_url(req, repo, *tail):
    return '%s/%s/%s/%s' % (req.web, repo.owner, repo.name, '/'.join(str(x) for x in tail))


def issue(req, repo, t, one=False):
    u = urls(req, repo, 'issues', t.number)
    web = web_url(req, repo, 'pull' if t.change else 'issues', t.number)
    d = {'url': u, 'repository_url': '%s/repos/%s/%s' % (req.base, repo.owner, repo.name), 'labels_url': u + '/labels{/name}',
         'comments_url': u + '/comments', 'events_url': u + '/events', 'html_url': web, 'id': t.id,
         'node_id': node_id('PR' if t.change else 'I', t.change.id if t.change else t.id), 'number': t.number,
         'title': t.title, 'user': user(req, t.user), 'labels': [label(req, repo, repo.labels[x.lower()]) for x in t.labels],
         'state': t.state, 'locked': t.locked, 'assignee': user(req, t.assignees[0]) if t.assignees else None,
         'assignees': [user(req, x) for x in t.assignees], 'milestone': milestone(req, repo, repo.milestones.get(t.milestone)),
         'comments': len(t.comments), 'created_at': iso(t.created), 'updated_at': iso(t.updated), 'closed_at': iso(t.closed),
         'author_association': association(req, repo, t.user), 'active_lock_reason': None, 'body': t.body,
         'reactions': rollup(t, u), 'timeline_url': u + '/timeline', 'performed_via_github_app': None,
         'state_reason': t.reason}
    if t.change:
        p = urls(req, repo, 'pulls', t.number)
        d['draft'] = t.change.draft
        d['pull_request'] = {'url': p, 'html_url': web, 'diff_url': web + '.diff', 'patch_url': web + '.patch',
                             'merged_at': iso(t.change.merged)}
    if one:
        d['closed_by'] = user(req, t.closed_by)
    return d


def branch(req, repo, ref, sha, head_repo=None):
    r = repository(req, repo)
    return {'label': repo.owner + ':' + ref, 'ref': ref, 'sha': sha, 'user': user(req, repo.owner), 'repo': r}


def pull(req, repo, t, one=False):
    c = t.change
    p, i = urls(req, repo, 'pulls', t.number), urls(req, repo, 'issues', t.number)
    web = web_url(req, repo, 'pull', t.number)
    d = {'url': p, 'id': c.id, 'node_id': node_id('PR', c.id), 'html_url': web, 'diff_url': web + '.diff',
         'patch_url': web + '.patch', 'issue_url': i, 'number': t.number, 'state': t.state, 'locked': t.locked,
         'title': t.title, 'user': user(req, t.user), 'body': t.body, 'created_at': iso(t.created),
         'updated_at': iso(t.updated), 'closed_at': iso(t.closed), 'merged_at': iso(c.merged),
         'merge_commit_sha': sha_of('merge' + c.head), 'assignee': user(req, t.assignees[0]) if t.assignees else None,
         'assignees': [user(req, x) for x in t.assignees], 'requested_reviewers': [user(req, x) for x in t.reviewers],
         'requested_teams': [], 'labels': [label(req, repo, repo.labels[x.lower()]) for x in t.labels],
         'milestone': milestone(req, repo, repo.milestones.get(t.milestone)), 'draft': c.draft, 'commits_url': p + '/commits',
         'review_comments_url': p + '/comments', 'review_comment_url': urls(req, repo, 'pulls/comments{/number}'),
         'comments_url': i + '/comments', 'statuses_url': urls(req, repo, 'statuses', c.head),
         'head': branch(req, repo, c.head_ref, c.head), 'base': branch(req, repo, c.base_ref, c.base),
         '_links': {k: {'href': v} for k, v in {
             'self': p, 'html': web, 'issue': i, 'comments': i + '/comments', 'review_comments': p + '/comments',
             'review_comment': urls(req, repo, 'pulls/comments{/number}'), 'commits': p + '/commits',
             'statuses': urls(req, repo, 'statuses', c.head)}.items()},
         'author_association': association(req, repo, t.user), 'auto_merge': None, 'active_lock_reason': None}
    if one:
        files = c.files or {}
        text = ''.join(f.patch for f in files.values())
        d.update(merged=c.merged is not None, mergeable=None if c.merged else True, rebaseable=None if c.merged else True,
                 mergeable_state='unknown' if c.merged else 'clean', merged_by=user(req, c.merged_by), comments=len(t.comments),
                 review_comments=len(t.rcomments), maintainer_can_modify=False, commits=len(c.shas),
                 additions=text.count('\n+'), deletions=text.count('\n-'), changed_files=len(files))
    return d


def comment(req, repo, c):
    u = urls(req, repo, 'issues/comments', c.id)
    t = repo.tasks.get(c.task)
    return {'url': u, 'html_url': web_url(req, repo, 'pull' if t and t.change else 'issues', '%d#issuecomment-%d' % (c.task, c.id)),
            'issue_url': urls(req, repo, 'issues', c.task), 'id': c.id, 'node_id': node_id('IC', c.id),
            'user': user(req, c.user), 'created_at': iso(c.created), 'updated_at': iso(c.updated), 'body': c.body,
            'author_association': association(req, repo, c.user), 'reactions': rollup(c, u), 'performed_via_github_app': None}


def rcomment(req, repo, c):
    u, p = urls(req, repo, 'pulls/comments', c.id), urls(req, repo, 'pulls', c.task)
    web = web_url(req, repo, 'pull', '%d#discussion_r%d' % (c.task, c.id))
    d = {'url': u, 'pull_request_review_id': c.review, 'id': c.id, 'node_id': node_id('PRRC', c.id), 'diff_hunk': c.hunk,
         'path': c.path, 'commit_id': c.commit, 'original_commit_id': c.original_commit, 'user': user(req, c.user),
         'body': c.body, 'created_at': iso(c.created), 'updated_at': iso(c.updated), 'html_url': web,
         'pull_request_url': p, 'author_association': association(req, repo, c.user),
         '_links': {'self': {'href': u}, 'html': {'href': web}, 'pull_request': {'href': p}},
         'reactions': rollup(c, u), 'start_line': c.start_line, 'original_start_line': c.original_start_line,
         'start_side': c.start_side, 'line': c.line, 'original_line': c.original_line, 'side': c.side or 'RIGHT',
         'original_position': c.original_line or 1, 'position': c.line if c.subject == 'line' else 1, 'subject_type': c.subject}
    if c.subject == 'file':
        del d['line'], d['original_line']
    if c.reply_to:
        d['in_reply_to_id'] = c.reply_to
    return d


def legacy_rcomment(req, repo, c):
    """As a review's own comments are listed: without lines."""
    d = rcomment(req, repo, c)
    for k in ('subject_type', 'start_line', 'original_start_line', 'start_side', 'line', 'original_line', 'side'):
        d.pop(k, None)
    return d


def review(req, repo, r):
    p = urls(req, repo, 'pulls', r.task)
    web = web_url(req, repo, 'pull', '%d#pullrequestreview-%d' % (r.task, r.id))
    d = {'id': r.id, 'node_id': node_id('PRR', r.id), 'user': user(req, r.user), 'body': r.body or '',
         'state': 'DISMISSED' if r.dismissed else r.state, 'html_url': web, 'pull_request_url': p,
         'author_association': association(req, repo, r.user), '_links': {'html': {'href': web}, 'pull_request': {'href': p}},
         'commit_id': r.commit}
    if r.submitted:
        d['submitted_at'] = iso(r.submitted)
    return d


def ccomment(req, repo, c):
    u = urls(req, repo, 'comments', c.id)
    return {'html_url': web_url(req, repo, 'commit', '%s#commitcomment-%d' % (c.commit, c.id)), 'url': u, 'id': c.id,
            'node_id': node_id('CC', c.id), 'user': user(req, c.user), 'position': c.position, 'line': c.line,
            'path': c.path, 'commit_id': c.commit, 'created_at': iso(c.created), 'updated_at': iso(c.updated),
            'author_association': association(req, repo, c.user), 'body': c.body, 'reactions': rollup(c, u)}


def reaction(req, r):
    return {'id': r.id, 'node_id': node_id('REA', r.id), 'user': user(req, r.user), 'content': r.content,
            'created_at': iso(r.created)}


# -- reading -----------------------------------------------------------------------------------------------------
def get_me(req):
    if not req.login:
        raise Fail(401, {'message': 'Requires authentication'})
    return Resp(200, whole_user(req, req.login, True))


def get_user(req, login):
    if login.lower() not in req.world.users:
        raise Fail(404)
    return Resp(200, whole_user(req, login, False))


def get_limits(req):
    limit = req.conf['rate_limit']
    w = rate_of(req)
    one = {'limit': limit, 'used': limit - max(0, w[0]), 'remaining': max(0, w[0]), 'reset': w[1]}
    return Resp(200, {'resources': {'core': one, 'search': dict(one, limit=30, used=0, remaining=30), 'graphql': one},
                      'rate': one})


def get_meta(req):
    return Resp(200, {'verifiable_password_authentication': False, 'installed_version': req.conf['version'] or '3.19.0'})


def get_repo(req, o, r):
    return Resp(200, repository(req, repo_at(req, o, r), True))


def by_id(req, rid, rest=None):
    """/repositories/ID/…: where a moved repository is."""
    for repo in req.world.repos.values():
        if repo.id == int(rid):
            req.path = '/repos/%s/%s%s' % (repo.owner, repo.name, '/' + rest if rest else '')
            return handle(req)
    raise Fail(404)


def list_issues(req, o, r):
    repo = repo_at(req, o, r, area='issues')
    if not repo.has_issues:
        raise Fail(410, {'message': 'Issues are disabled for this repo'})
    state = choice(req, 'state', ('open', 'closed', 'all'), 'open')
    since = since_of(req)
    want = [x.lower() for x in req.arg('labels', '').split(',') if x]
    with req.world.lock:
        items = [t for t in req.world.listed(list(repo.tasks.values())) if state in ('all', t.state)
                 and (since is None or t.updated >= since)
                 and all(x in [y.lower() for y in t.labels] for x in want)]
        if 'creator' in req.q:
            items = [t for t in items if t.user.lower() == req.q['creator'].lower()]
        if 'assignee' in req.q and req.q['assignee'] != '*':
            who = req.q['assignee'].lower()
            items = [t for t in items if (not t.assignees if who == 'none' else who in [x.lower() for x in t.assignees])]
        items = sort_by(req, items, 'created', ('created', 'updated', 'comments'), 'desc')
        return page_of(req, items, lambda t: issue(req, repo, t))


def get_issue(req, o, r, n):
    repo = repo_at(req, o, r, area='issues')
    return Resp(200, issue(req, repo, task_at(req, repo, n), True))


def list_pulls(req, o, r):
    repo = repo_at(req, o, r, area='pull_requests')
    state = choice(req, 'state', ('open', 'closed', 'all'), 'open')
    with req.world.lock:
        items = [t for t in req.world.listed(list(repo.tasks.values())) if t.change and state in ('all', t.state)]
        if 'base' in req.q:
            items = [t for t in items if t.change.base_ref == req.q['base']]
        if 'head' in req.q:
            items = [t for t in items if repo.owner + ':' + t.change.head_ref == req.q['head']]
        by = choice(req, 'sort', ('created', 'updated', 'popularity', 'long-running'), 'created')
        items = sort_by(req, items, 'created', ('created', 'updated', 'popularity', 'long-running'),
                        'desc' if 'sort' not in req.q or by == 'created' else 'asc')
        return page_of(req, items, lambda t: pull(req, repo, t))


def get_pull(req, o, r, n):
    repo = repo_at(req, o, r, area='pull_requests')
    t = task_at(req, repo, n, True)
    if 'diff' in req.headers.get('Accept', ''):
        text = ''.join('diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n%s\n' % (f.path, f.path, f.path, f.path, f.patch)
                       for f in (t.change.files or {}).values())
        return Resp(200, raw=text.encode(), kind='application/vnd.github.v3.diff; charset=utf-8')
    return Resp(200, pull(req, repo, t, True))


def list_files(req, o, r, n):
    repo = repo_at(req, o, r, area='pull_requests')
    t = task_at(req, repo, n, True)
    return page_of(req, list((t.change.files or {}).values()), lambda f: file_of(req, repo, t.change.head, f))


def comments_of_task(req, o, r, n):
    repo = repo_at(req, o, r, area='issues')
    t = task_at(req, repo, n)
    since = since_of(req)
    with req.world.lock:
        items = [c for c in req.world.listed([repo.comments[i] for i in t.comments]) if since is None or c.updated >= since]
        return page_of(req, sorted(items, key=lambda c: c.id), lambda c: comment(req, repo, c))


def directed(req, items):
    """direction counts only together with sort."""
    if 'sort' not in req.q:
        return sorted(items, key=lambda c: c.id)
    return sort_by(req, items, 'created', ('created', 'updated', 'created_at'), 'desc')


def comments_of_repo(req, o, r):
    repo = repo_at(req, o, r, area='issues')
    since = since_of(req)
    with req.world.lock:
        items = [c for c in req.world.listed(list(repo.comments.values())) if since is None or c.updated >= since]
        return page_of(req, directed(req, items), lambda c: comment(req, repo, c))


def rcomments_of_repo(req, o, r, n=None):
    repo = repo_at(req, o, r, area='pull_requests')
    since = since_of(req)
    with req.world.lock:
        pool = repo.rcomments.values() if n is None else [repo.rcomments[i] for i in task_at(req, repo, n, True).rcomments]
        items = [c for c in req.world.listed([c for c in pool if repo.reviews[c.review].state != 'PENDING'])
                 if since is None or c.updated >= since]
        return page_of(req, directed(req, items), lambda c: rcomment(req, repo, c))


def one_of(table, n):
    x = table.get(int(n))
    if x is None:
        raise Fail(404)
    return x


def visible(req, repo, c):
    rv = repo.reviews[c.review]
    if rv.state == 'PENDING' and rv.user != req.login:
        raise Fail(404)
    return c


def get_comment(req, o, r, n):
    repo = repo_at(req, o, r, area='issues')
    return Resp(200, comment(req, repo, one_of(repo.comments, n)))


def get_rcomment(req, o, r, n):
    repo = repo_at(req, o, r, area='pull_requests')
    return Resp(200, rcomment(req, repo, visible(req, repo, one_of(repo.rcomments, n))))


def list_reviews(req, o, r, n):
    repo = repo_at(req, o, r, area='pull_requests')
    t = task_at(req, repo, n, True)
    with req.world.lock:
        items = [x for x in req.world.listed([repo.reviews[i] for i in t.reviews])
                 if x.state != 'PENDING' or x.user == req.login]
        return page_of(req, items, lambda x: review(req, repo, x))


def review_at(req, repo, n, rid):
    t = task_at(req, repo, n, True)
    rv = one_of(repo.reviews, rid)
    if rv.task != t.number or (rv.state == 'PENDING' and rv.user != req.login):
        raise Fail(404)
    return t, rv


def get_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, area='pull_requests')
    return Resp(200, review(req, repo, review_at(req, repo, n, rid)[1]))


def comments_of_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, area='pull_requests')
    _, rv = review_at(req, repo, n, rid)
    items = req.world.listed([repo.rcomments[i] for i in rv.comments])
    return page_of(req, items, lambda c: legacy_rcomment(req, repo, c))


def list_ccomments(req, o, r, sha=None):
    repo = repo_at(req, o, r, area='contents')
    items = [c for c in req.world.listed(list(repo.ccomments.values())) if sha is None or c.commit == sha]
    if sha is not None and sha not in repo.commits and not repo.any_commit:
        raise Fail(422, {'message': 'No commit found for SHA: ' + sha})
    return page_of(req, sorted(items, key=lambda c: c.id), lambda c: ccomment(req, repo, c))


def file_of(req, repo, sha, f):
    d = {'sha': f.sha, 'filename': f.path, 'status': f.status, 'additions': f.patch.count('\n+'),
         'deletions': f.patch.count('\n-'), 'changes': f.patch.count('\n+') + f.patch.count('\n-'),
         'blob_url': web_url(req, repo, 'blob', sha, quote(f.path)), 'raw_url': web_url(req, repo, 'raw', sha, quote(f.path)),
         'contents_url': urls(req, repo, 'contents', quote(f.path) + '?ref=' + sha), 'patch': f.patch}
    if f.previous:
        d['previous_filename'] = f.previous
    return d


def get_commit(req, o, r, sha):
    """The head of a change, with the change's files; of others only the frame."""
    repo = repo_at(req, o, r, area='contents')
    t = next((t for t in repo.tasks.values() if t.change and t.change.head == sha), None)
    if t is None and sha not in repo.commits:
        raise Fail(422, {'message': 'No commit found for SHA: ' + sha})
    u, who = urls(req, repo, 'commits', sha), t.user if t else repo.owner
    stamp = {'name': who, 'email': who + '@example.org', 'date': iso(t.created if t else repo.created)}
    files = [file_of(req, repo, sha, f) for f in ((t.change.files or {}) if t else {}).values()]
    n = [sum(f[k] for f in files) for k in ('additions', 'deletions')]
    return Resp(200, {'url': u, 'sha': sha, 'node_id': node_id('C', 1), 'html_url': web_url(req, repo, 'commit', sha),
                      'comments_url': u + '/comments', 'author': user(req, who), 'committer': user(req, who), 'parents': [],
                      'commit': {'url': urls(req, repo, 'git/commits', sha), 'author': stamp, 'committer': stamp,
                                 'message': t.title if t else 'a commit', 'comment_count': 0,
                                 'tree': {'sha': sha_of('tree' + sha), 'url': urls(req, repo, 'git/trees', sha_of('tree' + sha))}},
                      'stats': {'additions': n[0], 'deletions': n[1], 'total': sum(n)}, 'files': files})


def get_ccomment(req, o, r, n):
    repo = repo_at(req, o, r, area='contents')
    return Resp(200, ccomment(req, repo, one_of(repo.ccomments, n)))


def list_labels(req, o, r):
    repo = repo_at(req, o, r, area='issues')
    return page_of(req, sorted(repo.labels.values(), key=lambda x: x.name.lower()), lambda x: label(req, repo, x))


def labels_of_task(req, o, r, n):
    repo = repo_at(req, o, r, area='issues')
    t = task_at(req, repo, n)
    return page_of(req, [repo.labels[x.lower()] for x in t.labels], lambda x: label(req, repo, x))


def list_milestones(req, o, r):
    repo = repo_at(req, o, r, area='issues')
    state = choice(req, 'state', ('open', 'closed', 'all'), 'open')
    return page_of(req, [m for m in repo.milestones.values() if state in ('all', m.state)], lambda m: milestone(req, repo, m))


def list_assignees(req, o, r):
    repo = repo_at(req, o, r, area='issues')
    return page_of(req, sorted(repo.perms), lambda x: user(req, x))


def may_be_assigned(req, repo, login):
    return login.lower() in repo.perms and login.lower() in req.world.users


def check_assignee(req, o, r, login):
    repo = repo_at(req, o, r, area='issues')
    if not may_be_assigned(req, repo, login):
        raise Fail(404)
    return Resp(204)


def get_permission(req, o, r, login):
    repo = repo_at(req, o, r)
    if login.lower() not in req.world.users:
        raise Fail(404)
    p = req.world.perm(repo, login) or 'none'
    return Resp(200, {'permission': {'maintain': 'write', 'triage': 'read'}.get(p, p), 'role_name': p,
                      'user': {**user(req, login), 'role_name': p}})


def get_timeline(req, o, r, n):
    repo = repo_at(req, o, r, area='issues')
    t = task_at(req, repo, n)
    return page_of(req, t.events, lambda e: event(req, repo, e))


def event(req, repo, e):
    d = {'id': e.id, 'node_id': node_id('EV', e.id), 'url': urls(req, repo, 'issues/events', e.id),
         'actor': user(req, e.actor), 'event': e.event, 'commit_id': None, 'commit_url': None, 'created_at': iso(e.created),
         'performed_via_github_app': None}
    if hasattr(e, 'label'):
        d['label'] = {'name': e.label, 'color': 'ededed'}
    if hasattr(e, 'assignee'):
        d['assignee'] = user(req, e.assignee)
        d['assigner'] = user(req, e.actor)
    if hasattr(e, 'old'):
        d['rename'] = {'from': e.old, 'to': e.new}
    if hasattr(e, 'milestone'):
        d['milestone'] = {'title': e.milestone}
    if e.event in ('closed', 'reopened'):
        d['state_reason'] = None
    return d


def list_notifications(req, *a):
    if not req.login:
        raise Fail(401, {'message': 'Requires authentication'})
    return Resp(200, [], {'X-Poll-Interval': '60', 'Last-Modified': 'Thu, 01 Jan 2026 00:00:00 GMT'})


def no_events(req, o, r):
    repo_at(req, o, r)
    return Resp(200, [])


# -- writing -----------------------------------------------------------------------------------------------------
def names(req, key):
    v = req.json.get(key) if isinstance(req.json, dict) else req.json
    if v is None:
        return []
    if isinstance(v, str):
        v = [v]
    out = [x if isinstance(x, str) else (x or {}).get('name') if isinstance(x, dict) else None for x in v]
    if None in out:
        invalid('Invalid request.\n\nNo subschema in "anyOf" matched.')
    return out


def open_for_talk(req, repo, t):
    if t.locked and not req.world.can(repo, req.login, 'write'):
        raise Fail(403, {'message': 'Unable to create comment because issue is locked.'})


def new_issue(req, o, r):
    repo = repo_at(req, o, r, area='issues')
    if not repo.has_issues:
        raise Fail(410, {'message': 'Issues are disabled for this repo'})
    j, w = req.json, req.world
    title = j.get('title')
    if not isinstance(title, (str, int)) or not str(title).strip():
        invalid('Validation Failed', {'resource': 'Issue', 'code': 'missing_field', 'field': 'title'})
    if len(str(title)) > 256:
        invalid('Validation Failed', {'resource': 'Issue', 'code': 'custom', 'field': 'title',
                                      'message': 'title is too long (maximum is 256 characters)'})
    may = w.can(repo, req.login, 'triage')
    who = names(req, 'assignees') or ([j['assignee']] if j.get('assignee') else [])
    if may and [x for x in who if not may_be_assigned(req, repo, x)]:
        invalid('Validation Failed', {'resource': 'Issue', 'code': 'invalid', 'field': 'assignees', 'value': who[0]})
    if may and j.get('milestone') and int(j['milestone']) not in repo.milestones:
        invalid('Validation Failed', {'resource': 'Issue', 'code': 'invalid', 'field': 'milestone'})
    with w.change():
        t = w.add_task(repo, req.login, str(title), text_of(req, 'body', False))
        if may:
            t.labels = [w.label(repo, x).name for x in names(req, 'labels')]
            t.assignees = [w.user(x).login for x in who]
            t.milestone = int(j['milestone']) if j.get('milestone') else None
        return Resp(201, issue(req, repo, t, True), {'Location': urls(req, repo, 'issues', t.number)})


def mine_or(req, repo, login, need):
    if (login or '').lower() != (req.login or '').lower() and not req.world.can(repo, req.login, need):
        raise Fail(403, {'message': 'Must have admin rights to Repository.'})


def edit_issue(req, o, r, n, change=False):
    repo = repo_at(req, o, r, area='pull_requests' if change else 'issues')
    t, w, j = task_at(req, repo, n, change), req.world, req.json
    mine_or(req, repo, t.user, 'triage')
    state = j.get('state')
    if state not in (None, 'open', 'closed'):
        invalid('Validation Failed', {'resource': 'Issue', 'code': 'invalid', 'field': 'state'})
    if 'title' in j and (j['title'] is not None and not str(j['title']).strip()):
        invalid('Validation Failed', {'resource': 'Issue', 'code': 'missing_field', 'field': 'title'})
    if j.get('milestone') is not None and int(j['milestone']) not in repo.milestones:
        invalid('Validation Failed', {'resource': 'Issue', 'code': 'invalid', 'field': 'milestone'})
    if state == 'open' and t.change and t.change.merged:
        invalid('Validation Failed', {'resource': 'PullRequest', 'code': 'custom', 'field': 'state',
                                      'message': 'state cannot be changed. The pull request was merged.'})
    with w.change():
        w.bump(t)
        if j.get('title') is not None:
            w.event(t, 'renamed', req.login, old=t.title, new=str(j['title']))
            t.title = str(j['title'])
        if 'body' in j:
            t.body = text_of(req, 'body', False)
            t.content_version += 1
        if w.can(repo, req.login, 'triage'):
            if 'labels' in j:
                t.labels = [w.label(repo, x).name for x in names(req, 'labels')]
            if 'assignees' in j:
                t.assignees = [w.user(x).login for x in names(req, 'assignees') if may_be_assigned(req, repo, x)]
            if 'milestone' in j:
                t.milestone = None if j['milestone'] is None else int(j['milestone'])
        if state:
            w.set_state(repo, t, req.login, state, j.get('state_reason'))
        return Resp(200, (pull if change else issue)(req, repo, t, True))


def edit_pull(req, o, r, n):
    return edit_issue(req, o, r, n, True)


def add_labels(req, o, r, n):
    repo = repo_at(req, o, r, 'triage', 'issues')
    t, w = task_at(req, repo, n), req.world
    new = names(req, 'labels')
    with w.change():
        w.bump(t)
        if req.method == 'PUT':
            t.labels = []
        for x in new:
            name = w.label(repo, x).name
            if name not in t.labels:
                t.labels.append(name)
                w.event(t, 'labeled', req.login, label=name)
        return Resp(200, [label(req, repo, repo.labels[x.lower()]) for x in t.labels])


def drop_label(req, o, r, n, name=None):
    repo = repo_at(req, o, r, 'triage', 'issues')
    t, w = task_at(req, repo, n), req.world
    if name is not None and name.lower() not in [x.lower() for x in t.labels]:
        raise Fail(404, {'message': 'Label does not exist'})
    with w.change():
        w.bump(t)
        t.labels = [x for x in t.labels if name is not None and x.lower() != name.lower()]
        if name is None:
            return Resp(204)
        w.event(t, 'unlabeled', req.login, label=name)
        return Resp(200, [label(req, repo, repo.labels[x.lower()]) for x in t.labels])


def new_label(req, o, r):
    repo = repo_at(req, o, r, 'write', 'issues')
    name = text_of(req, 'name')
    if name.lower() in repo.labels:
        invalid('Validation Failed', {'resource': 'Label', 'code': 'already_exists', 'field': 'name'})
    with req.world.change():
        return Resp(201, label(req, repo, req.world.label(repo, name, req.json.get('color', 'ededed'), req.json.get('description'))))


def set_assignees(req, o, r, n):
    repo = repo_at(req, o, r, 'triage', 'issues')
    t, w = task_at(req, repo, n), req.world
    who = names(req, 'assignees')
    with w.change():
        w.bump(t)
        for x in who:
            if req.method == 'DELETE':
                t.assignees = [y for y in t.assignees if y.lower() != x.lower()]
            elif may_be_assigned(req, repo, x) and w.user(x).login not in t.assignees and len(t.assignees) < 10:
                t.assignees.append(w.user(x).login)      # others are dropped without a word
                w.event(t, 'assigned', req.login, assignee=w.user(x).login)
        return Resp(201 if req.method == 'POST' else 200, issue(req, repo, t, True))


def new_comment(req, o, r, n):
    repo = repo_at(req, o, r, area='issues')
    t = task_at(req, repo, n)
    open_for_talk(req, repo, t)
    body = text_of(req)
    with req.world.change():
        c = req.world.add_comment(repo, t, req.login, body)
        return Resp(201, comment(req, repo, c), {'Location': urls(req, repo, 'issues/comments', c.id)})


def edit_note(table, render, area, forget):
    def fn(req, o, r, n):
        repo = repo_at(req, o, r, area=area)
        c = one_of(getattr(repo, table), n)
        if table == 'rcomments':
            visible(req, repo, c)
        mine_or(req, repo, c.user, 'write')
        with req.world.change():
            if req.method == 'DELETE':
                forget(req.world, repo, c)
                return Resp(204)
            req.world.edit_body(c, text_of(req))
            return Resp(200, render(req, repo, c))
    return fn


change_comment = edit_note('comments', comment, 'issues', lambda w, r, c: w.delete_comment(r, c))
change_rcomment = edit_note('rcomments', rcomment, 'pull_requests', lambda w, r, c: w.delete_rcomment(r, c))
change_ccomment = edit_note('ccomments', ccomment, 'contents', lambda w, r, c: r.ccomments.pop(c.id))


def check_lines(req, t, path, line, side, start_line, start_side, batch=False):
    """GitHub takes notes on lines of the diff only."""
    files = t.change.files

    def bad(field, message):
        if batch:
            invalid('Unprocessable Entity', message)
        invalid('Validation Failed', {'resource': 'PullRequestReviewComment', 'code': 'invalid', 'field': field})
    if side not in (None, 'LEFT', 'RIGHT'):
        bad('side', 'Side is invalid')
    if start_line is not None and line is not None and start_line > line:
        bad('start_line', 'Start line must precede the end line')
    if files is None or not req.conf['strict_lines']:
        return
    f = files.get(path)
    if f is None:
        bad('pull_request_review_thread.path', 'Path could not be resolved')
    for n, s in ((line, side), (start_line, start_side or side)):
        if n is not None and n not in (f.old if s == 'LEFT' else f.new):
            bad('pull_request_review_thread.line', 'Line could not be resolved')


def no_pending(req, repo, t):
    if req.world.pending_review(repo, t, req.login):
        invalid('Validation Failed', {'resource': 'PullRequestReview', 'code': 'custom', 'field': 'user_id',
                                      'message': 'user_id can only have one pending review per pull request'})


def whole(v, name):
    if v is not None and (not isinstance(v, int) or isinstance(v, bool) or v < 1):
        invalid('Invalid request.\n\nFor \'properties/%s\', %r is not an integer.' % (name, v))
    return v


def new_rcomment(req, o, r, n):
    repo = repo_at(req, o, r, area='pull_requests')
    t, j, w = task_at(req, repo, n, True), req.json, req.world
    open_for_talk(req, repo, t)
    body = text_of(req)
    no_pending(req, repo, t)
    if j.get('in_reply_to') is not None:
        return reply(req, repo, t, j['in_reply_to'], body)
    for k in ('commit_id', 'path'):
        if not isinstance(j.get(k), str) or not j[k]:
            invalid('Invalid request.\n\n"%s" wasn\'t supplied.' % k)
    subject = j.get('subject_type', 'line')
    if subject not in ('line', 'file'):
        invalid('Invalid request.\n\n%r is not a member of ["line", "file"].' % subject)
    line = whole(j.get('line', j.get('position')), 'line')
    start = whole(j.get('start_line'), 'start_line')
    if subject == 'line' and line is None:
        invalid('Invalid request.\n\n"position" wasn\'t supplied, "line" wasn\'t supplied.')
    if j['commit_id'] not in t.change.shas and t.change.files is not None:
        invalid('Validation Failed', {'resource': 'PullRequestReviewComment', 'code': 'custom', 'field': 'commit_id',
                                      'message': 'commit_id is not part of the pull request'})
    side = j.get('side', 'RIGHT')
    check_lines(req, t, j['path'], line if subject == 'line' else None, side, start, j.get('start_side'))
    with w.change():
        rv = w.add_review(repo, t, req.login, 'COMMENTED', '', j['commit_id'], implicit=True)
        c = w.add_rcomment(repo, t, rv, req.login, body, j['path'], line if subject == 'line' else None, side,
                           start, j.get('start_side'), subject, j['commit_id'])
        return Resp(201, rcomment(req, repo, c), {'Location': urls(req, repo, 'pulls/comments', c.id)})


def reply(req, repo, t, top, body):
    w = req.world
    root = repo.rcomments.get(int(top))
    if root is None or root.task != t.number or repo.reviews[root.review].state == 'PENDING':
        raise Fail(404)
    if root.reply_to is not None:
        invalid('Validation Failed', {'resource': 'PullRequestReviewComment', 'code': 'custom', 'field': 'in_reply_to_id',
                                      'message': 'in_reply_to_id must be the first comment of a thread'})
    with w.change():
        rv = w.add_review(repo, t, req.login, 'COMMENTED', '', root.original_commit, implicit=True)
        c = w.add_reply(repo, t, rv, req.login, root, body)
        return Resp(201, rcomment(req, repo, c), {'Location': urls(req, repo, 'pulls/comments', c.id)})


def new_reply(req, o, r, n, top):
    repo = repo_at(req, o, r, area='pull_requests')
    t = task_at(req, repo, n, True)
    open_for_talk(req, repo, t)
    body = text_of(req)
    no_pending(req, repo, t)
    return reply(req, repo, t, top, body)


VERDICTS = {'APPROVE': 'APPROVED', 'REQUEST_CHANGES': 'CHANGES_REQUESTED', 'COMMENT': 'COMMENTED'}


def check_verdict(req, t, event, body, n_comments):
    if event not in VERDICTS:
        invalid('Invalid request.\n\n%r is not a member of ["APPROVE", "REQUEST_CHANGES", "COMMENT"].' % event)
    if event != 'COMMENT' and t.user == req.login:
        invalid('Unprocessable Entity', 'Can not %s your own pull request' %
                ('approve' if event == 'APPROVE' else 'request changes on'))
    if event != 'APPROVE' and not (body or '').strip() and not n_comments:
        invalid('Unprocessable Entity', "Review cannot be blank")
    if event == 'REQUEST_CHANGES' and not (body or '').strip():
        invalid('Unprocessable Entity', "Body can't be blank")


def new_review(req, o, r, n):
    repo = repo_at(req, o, r, area='pull_requests')
    t, j, w = task_at(req, repo, n, True), req.json, req.world
    open_for_talk(req, repo, t)
    if w.pending_review(repo, t, req.login):
        invalid('Unprocessable Entity', 'User can only have one pending review per pull request')
    body, event, notes = text_of(req, 'body', False), j.get('event') or None, j.get('comments') or []
    if event:
        check_verdict(req, t, event, body, len(notes))
    if j.get('commit_id') and j['commit_id'] not in t.change.shas and t.change.files is not None:
        invalid('Unprocessable Entity', 'Commit is not part of the pull request')
    for c in notes:
        if set(c) - {'path', 'position', 'body', 'line', 'side', 'start_line', 'start_side'}:
            invalid('Invalid request.\n\nNo subschema in "oneOf" matched: extra %s.' % ', '.join(sorted(set(c))))
        if not c.get('path') or not (c.get('body') or '').strip() or c.get('line', c.get('position')) is None:
            invalid('Unprocessable Entity', 'Path, line and body are needed')
        check_lines(req, t, c['path'], whole(c.get('line', c.get('position')), 'line'), c.get('side', 'RIGHT'),
                    whole(c.get('start_line'), 'start_line'), c.get('start_side'), True)
    with w.change():
        rv = w.add_review(repo, t, req.login, VERDICTS.get(event, 'PENDING'), body or '', j.get('commit_id'))
        for c in notes:
            w.add_rcomment(repo, t, rv, req.login, c['body'], c['path'], c.get('line', c.get('position')),
                           c.get('side', 'RIGHT'), c.get('start_line'), c.get('start_side'), commit=j.get('commit_id'))
        return Resp(200, review(req, repo, rv))


def submit_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, area='pull_requests')
    t, rv = review_at(req, repo, n, rid)
    if rv.state != 'PENDING':
        invalid('Unprocessable Entity', 'Can not submit a review that is not pending')
    body = text_of(req, 'body', False)
    check_verdict(req, t, req.json.get('event'), body or rv.body, len(rv.comments))
    with req.world.change():
        req.world.submit_review(repo, t, rv, VERDICTS[req.json['event']], body)
        return Resp(200, review(req, repo, rv))


def edit_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, area='pull_requests')
    _, rv = review_at(req, repo, n, rid)
    mine_or(req, repo, rv.user, 'admin')
    body = text_of(req)
    with req.world.change():
        req.world.edit_body(rv, body)
        return Resp(200, review(req, repo, rv))


def delete_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, area='pull_requests')
    t, rv = review_at(req, repo, n, rid)
    if rv.state != 'PENDING':
        invalid('Unprocessable Entity', 'Can not delete a non-pending pull request review')
    with req.world.change():
        d = review(req, repo, rv)
        req.world.delete_review(repo, t, rv)
        return Resp(200, d)


def dismiss_review(req, o, r, n, rid):
    repo = repo_at(req, o, r, 'write', 'pull_requests')
    t, rv = review_at(req, repo, n, rid)
    text_of(req, 'message')
    if rv.state not in ('APPROVED', 'CHANGES_REQUESTED'):
        invalid('Unprocessable Entity', 'Can not dismiss a commented pull request review')
    with req.world.change():
        req.world.touch(rv)
        rv.dismissed = True
        req.world.bump(t)
        return Resp(200, review(req, repo, rv))


def new_ccomment(req, o, r, sha):
    repo = repo_at(req, o, r, area='contents')
    body, j = text_of(req), req.json
    if sha not in repo.commits and not repo.any_commit:
        invalid('No commit found for SHA: ' + sha)
    with req.world.change():
        c = req.world.add_ccomment(repo, req.login, sha, body, j.get('path'), j.get('position'), j.get('line'))
        repo.commits.add(sha)
        return Resp(201, ccomment(req, repo, c), {'Location': urls(req, repo, 'comments', c.id)})


def reactions(find, area):
    def listing(req, *a):
        repo = repo_at(req, a[0], a[1], area=area)
        x = find(req, repo, *a[2:])
        items = [v for (_, c), v in x.reactions.items() if req.arg('content') in (None, c)]
        return page_of(req, items, lambda v: reaction(req, v))

    def add(req, *a):
        repo = repo_at(req, a[0], a[1], area=area)
        x = find(req, repo, *a[2:])
        if req.json.get('content') not in REACTIONS:
            invalid('Validation Failed', {'resource': 'Reaction', 'code': 'invalid', 'field': 'content'})
        with req.world.change():
            v, new = req.world.react(x, req.login, req.json['content'])
            return Resp(201 if new else 200, reaction(req, v))

    def drop(req, *a):
        repo = repo_at(req, a[0], a[1], area=area)
        x = find(req, repo, *a[2:-1])
        for key, v in list(x.reactions.items()):
            if v.id == int(a[-1]) and v.user.lower() == req.login.lower():
                with req.world.change():
                    req.world.touch(x)
                    del x.reactions[key]
                return Resp(204)
        raise Fail(404)
    return listing, add, drop


def set_lock(req, o, r, n):
    repo = repo_at(req, o, r, 'triage', 'issues')
    t = task_at(req, repo, n)
    with req.world.change():
        req.world.bump(t)
        t.locked = req.method == 'PUT'
    return Resp(204)


def set_reviewers(req, o, r, n):
    repo = repo_at(req, o, r, 'triage', 'pull_requests')
    t = task_at(req, repo, n, True)
    who = names(req, 'reviewers')
    if [x for x in who if not may_be_assigned(req, repo, x)]:
        invalid('Reviews may only be requested from collaborators.')
    with req.world.change():
        req.world.bump(t)
        t.reviewers = [x for x in t.reviewers if x not in who] + (who if req.method == 'POST' else [])
        return Resp(201 if req.method == 'POST' else 200, pull(req, repo, t))


def merge(req, o, r, n):
    repo = repo_at(req, o, r, 'write', 'pull_requests')
    t, w = task_at(req, repo, n, True), req.world
    if t.change.merged or t.state == 'closed':
        raise Fail(405, {'message': 'Pull Request is not mergeable'})
    if req.json.get('sha') not in (None, t.change.head):
        raise Fail(409, {'message': 'Head branch was modified. Review and try the merge again.'})
    with w.change():
        t.change.merged, t.change.merged_by = w.now(), req.login
        w.set_state(repo, t, req.login, 'closed')
    return Resp(200, {'sha': sha_of('merge' + t.change.head), 'merged': True, 'message': 'Pull Request successfully merged'})


R = '/repos/{o}/{r}'
on_task = reactions(lambda req, repo, n: task_at(req, repo, n), 'issues')
on_comment = reactions(lambda req, repo, n: one_of(repo.comments, n), 'issues')
on_rcomment = reactions(lambda req, repo, n: visible(req, repo, one_of(repo.rcomments, n)), 'pull_requests')
on_ccomment = reactions(lambda req, repo, n: one_of(repo.ccomments, n), 'contents')
ROUTES = compile_routes([
    ('GET', '/user', get_me), ('GET', '/users/{u}', get_user), ('GET', '/rate_limit', get_limits), ('GET', '/meta', get_meta),
    ('GET', '/notifications', list_notifications), ('GET', R + '/notifications', list_notifications),
    ('GET', R, get_repo), ('GET', R + '/events', no_events),
    *[(m, '/repositories/{n}', by_id) for m in ('GET', 'POST', 'PATCH', 'PUT', 'DELETE')],
    *[(m, '/repositories/{n}/{rest+}', by_id) for m in ('GET', 'POST', 'PATCH', 'PUT', 'DELETE')],
    ('GET', R + '/issues', list_issues), ('POST', R + '/issues', new_issue),
    ('GET', R + '/issues/comments', comments_of_repo),
    ('GET', R + '/issues/comments/{n}', get_comment), ('PATCH', R + '/issues/comments/{n}', change_comment),
    ('DELETE', R + '/issues/comments/{n}', change_comment),
    ('GET', R + '/issues/comments/{n}/reactions', on_comment[0]), ('POST', R + '/issues/comments/{n}/reactions', on_comment[1]),
    ('DELETE', R + '/issues/comments/{n}/reactions/{n}', on_comment[2]),
    ('GET', R + '/issues/{n}', get_issue), ('PATCH', R + '/issues/{n}', edit_issue),
    ('GET', R + '/issues/{n}/comments', comments_of_task), ('POST', R + '/issues/{n}/comments', new_comment),
    ('GET', R + '/issues/{n}/timeline', get_timeline), ('GET', R + '/issues/{n}/events', get_timeline),
    ('GET', R + '/issues/{n}/labels', labels_of_task), ('POST', R + '/issues/{n}/labels', add_labels),
    ('PUT', R + '/issues/{n}/labels', add_labels), ('DELETE', R + '/issues/{n}/labels', drop_label),
    ('DELETE', R + '/issues/{n}/labels/{name}', drop_label),
    ('POST', R + '/issues/{n}/assignees', set_assignees), ('DELETE', R + '/issues/{n}/assignees', set_assignees),
    ('PUT', R + '/issues/{n}/lock', set_lock), ('DELETE', R + '/issues/{n}/lock', set_lock),
    ('GET', R + '/issues/{n}/reactions', on_task[0]), ('POST', R + '/issues/{n}/reactions', on_task[1]),
    ('DELETE', R + '/issues/{n}/reactions/{n}', on_task[2]),
    ('GET', R + '/pulls', list_pulls), ('GET', R + '/pulls/comments', rcomments_of_repo),
    ('GET', R + '/pulls/comments/{n}', get_rcomment), ('PATCH', R + '/pulls/comments/{n}', change_rcomment),
    ('DELETE', R + '/pulls/comments/{n}', change_rcomment),
    ('GET', R + '/pulls/comments/{n}/reactions', on_rcomment[0]), ('POST', R + '/pulls/comments/{n}/reactions', on_rcomment[1]),
    ('DELETE', R + '/pulls/comments/{n}/reactions/{n}', on_rcomment[2]),
    ('GET', R + '/pulls/{n}', get_pull), ('PATCH', R + '/pulls/{n}', edit_pull), ('GET', R + '/pulls/{n}/files', list_files),
    ('PUT', R + '/pulls/{n}/merge', merge),
    ('GET', R + '/pulls/{n}/comments', rcomments_of_repo), ('POST', R + '/pulls/{n}/comments', new_rcomment),
    ('POST', R + '/pulls/{n}/comments/{n}/replies', new_reply),
    ('GET', R + '/pulls/{n}/reviews', list_reviews), ('POST', R + '/pulls/{n}/reviews', new_review),
    ('GET', R + '/pulls/{n}/reviews/{n}', get_review), ('PUT', R + '/pulls/{n}/reviews/{n}', edit_review),
    ('DELETE', R + '/pulls/{n}/reviews/{n}', delete_review), ('GET', R + '/pulls/{n}/reviews/{n}/comments', comments_of_review),
    ('POST', R + '/pulls/{n}/reviews/{n}/events', submit_review),
    ('PUT', R + '/pulls/{n}/reviews/{n}/dismissals', dismiss_review),
    ('POST', R + '/pulls/{n}/requested_reviewers', set_reviewers), ('DELETE', R + '/pulls/{n}/requested_reviewers', set_reviewers),
    ('GET', R + '/comments', list_ccomments), ('GET', R + '/comments/{n}', get_ccomment),
    ('PATCH', R + '/comments/{n}', change_ccomment), ('DELETE', R + '/comments/{n}', change_ccomment),
    ('GET', R + '/comments/{n}/reactions', on_ccomment[0]), ('POST', R + '/comments/{n}/reactions', on_ccomment[1]),
    ('DELETE', R + '/comments/{n}/reactions/{n}', on_ccomment[2]),
    ('GET', R + '/commits/{sha}', get_commit),
    ('GET', R + '/commits/{sha}/comments', list_ccomments), ('POST', R + '/commits/{sha}/comments', new_ccomment),
    ('GET', R + '/labels', list_labels), ('POST', R + '/labels', new_label), ('GET', R + '/milestones', list_milestones),
    ('GET', R + '/assignees', list_assignees), ('GET', R + '/assignees/{u}', check_assignee),
    ('GET', R + '/collaborators/{u}/permission', get_permission),
])
