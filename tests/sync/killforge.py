# SPDX-License-Identifier: MIT
"""killick is killed at every step of sending to a forge that loses answers, and started again: what was written is there once,
the outbox is empty, it is shown once, and one more sync writes nothing.

A point is (dialect, what is done, what goes wrong at the forge, where the client dies). It dies
    at its Nth step              KILLICK_DIE_AT=N: before and after each commit to the desk, line to killick-remote, answer
    before its Nth system call   of those that leave a trace (CALLS), by strace: killick itself, or killick-remote
and N counts up until a run gets through alive. The forge lives in this process; it and the client's files are set back
before each point, and both go by a clock of ours that stands still: a minute passes between two runs of killick, whatever this
machine does, so the real settings are tested (post.settle, 30 s) and nothing is waited for. A worker a core.

KILLICK_KILL_ALL=1 tries every N, else each so manieth, beginning elsewhere in each row. With sanitizers a
part of the steps, and no strace. The points are counted, and there must be enough of them. KILLICK_KILL_ONLY=REGEX picks rows.
"""
import concurrent.futures, json, multiprocessing, os, pickle, queue, re, shutil, socket, sqlite3, subprocess, sys, tempfile
import threading, time
SRC_ = os.environ.get('KILLICK_TEST_SRC', '.')
sys.path[:0] = [os.path.join(SRC_, 'tests'), os.path.join(SRC_, 'tests', 'remote')]
from tap import *
import forge as fake

ALL = bool(os.environ.get('KILLICK_KILL_ALL'))
SANITIZED = b'__asan_init' in open(BIN, 'rb').read()
PART = int(os.environ.get('KILLICK_KILL_PART', 5 if SANITIZED else 1))     # one in so many
CALLS = 'write,writev,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,mkdir,sendto,sendmsg,connect'
T0 = 1767326400                                                            # 2026-01-02
MINUTE = 60
STATES = ('queued', 'sending', 'unknown', 'held', 'refused', 'asks', 'done')
ROOT = tempfile.mkdtemp(prefix='killick-kill.', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)


class Server(fake.Server):
    """Knows when nobody is served any more."""
    def __init__(self, *a):
        self.busy, self.quiet = 0, threading.Condition()
        super().__init__(*a)

    def process_request(self, *a):
        with self.quiet:
            self.busy += 1
        super().process_request(*a)

    def process_request_thread(self, *a):
        try:
            super().process_request_thread(*a)
        finally:
            with self.quiet:
                self.busy -= 1
                self.quiet.notify_all()

    def settle(self):
        """Until all that was sent by clients that are gone has been read: connections are taken up in their order."""
        with socket.create_connection(self.server_address[:2]) as s:
            s.sendall(b'GET /_forge/counts HTTP/1.0\r\n\r\n')
            while s.recv(65536):
                pass
        with self.quiet:
            if not self.quiet.wait_for(lambda: self.busy == 0, 60):
                raise RuntimeError('the forge goes on serving')


