#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gold.py [OPTIONS] LABELS CLONES: how well killick follows ranges that people labelled.

LABELS is the folder "data" of the repository sola-st/CodeMapper (MIT): annotation/*.json (two people's labels, and CodeTracker's
oracle of Java blocks, methods and variables) and suppression_data/*/*/expect_simple.json. CLONES has clones of the repositories
that the labels name, as OWNER+NAME/repo, OWNER/NAME, OWNER+NAME or NAME. What has no clone, or whose commits or lines are not in
it, is counted and left out. Nothing of the data is kept.

Labels are ranges of characters; lines are compared here: both ends exact, the overlap (IoU), gone found, wrong place (no line in
common, of those placed), lost (said gone of those alive). --repos WORD,… takes only these repositories, --without WORD,… leaves them
out: whoever looks at misses (--misses N) should look at some and measure on others. The rest is as in "run".
"""
import argparse, collections, glob, importlib.machinery, importlib.util, json, os, re, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader('run', os.path.join(HERE, 'run'))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader('run', loader))
loader.exec_module(run)


def clone_of(folder, name):
    owner, short = name.split('/')
    for p in ('%s+%s/repo' % (owner, short), '%s/%s' % (owner, short), '%s+%s' % (owner, short), short):
        p = os.path.join(folder, p)
        if os.path.isdir(p) and subprocess.run(['git', '-C', p, 'rev-parse', '--git-dir'], stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL).returncode == 0:
            return p
    return None


def numbers(text):
    return [int(x) for x in re.findall(r'\d+', text)] if text else None


def labels(folder):
    """-> repository, set, case with short commit ids and ranges of characters"""
    for f in sorted(glob.glob(os.path.join(folder, 'annotation', '*.json'))):
        for n, r in enumerate(json.load(open(f))):
            m, name = r['mapping'], os.path.basename(f)[:-5]
            yield r['url'], name, dict(id='%s-%d' % (name, n), path=m['source_file'], to_path=m['target_file'], what=m.get('change_operation'),
                                       ends=(m['source_commit'], m['target_commit']), was=numbers(m['source_range']), now=numbers(m['target_range']))
    for f in sorted(glob.glob(os.path.join(folder, 'suppression_data', '*', '*', 'expect_simple.json'))):
        r = json.load(open(f))
        (a, x), (b, y) = [(k, v) for k, v in r.items() if k != 'url'][:2]
        name = '-'.join(os.path.dirname(f).split(os.sep)[-2:])
        yield r['url'], 'suppression', dict(id='suppression-' + name, path=x['file'], to_path=y['file'], what='', ends=(a, b),
                                            was=numbers(x['range']), now=numbers(y['range']))


def named(url):
    return re.sub(r'(\.git)?(/commit.*)?$', '', url.strip('/').split('github.com/')[-1])


def lines_of(clone, rev, path, known):
    if (rev, path) not in known:
        known[rev, path] = run.git(clone, 'show', rev + ':' + path, check=False).count('\n') + 1
    return known[rev, path]


def cases_of(clone, rows, skipped):
    short = sorted({c for _, r in rows for c in r['ends']})
    out = run.git(clone, 'cat-file', '--batch-check', stdin='\n'.join(c + '^{commit}' for c in short).encode() + b'\n').split('\n')
    full = {c: l.split()[0] for c, l in zip(short, out) if l.endswith(tuple('0123456789')) and ' commit ' in l}
    known, cases = {}, []
    for name, r in rows:
        if not all(c in full for c in r['ends']):
            skipped['commits not in the clone'] += 1
        elif not r['was'] or lines_of(clone, full[r['ends'][0]], r['path'], known) < r['was'][2]:
            skipped['lines not in the file'] += 1
        else:
            a, b = (full[c] for c in r['ends'])
            truth = {'path': r['to_path'], 'lines': [r['now'][0], r['now'][2]]} if r['now'] else 'gone'
            cases.append({'id': r['id'], 'from': a, 'to': b, 'path': r['path'], 'lines': [r['was'][0], r['was'][2]], 'columns': r['was'][1::2],
                          'truth': truth, 'kind': name, 'what': r['what'],
                          'where': 'gone' if truth == 'gone' else 'same path' if r['to_path'] == r['path'] else 'another path',
                          'size': '1 line' if r['was'][0] == r['was'][2] else '2 to 5 lines' if r['was'][2] - r['was'][0] < 5 else 'over 5 lines'})
    return cases


def stands_there(clone, case, said, known):
    """Do the lines and one beside them stand word for word where killick says they are, though the label says gone?"""
    def lines(rev, path):
        if (rev, path, 'text') not in known:
            known[rev, path, 'text'] = [l.strip() for l in run.git(clone, 'show', rev + ':' + path, check=False).split('\n')]
        return known[rev, path, 'text']
    old, new = lines(case['from'], case['path']), lines(case['to'], said.path)
    (lo, hi), shift = case['lines'], said.lo - case['lines'][0]
    same = lambda i: 0 < i <= len(old) and 0 < i + shift <= len(new) and old[i - 1] == new[i + shift - 1]
    return all(same(i) for i in range(lo, hi + 1)) and any(same(i) and old[i - 1] for i in (lo - 1, hi + 1))


def tables(rows, key):
    results = []
    for name, cases, said, ms in rows:
        results.append((name, run.tally([dict(c, kind=c[key]) for c in cases], said), ms))
    run.print_ranges(results)


def options():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0], formatter_class=argparse.RawDescriptionHelpFormatter,
                                epilog=__doc__.split('\n', 2)[2])
    p.add_argument('labels', metavar='LABELS')
    p.add_argument('clones', metavar='CLONES')
    p.add_argument('--killick', default=os.path.join(os.environ.get('KILLICK_BUILD', os.path.join(run.SRC, '_build')), 'killick'))
    p.add_argument('--trackers', metavar='DIR', help='where trackers.py is; without it killick is alone')
    p.add_argument('--only', metavar='WORD,…', help='only these comparisons')
    p.add_argument('--repos', metavar='WORD,…')
    p.add_argument('--without', metavar='WORD,…')
    p.add_argument('--sets', metavar='WORD,…')
    p.add_argument('--misses', type=int, default=0, metavar='N')
    p.add_argument('--answers', metavar='FILE', help='writes case and answer, a line of JSON each')
    return p.parse_args()


def picked(words, text, otherwise):
    return otherwise if not words else any(w and w.lower() in text.lower() for w in words.split(','))


def main():
    o = options()
    groups, skipped = collections.OrderedDict(), collections.Counter()
    for url, name, r in labels(o.labels):
        if picked(o.repos, named(url), True) and not picked(o.without, named(url), False) and picked(o.sets, name, True):
            groups.setdefault(named(url), []).append((name, r))
    if not groups:
        raise SystemExit('no labels in %s' % o.labels)
    scratch = tempfile.mkdtemp(prefix='killick-gold.')
    killick = run.Killick(o.killick, scratch)
    rows, pairs, there, out = collections.OrderedDict(), [], 0, open(o.answers, 'w') if o.answers else None
    try:
        for repo, labelled in sorted(groups.items()):
            clone = clone_of(o.clones, repo)
            cases = cases_of(clone, labelled, skipped) if clone else []
            if not clone:
                skipped['no clone of ' + repo] += len(labelled)
            if not cases:
                continue
            said, raw, ms, _ = run.killick_track(killick, clone, cases)
            answers = [('killick', said, ms)]
            for t in run.trackers(clone, o.trackers, o.only) if o.trackers else []:
                answers.append((t.name, *run.tracked(t, cases)))
            for name, s, m in answers:
                _, c, a, cost = rows.setdefault(name, (name, [], [], []))
                c.extend(cases), a.extend(s), cost.append(m * len(cases))
            pairs += zip(cases, raw)
            known = {}
            there += sum(stands_there(clone, c, s, known) for c, s in zip(cases, said) if c['truth'] == 'gone' and s)
            if o.misses:
                print('== ' + repo)
                run.print_misses(clone, cases, said, raw, o.misses)
            for c, p, s in zip(cases, raw, said) if out else ():
                out.write(json.dumps(dict(c, repo=repo, right=run.is_right(s, c), answer=p)) + '\n')
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for why, n in sorted(skipped.items()):
        print('left out: %d, %s' % (n, why))
    print()
    done = [(name, c, a, sum(cost) / len(c)) for name, c, a, cost in rows.values()]
    for key in ('kind', 'where', 'size') if done else ():
        tables(done, key)
    print('labelled gone, but word for word and beside a line that was beside them where killick says: %d of %d\n' %
          (there, sum(c['truth'] == 'gone' for c, _ in pairs)))
    run.calibration(pairs)


main()
