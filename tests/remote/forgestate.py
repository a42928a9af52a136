# SPDX-License-Identifier: MIT
"""The state of the fake forge: one world, two dialects over it (forgegithub.py, forgegitea.py).

Nothing here knows HTTP or JSON shapes. Every change goes through World.change(), which holds the lock, counts the version
(pages that were written out are kept by it) and lets the object remember what it was before, so that lists can lag behind
as read replicas do: an object is in the lists only `lag` seconds after it was made, and as it was until then.
Ids: kinds count apart from the same number when ids is 'overlap', as GitHub's do; 'apart': one counter for all notes, as
Gitea's table of comments. They pass 2^31 on purpose. Times are whole seconds of the world's clock.
"""
import calendar, copy, hashlib, re, threading, time
from contextlib import contextmanager


def iso(t):
    return None if t is None else time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))


def parse_iso(s):
    """Seconds of an RFC 3339 time, fractions dropped; None where it is none."""
    m = re.fullmatch(r'(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|z|[+-]\d\d:?\d\d)?', s or '')
    if not m:
        m = re.fullmatch(r'(\d{4})-(\d\d)-(\d\d)', s or '')
        if not m:
            return None
        return seconds(m, False)
    t = seconds(m, True)
    z = m.group(7)
    if z and z not in 'Zz':
        z = z.replace(':', '')
        off = int(z[1:3]) * 3600 + int(z[3:5]) * 60
        t -= off if z[0] == '+' else -off
    return t


def seconds(m, clock):
    h = [int(m.group(i)) for i in (4, 5, 6)] if clock else [0, 0, 0]
    return calendar.timegm((int(m.group(1)), int(m.group(2)), int(m.group(3)), *h))


def sha_of(text):
    return hashlib.sha1(text.encode()).hexdigest()


class Bag:
    """Attributes, and what they were before the last change (for lagging lists)."""
    def __init__(self, **kw):
        self.__dict__.update(kw)
        self.__dict__.update(_old=None, _shown=0.0, _rev=0)

    def data(self):
        return {k: v for k, v in self.__dict__.items() if not k.startswith('_')}


def diff_lines(patch):
    """The lines a hunk text shows: (old numbers, new numbers) that can be commented on."""
    old, new, o, n = set(), set(), 0, 0
    for line in patch.split('\n'):
        m = re.match(r'@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@', line)
        if m:
            o, n = int(m.group(1)), int(m.group(2))
        elif line.startswith('+'):
            new.add(n)
            n += 1
        elif line.startswith('-'):
            old.add(o)
            o += 1
        elif line.startswith(' ') or line == '':
            if o and n:
                old.add(o)
                new.add(n)
                o, n = o + 1, n + 1
    return old, new


RANK = {'read': 0, 'triage': 1, 'write': 2, 'maintain': 3, 'admin': 4}
REACTIONS = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes']


