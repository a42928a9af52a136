#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The Gitea and Forgejo adapter against the fake forge: what it reads, what it writes, what it finds again."""
import json, os, sys, tempfile
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import *
from talk import *
from contractgitea import Checked, find_spec
from forgeclient import Forge

T = tempfile.mkdtemp(prefix='killick-test.')
ENV = {k: v for k, v in os.environ.items() if not k.startswith(('KILLICK_CLOCK', 'KILLICK_TRACE'))}
ENV.update(HOME=T, XDG_CACHE_HOME=T + '/cache', KILLICK_TOKEN_F='t-ana', GIT_CONFIG_NOSYSTEM='1')
HEAD, R = 'c0ffee' + '0' * 34, '/api/v1/repos/acme/widget'
PATCH = '@@ -1,4 +1,5 @@\n one\n-two\n+zwei\n+drei\n four\n five'
WORLD = {
    'users': [{'login': 'ana', 'name': 'Ana', 'email': 'ana@example.org'}, {'login': 'bob', 'name': 'Bob'}],
    'tokens': [{'token': 't-ana', 'login': 'ana'}, {'token': 't-bob', 'login': 'bob'}],
    'repos': [{'name': 'acme/widget', 'perms': {'ana': 'write', 'bob': 'write'}, 'labels': ['bug', 'ui'], 'milestones': ['1.0'],
               'tasks': [{'title': 'first', 'user': 'bob', 'body': 'a\r\nb', 'labels': ['bug'], 'milestone': '1.0',
                          'assignees': ['ana'], 'created': '2026-01-01T00:00:00Z',
                          'comments': [{'user': 'bob', 'body': 'hi'}, {'user': 'ana', 'body': 'there'}]},
                         {'title': 'change', 'user': 'bob', 'body': 'please', 'change': {
                             'head': HEAD, 'files': [{'path': 'src/a.c', 'patch': PATCH}]},
                          'reviews': [{'user': 'bob', 'state': 'CHANGES_REQUESTED', 'body': 'hm', 'comments': [
                              {'path': 'src/a.c', 'line': 2, 'body': 'why'},
                              {'reply': 0, 'body': 'because', 'user': 'ana'},
                              {'path': 'src/a.c', 'line': 2, 'side': 'LEFT', 'body': 'gone'}]}]},
                         {'title': 'merged', 'user': 'ana', 'change': {'merged': '2026-01-03T00:00:00Z', 'merged_by': 'bob'}}]}],
}
ids = iter('%032x' % i for i in range(1, 10000))


def source(f, **more):
    return {'name': 'f', 'kind': 'gitea', 'api': getattr(f, 'checked', f.url) + '/api/v1/', 'web': f.url + '/', 'project': 'acme/widget',
            'options': {'write-gap-ms': 0, 'backoff-ms': 20}, **more}


def probed(f):
    lines, st, err = run('probe', source(f), ENV)
    p = last(lines, 'probe')
    return p, source(f, caps=p['caps'], me=p['me'])


def op(verb, **more):
    return dict(id=next(ids), verb=verb, **more)


def send(src, o, how='push', **more):
    t = Talk('send', src, ENV)
    if how == 'push' and 'mark' not in o:
        said = t.ask('mark', o)[-1]
        if 'mark' not in said:
            t.end()
            return said['error'], []
        o['mark'] = said['mark']
    got = t.ask(how, o)
    st, rest, err = t.end()
    return got[-1].get('outcome') or got[-1], got[:-1]


def body(o):
    return o['body'] + '\n\n<!-- killick:%s -->' % o['id']


