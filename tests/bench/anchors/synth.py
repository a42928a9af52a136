# SPDX-License-Identifier: MIT
"""Cases whose truth is known because they were made: an editor whose lines carry hidden numbers changes real files of a clone.

A world is a few files of the clone at its HEAD, in a repository of its own. Somebody comments on state A; then the editor
inserts code of the clone's other files, deletes, edits, renames identifiers, indents anew, splits and joins lines, wraps
blocks, moves them within the file, to another and to a new one, copies blocks and files, renames files and changes line ends.
Scenarios: linear; back (asked from the new commit about the old one); squash, amend (A has no way to the target but a base
that both share); rebase (upstream changed the upper halves of the files, A's work in the lower halves is replayed on top);
merge (the same, merged, asked from either parent). Another seed is another set: nothing can be tuned to it.

make(clone, scratch, seed, worlds) writes a bare repository at scratch and returns the cases:
{"id","from","path","line","to","truth": {"path","line"} or "gone","kind","scenario"}, ranges with "lines": [first, last].
"""
import random, re, subprocess

KINDS = ('unchanged', 'shifted', 'edited', 'renamed', 'moved', 'deleted')
WORDS = re.compile(r'[A-Za-z_]\w{2,}')
NOTHING = set('''else break continue return pass end endif fi done then try finally static void const NULL default public
private protected'''.split())


def trivial(text):
    words = re.findall(r'\w+', text)
    return sum(map(len, words)) < 4 or (len(words) <= 2 and words[0] in NOTHING)


class Line:
    __slots__ = ('id', 'text', 'moved')

    def __init__(self, text, id=None, moved=False):
        self.id, self.text, self.moved = id, text, moved


def copy_state(state):
    return {p: [Line(l.text, l.id, l.moved) for l in b] for p, b in state.items()}