class Client:
    """A user with a repository and one source, and the forge behind it."""

    def __init__(self, dialect):
        self.dialect, self.t, self.late, self.queued = dialect, T0, [], {}
        self.dir = tempfile.mkdtemp(prefix=dialect + '.', dir=ROOT)
        self.home, self.r = self.dir + '/home', self.dir + '/r'
        self.forge = fake.Forge('both')
        self.forge.conf.update(version='1.26.0', rate_limit=10 ** 9)
        self.forge.later = lambda delay, fn: self.late.append((self.t + delay, fn))
        self.server = Server(('127.0.0.1', 0), self.forge)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = 'http://127.0.0.1:%d' % self.server.server_address[1]
        self.env = {k: v for k, v in os.environ.items() if not re.match(r'XDG_|KILLICK_|GIT_|.*_proxy$', k)}
        self.env.update(HOME=self.home, LC_ALL='C.UTF-8', TZ='UTC', GIT_CONFIG_NOSYSTEM='1', KILLICK_TOKEN_F='t-ana',
                        KILLICK_REMOTE=REMOTE, ASAN_OPTIONS='detect_leaks=0')
        self.setup()

    # -- running -------------------------------------------------------------------------------------------------
    def sh(self, *a, **env):
        p = subprocess.run(a, env=dict(self.env, **env), cwd=self.r, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        return p.returncode, p.stdout.decode('utf-8', 'replace'), p.stderr.decode('utf-8', 'replace')

    def killick(self, *a, before=(), **env):
        clock = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(self.t))
        return self.sh(*before, BIN, *a, KILLICK_CLOCK=clock, **env)

    def pass_time(self, s=MINUTE):
        self.t += s
        self.forge.world.clock = self.forge.conf['clock'] = self.t
        due, self.late = [f for at, f in self.late if at <= self.t], [x for x in self.late if x[0] > self.t]
        for f in due:
            f()

    # -- the world, as it was --------------------------------------------------------------------------------------
    def files(self):
        for top in (self.home + '/.cache/killick', self.home + '/.local/share/killick'):
            for d, _, names in os.walk(top):
                for n in names:
                    if not n.endswith('-shm'):
                        yield os.path.join(d, n)

    def keep(self):
        w = self.forge.world
        with w.lock:
            world = pickle.dumps({k: v for k, v in w.__dict__.items() if k not in ('lock', 'ticks')})
        files = {}
        for f in self.files():
            with open(f, 'rb') as x:
                files[f] = x.read()
        return self.t, world, files

    def put_back(self, kept):
        self.server.settle()
        self.t, world, files = kept
        self.forge.world.__dict__.update(pickle.loads(world))
        self.forge.pages, self.forge.pages_bytes, self.forge.faults, self.forge.lines, self.late = {}, 0, [], [], []
        self.pass_time(0)
        for top in (self.home + '/.cache/killick', self.home + '/.local/share/killick'):
            shutil.rmtree(top, ignore_errors=True)
        for f, data in files.items():
            os.makedirs(os.path.dirname(f), 0o700, exist_ok=True)
            with open(f, 'wb') as x:
                x.write(data)
            os.chmod(f, 0o600)

    # -- before the first point --------------------------------------------------------------------------------------
    def setup(self):
        os.makedirs(self.home)
        os.makedirs(self.r + '/src')
        for a in (('user.name', 'Ana'), ('user.email', 'ana@example.org'), ('killick.post.delay', '0'),
                  ('killick.post.background', 'false'), ('init.defaultBranch', 'main')):
            self.sh('git', 'config', '--global', *a)
        self.sh('git', 'init', '-q', '--template=')
        for what, third in (('start', 'line 3'), ('change', 'zwei')):
            with open(self.r + '/src/a.c', 'w') as f:
                f.write(''.join('%s\n' % (third if i == 3 else 'line %d' % i) for i in range(1, 11)))
            self.sh('git', 'add', '.')
            self.sh('git', 'commit', '-qm', what)
            if what == 'start':
                base = self.sh('git', 'rev-parse', 'HEAD')[1].strip()
                self.sh('git', 'checkout', '-qb', 'topic')
        self.head = self.sh('git', 'rev-parse', 'HEAD')[1].strip()
        self.forge.world.ticks = lambda: self.t
        self.pass_time(0)
        w = self.forge.world
        with w.change():
            w.seed({'users': [{'login': 'ana'}, {'login': 'bob'}], 'tokens': [{'token': 't-ana', 'login': 'ana'}], 'repos': [{
                'name': 'acme/widget', 'perms': {'ana': 'write', 'bob': 'write'}, 'labels': ['bug'], 'tasks': [
                    {'title': 'Which release?', 'user': 'bob', 'body': 'x', 'created': T0 - 900, 'comments': [
                        {'user': 'bob', 'body': 'Next week?', 'created': T0 - 800},
                        {'user': 'ana', 'body': 'My old words', 'created': T0 - 700}]},
                    {'title': 'Retry', 'user': 'bob', 'body': 'x', 'created': T0 - 600, 'change': {
                        'head': self.head, 'base': base, 'head_ref': 'topic', 'files': [{'path': 'src/a.c', 'patch':
                            '@@ -1,6 +1,6 @@\n line 1\n line 2\n-line 3\n+zwei\n line 4\n line 5\n line 6'}]},
                     'reviews': [{'user': 'bob', 'state': 'COMMENTED', 'body': '', 'created': T0 - 500, 'comments': [
                         {'path': 'src/a.c', 'line': 3, 'body': 'This leaks'}]}]}]}]})
        self.pass_time()
        api = {'github': '/', 'gitea': '/api/v1/'}[self.dialect]
        out = self.killick('source', 'add', '--kind', self.dialect, '--api', self.url + api, '--web', self.url + '/',
                           '--project', 'acme/widget', '--name', 'f')
        for o in ('write-gap-ms', 'backoff-ms'):
            self.sh('git', 'config', 'killick.source.f.' + o, '1')
        out += self.killick('sync')
        threads = json.loads(self.killick('threads', '--json', 'source:f')[1] or '{"threads":[]}')['threads']
        if len(threads) < 2:
            raise RuntimeError('no threads: %r' % (out,))
        self.talk = [t['id'] for t in threads if t['title'] == 'Which release?'][0]
        self.code = [t['id'] for t in threads if t['anchor']['type'] == 'lines'][0]
        posts = json.loads(self.killick('show', self.talk, '--json')[1])['thread']['posts']
        self.mine = [p['id'] for p in posts if p['body'] == 'My old words'][0]
        self.task = [t['id'] for t in json.loads(self.killick('tasks', '--json')[1])['tasks'] if t['title'] == 'Which release?'][0]
        self.base = self.keep()

    def with_op(self, kind):
        """The client with one thing in its outbox."""
        if kind not in self.queued:
            self.put_back(self.base)
            self.pass_time()
            KINDS[kind][0](self)
            if [s for s, _, _ in self.rows()] != ['queued']:
                raise RuntimeError('%s: not one thing is queued: %r' % (kind, self.rows()))
            self.pass_time(1)
            self.queued[kind] = self.keep()
        return self.queued[kind]

    def do(self, *a):
        st, out, err = self.killick(*a)
        if st:
            raise RuntimeError('%r: %d %s' % (a, st, err))

    def desk(self):
        return sqlite3.connect(self.home + '/.local/share/killick/desk.db')

    def do_review(self):
        """No command makes one: a comment's row is made into it."""
        self.do('task', 'comment', self.task, '-m', TEXT)
        d = self.desk()
        row, op = d.execute('SELECT seq, op FROM outbox').fetchone()
        op = json.loads(op)
        note = {'id': 'ab' * 16, 'verb': 'code-note', 'task': '2', 'body': TEXT + ' beside it', 'head': self.head, 'anchor': {
            'type': 'lines', 'path': 'src/a.c', 'line': 4, 'end': 4, 'side': 'new', 'commit': self.head}}
        op.update(verb='review', task='2', head=self.head, verdict='comment', notes=[note])
        d.execute('UPDATE outbox SET op = ?, patch = NULL WHERE seq = ?', (json.dumps(op), row))
        d.commit()
        d.close()

    # -- what became of it -----------------------------------------------------------------------------------------
    def rows(self):
        d = self.desk()
        try:
            return [(STATES[s], p, i) for s, p, i in d.execute('SELECT state, problem, id FROM outbox ORDER BY seq')]
        finally:
            d.close()

    def find(self, text):
        with self.forge.world.lock:
            return [x for x in self.forge.world.find(text)]

    def resume(self):
        """Runs killick, a minute apart, until nothing waits."""
        for n in range(14):
            self.pass_time()
            self.killick('outbox', 'send')
            left = [r for r in self.rows() if r[0] != 'done']
            if not left:
                return ''
            for state, problem, i in left:
                if state == 'asks':         # lost twice, by the kill and by the fault, and not found: only the user can say
                    self.killick('outbox', 'retry', i)
                elif state in ('held', 'refused'):
                    return 'it is %s: %s' % (state, problem)
        return 'not sent: %r' % left

    def wrong(self, kind, fault):
        """After a further sync; '' when all is well."""
        shown, n = KINDS[kind][1], len(self.forge.lines)
        st, out, err = self.killick('sync', 'f')
        if st:
            return 'sync: %d %s' % (st, err)
        writes = [x for x in self.forge.lines[n:] if x['method'] != 'GET' and not x.get('body', '').startswith('{"query":"query')]
        if writes:
            return 'a further sync writes: %r' % writes
        bad = shown(self, 2 if fault == 'sent twice' and 'POST' in [x['method'] for x in self.forge.lines if x['fault']] else 1)
        return bad or ('' if not self.rows() or {r[0] for r in self.rows()} == {'done'} else 'left: %r' % self.rows())

    def copies(self, text, wanted, where):
        """So often there, and as often here, in the output of a command."""
        n = len(self.find(text))
        if n != wanted:
            return '%r is %d times at the forge' % (text, n)
        n = self.killick(*where)[1].count(text)
        return '' if n == wanted else '%r is shown %d times' % (text, n)