def pulling(f, src):
    lines, st, err = run('pull', src, ENV)
    is_((st, err, lines[-1]), (0, '', {'done': True}), 'pull')
    t = {r['key']: r for r in records(lines, 'task')}
    is_(sorted(t), ['1', '2', '3'], 'all tasks')
    one = t['1']
    is_((one['name'], one['state'], one['title'], one['body'], one['labels'], one['milestone'], one['assignees'][0]['login'],
         one['author']['name'], one['created'], one['notes'], one['url']),
        ('GT-1', 'open', 'first', 'a\nb', ['bug'], '1.0', 'ana', 'Bob', '2026-01-01T00:00:00Z', 2, f.url + '/acme/widget/issues/1'),
        'a task')
    is_((t['2']['change'], t['2']['head'], t['2']['head_ref'], t['2']['base_ref']), (True, HEAD, 'topic-2', 'main'), 'a change')
    is_(t['3']['state'], 'merged', 'a merged one')
    n = records(lines, 'note')
    is_(sorted((x['kind'], x['body'], x['author']['login']) for x in n),
        [('code', 'because', 'ana'), ('code', 'gone', 'bob'), ('code', 'why', 'bob'), ('comment', 'hi', 'bob'),
         ('comment', 'there', 'ana'), ('review', 'hm', 'bob')], 'all notes')
    by = {x['body']: x for x in n}
    is_((by['why']['thread'], by['because'].get('reply_to')), (by['because']['thread'], by['why']['key']), 'a reply is in its thread')
    ok(by['gone']['thread'] != by['why']['thread'], 'the other side is another thread')
    is_({k: by['why']['anchor'].get(k) for k in ('type', 'path', 'line', 'side', 'commit', 'quote', 'before')},
        {'type': 'lines', 'path': 'src/a.c', 'line': 2, 'side': 'new', 'commit': HEAD, 'quote': 'zwei\n', 'before': 'one\n'},
        'an anchor, with the code from the hunk')
    is_({k: by['gone']['anchor'].get(k) for k in ('line', 'side', 'quote')}, {'line': 2, 'side': 'old', 'quote': 'two\n'}, 'of the old side')
    is_((by['hm']['verdict'], by['there']['can_edit'], by['hi'].get('can_edit', False)), ('request-changes', True, False), 'verdict, rights')
    th = {x['key']: x for x in records(lines, 'thread')}
    is_(th[by['why']['thread']]['handle'], by['why']['key'], 'a thread is resolved by its first note')
    return last(lines, 'page'), by


def incremental(f, src, cursor):
    n = len(f.log())
    lines, st, err = run('pull', src, ENV, cursor=cursor)
    asked = [x['path'] for x in f.log()[n:]]
    f.config(clock='2027-06-01T00:00:00Z')
    lines, st, err = run('pull', src, ENV, cursor=last(lines, 'page'))
    lines, st, err = run('pull', src, ENV, cursor=last(lines, 'page'))
    is_((records(lines), len(f.log()[-2:])), ([], 2), 'nothing new')
    n = f.log()[-1]['n']
    run('pull', src, ENV, cursor=last(lines, 'page'))
    is_([x['path'] for x in f.log(n)], [R + '/issues', R + '/issues/comments'], 'and two requests to know it')
    cursor = last(lines, 'page')
    f.call('POST', R + '/issues/1/comments', {'body': 'new'}, 't-bob')
    lines, st, err = run('pull', src, ENV, cursor=cursor)
    is_(([x['key'] for x in records(lines, 'task')], [x['body'] for x in records(lines, 'note')]), (['1'], ['new']), 'one new note')
    f.call('PATCH', R + '/issues/comments/%s' % records(lines, 'note')[0]['key'], {'body': 'newer'}, 't-bob')
    lines, st, err = run('pull', src, ENV, cursor=last(lines, 'page'))
    is_([x['body'] for x in records(lines, 'note')], ['newer'], 'an edit')
    f.call('DELETE', R + '/issues/comments/%s' % records(lines, 'note')[0]['key'], token='t-bob')
    lines, st, err = run('pull', src, ENV, cursor='', full=True)
    is_([len(x['keys']) for x in records(lines, 'list') if x['task'] == '1'], [2], 'a full pull lists what is left')
    f.config(clock=None)


