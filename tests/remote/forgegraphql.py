# SPDX-License-Identifier: MIT
"""GitHub's GraphQL of the fake forge: a small executor over the fields that review threads need, and those of `gh issue list`.

Fields, aliases, arguments, variables, fragments and the introspection name __typename are read as the language defines
them; a field that is not here is answered as GitHub answers an unknown one ("Field 'x' doesn't exist on type 'T'"), so
that a wrong query cannot pass. contract.py checks the queries themselves against GitHub's published schema.
"""
import re
from base64 import b64decode, b64encode
from forgestate import iso

TOKEN = re.compile(r'\s*(?:,|\#[^\n]*)*\s*(?:(\.\.\.|[{}()\[\]:=!@$|&])|("""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\]|\\.)*")|'
                   r'(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*))', re.S)


class Bad(Exception):
    def __init__(self, message, kind=None, path=None):
        super().__init__(message)
        self.kind, self.path = kind, path


class Parser:
    def __init__(self, text):
        self.toks, i = [], 0
        text = text.rstrip()
        while i < len(text):
            m = TOKEN.match(text, i)
            if not m:
                if not text[i:].strip(' \t\r\n,'):
                    break
                raise Bad('Parse error on %r' % text[i:i + 20])
            self.toks.append(next((k, g) for k, g in zip('psnw', m.groups()) if g is not None))
            i = m.end()
        self.i = 0

    def peek(self, v=None):
        t = self.toks[self.i] if self.i < len(self.toks) else ('e', '')
        return t if v is None else t[1] == v and t[0] in 'pw'

    def next(self):
        t = self.peek()
        self.i += 1
        return t

    def eat(self, v):
        if self.peek(v):
            self.i += 1
            return True
        return False

    def need(self, v):
        if not self.eat(v):
            raise Bad('Parse error: expected %s, got %r' % (v, self.peek()[1]))

    def document(self):
        ops, frags = [], {}
        while self.i < len(self.toks):
            if self.peek('{'):
                ops.append(('query', None, {}, self.selection()))
                continue
            word = self.next()[1]
            if word == 'fragment':
                name = self.next()[1]
                self.need('on')
                kind = self.next()[1]
                frags[name] = (kind, self.selection())
                continue
            if word not in ('query', 'mutation'):
                raise Bad('Parse error: %r' % word)
            name = None if self.peek()[1] in '({@' else self.next()[1]
            variables = {}
            if self.eat('('):
                while not self.eat(')'):
                    self.need('$')
                    var = self.next()[1]
                    self.need(':')
                    required = self.type()
                    variables[var] = (required, self.value() if self.eat('=') else None)
            ops.append((word, name, variables, self.selection()))
        return ops, frags

    def type(self):
        if self.eat('['):
            self.type()
            self.need(']')
        else:
            self.next()
        return self.eat('!')

    def selection(self):
        self.need('{')
        out = []
        while not self.eat('}'):
            if self.eat('...'):
                if self.eat('on'):
                    kind = self.next()[1]
                    out.append(('inline', kind, self.selection()))
                elif self.peek('{'):
                    out.append(('inline', None, self.selection()))
                else:
                    out.append(('spread', self.next()[1], None))
                continue
            name = alias = self.next()[1]
            if self.eat(':'):
                name = self.next()[1]
            args = {}
            if self.eat('('):
                while not self.eat(')'):
                    k = self.next()[1]
                    self.need(':')
                    args[k] = self.value()
            out.append(('field', alias, name, args, self.selection() if self.peek('{') else None))
        return out

    def value(self):
        k, v = self.next()
        if k == 'p' and v == '$':
            return ('var', self.next()[1])
        if k == 'p' and v == '[':
            out = []
            while not self.eat(']'):
                out.append(self.value())
            return ('list', out)
        if k == 'p' and v == '{':
            out = {}
            while not self.eat('}'):
                name = self.next()[1]
                self.need(':')
                out[name] = self.value()
            return ('object', out)
        if k == 's':
            if v.startswith('"""'):
                return ('is', v[3:-3])
            import json
            return ('is', json.loads(v))
        if k == 'n':
            return ('is', float(v) if '.' in v else int(v))
        if v in ('true', 'false', 'null'):
            return ('is', {'true': True, 'false': False, 'null': None}[v])
        return ('is', v)          # an enum's word