class World:
    def __init__(self, ids='overlap'):
        self.lock = threading.RLock()
        self.version = 0
        self.ids = ids
        self.counters = {}
        self.users, self.tokens, self.repos, self.moved = {}, {}, {}, {}
        self.lag = 0.0
        self.settled = 0.0         # when the last lagging list will have caught up (monotonic)
        self.clock = None          # None: the real one
        self.ticks = time.monotonic   # what lags are counted in; a test that owns the clock sets its own
        self.user('ghost')

    # -- time and ids --------------------------------------------------------------------------------------------
    def now(self):
        return int(time.time() if self.clock is None else self.clock)

    def next_id(self, kind):
        base = {'comment': 2147483000, 'rcomment': 2147483000, 'ccomment': 2147483000, 'review': 2147483000,
                'task': 900000000, 'pr': 700000000, 'user': 1000, 'repo': 500000, 'label': 3000000, 'milestone': 40000,
                'reaction': 80000000, 'event': 6000000000}[kind]
        if self.ids == 'apart' and kind in ('comment', 'rcomment', 'ccomment'):
            kind = 'comment'
        n = self.counters.get(kind, base) + 1
        self.counters[kind] = n
        return n

    @contextmanager
    def change(self):
        with self.lock:
            self.version += 1
            yield

    def touch(self, *things, lag=None):
        """Remembers what a thing is in the lists until the lag is over; call before changing it."""
        for x in things:
            until = self.ticks() + (self.lag if lag is None else lag)
            self.settled = max(self.settled, until)
            if x._rev == 0:
                x._shown = until
            elif until > self.ticks():
                old = x._old if x._old and x._shown > self.ticks() else copy.copy(x)
                x._old, x._shown = old, until
            x._rev += 1

    def listed(self, things):
        """What a list shows of them now."""
        t = self.ticks()
        out = []
        for x in things:
            if x._shown <= t:
                out.append(x)
            elif x._old is not None:
                out.append(x._old)
        return out

    # -- people --------------------------------------------------------------------------------------------------
    def user(self, login, **kw):
        u = self.users.get(login.lower())
        if u is None:
            u = Bag(id=self.next_id('user'), login=login, name=kw.get('name'), email=kw.get('email'),
                    type=kw.get('type', 'User'), created=kw.get('created', 1300000000))
            self.users[login.lower()] = u
        for k, v in kw.items():
            setattr(u, k, v)
        return u

    def token(self, secret, login, kind='classic', scopes=None, permissions=None):
        self.tokens[secret] = Bag(login=self.user(login).login, kind=kind,
                                  scopes=['repo', 'read:user'] if scopes is None else scopes,
                                  permissions=permissions or {})

    # -- repositories --------------------------------------------------------------------------------------------
    def repo(self, full):
        return self.repos.get(full.lower())

    def add_repo(self, full, **kw):
        owner, name = full.split('/')
        self.user(owner, **({'type': kw.pop('owner_type')} if 'owner_type' in kw else {}))
        r = Bag(id=self.next_id('repo'), owner=self.user(owner).login, name=name, private=kw.pop('private', False),
                description=kw.pop('description', None), default_branch=kw.pop('default_branch', 'main'),
                archived=kw.pop('archived', False), has_issues=kw.pop('has_issues', True),
                perms={k.lower(): v for k, v in kw.pop('perms', {}).items()}, labels={}, milestones={}, tasks={},
                comments={}, rcomments={}, reviews={}, ccomments={}, resolved={}, commits=set(), gone={}, moved={},
                next_number=1, n_open=(-1, 0), created=self.now(), any_commit=kw.pop('any_commit', True))
        r.perms.setdefault(owner.lower(), 'admin')
        self.repos[full.lower()] = r
        return r

    def perm(self, repo, login):
        """'admin' … 'read', or None: may not see it."""
        p = repo.perms.get((login or '').lower())
        return p or (None if repo.private else 'read')

    def can(self, repo, login, need):
        p = self.perm(repo, login)
        return p is not None and login is not None and RANK[p] >= RANK[need]

    def label(self, repo, name, color='ededed', description=None):
        x = repo.labels.get(name.lower())
        if x is None:
            x = Bag(id=self.next_id('label'), name=name, color=color, description=description)
            repo.labels[name.lower()] = x
        return x

    def milestone(self, repo, title, **kw):
        for m in repo.milestones.values():
            if m.title == title:
                return m
        n = len(repo.milestones) + 1
        m = Bag(id=self.next_id('milestone'), number=n, title=title, state=kw.get('state', 'open'),
                description=kw.get('description'), created=self.now(), updated=self.now(), due=None, creator=repo.owner)
        repo.milestones[n] = m
        return m

    # -- tasks ---------------------------------------------------------------------------------------------------
    def add_task(self, repo, author, title, body=None, change=None, **kw):
        n = kw.get('number') or repo.next_number
        repo.next_number = max(repo.next_number, n + 1)
        t = kw.get('created', self.now())
        task = Bag(id=self.next_id('task'), number=n, title=title, body=body, user=self.user(author).login,
                   state=kw.get('state', 'open'), reason=kw.get('reason'), labels=[], assignees=[],
                   milestone=None, locked=kw.get('locked', False), created=t, updated=kw.get('updated', t),
                   closed=kw.get('closed'), closed_by=kw.get('closed_by'), content_version=0, reactions={},
                   comments=[], rcomments=[], reviews=[], events=[], change=None, reviewers=[])
        for name in kw.get('labels', []):
            task.labels.append(self.label(repo, name).name)
        for login in kw.get('assignees', []):
            task.assignees.append(self.user(login).login)
        if kw.get('milestone'):
            task.milestone = self.milestone(repo, kw['milestone']).number
        if task.state == 'closed' and task.closed is None:
            task.closed = task.updated
        if change is not None:
            c = self.seed_time(dict(change))
            head = c.get('head') or sha_of('head %d' % n)
            base = c.get('base') or sha_of('base')
            files = c.get('files')
            task.change = Bag(id=self.next_id('pr'), head=head, base=base, head_ref=c.get('head_ref', 'topic-%d' % n),
                              base_ref=c.get('base_ref', repo.default_branch), draft=c.get('draft', False),
                              merged=c.get('merged'), merged_by=c.get('merged_by'), files=None, shas=[head],
                              head_repo=c.get('head_repo'))
            task.change.shas = list(dict.fromkeys(c.get('commits', []) + [head]))
            repo.commits.update(task.change.shas + [base])
            if files is not None:
                self.set_files(task, files)
            if c.get('merged'):
                task.state, task.closed = 'closed', c['merged']
        self.touch(task, lag=kw.get('lag'))
        repo.tasks[n] = task
        return task

    def set_files(self, task, files):
        task.change.files = {}
        for f in files:
            patch = f.get('patch', '')
            old, new = diff_lines(patch)
            task.change.files[f['path']] = Bag(path=f['path'], status=f.get('status', 'modified'), patch=patch,
                                               sha=f.get('sha') or sha_of(f['path'] + patch),
                                               previous=f.get('previous'), old=old, new=new)

    def bump(self, task, t=None):
        self.touch(task)
        task.updated = max(task.updated, t or self.now())

    def event(self, task, kind, actor, **kw):
        task.events.append(Bag(id=self.next_id('event'), event=kind, actor=actor, created=self.now(), **kw))

    def set_state(self, repo, task, login, state, reason=None):
        if task.state == state and (reason is None or reason == task.reason):
            return
        self.bump(task)
        task.state = state
        task.reason = reason or (None if state == 'open' else 'completed')
        task.closed = self.now() if state == 'closed' else None
        task.closed_by = login if state == 'closed' else None
        self.event(task, 'closed' if state == 'closed' else 'reopened', login)

    # -- notes ---------------------------------------------------------------------------------------------------
    def add_comment(self, repo, task, author, body, t=None, lag=None):
        t = self.now() if t is None else t
        c = Bag(id=self.next_id('comment'), task=task.number, user=self.user(author).login, body=body, created=t,
                updated=t, reactions={}, repo=repo.id)
        self.touch(c, lag=lag)
        self.bump(task, t)
        repo.comments[c.id] = c
        task.comments.append(c.id)
        return c

    def add_review(self, repo, task, author, state, body='', commit=None, t=None, implicit=False):
        t = self.now() if t is None else t
        r = Bag(id=self.next_id('review'), task=task.number, user=self.user(author).login, state=state, body=body,
                commit=commit or task.change.head, submitted=None if state == 'PENDING' else t, updated=t,
                comments=[], dismissed=False, reactions={}, comment_id=self.next_id('comment') if self.ids == 'apart' else None,
                implicit=implicit)
        self.touch(r)
        repo.reviews[r.id] = r
        task.reviews.append(r.id)
        if state != 'PENDING':
            self.bump(task, t)
        return r

    def pending_review(self, repo, task, login):
        for rid in task.reviews:
            r = repo.reviews.get(rid)
            if r and r.state == 'PENDING' and r.user.lower() == (login or '').lower():
                return r
        return None

    def add_rcomment(self, repo, task, review, author, body, path, line=None, side='RIGHT', start_line=None,
                     start_side=None, subject='line', commit=None, reply_to=None, t=None, lag=None):
        t = self.now() if t is None else t
        commit = commit or task.change.head
        c = Bag(id=self.next_id('rcomment'), task=task.number, review=review.id, user=self.user(author).login, body=body,
                path=path, line=line, side=side, start_line=start_line, start_side=start_side or
                (side if start_line else None), subject=subject, commit=task.change.head, original_commit=commit,
                original_line=line, original_start_line=start_line, reply_to=reply_to, created=t, updated=t, reactions={},
                hunk=self.hunk(task, path, side, line), minimized=None, repo=repo.id)
        self.touch(c, lag=lag)
        repo.rcomments[c.id] = c
        task.rcomments.append(c.id)
        review.comments.append(c.id)
        if review.state != 'PENDING':
            self.bump(task, t)
        return c

    def add_reply(self, repo, task, review, author, root, body, t=None):
        """On an outdated thread too: then only the original place is told."""
        c = self.add_rcomment(repo, task, review, author, body, root.path, root.original_line, root.side,
                              root.original_start_line, root.start_side, root.subject, root.original_commit, root.id, t)
        c.line, c.start_line, c.commit, c.hunk = root.line, root.start_line, root.commit, root.hunk
        return c

    def hunk(self, task, path, side, line):
        f = (task.change.files or {}).get(path)
        if not f or not f.patch or not line:
            return '@@ -%d,1 +%d,1 @@\n line' % (line or 1, line or 1)
        out, o, n = [], 0, 0
        for text in f.patch.split('\n'):
            m = re.match(r'@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@', text)
            if m:
                o, n = int(m.group(1)), int(m.group(2))
                out = [text]
                continue
            out.append(text)
            here = (o if side == 'LEFT' else n) if text[:1] in ('-' if side == 'LEFT' else '+', ' ') else None
            if here == line:
                return '\n'.join(out)
            o += text[:1] in ('-', ' ')
            n += text[:1] in ('+', ' ')
        return f.patch

    def submit_review(self, repo, task, review, event, body=None):
        self.touch(review)
        t = self.now()
        review.state, review.submitted, review.updated = event, t, t
        if body is not None:
            review.body = body
        for cid in review.comments:
            c = repo.rcomments[cid]
            self.touch(c)
            c.created = c.updated = t
        self.bump(task, t)

    def add_ccomment(self, repo, author, sha, body, path=None, position=None, line=None, t=None):
        t = self.now() if t is None else t
        c = Bag(id=self.next_id('ccomment'), user=self.user(author).login, commit=sha, body=body, path=path,
                position=position, line=line, created=t, updated=t, reactions={}, repo=repo.id)
        self.touch(c)
        repo.ccomments[c.id] = c
        return c

    def edit_body(self, x, body):
        self.touch(x)
        x.body, x.updated = body, self.now()

    def delete_comment(self, repo, c):
        task = repo.tasks[c.task]
        task.comments.remove(c.id)
        del repo.comments[c.id]

    def delete_rcomment(self, repo, c):
        task = repo.tasks[c.task]
        task.rcomments.remove(c.id)
        rv = repo.reviews.get(c.review)
        if rv and c.id in rv.comments:
            rv.comments.remove(c.id)
            if rv.implicit and not rv.comments and rv.id in task.reviews:
                task.reviews.remove(rv.id)
                del repo.reviews[rv.id]
        del repo.rcomments[c.id]
        heirs = [x for x in repo.rcomments.values() if x.reply_to == c.id]
        for x in heirs:        # the next one leads the thread
            self.touch(x)
            x.reply_to = None if x is heirs[0] else heirs[0].id
        if heirs and c.id in repo.resolved:
            repo.resolved[heirs[0].id] = repo.resolved.pop(c.id)

    def delete_task(self, repo, task):
        del repo.tasks[task.number]
        for table, ids in ((repo.comments, task.comments), (repo.rcomments, task.rcomments), (repo.reviews, task.reviews)):
            for i in ids:
                table.pop(i, None)

    def delete_review(self, repo, task, review):
        for cid in list(review.comments):
            review.implicit = False
            self.delete_rcomment(repo, repo.rcomments[cid])
        task.reviews.remove(review.id)
        del repo.reviews[review.id]

    def visible_rcomments(self, repo, login):
        """Those of pending reviews are nobody else's, and in no list but that review's."""
        return [c for c in repo.rcomments.values() if repo.reviews[c.review].state != 'PENDING']

    def react(self, x, login, content):
        """(the reaction, is it new)"""
        key = (login.lower(), content)
        if key in x.reactions:
            return x.reactions[key], False
        self.touch(x)
        r = x.reactions[key] = Bag(id=self.next_id('reaction'), user=login, content=content, created=self.now())
        return r, True

    def resolve(self, repo, root, login):
        self.touch(root)
        if login is None:
            repo.resolved.pop(root.id, None)
        else:
            repo.resolved[root.id] = login

    def push(self, repo, task, head, files=None, lines=None):
        """New commits on a change. lines: {comment id: new line or None where it is outdated}; others stay."""
        self.bump(task)
        c = task.change
        c.head = head
        c.shas.append(head)
        repo.commits.add(head)
        if files is not None:
            self.set_files(task, files)
        for cid in task.rcomments:
            x = repo.rcomments[cid]
            self.touch(x)
            move = (lines or {}).get(str(cid), x.line)
            if move is None:
                x.line = x.start_line = None
            else:
                if x.start_line:
                    x.start_line += move - x.line
                x.line, x.commit = move, head

    # -- seeding -------------------------------------------------------------------------------------------------
    def seed(self, d):
        """d: {users, tokens, repos:[{name, perms, labels, milestones, tasks:[…], bulk:{…}}]}; adds to what is there."""
        made = {}
        for u in d.get('users', []):
            self.user(**u)
        for t in d.get('tokens', []):
            t = dict(t)
            self.token(t.pop('token'), t.pop('login'), **t)
        for r in d.get('repos', []):
            r = dict(r)
            full = r.pop('name')
            tasks, bulk, cc = r.pop('tasks', []), r.pop('bulk', None), r.pop('commit_comments', [])
            labels, milestones = r.pop('labels', []), r.pop('milestones', [])
            repo = self.repo(full) or self.add_repo(full, **r)
            for x in labels:
                self.label(repo, **(x if isinstance(x, dict) else {'name': x}))
            for x in milestones:
                self.milestone(repo, x)
            made[full] = [self.seed_task(repo, x) for x in tasks]
            for x in cc:
                self.seed_ccomment(repo, x)
            if bulk:
                self.seed_bulk(repo, **bulk)
        return made

    def seed_time(self, d):
        for k in ('created', 'updated', 'closed', 't', 'merged'):
            if isinstance(d.get(k), str):
                d[k] = parse_iso(d[k])
        return d

    def seed_task(self, repo, d):
        d = self.seed_time(dict(d))
        notes, reviews, updated = d.pop('comments', []), d.pop('reviews', []), d.get('updated')
        task = self.add_task(repo, d.pop('user', repo.owner), d.pop('title', 'A task'), lag=0, **d)
        out = {'number': task.number, 'comments': [], 'reviews': []}
        for c in notes:
            c = self.seed_time(dict(c))
            x = self.add_comment(repo, task, c.get('user', repo.owner), c['body'], c.get('created'), lag=0)
            x.updated = c.get('updated', x.updated)
            out['comments'].append(x.id)
        for r in reviews:
            r = self.seed_time(dict(r))
            rv = self.add_review(repo, task, r.get('user', repo.owner), r.get('state', 'COMMENTED'), r.get('body', ''),
                                 r.get('commit'), r.get('created'))
            rv._shown = 0.0
            ids = []
            for c in r.get('comments', []):
                c = dict(c)
                reply = c.pop('reply', None)       # index in this review of the thread's first
                kw = dict(t=r.get('created'), lag=0)
                if reply is not None:
                    root = repo.rcomments[ids[reply]]
                    x = self.add_reply(repo, task, rv, c.get('user', rv.user), root, c['body'])
                    x._shown = 0.0
                else:
                    x = self.add_rcomment(repo, task, rv, c.pop('user', rv.user), c.pop('body'), c.pop('path'),
                                          c.pop('line', None), **{**c, **kw})
                ids.append(x.id)
            out['reviews'].append({'id': rv.id, 'comments': ids})
        if updated:
            task.updated = updated
        task._old, task._shown = None, 0.0
        return out

    def seed_ccomment(self, repo, c):
        c = self.seed_time(dict(c))
        repo.commits.add(c['commit'])
        x = self.add_ccomment(repo, c.get('user', repo.owner), c['commit'], c['body'], c.get('path'), c.get('position'),
                              c.get('line'), c.get('created'))
        x._shown = 0.0

    def seed_bulk(self, repo, issues=0, changes=0, comments=0, rcomments=0, start='2024-01-01T00:00:00Z', step=60,
                  users=8, seed=1):
        """Many: the same at every run. Comments are spread over all tasks, review comments over the changes."""
        t0 = parse_iso(start)
        logins = [self.user('user%d' % i, name='User Number %d' % i).login for i in range(users)]
        words = ('the retry budget of a request is spent by its parser cache sync pager editor index anchor thread line '
                 'commit branch when again never why three ops allow look here instead').split()
        rnd = Lcg(seed)
        text = lambda n: ' '.join(words[rnd.below(len(words))] for _ in range(n))
        for name in ('bug', 'docs', 'net', 'ui'):
            self.label(repo, name)
        total = issues + changes
        tasks = []
        every = total // changes if changes else 0
        for i in range(total):
            change = {} if every and i % every == every - 1 and i // every < changes else None
            t = t0 + i * step
            task = self.add_task(repo, logins[i % users], text(5 + rnd.below(6)), text(30 + rnd.below(60)) + '\r\n\r\n' +
                                 text(20), change, created=t, state='closed' if rnd.below(3) == 0 else 'open',
                                 labels=[('bug', 'docs', 'net', 'ui')[rnd.below(4)]] if rnd.below(2) else [], lag=0,
                                 assignees=[logins[rnd.below(users)]] if rnd.below(2) else [])
            tasks.append(task)
        for i in range(comments):
            task = tasks[i % total]
            self.add_comment(repo, task, logins[rnd.below(users)], text(10 + rnd.below(50)), task.created + 30 +
                             (i // total) * step, lag=0)
        pulls = [x for x in tasks if x.change]
        for i in range(rcomments if pulls else 0):
            task = pulls[i % len(pulls)]
            t = task.created + 45 + (i // len(pulls)) * step
            rv = self.add_review(repo, task, logins[rnd.below(users)], 'COMMENTED', '', t=t, implicit=True)
            rv._shown = 0.0
            self.add_rcomment(repo, task, rv, rv.user, text(8 + rnd.below(30)), 'src/file%d.c' % rnd.below(50),
                              1 + rnd.below(400), t=t, lag=0)
        for x in tasks:
            x._old, x._shown = None, 0.0

    # -- the oracle ----------------------------------------------------------------------------------------------
    def dump(self, repo, number=None):
        def plain(x):
            if isinstance(x, Bag):
                return {k: plain(v) for k, v in x.data().items()}
            if isinstance(x, dict):
                return {'/'.join(k) if isinstance(k, tuple) else str(k): plain(v) for k, v in x.items()}
            if isinstance(x, (set, frozenset)):
                return sorted(x)
            if isinstance(x, (list, tuple)):
                return [plain(v) for v in x]
            return x
        if number is None:
            return plain(repo)
        t = repo.tasks[number]
        return {'task': plain(t), 'comments': [plain(repo.comments[i]) for i in t.comments],
                'reviews': [plain(repo.reviews[i]) for i in t.reviews],
                'rcomments': [plain(repo.rcomments[i]) for i in t.rcomments],
                'resolved': {str(k): v for k, v in repo.resolved.items() if k in t.rcomments}}

    def find(self, text):
        """Every note and task whose body has this text: how many copies are there?"""
        out = []
        for repo in self.repos.values():
            for kind, table in (('task', repo.tasks), ('comment', repo.comments), ('rcomment', repo.rcomments),
                                ('review', repo.reviews), ('ccomment', repo.ccomments)):
                for x in table.values():
                    if text in (x.body or '') or text in getattr(x, 'title', ''):
                        out.append({'kind': kind, 'id': getattr(x, 'number', x.id) if kind == 'task' else x.id,
                                    'repo': repo.owner + '/' + repo.name, 'task': getattr(x, 'task', None),
                                    'user': x.user, 'body': x.body, 'state': getattr(x, 'state', None),
                                    'path': getattr(x, 'path', None), 'line': getattr(x, 'line', None)})
        return out


class Lcg:
    """Random numbers that are the same everywhere."""
    def __init__(self, seed):
        self.x = seed

    def below(self, n):
        self.x = (self.x * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.x >> 33) % n