def writing(f, src, by, forgejo, minor):
    o = op('comment', task='1', body='mine')
    out, recs = send(src, o)
    is_((out['is'], [x['body'] for x in recs if x.get('record') == 'note']), ('landed', [body(o)]), 'comment')
    is_(send(src, o, 'find')[0], {'is': 'landed', 'key': out['key']}, 'and found again')
    is_(send(src, {**o, 'id': next(ids)}, 'find')[0], {'is': 'absent'}, 'another op with the same text is not')
    is_(len(f.find('mine')), 1, 'one copy')
    o = op('edit-note', task='1', note=out['key'], body='yours')
    is_(send(src, o)[0]['is'], 'landed', 'edit')
    is_(send(src, o, 'find')[0]['is'], 'landed', 'an edit is found')
    o = op('delete-note', task='1', note=out['key'])
    is_((send(src, o)[0]['is'], send(src, o, 'find')[0]['is'], len(f.find('yours'))), ('landed', 'landed', 0), 'delete')

    o = op('reply', task='2', thread=by['why']['thread'], reply_to=by['why']['key'], body='so it is')
    out, recs = send(src, o)
    got = f.find('so it is')
    is_((out['is'], len(got), got and got[0]['line']), ('landed', 1, 2), 'reply')
    is_((out.get('key'), send(src, o, 'find')[0]['key']), (str(got[0]['id']),) * 2, 'its key')
    o = op('code-note', task='2', head=HEAD, anchor={'type': 'lines', 'path': 'src/a.c', 'line': 3, 'end': 3, 'commit': HEAD}, body='over here')
    out, recs = send(src, o)
    got = f.find('over here')
    is_((out['is'], out.get('key'), got[0]['line'], got[0]['path']), ('landed', str(got[0]['id']), 3, 'src/a.c'), 'a note on code')
    is_(send(src, o, 'find')[0]['key'], out['key'], 'found again')
    o = op('code-note', task='2', head=HEAD, anchor={'type': 'lines', 'path': 'src/a.c', 'line': 2, 'end': 2, 'side': 'old', 'commit': HEAD},
           body='before')
    send(src, o)
    c = next(x for x in f.state('acme/widget', 2)['rcomments'] if 'before' in x['body'])
    is_((c['side'], c['line']), ('LEFT', 2), 'on the old side')

    o = op('resolve', task='2', thread=by['why']['thread'], handle=by['why']['key'])
    out, recs = send(src, o)
    if minor >= 26:
        is_((out['is'], list(f.state('acme/widget', 2)['resolved'].values())), ('landed', ['ana']), 'resolve')
        is_(send(src, o, 'find')[0]['is'], 'landed', 'found')
        is_([x['resolved'] for x in recs if x.get('record') == 'thread'], [True], 'the thread is told')
        send(src, op('reopen-thread', task='2', thread=by['why']['thread'], handle=by['why']['key']))
        is_(f.state('acme/widget', 2)['resolved'], {}, 'reopen')
    else:
        is_(out['is'], 'refused', 'resolving is refused')

    o = op('review', task='2', head=HEAD, verdict='approve', body='fine', notes=[
        op('code-note', task='2', anchor={'type': 'lines', 'path': 'src/a.c', 'line': 3, 'end': 3, 'commit': HEAD}, body='nit'),
        op('reply', task='2', thread=by['why']['thread'], reply_to=by['why']['key'], body='good')])
    out, recs = send(src, o)
    rv = [x for x in f.state('acme/widget', 2)['reviews'] if 'fine' in x['body']]
    is_((out['is'], out['key'], [x['state'] for x in rv], [len(x['comments']) for x in rv]),
        ('landed', 'v%d' % rv[0]['id'], ['APPROVED'], [2]), 'a review')
    is_([x['line'] for x in f.state('acme/widget', 2)['rcomments'] if x['review'] == rv[0]['id']], [3, 2], 'its notes')
    is_(send(src, o, 'find')[0]['key'], out['key'], 'found again')
    out, recs = send(src, op('edit-note', task='2', note=out['key'], body='finer'))
    there = [x['body'][:5] for x in f.call('GET', R + '/issues/2/timeline', token='t-ana')[1] if x['type'] == 'review']
    is_((out['is'], 'finer' in there, [x['body'][:5] for x in records(recs, 'note')]), ('landed', True, ['finer']), "a review's text is edited")
    lines, _, _ = run('look', src, ENV, task='2')
    old = next(x for x in records(lines, 'note') if x['key'] == 'v%d' % rv[0]['id'])
    ok(old['body'][:4] == 'fine' and old['updated'] <= records(recs, 'note')[0]['updated'],
       'which its list does not show: but that says it is older')
    out, _ = send(src, op('react', task='2', note='v%d' % rv[0]['id'], value='👍'))
    lines, _, _ = run('look', src, ENV, task='2')
    is_([x.get('reactions') for x in records(lines, 'note') if x['key'] == 'v%d' % rv[0]['id']], [[['👍', 1, True]]],
        'and a reaction to it is there')

    s, d, _ = f.call('POST', R + '/pulls/2/reviews', {'body': 'kept back', 'event': 'PENDING'}, 't-ana')
    for o in (op('review', task='2', head=HEAD, verdict='comment', body='x1'),
              op('code-note', task='2', head=HEAD, anchor={'type': 'lines', 'path': 'src/a.c', 'line': 3, 'end': 3, 'commit': HEAD}, body='x2')):
        out, recs = send(src, o)
        is_((out.get('code'), 'unsent review' in out['message']), ('conflict', True), 'not while the user has an unsent review: ' + o['verb'])
        out, recs = send(src, dict(o, mark='2020-01-01T00:00:00Z'))
        is_((out['is'], 'unsent review' in out['message']), ('refused', True), 'one that was begun since is seen before sending, too')
    is_([x['state'] for x in f.state('acme/widget', 2)['reviews'] if x['body'] == 'kept back'], ['PENDING'], 'which stays unsent')
    is_(send(src, o, 'find')[0]['is'], 'absent', 'and find leaves it alone')
    is_([x['state'] for x in f.state('acme/widget', 2)['reviews'] if x['body'] == 'kept back'], ['PENDING'], 'it does')
    f.call('DELETE', R + '/pulls/2/reviews/%d' % d['id'], token='t-ana')

    # a review that broke off in the middle: what it left is taken away, and it can be sent again
    o = op('review', task='2', head=HEAD, verdict='comment', body='broken', mark='2020-01-01T00:00:00Z', notes=[
        op('code-note', task='2', anchor={'type': 'lines', 'path': 'src/a.c', 'line': 1, 'end': 1, 'commit': HEAD}, body='left')])
    f.call('POST', R + '/pulls/2/reviews', {'body': body(o), 'event': 'PENDING', 'comments': [
        {'path': 'src/a.c', 'new_position': 1, 'body': body(o['notes'][0])}]}, 't-ana')
    is_((send(src, o, 'find')[0]['is'], len(f.find('left'))), ('absent', 0), 'what a broken review left is taken away')
    is_((send(src, o)[0]['is'], len(f.find('left'))), ('landed', 1), 'and it is sent again')