TEXT = 'alpha beta gamma'


def talk(c, n):
    return c.copies(TEXT, n, ('show', c.talk))


def remark(c, n):
    if len(c.find(TEXT)) != n:
        return '%d times at the forge' % len(c.find(TEXT))
    shown = c.killick('threads', '--jsonl', 'on:src')[1].count(TEXT)      # Gitea makes one thread of both
    return '' if shown in (1, n) else 'shown %d times' % shown


def edited(c, n):
    return talk(c, 1) or ('the old words are still there' if c.find('My old words') else '')


def closed(c, n):
    t = c.forge.world.repo('acme/widget').tasks[1]
    return 'open there' if t.state != 'closed' else '' if 'Which' in c.killick('tasks', 'is:closed')[1] else 'open here'


def made(c, n):
    return c.copies(TEXT, n, ('tasks',))


def reviewed(c, n):
    r = [x for x in c.forge.world.repo('acme/widget').reviews.values() if x.body and TEXT in x.body]
    notes = c.find(TEXT + ' beside it')
    if len(r) != n or len(notes) != n or any(x.state == 'PENDING' for x in r):
        return '%d reviews, %d notes, %r' % (len(r), len(notes), [x.state for x in r])
    return ''


def resolved(c, n):
    if len(c.forge.world.repo('acme/widget').resolved) != 1:
        return 'not resolved there'
    return '' if json.loads(c.killick('show', c.code, '--json')[1])['thread']['state'] == 'resolved' else 'not resolved here'