class Obj:
    """A GraphQL object: its type's name and its fields, values or functions of the arguments."""
    def __init__(self, kind, **fields):
        self.kind, self.fields = kind, fields


class Run:
    def __init__(self, variables, frags):
        self.variables, self.frags, self.errors = variables, frags, []

    def value(self, v):
        kind, x = v
        if kind == 'var':
            if x not in self.variables:
                raise Bad('Variable $%s is used but not declared' % x)
            return self.variables[x]
        if kind == 'list':
            return [self.value(y) for y in x]
        if kind == 'object':
            return {k: self.value(y) for k, y in x.items()}
        return x

    def select(self, obj, selection, path):
        if selection is None:
            raise Bad("Field must have selections (field '%s' returns %s but has no selections)" %
                      (path[-1] if path else '', obj.kind), 'selectionMismatch')
        out = {}
        for s in selection:
            if s[0] in ('inline', 'spread'):
                if s[0] == 'spread' and s[1] not in self.frags:
                    raise Bad('Fragment %s was used, but not defined' % s[1])
                kind, inner = self.frags[s[1]] if s[0] == 'spread' else (s[1], s[2])
                if kind in (None, obj.kind, 'Node', 'Actor'):
                    out.update(self.select(obj, inner, path))
                continue
            _, alias, name, args, inner = s
            if name == '__typename':
                out[alias] = obj.kind
                continue
            if name not in obj.fields:
                raise Bad("Field '%s' doesn't exist on type '%s'" % (name, obj.kind), 'undefinedField', path + [alias])
            v = obj.fields[name]
            if callable(v):
                given = {k: self.value(x) for k, x in args.items()}
                try:
                    v = v(**{k: x for k, x in given.items()})
                except TypeError as x:
                    raise Bad("Field '%s': %s" % (name, x), 'argumentNotAccepted', path + [alias])
                except Bad as x:
                    if x.kind == 'undefinedField':
                        raise
                    self.errors.append({'type': x.kind or 'UNPROCESSABLE', 'path': path + [alias], 'message': str(x),
                                        'locations': [{'line': 1, 'column': 1}]})
                    v = None
            elif args:
                raise Bad("Field '%s' doesn't accept argument '%s'" % (name, next(iter(args))), 'argumentNotAccepted')
            out[alias] = self.complete(v, inner, path + [alias])
        return out

    def complete(self, v, inner, path):
        if isinstance(v, Obj):
            return self.select(v, inner, path)
        if isinstance(v, list):
            return [self.complete(x, inner, path + [i]) for i, x in enumerate(v)]
        if inner is not None and v is not None:
            raise Bad("Selections can't be made on scalars (field '%s')" % path[-1], 'selectionMismatch')
        return v


def connection(kind, items, render, first=None, after=None, last=None):
    if first is None and last is None:
        raise Bad('You must provide a `first` or `last` value to properly paginate the `%s` connection.' % kind,
                  'MISSING_PAGINATION_BOUNDARIES')
    n = first if first is not None else last
    if n > 100 or n < 1:
        raise Bad('Requesting %d records on the `%s` connection exceeds the `first` limit of 100 records.' % (n, kind),
                  'EXCESSIVE_PAGINATION')
    at = 0
    if after:
        try:
            at = int(b64decode(after).decode().split(':')[1])
        except (ValueError, IndexError):
            raise Bad('`%s` does not appear to be a valid cursor.' % after, 'INVALID_CURSOR_ARGUMENTS')
    page = items[at:at + n] if first is not None else items[-n:]
    cursor = b64encode(b'cursor:%d' % (at + len(page))).decode()
    name = kind[0].upper() + kind[1:]
    return Obj(name + 'Connection', totalCount=len(items), nodes=[render(x) for x in page],
               edges=[Obj(name + 'Edge', node=render(x), cursor=b64encode(b'cursor:%d' % (at + i + 1)).decode())
                      for i, x in enumerate(page)],
               pageInfo=Obj('PageInfo', hasNextPage=at + n < len(items) if first is not None else False,
                            hasPreviousPage=at > 0, endCursor=cursor if page else None,
                            startCursor=b64encode(b'cursor:%d' % (at + 1)).decode() if page else None))