def tasks(f, src):
    o = op('new-task', title='From here', body='text', add=['ui'], value='bob')
    out, recs = send(src, o)
    t = f.state('acme/widget', int(out['key']))['task']
    is_((t['title'], t['labels'], t['assignees'], t['body']), ('From here', ['ui'], ['bob'], body(o)), 'a new task')
    is_(send(src, o, 'find')[0]['key'], out['key'], 'found again')
    out2, _ = send(src, op('new-task', title='x', body='', add=['nothere']))
    is_((out2['is'], out2['message']), ('refused', "there is no label 'nothere' in this project"), 'an unknown label')
    key = out['key']
    for o, field, want in ((op('edit-task', task=key, title='Better', body='b2'), 'title', 'Better'),
                           (op('close', task=key), 'state', 'closed'), (op('reopen', task=key), 'state', 'open'),
                           (op('label', task=key, add=['bug'], drop=['ui']), 'labels', ['bug']),
                           (op('assign', task=key, add=['ana'], drop=['bob']), 'assignees', ['ana']),
                           (op('milestone', task=key, value='1.0'), 'milestone', 1), (op('milestone', task=key), 'milestone', None)):
        before = send(src, o, 'find')[0]['is']
        out, recs = send(src, o)
        is_((before, out['is'], f.state('acme/widget', int(key))['task'][field], send(src, o, 'find')[0]['is']),
            ('absent', 'landed', want, 'landed'), o['verb'])
    c = f.call('GET', R + '/issues/1/comments', token='t-ana')[1][0]['id']
    o = op('react', task='1', note=str(c), value='🎉')
    is_((send(src, o)[0]['is'], send(src, o, 'find')[0]['is']), ('landed', 'landed'), 'react')
    lines, st, err = run('look', src, ENV, task='1')
    is_([x['reactions'] for x in records(lines, 'note') if x['key'] == str(c)], [[['🎉', 1, True]]], 'and it is seen')
    is_(send(src, op('unreact', task='1', note=str(c), value='🎉'))[0]['is'], 'landed', 'and taken back')
    is_(send(src, op('react', task='1', value='👍'))[0]['is'], 'landed', 'on a task')
    out, _ = send(src, op('comment', task='77', body='x'), how='push')
    is_(out['code'], 'not-found', 'a task that is not there')
    is_(send(src, op('commit-note', anchor={'type': 'commit', 'commit': HEAD}, body='x', mark=''))[0]['is'], 'refused', 'what Gitea cannot')