def gone(c, n):
    return 'still there' if c.find('My old words') else \
        'still here' if 'My old words' in c.killick('show', c.talk)[1] else ''


def reacted(c, n):
    t = [x for x in c.forge.world.repo('acme/widget').comments.values() if x.body == 'My old words'][0]
    here = c.killick('show', c.talk)[1].count('\u2764')
    return '' if len(t.reactions) == 1 and here == 1 else '%d reactions there, %d here' % (len(t.reactions), here)


def labelled(c, n):
    got = c.forge.world.repo('acme/widget').tasks[1].labels
    return '' if got == ['bug'] else 'labels there: %r' % got


KINDS = {
    'a comment': (lambda c: c.do('task', 'comment', c.task, '-m', TEXT), talk),
    'a reply': (lambda c: c.do('reply', c.code, '-m', TEXT), lambda c, n: c.copies(TEXT, n, ('show', c.code))),
    'a code thread': (lambda c: c.do('remark', 'src/a.c:4', '--to', 'f', '-m', TEXT), remark),
    'a review': (Client.do_review, reviewed),
    'an edit': (lambda c: c.do('edit', c.mine, '-m', TEXT), edited),
    'a deletion': (lambda c: c.do('retract', c.mine), gone),
    'a close': (lambda c: c.do('task', 'close', c.task), closed),
    'a new task': (lambda c: c.do('task', 'new', TEXT, '-m', 'body', '--to', 'f'), made),
    'a label': (lambda c: c.do('task', 'label', c.task, 'bug'), labelled),
    'a reaction': (lambda c: c.do('react', c.mine, 'heart'), reacted),
    'a resolution': (lambda c: c.do('resolve', c.code), resolved),
}
ONLY = {'a resolution': 'github'}         # Gitea has none


def rules(what, **kw):
    """The next write meets it: a request that changes something, or a mutation."""
    head = {'times': 1, 'do': what, **kw}
    plain = {**head, 'method': 'POST|PUT|PATCH|DELETE', 'path': r'^(?!.*/graphql)'}
    return [plain] if what == 'close-before-read' else [plain, {**head, 'method': 'POST', 'path': '/graphql', 'body': 'mutation'}]


FAULTS = {
    'nothing goes wrong': [],
    'closed before it was read': rules('close-before-read'),
    'closed after it was read': rules('close-after-read'),
    'done, and closed': rules('close-after-commit'),
    'done, and the answer cut': rules('half-reply'),
    'done, and 500': rules('error-after-commit'),
    'done late': rules('late-commit', delay=40),
    'hidden for a while': rules('lag', delay=25) ,
    'hidden for a while, and closed': [{**r, 'do': 'close-after-commit', 'lag': 25} for r in rules('close-after-commit')],
    'sent twice': rules('duplicate'),
}
# Not found at once, or not there: the next run looks again, and perhaps sends again.
UNDECIDED = ('closed before it was read', 'closed after it was read', 'done late', 'hidden for a while, and closed')
clients = {}


def client(dialect):
    if dialect not in clients:
        clients[dialect] = Client(dialect)
    return clients[dialect]


def point(c, kind, fault, run):
    """(did it die, what is wrong)"""
    c.put_back(c.with_op(kind))
    c.forge.faults = [dict(f) for f in FAULTS[fault]]
    died = run(c)
    c.server.settle()
    bad = c.resume() or c.wrong(kind, fault) if died or fault != 'nothing goes wrong' else ''
    return died, bad


def steps(c, n):
    return c.killick('outbox', 'send', KILLICK_DIE_AT=str(n))[0] == 100