class Schema:
    """GitHub's types, as far as review threads go."""
    def __init__(self, req):
        import forgegithub
        self.req, self.w, self.gh = req, req.world, forgegithub

    def need(self, repo, write=False):
        try:
            if write:
                return self.gh.repo_at(WriteView(self.req), repo.owner, repo.name, area='pull_requests')
            return self.gh.repo_at(self.req, repo.owner, repo.name, area='pull_requests')
        except self.gh.Fail as f:
            raise Bad((f.obj or {}).get('message', 'Not Found'), 'FORBIDDEN' if f.status == 403 else 'NOT_FOUND')

    def actor(self, login):
        if not login:
            return None
        u = self.w.users.get(login.lower())
        return Obj('User', login=u.login, id=self.gh.node_id('U', u.id), name=u.name, databaseId=u.id,
                   url=self.req.web + '/' + u.login, email=u.email or '')

    def query(self):
        return Obj('Query', viewer=lambda: self.actor(self.req.login), repository=self.repository, node=self.node,
                   nodes=lambda ids: [self.node(i) for i in ids], rateLimit=lambda: self.limit(), __type=self.type_named)

    # Which fields a type has: gh asks before it uses those that are not on every Enterprise server.
    FIELDS = {'Issue': ('author', 'body', 'createdAt', 'databaseId', 'id', 'labels', 'number', 'state', 'title', 'updatedAt', 'url')}

    def type_named(self, name):
        if name not in self.FIELDS:
            return None
        return Obj('__Type', name=name, fields=lambda includeDeprecated=False: [Obj('__Field', name=x) for x in self.FIELDS[name]])

    def limit(self):
        w = self.gh.rate_of(self.req)
        return Obj('RateLimit', limit=self.req.conf['rate_limit'], cost=1, remaining=max(0, w[0]), resetAt=iso(w[1]),
                   used=self.req.conf['rate_limit'] - max(0, w[0]), nodeCount=1)

    def repository(self, owner, name, followRenames=True):
        full = (owner + '/' + name).lower()
        repo = self.w.repo(full) or (self.w.moved.get(full) if followRenames else None)
        if repo is None or self.w.perm(repo, self.req.login) is None:
            raise Bad("Could not resolve to a Repository with the name '%s/%s'." % (owner, name), 'NOT_FOUND')
        self.need(repo)
        return Obj('Repository', id=self.gh.node_id('R', repo.id), name=repo.name, nameWithOwner=repo.owner + '/' + repo.name,
                   isPrivate=repo.private, owner=lambda: self.actor(repo.owner),
                   hasIssuesEnabled=repo.has_issues, issues=lambda **args: self.issues(repo, **args),
                   pullRequest=lambda number: self.pull(repo, self.task(repo, number)),
                   pullRequests=lambda first=None, after=None, last=None, states=None, orderBy=None:
                   self.pulls(repo, first, after, last, states, orderBy))

    def task(self, repo, number):
        t = repo.tasks.get(number)
        if t is None or not t.change:
            raise Bad('Could not resolve to a PullRequest with the number of %d.' % number, 'NOT_FOUND')
        return t

    def issues(self, repo, first=None, after=None, last=None, states=None, orderBy=None, filterBy=None):
        if any((filterBy or {}).values()):
            raise Bad('This forge lists issues without filterBy')
        want = states if isinstance(states, list) else [states] if states else None
        items = [t for t in repo.tasks.values() if not t.change and (want is None or t.state.upper() in want)]
        if orderBy:
            by = {'UPDATED_AT': lambda t: (t.updated, t.id), 'CREATED_AT': lambda t: (t.created, t.id)}[orderBy['field']]
            items.sort(key=by, reverse=orderBy['direction'] == 'DESC')
        return connection('issue', items, lambda t: self.issue(repo, t), first, after, last)

    def issue(self, repo, t):
        out = Obj('Issue', id=self.gh.node_id('I', t.id), number=t.number, databaseId=t.id, title=t.title, state=t.state.upper(),
                  body=t.body, createdAt=iso(t.created), updatedAt=iso(t.updated), author=lambda: self.actor(t.user),
                  url=self.gh.web_url(self.req, repo, 'issues', t.number),
                  labels=lambda first=None, after=None, last=None:
                  connection('label', [repo.labels[x.lower()] for x in t.labels], self.label, first, after, last))
        assert set(out.fields) == set(self.FIELDS['Issue'])
        return out

    def label(self, x):
        return Obj('Label', id=self.gh.node_id('LA', x.id), name=x.name, color=x.color, description=x.description)

    def pulls(self, repo, first, after, last, states, order):
        items = [t for t in repo.tasks.values() if t.change]
        if states:
            want = states if isinstance(states, list) else [states]
            items = [t for t in items if ('MERGED' if t.change.merged else t.state.upper()) in want]
        if order:
            by = {'UPDATED_AT': lambda t: (t.updated, t.id), 'CREATED_AT': lambda t: (t.created, t.id)}[order['field']]
            items.sort(key=by, reverse=order['direction'] == 'DESC')
        return connection('pullRequest', items, lambda t: self.pull(repo, t), first, after, last)

    def pull(self, repo, t):
        return Obj('PullRequest', id=self.gh.node_id('PR', t.change.id), number=t.number, databaseId=t.change.id, title=t.title,
                   state='MERGED' if t.change.merged else t.state.upper(), updatedAt=iso(t.updated), createdAt=iso(t.created),
                   headRefOid=t.change.head, baseRefOid=t.change.base, isDraft=t.change.draft,
                   fullDatabaseId=str(t.change.id), url=self.gh.web_url(self.req, repo, 'pull', t.number),
                   author=lambda: self.actor(t.user), viewerCanUpdate=self.w.can(repo, self.req.login, 'triage'),
                   reviews=lambda first=None, after=None, last=None, states=None:
                   connection('pullRequestReview', self.seen_reviews(repo, t, states), lambda r: self.review(repo, r), first,
                              after, last),
                   reviewThreads=lambda first=None, after=None, last=None:
                   connection('pullRequestReviewThread', self.roots(repo, t), lambda c: self.thread(repo, t, c), first, after,
                              last))

    def roots(self, repo, t):
        return [c for c in (repo.rcomments[i] for i in t.rcomments) if c.reply_to is None and
                (repo.reviews[c.review].state != 'PENDING' or repo.reviews[c.review].user == self.req.login)]

    def thread(self, repo, t, root):
        me = self.req.login
        who = repo.resolved.get(root.id)
        talk = [root] + [c for c in (repo.rcomments[i] for i in t.rcomments) if c.reply_to == root.id]
        may = self.w.can(repo, me, 'write') or (me is not None and me == t.user)
        line = root.line if root.subject == 'line' else None
        return Obj('PullRequestReviewThread', id=self.gh.node_id('PRRT', root.id), isResolved=who is not None,
                   isOutdated=root.subject == 'line' and line is None, resolvedBy=lambda: self.actor(who), path=root.path,
                   line=line, startLine=root.start_line, originalLine=root.original_line, isCollapsed=who is not None,
                   originalStartLine=root.original_start_line, diffSide=root.side or 'RIGHT', startDiffSide=root.start_side,
                   subjectType=root.subject.upper(), viewerCanResolve=bool(may and who is None),
                   viewerCanUnresolve=bool(may and who is not None), viewerCanReply=me is not None and
                   (not t.locked or self.w.can(repo, me, 'write')), pullRequest=lambda: self.pull(repo, t),
                   repository=lambda: self.repository(repo.owner, repo.name),
                   comments=lambda first=None, after=None, last=None:
                   connection('pullRequestReviewComment', talk, lambda c: self.comment(repo, c), first, after, last))

    def comment(self, repo, c):
        root = c.reply_to and repo.rcomments.get(c.reply_to)
        small = c.id if c.id < 2 ** 31 else None        # an Int cannot hold it
        return Obj('PullRequestReviewComment', id=self.gh.node_id('PRRC', c.id), databaseId=small, fullDatabaseId=str(c.id),
                   body=c.body, createdAt=iso(c.created), updatedAt=iso(c.updated), author=lambda: self.actor(c.user),
                   path=c.path, state='PENDING' if repo.reviews[c.review].state == 'PENDING' else 'SUBMITTED',
                   isMinimized=c.minimized is not None, minimizedReason=c.minimized, line=c.line,
                   originalLine=c.original_line, outdated=c.subject == 'line' and c.line is None, diffHunk=c.hunk,
                   url=self.gh.web_url(self.req, repo, 'pull', '%d#discussion_r%d' % (c.task, c.id)),
                   viewerCanUpdate=c.user == self.req.login or self.w.can(repo, self.req.login, 'write'),
                   viewerCanDelete=c.user == self.req.login or self.w.can(repo, self.req.login, 'write'),
                   viewerDidAuthor=c.user == self.req.login,
                   replyTo=lambda: Obj('PullRequestReviewComment', id=self.gh.node_id('PRRC', root.id), fullDatabaseId=str(root.id))
                   if root else None)

    def seen_reviews(self, repo, t, states):
        mine = [repo.reviews[i] for i in t.reviews]
        return [r for r in self.w.listed(mine) if (r.state != 'PENDING' or r.user == self.req.login) and
                (not states or r.state in states)]

    def review(self, repo, r):
        return Obj('PullRequestReview', id=self.gh.node_id('PRR', r.id), fullDatabaseId=str(r.id),
                   state='DISMISSED' if r.dismissed else r.state, updatedAt=iso(r.updated),
                   createdAt=iso(r.updated), viewerDidAuthor=r.user == self.req.login,
                   commit=lambda: Obj('Commit', oid=r.commit),
                   databaseId=r.id if r.id < 2 ** 31 else None, body=r.body, author=lambda: self.actor(r.user),
                   url=self.gh.web_url(self.req, repo, 'pull', '%d#pullrequestreview-%d' % (r.task, r.id)),
                   submittedAt=iso(r.submitted))

    # -- by global id
    def lookup(self, kind, node):
        m = re.fullmatch(r'([A-Z]+)_([\w-]+)', node or '')
        if m:
            try:
                n = int(b64decode(m.group(2).replace('-', '+').replace('_', '/') + '==').decode())
            except ValueError:
                n = -1
            for repo in self.w.repos.values():
                if self.w.perm(repo, self.req.login) is None:
                    continue
                k = m.group(1)
                if k in ('PRRT', 'PRRC') and n in repo.rcomments and kind in (None, k):
                    c = repo.rcomments[n]
                    return k, repo, repo.tasks[c.task], c
                if k == 'PR' and kind in (None, k):
                    for t in repo.tasks.values():
                        if t.change and t.change.id == n:
                            return k, repo, t, t
                if k == 'PRR' and n in repo.reviews and kind in (None, k):
                    return k, repo, repo.tasks[repo.reviews[n].task], repo.reviews[n]
                if k == 'IC' and n in repo.comments and kind in (None, k):
                    return k, repo, repo.tasks[repo.comments[n].task], repo.comments[n]
        raise Bad("Could not resolve to a node with the global id of '%s'" % node, 'NOT_FOUND')

    def node(self, id):
        k, repo, t, x = self.lookup(None, id)
        if k == 'PRRT':
            return self.thread(repo, t, x)
        if k == 'PRRC':
            return self.comment(repo, x)
        if k == 'PR':
            return self.pull(repo, t)
        if k == 'PRR':
            return self.review(repo, x)
        raise Bad("Could not resolve to a node with the global id of '%s'" % id, 'NOT_FOUND')

    # -- mutations: input object in, payload out
    def mutation(self):
        if not self.req.login:
            raise Bad('This endpoint requires you to be authenticated.', 'FORBIDDEN')
        return Obj('Mutation', resolveReviewThread=lambda input: self.resolve(input, True),
                   unresolveReviewThread=lambda input: self.resolve(input, False), minimizeComment=self.minimize,
                   addPullRequestReviewThread=self.add_thread, addPullRequestReviewThreadReply=self.add_reply,
                   addPullRequestReview=self.add_review, submitPullRequestReview=self.submit)

    def payload(self, kind, input, **fields):
        return Obj(kind, clientMutationId=input.get('clientMutationId'), **fields)

    def resolve(self, input, yes):
        _, repo, t, root = self.lookup('PRRT', input.get('threadId'))
        self.need(repo, True)
        if not self.w.can(repo, self.req.login, 'write') and self.req.login != t.user:
            raise Bad('%s does not have permission to %s the review thread.' %
                      (self.req.login, 'resolve' if yes else 'unresolve'), 'FORBIDDEN')
        with self.w.change():
            self.w.resolve(repo, root, self.req.login if yes else None)
        return self.payload('ResolveReviewThreadPayload', input, thread=self.thread(repo, t, root))

    def minimize(self, input):
        _, repo, t, c = self.lookup(None, input.get('subjectId'))
        self.need(repo, True)
        with self.w.change():
            self.w.touch(c)
            c.minimized = input['classifier'].lower()
        return self.payload('MinimizeCommentPayload', input, minimizedComment=Obj(
            'PullRequestReviewComment', isMinimized=True, minimizedReason=c.minimized))

    def checked(self, fn, *a):
        try:
            return fn(*a)
        except self.gh.Fail as f:
            errors = (f.obj or {}).get('errors') or []
            m = errors[0] if errors and isinstance(errors[0], str) else errors[0].get('message') if errors else None
            raise Bad(m or (f.obj or {}).get('message', ''), 'UNPROCESSABLE')

    def add_thread(self, input):
        _, repo, t, x = self.lookup(None, input.get('pullRequestReviewId') or input.get('pullRequestId'))
        self.need(repo, True)
        subject = input.get('subjectType', 'LINE').lower()
        line = input.get('line') if subject == 'line' else None
        if subject == 'line' and line is None:
            raise Bad('line is needed', 'UNPROCESSABLE')
        if not (input.get('body') or '').strip():
            raise Bad("Body can't be blank", 'UNPROCESSABLE')
        self.checked(self.gh.check_lines, self.req, t, input['path'], line, input.get('side', 'RIGHT'),
                     input.get('startLine'), input.get('startSide'), True)
        with self.w.change():
            rv = self.w.pending_review(repo, t, self.req.login) or self.w.add_review(repo, t, self.req.login, 'PENDING')
            c = self.w.add_rcomment(repo, t, rv, self.req.login, input['body'], input['path'], line,
                                    input.get('side', 'RIGHT'), input.get('startLine'), input.get('startSide'), subject)
        return self.payload('AddPullRequestReviewThreadPayload', input, thread=self.thread(repo, t, c))

    def add_reply(self, input):
        _, repo, t, root = self.lookup('PRRT', input.get('pullRequestReviewThreadId'))
        self.need(repo, True)
        if not (input.get('body') or '').strip():
            raise Bad("Body can't be blank", 'UNPROCESSABLE')
        with self.w.change():
            rv = self.w.pending_review(repo, t, self.req.login)
            if rv is None:
                rv = self.w.add_review(repo, t, self.req.login, 'COMMENTED', '', root.original_commit, implicit=True)
            c = self.w.add_reply(repo, t, rv, self.req.login, root, input['body'])
        return self.payload('AddPullRequestReviewThreadReplyPayload', input, comment=self.comment(repo, c))

    def add_review(self, input):
        _, repo, t, x = self.lookup('PR', input.get('pullRequestId'))
        self.need(repo, True)
        event, body, threads = input.get('event'), input.get('body') or '', input.get('threads') or []
        if self.w.pending_review(repo, t, self.req.login):
            raise Bad('User can only have one pending review per pull request', 'UNPROCESSABLE')
        if event:
            self.checked(self.gh.check_verdict, self.req, t, event, body, len(threads))
        for n in threads:
            self.checked(self.gh.check_lines, self.req, t, n['path'], n.get('line'), n.get('side', 'RIGHT'),
                         n.get('startLine'), n.get('startSide'), True)
        with self.w.change():
            rv = self.w.add_review(repo, t, self.req.login, self.gh.VERDICTS.get(event, 'PENDING'), body, input.get('commitOID'))
            for n in threads:
                self.w.add_rcomment(repo, t, rv, self.req.login, n['body'], n['path'], n.get('line'), n.get('side', 'RIGHT'),
                                    n.get('startLine'), n.get('startSide'), commit=input.get('commitOID'))
        return self.payload('AddPullRequestReviewPayload', input, pullRequestReview=self.review(repo, rv))

    def submit(self, input):
        _, repo, t, rv = self.lookup('PRR', input.get('pullRequestReviewId'))
        self.need(repo, True)
        self.checked(self.gh.check_verdict, self.req, t, input.get('event'), input.get('body') or rv.body, len(rv.comments))
        with self.w.change():
            self.w.submit_review(repo, t, rv, self.gh.VERDICTS[input['event']], input.get('body'))
        return self.payload('SubmitPullRequestReviewPayload', input, pullRequestReview=self.review(repo, rv))