def faults(f, src):
    """Whatever happens to a write, what find says is true, and sending by its word says it once."""
    n = 0
    place = {'type': 'lines', 'path': 'src/a.c', 'line': 1, 'end': 1, 'commit': HEAD}
    for verb, path, more in (('comment', '/issues/1/comments', {'task': '1'}),
                             ('code-note', '/reviews', {'task': '2', 'head': HEAD, 'anchor': place}),
                             ('new-task', '/issues$', {'title': 'Fault'})):
        for do in ('close-before-read', 'close-after-read', 'close-after-commit', 'half-reply', 'error-after-commit', 'late-commit'):
            text = 'fault %s %s' % (verb, do)
            o = op(verb, body=text, **more)
            f.faults({'method': 'POST', 'path': path, 'do': do, 'delay': 0.2})
            out, _ = send(src, o)
            f.wait()
            f.faults()
            there = len(f.find(text))
            found = send(src, o, 'find')[0]
            if found['is'] == 'absent':
                send(src, o)
            good = (out['is'] == 'unknown' and found['is'] == ('landed' if there else 'absent') and len(f.find(text)) == 1)
            n += good
            if not good:
                diag('%s: %r, then %r, %d then %d copies' % (text, out, found, there, len(f.find(text))))
    is_(n, 18, 'faults: %d points, one copy each' % n)