def steps_after(c, n):
    """A first run ends by itself, whatever the forge did; the next one, which looks for what became of it, is killed."""
    c.killick('outbox', 'send')
    c.pass_time()
    return steps(c, n)


def strace(n):
    return ['strace', '-qq', '-o', '/dev/null', '-e', 'trace=' + CALLS, '-e', 'inject=%s:signal=KILL:when=%d' % (CALLS, n)]


def in_killick(c, n):
    return c.killick('outbox', 'send', before=strace(n))[0] in (-9, 137)


def in_remote(c, n):
    """killick-remote is killed; killick lives, and says what it says."""
    mark = c.dir + '/died'
    with open(c.dir + '/remote', 'w') as f:
        f.write('#!/bin/sh\nrm -f %s\n%s %s "$@"\nst=$?\n[ $st -ne 137 ] || : >%s\nexit $st\n' % (mark, ' '.join(strace(n)), REMOTE, mark))
    os.chmod(c.dir + '/remote', 0o755)
    if os.path.exists(mark):
        os.unlink(mark)
    c.killick('outbox', 'send', KILLICK_REMOTE=c.dir + '/remote')
    return os.path.exists(mark)


HOW = {'a step': (steps, 2), 'a step of the next run': (steps_after, 2), "killick's system calls": (in_killick, 8),
       "killick-remote's": (in_remote, 1)}


def row(r):
    """One row of points: (name, how many, what is wrong)."""
    i, dialect, kind, fault, how = r
    name = '%s: %s, %s, %s' % (dialect, kind, fault, how)
    try:
        c, (fn, stride) = client(dialect), HOW[how]
        stride = 1 if ALL else stride * PART
        n, count = 1 + i % stride, 0
        while n < 2000:
            died, bad = point(c, kind, fault, lambda c: fn(c, n))
            if bad:
                return name, count, 'killed at %d: %s' % (n, bad)
            if not died:
                return name, count, ''
            count, n = count + 1, n + stride
        return name, count, 'it dies for ever'
    except Exception as x:                  # of the test itself; the pool would not say where
        import traceback
        return name, 0, traceback.format_exc()


def worker(pipe):
    for r in iter(pipe.recv, None):
        pipe.send(row(r))


def rows(todo):
    """row() of each, in order, a process a core. (multiprocessing.Pool wants semaphores in /dev/shm, which a chroot may not have.)"""
    free = queue.Queue()
    for _ in range(os.cpu_count()):
        ours, theirs = multiprocessing.Pipe()
        multiprocessing.Process(target=worker, args=(theirs,), daemon=True).start()
        theirs.close()
        free.put(ours)

    def one(r):
        pipe = free.get()
        pipe.send(r)
        got = pipe.recv()
        free.put(pipe)
        return got

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(todo, pool.map(one, todo))


def main():
    traced = not SANITIZED and shutil.which('strace') and subprocess.run(strace(9) + ['true'], capture_output=True).returncode == 0
    todo = [(d, k, f, 'a step') for d in ('github', 'gitea') for k in KINDS for f in FAULTS]
    todo += [(d, k, f, 'a step of the next run') for d in ('github', 'gitea') for k in KINDS for f in UNDECIDED]
    if traced:
        todo += [(d, k, f, h) for d in ('github', 'gitea') for k in KINDS for h in list(HOW)[2:]
                 for f in ('nothing goes wrong', 'done, and closed')]
    elif not SANITIZED:
        skip('strace does not work here', 'killed at system calls')
    want = os.environ.get('KILLICK_KILL_ONLY', '')
    todo = [(i, *r) for i, r in enumerate(todo) if ONLY.get(r[1], r[0]) == r[0] and re.search(want, ', '.join(r))]
    began, points, groups = time.monotonic(), 0, {}
    for r, (name, n, bad) in rows(todo):
        g = groups.setdefault((r[1], r[2], r[4]), [0, []])
        g[0] += n
        if bad:
            g[1].append((name, bad))
        if want:
            diag('%d %s' % (n, name))
    for (dialect, kind, how), (n, bad) in groups.items():
        ok(not bad and (n or PART > 1), '%s: %s, killed %d times at %s' % (dialect, kind, n, how))
        for b in bad:
            diag('%s: %s' % b)
        points += n
    diag('%d points in %d s' % (points, time.monotonic() - began))
    if not want and 'KILLICK_KILL_PART' not in os.environ:
        ok(points >= (200 if SANITIZED else 3000 if traced else 1500), 'enough of them: %d' % points)


if __name__ == '__main__':
    try:
        main()
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    done()