class Editor:
    def __init__(self, rnd, donors):
        self.r, self.donors, self.fresh = rnd, donors, 0

    def size(self, mean, most):
        return min(1 + int(self.r.expovariate(1 / mean)), most)

    def code(self, n):
        f = self.r.choice(self.donors)
        i = self.r.randrange(max(1, len(f) - n))
        return [Line(t) for t in f[i:i + n]]

    def word(self):
        for _ in range(20):
            w = WORDS.findall(' '.join(l.text for l in self.code(2)))
            if w:
                return self.r.choice(w)
        return 'value'

    def mutate(self, t):
        words = list(WORDS.finditer(t))
        if not words:
            return t
        m, k = self.r.choice(words), self.r.random()
        if k < .4:
            new = self.r.choice((m[0] + '_ex', 'new_' + m[0], m[0] + '2', self.word(), m[0].capitalize()))
            return t[:m.start()] + new + t[m.end():]
        if k < .6 and ')' in t:
            p = t.rindex(')')
            return t[:p] + ('' if t[p - 1:p] == '(' else ', ') + self.word() + t[p:]
        if k < .75:
            return t[:m.end()] + '.' + self.word() + t[m.end():]
        if k < .85:
            return re.sub(r'\d+', lambda d: str(int(d[0][:9]) + 1), t, count=1) if re.search(r'\d', t) else t + '  # ' + self.word()
        return t[:m.start()] + t[m.end():].lstrip()

    # Each op changes state, a dict of path: lines. Those on one file take its lines.
    def insert(self, b):
        i = self.r.randrange(len(b) + 1)
        b[i:i] = self.code(self.size(5, 60))

    def delete(self, b):
        n = self.size(4, 40)
        if len(b) > n + 8:
            i = self.r.randrange(len(b) - n)
            del b[i:i + n]

    def edit(self, b):
        i = self.r.randrange(len(b))
        for l in b[i:i + self.r.choice((1, 1, 1, 2, 3))]:
            l.text = self.mutate(l.text)

    def rewrite(self, b):
        """A stretch gets some lines edited, some replaced and some added: an ordinary commit."""
        i, n, out = self.r.randrange(len(b)), self.size(6, 25), []
        for l in b[i:i + n]:
            k = self.r.random()
            if k < .3:
                l.text = self.mutate(l.text)
            if k < .85:
                out.append(l)
            if k > .75:
                out += self.code(1)
        b[i:i + n] = out

    def indent(self, b):
        n, d = self.r.randrange(3, 14), self.r.random() < .6
        i = self.r.randrange(max(1, len(b) - n))
        unit = '\t' if any(l.text.startswith('\t') for l in b) else '    '
        for l in b[i:i + n]:
            if l.text.strip():
                l.text = unit + l.text if d else l.text[len(unit):] if l.text.startswith(unit) else l.text
        if d:
            b.insert(min(len(b), i + n), Line('}'))
            b.insert(i, Line('if (%s) {' % self.word()))

    def rename_word(self, b):
        count = {}
        for l in b:
            for w in set(re.findall(r'[A-Za-z_]\w{4,}', l.text)):
                count[w] = count.get(w, 0) + 1
        some = sorted(w for w, n in count.items() if 2 <= n <= 25)
        if some:
            old = self.r.choice(some)
            new = self.r.choice((old + '_v2', 'the_' + old, self.word()))
            for l in b:
                l.text = re.sub(r'\b%s\b' % re.escape(old), new, l.text)

    def split(self, b):
        long_ = [i for i, l in enumerate(b) if len(l.text) > 50 and ',' in l.text[25:-5]]
        if long_:
            i = self.r.choice(long_)
            t = b[i].text
            p = t.index(',', 25) + 1
            b[i].text = t[:p]
            b.insert(i + 1, Line(' ' * 12 + t[p:].strip()))

    def join(self, b):
        """The second of two lines goes into the first: where it is then is a matter of taste, so it is forgotten."""
        i = self.r.randrange(len(b) - 1)
        if not trivial(b[i].text) and b[i + 1].text.strip() and len(b[i].text) + len(b[i + 1].text) < 110:
            b[i].text += ' ' + b[i + 1].text.strip()
            self.forget(b[i + 1])
            del b[i + 1]

    def forget(self, l):
        self.forgotten.add(l.id)

    def comment(self, b):
        i = self.r.randrange(len(b) + 1)
        b[i:i] = [Line('/* %s %s %s */' % (self.word(), self.word(), self.word()))]

    def block(self, b):
        n = self.r.randrange(3, 30)
        if len(b) < 2 * n + 10:
            return None
        i = self.r.randrange(len(b) - n)
        seg = b[i:i + n]
        del b[i:i + n]
        for l in seg:
            l.moved = True
        return seg

    def retouch(self, seg):
        """Moved code is seldom moved as it was."""
        k = self.r.random()
        if k < .35:
            for l in self.r.sample(seg, min(len(seg), self.r.choice((1, 2, 2, 3)))):
                l.text = self.mutate(l.text)
        if k < .15:
            seg[len(seg) // 2:len(seg) // 2] = self.code(self.r.choice((1, 2)))
        if k > .85:
            for l in seg:
                l.text = '    ' + l.text if l.text.strip() else l.text
        return seg

    def move(self, b):
        seg = self.block(b)
        if seg:
            i = self.r.randrange(len(b) + 1)
            b[i:i] = self.retouch(seg)

    def copy(self, b):
        n = self.r.randrange(3, 15)
        i, j = self.r.randrange(max(1, len(b) - n)), self.r.randrange(len(b) + 1)
        b[j:j] = [Line(l.text) for l in b[i:i + n]]

    # On the whole state.
    def move_away(self, s):
        p = self.r.choice(sorted(s))
        q = [x for x in sorted(s) if x != p]
        seg = self.block(s[p]) if q and len(s[p]) > 20 else None
        if seg:
            b = s[self.r.choice(q)]
            i = self.r.randrange(len(b) + 1)
            b[i:i] = self.retouch(seg)

    def name_for(self, p, what):
        self.fresh += 1
        head, dot, ext = p.rpartition('.')
        return '%s_%s%d%s%s' % (head or p, what, self.fresh, dot, ext) if head else p + '_%s%d' % (what, self.fresh)

    def move_out(self, s):
        p = self.r.choice(sorted(s))
        seg = self.block(s[p]) if len(s[p]) > 40 else None
        if seg:
            s[self.name_for(p, 'part')] = self.code(4) + self.retouch(seg) + self.code(3)

    def rename(self, s):
        p = self.r.choice(sorted(s))
        s[self.name_for(p, 'new')] = s.pop(p)

    def copy_file(self, s):
        p = self.r.choice(sorted(s))
        s[self.name_for(p, 'copy')] = [Line(l.text) for l in s[p]]

    def line_ends(self, b):
        dos = not b[0].text.endswith('\r')
        for l in b:
            l.text = l.text + '\r' if dos else l.text.rstrip('\r')

    OPS = (('insert', 28), ('edit', 20), ('rewrite', 10), ('delete', 12), ('move', 7), ('indent', 6), ('rename_word', 4), ('copy', 4),
           ('split', 4), ('join', 2), ('comment', 4), ('line_ends', .5), ('move_away', 5), ('move_out', 3), ('rename', 2), ('copy_file', .7))
    WHOLE = {'move_away', 'move_out', 'rename', 'copy_file'}

    def work(self, s, n, whole=True):
        for _ in range(n):
            op = self.r.choices([o for o, _ in self.OPS], [w for _, w in self.OPS])[0]
            if op in self.WHOLE:
                if whole:
                    getattr(self, op)(s)
                continue
            b = s[self.r.choice(sorted(s))]
            if len(b) >= 20:
                getattr(self, op)(b)


class Store:
    """Commits into a new bare repository by git fast-import; ids are known after close()."""

    def __init__(self, path):
        subprocess.run(['git', 'init', '-q', '--bare', path], check=True)
        self.path, self.n = path, 0
        self.p = subprocess.Popen(['git', '-C', path, 'fast-import', '--quiet', '--export-marks=' + path + '/marks'],
                                  stdin=subprocess.PIPE)

    def commit(self, state, *parents):
        self.n += 1
        w = self.p.stdin.write
        w(b'commit refs/heads/c%d\nmark :%d\ncommitter x <x@y> %d +0000\ndata 1\nx\n' % (self.n, self.n, 1500000000 + self.n * 600))
        for i, p in enumerate(parents):
            w(b'%s :%d\n' % (b'merge' if i else b'from', p))
        w(b'deleteall\n')
        for path, b in state.items():
            data = ''.join(l.text + '\n' for l in b).encode('latin-1', 'replace')
            w(b'M 100644 inline "%s"\ndata %d\n%s\n' % (path.encode(), len(data), data))
        return self.n

    def close(self):
        self.p.stdin.close()
        if self.p.wait():
            raise SystemExit('git fast-import failed')
        ids = {}
        with open(self.path + '/marks') as f:
            for l in f:
                mark, id = l.split()
                ids[int(mark[1:])] = id
        return ids


def read_files(clone, rnd):
    """Texts of HEAD of a fit size, at most 400 of them."""
    out = subprocess.run(['git', '-C', clone, 'ls-tree', '-r', '-l', '-z', 'HEAD'], stdout=subprocess.PIPE, check=True).stdout
    rows = []
    for r in out.split(b'\0'):
        if r:
            meta, path = r.split(b'\t', 1)
            mode, _, oid, size = meta.split()
            if mode.startswith(b'100') and size.isdigit() and 1500 < int(size) < 60000 and re.match(rb'[\w./+-]+$', path):
                rows.append((path.decode(), oid))
    rnd.shuffle(rows)
    texts = {}
    for path, oid in rows[:400]:
        d = subprocess.run(['git', '-C', clone, 'cat-file', 'blob', oid], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        lines = d.decode('latin-1').split('\n')[:-1]
        if b'\0' not in d[:8000] and 60 < len(lines) < 2000 and '\r' not in lines[0]:
            texts[path] = lines
    if len(texts) < 6:
        raise SystemExit('%s: too few text files of 60 to 2,000 lines in HEAD to make cases of' % clone)
    return texts


def halves(state):
    cut = {p: len(b) // 2 for p, b in state.items()}
    return {p: b[:cut[p]] for p, b in state.items()}, {p: b[cut[p]:] for p, b in state.items()}


def joined(top, bottom):
    return {p: top.get(p, []) + bottom.get(p, []) for p in list(top) + [q for q in bottom if q not in top]}


def number(state):
    """Every line gets its number now, and the marks of what came before are wiped."""
    n = 0
    for p in sorted(state):
        for l in state[p]:
            l.id, l.moved = n, False
            n += 1
    return state


def world(ed, rnd, store, base):
    """-> (mark of A, A, mark of the target, the target's state, scenario)"""
    scenario = rnd.choices(('linear', 'back', 'squash', 'rebase', 'merge', 'amend'), (40, 8, 14, 14, 14, 10))[0]
    c0 = store.commit(base)
    steps = 1 + min(int(rnd.expovariate(1 / 6)), 24)
    if scenario in ('rebase', 'merge'):
        top, bottom = halves(number(copy_state(base)))
        ours = copy_state(bottom)
        ed.work(ours, 3, False)
        a_state = number(joined(top, ours))
        n = {p: len(top[p]) for p in top}
        top = {p: a_state[p][:n[p]] for p in top}
        ours = {p: a_state[p][n[p]:] for p in ours}
        a_state = copy_state(a_state)
        a = store.commit(a_state, c0)
        up, tip = copy_state(top), c0
        for _ in range(steps):
            ed.work(up, 2, False)
            tip = store.commit(joined(up, bottom), tip)
        target = joined(up, ours)
        target = copy_state(target)
        parents = [tip] if scenario == 'rebase' else [a, tip] if rnd.random() < .5 else [tip, a]
        b = store.commit(target, *parents)
    else:
        state = copy_state(base)
        ed.work(state, 3)
        a_state = copy_state(number(state))
        a = b = store.commit(a_state, c0)
        if scenario == 'squash':
            ed.work(state, 2 * steps)
            b = store.commit(state, c0)
        elif scenario == 'amend':
            ed.work(state, 2)
            b = store.commit(state, c0)
        else:
            for _ in range(steps):
                ed.work(state, 1 + int(rnd.expovariate(.5)))
                b = store.commit(state, b)
        target = state
    if scenario in ('linear', 'rebase', 'merge'):
        for _ in range(int(rnd.expovariate(.4))):
            ed.work(target, 2)
            b = store.commit(target, b)
    return a, a_state, b, target, scenario


def places(state):
    return {l.id: (p, i, l) for p, b in state.items() for i, l in enumerate(b) if l.id is not None}


def kind_of(here, there):
    if not there:
        return 'deleted'
    if there[2].moved or here[2].moved:
        return 'moved'
    if ''.join(here[2].text.split()) != ''.join(there[2].text.split()):
        return 'edited'
    if there[0] != here[0]:
        return 'renamed'
    return 'unchanged' if there[1] == here[1] else 'shifted'


def range_of(src, dst, path, lo, hi):
    """-> (truth, kind) of lines [lo, hi], or None where people would argue."""
    lines = src[path][lo:hi + 1]
    found = [dst.get(l.id) for l in lines]
    if not any(found):
        return 'gone', 'deleted'
    if not found[0] or not found[-1]:
        return None
    alive = [f for f in found if f]
    files, at = {f[0] for f in alive}, [f[1] for f in alive]
    if len(files) > 1 or at != sorted(at) or at[-1] - at[0] > 2 * len(lines) + 3:
        return None
    changed = any(f and f[2].text.strip() != l.text.strip() for l, f in zip(lines, found))
    whole = len(alive) == len(lines) and at[-1] - at[0] + 1 == len(lines) and not changed
    moved = [f[2].moved or l.moved for l, f in zip(lines, found) if f]
    if any(moved) and not all(moved):
        return None
    kind = ('moved' if whole else 'moved, edited') if moved[0] else 'edited' if not whole else 'renamed' if alive[0][0] != path else \
        'unchanged' if at[0] == lo else 'shifted'
    return {'path': alive[0][0], 'lines': [at[0] + 1, at[-1] + 1]}, kind


LINES_EACH = {'unchanged': 3, 'shifted': 6, 'edited': 10, 'deleted': 10, 'moved': 10, 'renamed': 5}
RANGES_EACH = {'unchanged': 2, 'shifted': 3, 'edited': 5, 'deleted': 3, 'moved': 4, 'moved, edited': 4, 'renamed': 2}


def ask(rnd, src, dst_state, forgotten, head):
    """Cases about lines and ranges of src, with where they are in dst."""
    dst, out, pool = places(dst_state), [], {}
    for p in sorted(src):
        for i, l in enumerate(src[p]):
            if l.id is None or l.id in forgotten or trivial(l.text):
                continue
            there = dst.get(l.id)
            pool.setdefault(kind_of((p, i, l), there), []).append(
                dict(path=p, line=i + 1, truth={'path': there[0], 'line': there[1] + 1} if there else 'gone'))
    ranges = {}
    for _ in range(600):
        p = rnd.choice(sorted(src))
        if len(src[p]) < 4:
            continue
        lo = rnd.randrange(len(src[p]) - 2)
        hi = min(len(src[p]) - 1, lo + rnd.choice((1, 2, 3, 5, 8, 13)))
        part = src[p][lo:hi + 1]
        if trivial(part[0].text) or trivial(part[-1].text) or any(l.id is None or l.id in forgotten for l in part):
            continue
        r = range_of(src, dst, p, lo, hi)
        if r:
            ranges.setdefault(r[1], []).append(dict(path=p, lines=[lo + 1, hi + 1], truth=r[0]))
    for groups, each in ((pool, LINES_EACH), (ranges, RANGES_EACH)):
        for kind in sorted(groups):
            rnd.shuffle(groups[kind])
            out += [dict(head, kind=kind, **c) for c in groups[kind][:each[kind]]]
    return out


def make(clone, scratch, seed, worlds):
    rnd = random.Random(seed)
    texts = read_files(clone, rnd)
    store, cases = Store(scratch), []
    for _ in range(worlds):
        names = rnd.sample(sorted(texts), 4)
        ed = Editor(rnd, [t for p, t in texts.items() if p not in names] or list(texts.values()))
        ed.forgotten = set()
        base = {p: [Line(t) for t in texts[p]] for p in names}
        a, a_state, b, b_state, scenario = world(ed, rnd, store, base)
        if scenario == 'back':
            a, a_state, b, b_state = b, b_state, a, a_state
        cases += ask(rnd, a_state, b_state, ed.forgotten, {'from': a, 'to': b, 'scenario': scenario})
    ids = store.close()
    for n, c in enumerate(cases):
        c.update({'id': 's%d~%d' % (seed, n), 'from': ids[c['from']], 'to': ids[c['to']]})
    return cases