def paging(f):
    """Many pages, cut anywhere and resumed, with a server that names a wrong address and takes fewer a page."""
    f.config(max_items=30, root_url='https://elsewhere.example.org/')
    f.seed(repos=[{'name': 'acme/many', 'perms': {'ana': 'write'}, 'bulk': {'issues': 140, 'changes': 20, 'comments': 300,
                                                                           'rcomments': 60}}])
    src = source(f, project='acme/many', caps=['tasks'], me={'login': 'ana'})
    lines, st, err = run('pull', src, ENV)
    is_((st, len({x['key'] for x in records(lines, 'task')}), len({x['key'] for x in records(lines, 'note') if x['kind'] == 'comment'}),
         len({x['key'] for x in records(lines, 'note') if x['kind'] == 'code'})), (0, 160, 300, 60), 'many pages')
    pages = [i for i, l in enumerate(lines) if 'page' in l]
    for cut in (1, len(pages) // 2, len(pages) - 2):
        at = pages[cut]
        rest, st, err = run('pull', src, ENV, cursor=lines[at]['page'])
        keys = lambda ls: {(x['record'], x['key']) for x in records(ls) if x['record'] in ('task', 'note')}
        is_(keys(lines[:at]) | keys(rest), keys(lines), 'cut behind page %d and resumed' % (cut + 1))
    revoked(f, src)
    f.config(max_items=50, root_url=None)


def deleted(f, src):
    f.act('delete', repo='acme/widget', task=1)
    lines, st, err = run('look', src, ENV, task='1')
    gone = {'record': 'gone', 'of': 'task', 'key': '1', 'why': 'deleted'}
    is_(lines[0], gone, 'a deleted task, looked at')
    lines, st, err = run('pull', src, ENV, full=True)
    is_(records(lines, 'gone'), [gone], 'and found missing by a full pull')


def relabelled(f, src):
    """What others do to a task's labels, milestone and assignees; and those that are new are there to be used."""
    cursor = last(run('pull', src, ENV)[0], 'page')
    f.seed(repos=[{'name': 'acme/widget', 'labels': ['fresh'], 'milestones': ['2.0']}])
    label = {x['name']: x['id'] for x in f.call('GET', R + '/labels', token='t-ana')[1]}['fresh']
    stone = {x['title']: x['id'] for x in f.call('GET', R + '/milestones', token='t-ana')[1]}['2.0']
    for what, method, path, sent, want in (
            ('labels', 'POST', '/issues/1/labels', {'labels': [label]}, ['bug', 'fresh']), ('milestone', 'PATCH', '/issues/1', {'milestone': stone}, '2.0'),
            ('labels', 'DELETE', '/issues/1/labels/%d' % label, None, ['bug']), ('assignees', 'PATCH', '/issues/1', {'assignees': ['bob']}, ['bob'])):
        f.call(method, R + path, sent, 't-bob')
        lines, st, err = run('pull', src, ENV, cursor=cursor)
        t = {x['key']: x for x in records(lines, 'task')}.get('1', {})
        got = t.get(what) if what != 'assignees' else [x['login'] for x in t.get(what, [])]
        is_(sorted(got) if isinstance(got, list) else got, want, 'another changed the %s: %s' % (what, want))
        cursor = last(lines, 'page')
    is_([send(src, o)[0]['is'] for o in (op('label', task='1', add=['fresh']), op('milestone', task='1', value='2.0'))], ['landed'] * 2,
        'a label and a milestone that are new there')
    is_([(o['is'], '3.0' in o['message'] or 'none such' in o['message']) for o in (
        send(src, op('label', task='1', add=['none such']))[0], send(src, op('milestone', task='1', value='3.0'))[0])],
        [('refused', True)] * 2, 'those that are not there are refused, by name')
    t = f.state('acme/widget', 1)['task']
    is_(sorted(t['labels']), ['bug', 'fresh'], 'and nothing else was changed')


def revoked(f, src):
    """A token that is taken away between two pages: said, and what came by then is kept; a good one goes on from there."""
    keys = lambda lines: {(x['record'], x['key']) for x in records(lines) if x['record'] in ('task', 'note')}
    whole = keys(run('pull', src, ENV)[0])
    f.faults({'method': 'GET', 'path': '/issues/comments', 'times': 0, 'do': 'answer', 'status': 401, 'answer': {
        'message': 'user does not exist [uid: 0, name: ]'}})
    lines, st, err = run('pull', src, ENV)
    f.faults()
    e = lines[-1].get('error', {})
    is_((st, e.get('code'), err), (1, 'auth', ''), 'revoked in the middle of a pull')
    ok('does not accept the credential (401' in e.get('message', '') and 'KILLICK_TOKEN_F in the environment' in e.get('message', ''),
       'which credential, and who says so') or diag(e)
    pages = [i for i, l in enumerate(lines) if 'page' in l]
    cursor = lines[pages[-1]]['page'] if pages else ''
    rest, st, err = run('pull', src, ENV, cursor=cursor)
    is_(keys(lines) | keys(rest), whole, 'with a good one the rest comes')
    ok(keys(lines) < whole and keys(lines), 'what came before stays') or diag(len(keys(lines)), len(whole))


def odd(f, src):
    """What a server may say that nobody expects."""
    f.faults({'path': '/api/v1/version', 'times': 0, 'do': 'answer', 'status': 200, 'answer': '<html>', 'headers': {'Content-Type': 'text/html'}})
    lines, st, err = run('probe', source(f), ENV)
    is_((lines[-1]['error']['code'], st), ('bad-data', 1), 'HTML for JSON')
    f.faults({'path': '/issues', 'times': 0, 'do': 'answer', 'status': 200, 'answer': {'message': 'no list'}})
    is_(run('pull', src, ENV)[0][-1]['error']['code'], 'bad-data', 'no list')
    f.faults()
    n = f.call('GET', R + '/pulls/2/reviews', token='t-ana')[1][0]['id']
    f.faults({'path': '/reviews/%d/comments' % n, 'times': 0, 'do': 'answer', 'status': 200, 'answer': [
        {'id': 7, 'body': 'up', 'path': '../../etc/passwd', 'position': 1, 'user': {'login': 'x'}},
        {'id': 8, 'body': None, 'path': None, 'position': -5, 'original_position': 99999999999, 'user': None, 'created_at': 'soon'},
        {'id': 9, 'body': 'y' * (1 << 20) + 'é', 'path': 'ok.c', 'position': 1}, {'body': 'no id'}, 7, None]})
    lines, st, err = run('pull', src, ENV)
    got = {x['key']: x for x in records(lines, 'note')}
    is_((st, got['7'].get('anchor'), got['8'].get('body'), len(got['9']['body']) <= 1 << 20), (0, None, '', True),
        'wrong paths, numbers and lengths cost a field, not the page')
    f.faults()
    env = {**ENV, 'KILLICK_TOKEN_F': 'wrong'}
    lines, st, err = run('probe', source(f), env)
    is_(lines[-1]['error']['code'], 'auth', 'a wrong token')
    env.pop('KILLICK_TOKEN_F')
    p = last(run('probe', source(f), env)[0], 'probe')
    is_((sorted(p['caps']), p['me'], p['caps_why']['comment']), (['changes', 'tasks'], None, 'a token is needed to write'), 'no token: reading only')
    f.faults({'method': 'GET', 'path': '/api/v1/user$', 'times': 1, 'do': 'answer', 'status': 403, 'answer': {
        'message': 'token does not have at least one of required scope(s), required=[read:user], token scope=read:repository'}})
    p = last(run('probe', source(f), ENV)[0], 'probe') or {}
    f.faults()
    is_((sorted(p.get('caps', [])), p.get('missing', '')[:9], p.get('rights_page')),
        (['changes', 'tasks'], 'read:user', f.url + '/user/settings/applications'), 'a token for projects only reads, and is told what it lacks')
    f.act('archive', repo='acme/widget')
    p = last(run('probe', source(f), ENV)[0], 'probe')
    is_((sorted(p['caps']), p['caps_why']['comment']), (['changes', 'tasks'], 'the project is archived'), 'an archived project')
    f.act('archive', repo='acme/widget', archived=False)


def sniffing(f):
    for where, project in (('/acme/widget', 'acme/widget'), ('/git/acme/widget.git', 'acme/widget'), ('/acme/widget/', 'acme/widget'),
                           ('/acme/widget/pulls/3/files', 'acme/widget'), ('/git/acme/widget/src/branch/main/a.c', 'acme/widget'),
                           ('/acme/issues/issues?q=x', 'acme/issues')):
        lines, st, err = run('sniff', {'name': 'f', 'web': f.url + where}, ENV)
        s = last(lines, 'source')
        base = f.url + '/' + ('git/' if 'git/' in where else '')
        is_((s and s['kind'], s and s['api'], s and s['project']), ('gitea', base + 'api/v1/', project), 'sniff ' + where)
    s = last(run('sniff', {'name': 'c', 'web': 'git@codeberg.org:acme/widget.git'}, ENV)[0], 'source')
    is_((s['kind'], s['api'], s['project']), ('gitea', 'https://codeberg.org/api/v1/', 'acme/widget'), 'codeberg is known by its name')
    s = last(run('sniff', {'name': 'c', 'web': 'https://gitea.com/acme/widget/pulls/3'}, ENV)[0], 'source')
    is_(s and s['project'], 'acme/widget', 'from a page of it, too')


def rounds(f, dialect, version, minor):
    p, src = probed(f)
    is_((p['version'], p['me']['login'], p['title'], p['public'], 'resolve' in p['caps'], 'ranges' in p['caps']),
        (version, 'ana', 'acme/widget', True, minor >= 26, False), 'probe')
    if minor < 26:
        ok('Forgejo' in p['caps_why']['resolve'] if dialect == 'forgejo' else '1.26' in p['caps_why']['resolve'], 'with the reason')
    cursor, by = pulling(f, src)
    if minor == 27:
        incremental(f, src, cursor)
    writing(f, src, by, dialect == 'forgejo', minor)
    if minor in (27, 0):
        tasks(f, src)


def checked_rounds(f, spec, *what):
    """The same with every request and answer held to Gitea's description."""
    with Checked(f, spec) as c:
        f.checked = c.url
        rounds(f, *what)
        is_(c.swagger.wrong, [], "no violation of Gitea's contract")
        diag("checked against Gitea's description: %d requests and answers of killick-remote, %d operations; %d violations" % (
            c.swagger.checked, len(c.swagger.operations), len(c.swagger.wrong)))
        del f.checked


SPEC = find_spec(SRC)
for dialect, version, minor in (('gitea', '1.27.0', 27), ('gitea', '1.26.2', 26), ('gitea', 'v1.21.11', 21), ('forgejo', '15.0.0+gitea-1.22.0', 0)):
    with Forge(dialect, '--version', version) as f:
        diag(dialect + ' ' + version)
        f.seed(**WORLD)
        if SPEC and minor == 27:
            checked_rounds(f, SPEC, dialect, version, minor)
        else:
            rounds(f, dialect, version, minor)
        p, src = probed(f)
        if minor in (27, 0):
            faults(f, src)
        if minor == 27:
            relabelled(f, src)
            paging(f)
            odd(f, src)
            sniffing(f)
            deleted(f, src)
if not SPEC:
    skip('../shared/specs/gitea is not here', "Gitea's contract")
done()