class WriteView:
    """The request, seen as a writing one."""
    def __init__(self, req):
        self.__dict__.update(req.__dict__)
        self.method = 'POST'

    def arg(self, name, default=None):
        return default


def handle(req):
    from forgewire import Fail, Resp
    if not req.login:
        raise Fail(401, {'message': 'This endpoint requires you to be authenticated.'})
    if not req.conf['graphql']:
        raise Fail(404)
    text, variables = req.json.get('query'), req.json.get('variables') or {}
    if not isinstance(text, str):
        raise Fail(400, {'message': 'A query attribute must be specified and must be a string.'})
    try:
        ops, frags = Parser(text).document()
        op = next((o for o in ops if o[1] == req.json.get('operationName')), ops[0] if ops else None)
        if op is None:
            raise Bad('No operation')
        values = {}
        for name, (required, default) in op[2].items():
            if name in variables:
                values[name] = variables[name]
            elif default is not None:
                values[name] = Run({}, {}).value(default)
            elif required:
                raise Bad('Variable $%s was provided invalid value' % name, 'INVALID')
            else:
                values[name] = None
        run = Run(values, frags)
        with req.world.lock:
            root = Schema(req).query() if op[0] == 'query' else Schema(req).mutation()
            data = run.select(root, op[3], [])
    except Bad as x:
        e = {'message': str(x), 'locations': [{'line': 1, 'column': 1}], 'extensions': {'code': x.kind}}
        if x.path:
            e['path'] = x.path
        return Resp(200, {'errors': [e]})
    out = {'data': data}
    if run.errors:
        out['errors'] = run.errors
    return Resp(200, out)
