# SPDX-License-Identifier: MIT
"""The GitHub adapter against the fake forge: everything read, every verb written, both with what goes wrong."""
import json, os, re, shutil, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
T = tempfile.mkdtemp(prefix='killick-test.')
for name in list(os.environ):
    if name.endswith(('_TOKEN', '_proxy', '_PROXY')) or name in ('KILLICK_CLOCK', 'KILLICK_TRACE', 'GH_HOST', 'NETRC'):
        del os.environ[name]
os.environ.update(HOME=T, XDG_CACHE_HOME=T + '/cache', XDG_CONFIG_HOME=T + '/config', GIT_CONFIG_NOSYSTEM='1')
from tap import *
from forgeclient import Forge
from talk import Talk, last, records, run

R, HEAD, PATCH = 'acme/widget', 'c0ffee' + '0' * 34, '@@ -1,4 +1,5 @@\n one\n-two\n+zwei\n+drei\n four\n five'
ids = iter('%032x' % i for i in range(1, 100000))
WORLD = dict(
    users=[{'login': 'ana', 'name': 'Ana', 'email': 'ana@example.org'}, {'login': 'bob'}, {'login': 'eve'}],
    tokens=[{'token': 't-ana', 'login': 'ana'}, {'token': 't-bob', 'login': 'bob'}, {'token': 't-eve', 'login': 'eve'},
            {'token': 't-none', 'login': 'ana', 'scopes': []}],
    repos=[{'name': R, 'perms': {'ana': 'admin', 'bob': 'write'}, 'labels': ['bug', {'name': 'a b/c'}], 'milestones': ['1.0', '2.0'],
            'tasks': [
                {'title': 'first', 'user': 'bob', 'body': 'line\r\nline', 'labels': ['bug'], 'milestone': '1.0', 'assignees': ['ana'],
                 'comments': [{'user': 'bob', 'body': 'hi'}, {'user': 'ana', 'body': 'there\r\n'}]},
                {'title': 'change', 'user': 'bob', 'body': 'please', 'change': {'head': HEAD, 'files': [{'path': 'src/a.c', 'patch': PATCH}]},
                 'comments': [{'user': 'ana', 'body': 'looking'}],
                 'reviews': [{'user': 'ana', 'body': 'hm', 'state': 'CHANGES_REQUESTED', 'comments': [
                     {'path': 'src/a.c', 'line': 2, 'body': 'why'}, {'reply': 0, 'body': 'because', 'user': 'bob'},
                     {'path': 'src/a.c', 'line': 3, 'start_line': 2, 'body': 'both'},
                     {'path': 'src/a.c', 'line': 2, 'side': 'LEFT', 'body': 'gone'},
                     {'path': 'src/a.c', 'subject': 'file', 'body': 'the file'}]},
                     {'user': 'bob', 'body': ''}]},
                {'title': 'closed', 'user': 'ana', 'state': 'closed', 'reason': 'not_planned'},
                {'title': 'merged', 'user': 'ana', 'change': {'merged': '2026-01-03T00:00:00Z', 'merged_by': 'bob'}}],
            'commit_comments': [{'commit': HEAD, 'user': 'bob', 'body': 'nice', 'path': 'src/a.c', 'position': 3},
                                {'commit': HEAD, 'user': 'bob', 'body': 'whole'}]}])
NOW = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())


def source(f, token='t-ana', **more):
    os.environ['KILLICK_TOKEN_GH'] = token
    return dict(dict(name='gh', kind='github', api=f.url + '/', web=f.url + '/', project=R, caps=CAPS,
                     options={'backoff-ms': 10}), **more)


CAPS = ['hidden-mark', 'id-in-answer']


def op(verb, **more):
    return dict(id=next(ids), verb=verb, **more)


def anchor(line=2, end=None, path='src/a.c', side=None, **more):
    a = {'type': 'lines', 'path': path, 'line': line, 'end': end or line, 'commit': HEAD}
    return dict(a, **({'side': side} if side else {}), **more)


def send(f, o, token='t-ana', mark=True, **src):
    """mark, push: (records, outcome)."""
    t = Talk('send', source(f, token, **src))
    if mark:
        o['mark'] = t.ask('mark', o)[-1].get('mark', '')
    got = t.ask('push', o)
    t.end()
    return got[:-1], (got[-1] or {}).get('outcome', {})


def find(f, o, **src):
    t = Talk('send', source(f, **src))
    got = t.ask('find', o)[-1]
    t.end()
    return got.get('outcome', got)


def key(lines, kind):
    return sorted(l['key'] for l in records(lines, kind))


def bodies(f, text):
    return len(f.find(text))


def state(f, n):
    return f.control('GET', 'state?repo=%s&task=%d' % (R, n))


with Forge('github') as f:
    f.config(clock='2026-03-01T10:00:00Z')
    f.seed(**WORLD)
    f.config(clock='2026-03-01T11:00:30Z')
    # -- whose is it --
    plain, ghe = [('https://api.%s/' % h, 'https://%s/' % h, 'acme/widget') for h in ('github.com', 'acme.ghe.com')]
    for url, want in [(u, plain) for u in (
            'git@github.com:acme/widget.git', 'github.com:acme/widget', 'org-1234@github.com:acme/widget/', 'ssh://git@github.com/acme/widget.git',
            'ssh://git@github.com:22//acme/widget', 'git+ssh://git@github.com/acme/widget.git', 'git://github.com/acme/widget.git',
            'http://github.com/acme/widget', 'https://github.com/acme/widget.git/', 'https://ana:secret@github.com/acme/widget.git',
            'https://www.GitHub.com/acme/widget', 'git+https://github.com/acme/widget', 'ssh://git@ssh.github.com:443/acme/widget',
            'https://github.com/acme/widget/issues/5', 'https://github.com/acme/widget/blob/main/x.c#L3', 'https://github.com/acme/widget/pulls?q=x',
            'https://github.com/acme/widget.wiki.git')] + [(u, ghe) for u in (
            'acme@acme.ghe.com:acme/widget.git', 'https://acme.ghe.com/acme/widget/pull/3')]:
        s = last(run('sniff', {'name': 'x', 'web': url})[0], 'source') or {}
        is_((s.get('kind'), s.get('api'), s.get('web'), s.get('project')), ('github',) + want, 'by its looks: ' + url)
    lines, st, err = run('sniff', {'name': 'x', 'web': f.url + '/acme/widget'})
    s = last(lines, 'source') or {}
    is_((s.get('kind'), s.get('api'), s.get('project')), ('github', f.url + '/api/v3/', 'acme/widget'), 'an Enterprise server is asked')
    p = last(run('probe', source(f))[0], 'probe')
    is_((p['me']['login'], p['title'], p['public'], p['missing'], p['credential']),
        ('ana', R, True, None, 'KILLICK_TOKEN_GH in the environment'), 'probe')
    ok({'resolve', 'labels', 'review', 'commit-notes'} <= set(p['caps']) and 'private-notes' in p['caps_why'], 'what ana may')
    p = last(run('probe', source(f, 't-eve'))[0], 'probe')
    ok('comment' in p['caps'] and 'labels' not in p['caps'] and 'triage' in p['caps_why']['labels'], 'what a passer-by may')
    p = last(run('probe', source(f, 't-none'))[0], 'probe')
    ok(p['missing'] == "the scope 'public_repo' (or 'repo')" and 'comment' not in p['caps'] and
       p['rights_page'] == f.url + '/settings/tokens', 'a token without scopes, and where it gets them')
    for head, words in (({'X-Accepted-GitHub-Permissions': 'issues=write'}, 'it takes the permission issues=write'),
                        ({'X-OAuth-Scopes': 'gist', 'X-Accepted-OAuth-Scopes': 'repo'}, 'it takes one of the scopes repo')):
        f.faults({'method': 'POST', 'path': 'comments', 'times': 1, 'do': 'answer', 'status': 403, 'headers': head,
                  'answer': {'message': 'Resource not accessible by personal access token'}})
        r, out = send(f, op('comment', task='1', body='without the right'))
        ok(out.get('code') == 'auth' and all(w in out['message'] for w in (
            'not accessible by personal access token', words, 'KILLICK_TOKEN_GH', 'rights are given at %s/settings/tokens' % f.url)),
           'a right that is missing when writing: which, of what, where: ' + str(out.get('message')))
    f.faults()
    p = last(run('probe', source(f, ''))[0], 'probe')
    ok(p['me'] is None and p['caps'] and 'comment' not in p['caps'] and '60 requests' in p['quirk'] and p['tried'], 'nobody')
    lines, st, err = run('probe', source(f, 't-wrong'))
    ok(lines[-1]['error']['code'] == 'auth' and 'Bad credentials' in lines[-1]['error']['message'] and
       'KILLICK_TOKEN_GH' in lines[-1]['error']['message'] and 't-wrong' not in json.dumps(lines) + err, 'a wrong token is told, not shown')
    lines, st, err = run('probe', source(f, project='acme/nothing'))
    is_(lines[-1]['error']['code'], 'not-found', 'a project that is not there')
    for base in ('/', '/api/v3/'):
        p = last(run('probe', source(f, api=f.url + base))[0], 'probe')
        ok(p and 'resolve' in p['caps'], 'GraphQL beside ' + base)

    # -- the first pull --
    lines, st, err = run('pull', source(f))
    is_((st, err, lines[-1]), (0, '', {'done': True}), 'pull')
    tasks = {l['key']: l for l in records(lines, 'task')}
    is_(sorted(tasks), ['1', '2', '3', '4'], 'all tasks')
    t = tasks['1']
    is_((t['name'], t['state'], t['title'], t['body'], t['labels'], t['milestone'], [p['login'] for p in t['assignees']], t['author']['login'], t['notes']),
        ('GH-1', 'open', 'first', 'line\nline', ['bug'], '1.0', ['ana'], 'bob', 2), 'an issue')
    is_((tasks['3']['state'], tasks['3']['status'], tasks['4']['state'], tasks['4']['change']), ('closed', 'not_planned', 'merged', True), 'states')
    is_((tasks['2']['change'], tasks['2']['head'], bool(tasks['2']['base_ref'])), (True, HEAD, True), 'a change')
    notes = {l['body']: l for l in records(lines, 'note')}
    is_((notes['hi']['kind'], notes['hi']['task'], notes['hi']['key'][0], notes['there\n']['can_edit'], notes['hi'].get('can_edit', False)),
        ('comment', '1', 'c', True, False), 'comments')
    w, b, g, fl, re_ = (notes[x] for x in ('why', 'both', 'gone', 'the file', 'because'))
    is_((w['anchor']['path'], w['anchor']['line'], w['anchor']['commit'], w['thread'], w['key']), ('src/a.c', 2, HEAD, w['key'][1:], 'r' + w['thread']),
        'a code note has its place')
    is_((re_['thread'], re_['reply_to']), (w['thread'], w['key']), 'a reply has its thread')
    is_((b['anchor']['line'], b['anchor']['end'], g['anchor']['side'], fl['anchor']['type']), (2, 3, 'old', 'file'), 'a range, the old side, a file')
    is_((notes['hm']['kind'], notes['hm']['verdict'], notes['hm']['key'][0], '' in notes), ('review', 'request-changes', 'v', False), 'a review; one that says nothing is none')
    th = records(lines, 'thread')
    ok(len(th) == 4 and all(x['handle'].startswith('PRRT_') and x['can_resolve'] and not x['resolved'] for x in th) and w['thread'] in [x['key'] for x in th], 'threads')
    n = notes['nice']
    is_((n['kind'], n['anchor']['type'], n['anchor']['line'], n['anchor'].get('side', 'new'), n.get('task')), ('commit', 'lines', 2, 'new', None), 'a note on a line of a commit')
    is_((notes['whole']['anchor']['type'], notes['whole']['thread']), ('commit', HEAD), 'and one on a commit')
    cur = last(lines, 'page')

    # -- nothing new, something new --
    n0 = len(f.log())
    lines, st, err = run('pull', source(f, me={'login': 'ana'}), cursor=cur)
    cur = last(lines, 'page') or cur
    for _ in range(2):
        n0 = len(f.log())
        lines, st, err = run('pull', source(f, me={'login': 'ana'}), cursor=cur)
        cur = last(lines, 'page') or cur
    got = f.log()[n0:]
    is_((len(got), [r['status'] for r in got]), (4, [304] * 4), 'nothing new: four requests, four times 304')
    is_(records(lines), [], 'and nothing told')
    f.config(clock=None)
    f.call('POST', '/repos/%s/issues/1/comments' % R, {'body': 'news'}, 't-bob')
    f.call('PATCH', '/repos/%s/issues/3' % R, {'state': 'open'}, 't-ana')
    time.sleep(1.1)
    lines, st, err = run('pull', source(f), cursor=cur)
    cur = last(lines, 'page')
    ok('news' in [l['body'] for l in records(lines, 'note')] and [l['state'] for l in records(lines, 'task') if l['key'] == '3'] == ['open'], 'what is new')
    f.call('POST', '/repos/%s/pulls/2/comments' % R, {'body': 'fresh', 'path': 'src/a.c', 'line': 3, 'commit_id': HEAD}, 't-bob')
    f.call('POST', '/repos/%s/commits/%s/comments' % (R, HEAD), {'body': 'late'}, 't-bob')
    lines, st, err = run('pull', source(f), cursor=cur)
    new = {l['body']: l for l in records(lines, 'note')}
    ok('fresh' in new and 'late' in new and new['fresh']['thread'] in key(lines, 'thread'), 'a code note with its thread, a note on a commit')
    cur = last(lines, 'page')

    # -- one task --
    lines, st, err = run('look', source(f), task='2')
    is_((key(lines, 'task'), len(records(lines, 'thread')), sorted({l['kind'] for l in records(lines, 'note')})), (['2'], 5, ['code', 'comment', 'review']), 'look')
    is_(sorted(l['kinds'][0] for l in records(lines, 'list')), ['code', 'comment', 'review'], 'with lists of what there is')
    lines, st, err = run('look', source(f), task='99')
    is_((records(lines), st), ([{'record': 'gone', 'of': 'task', 'key': '99', 'why': 'hidden'}], 0), 'a task that is not there')

    # -- every verb --
    recs, o = send(f, op('comment', task='1', body='said'))
    is_((o['is'], o['key'][0], o['url'].startswith('http'), bodies(f, 'said'), recs[0]['key'] == o['key']), ('landed', 'c', True, 1, True), 'comment')
    c_key = o['key']
    x = op('comment', task='1', body='said again')
    send(f, x)
    is_((find(f, x)['is'], find(f, dict(x, id='e' * 32))['is']), ('landed', 'absent'), 'found by its mark, and only by it')
    os_ = source(f)
    os_['options'] = dict(os_['options'], marks=False)
    recs, o = send(f, op('comment', task='1', body='plain\r\n  text  \n'), options=os_['options'])
    ok('killick:' not in f.find('plain')[0]['body'], 'a mark can be turned off')
    is_((find(f, op('comment', task='1', body='plain\n  text', mark=NOW))['is'], find(f, op('comment', task='1', body='other', mark=NOW))['is'],
         find(f, op('comment', task='2', body='plain\n  text', mark=NOW))['is']), ('landed', 'absent', 'absent'), 'then found by its text, at its task')
    f.call('POST', '/repos/%s/issues/1/comments' % R, {'body': 'echo'}, 't-bob')
    is_(find(f, op('comment', task='1', body='echo', mark=NOW))['is'], 'absent', "another's words are not ours")
    recs, o = send(f, op('edit-note', task='1', note=c_key, body='edited'))
    is_((o['is'], bodies(f, 'edited')), ('landed', 1), 'edit')
    is_(find(f, op('edit-note', task='1', note=c_key, body='edited'))['is'], 'landed', 'and found')
    recs, o = send(f, op('react', task='1', note=c_key, value='👍'))
    recs, o = send(f, op('react', task='1', note=c_key, value='+1'))
    is_((o['is'], len(f.call('GET', '/repos/%s/issues/comments/%s/reactions' % (R, c_key[1:]), token='t-ana')[1])), ('landed', 1), 'a reaction, twice one')
    is_(find(f, op('react', task='1', note=c_key, value='👍'))['is'], 'landed', 'and found')
    is_((send(f, op('unreact', task='1', note=c_key, value='👍'))[1]['is'], find(f, op('unreact', task='1', note=c_key, value='👍'))['is']), ('landed', 'landed'), 'taken back')
    is_((send(f, op('react', task='1', value='🎉'))[1]['is'], send(f, op('react', task='1', value='🦄'))[1]['is']), ('landed', 'refused'), 'on a task; one that GitHub lacks')
    is_((send(f, op('delete-note', task='1', note=c_key))[1]['is'], bodies(f, 'edited')), ('landed', 0), 'delete')
    is_((send(f, op('delete-note', task='1', note=c_key))[1]['is'], find(f, op('delete-note', task='1', note=c_key))['is']), ('landed', 'landed'), 'twice is once')
    recs, o = send(f, op('code-note', task='2', anchor=anchor(3), head=HEAD, body='on a line'))
    root = o['key'][1:]
    is_((o['is'], recs[0]['anchor']['line'], recs[0]['thread']), ('landed', 3, root), 'a note on a line')
    send(f, op('code-note', task='2', anchor=anchor(2, 3), body='on two'))
    send(f, op('code-note', task='2', anchor=anchor(2, side='old'), body='on the old'))
    send(f, op('code-note', task='2', anchor={'type': 'file', 'path': 'src/a.c', 'commit': HEAD}, body='on the file'))
    got = {c['body'].split('\n')[0]: c for c in state(f, 2)['rcomments']}
    is_(((got['on two']['start_line'], got['on two']['line']), got['on the old']['side'], got['on the file']['subject']), ((2, 3), 'LEFT', 'file'), 'a range, the old side, a file')
    recs, o = send(f, op('code-note', task='2', anchor=anchor(99), body='nowhere'))
    is_((o['is'], o['code'], bodies(f, 'nowhere')), ('refused', 'refused', 0), 'a line outside of the diff')
    x = op('reply', task='2', thread=root, body='and back')
    recs, o = send(f, x)
    is_((o['is'], recs[0]['thread'], find(f, x)['is']), ('landed', root, 'landed'), 'reply')
    is_(send(f, op('reply', task='2', thread='77', body='x'))[1]['code'], 'not-found', 'a thread that is not there')
    for verb, want in (('resolve', True), ('reopen-thread', False)):
        recs, o = send(f, op(verb, task='2', thread=root))
        is_((o['is'], root in state(f, 2)['resolved'] and state(f, 2)['resolved'][root] is not None, find(f, op(verb, task='2', thread=root))['is']), ('landed', want, 'landed'), verb)
    is_(send(f, op('resolve', task='2', thread=root), token='t-eve')[1]['code'], 'auth', 'who may not resolve')
    recs, o = send(f, op('commit-note', anchor={'type': 'commit', 'commit': HEAD}, body='on the commit'))
    recs, o2 = send(f, op('commit-note', anchor=anchor(3), body='on its line'))
    is_((o['is'], o2['is'], o2['key'][0]), ('landed', 'landed', 'k'), 'notes on a commit')
    is_([c['position'] for c in f.call('GET', '/repos/%s/commits/%s/comments' % (R, HEAD), token='t-ana')[1] if 'its line' in c['body']], [4], 'at the position of its line')
    recs, o = send(f, op('commit-note', anchor=anchor(300), body='x'))
    is_(o['is'], 'refused', 'not on a line that the commit does not show')
    recs, o = send(f, op('new-task', title='A new one', body='text', add=['bug'], value='bob'))
    is_((o['is'], f.find('A new one')[0]['id'], recs[0]['labels'], [p['login'] for p in recs[0]['assignees']]), ('landed', int(o['key']), ['bug'], ['bob']), 'a new task')
    new = o['key']
    x = op('new-task', title='Another', body='text')
    send(f, x)
    is_((find(f, x)['is'], find(f, dict(x, id='d' * 32))['is']), ('landed', 'absent'), 'found')
    recs, o = send(f, op('new-task', title='By eve', body='', add=['bug']), token='t-eve')
    ok(o['is'] == 'landed' and "label 'bug'" in o['message'], 'a label dropped without a word is told')
    for verb, more, want in (
            ('close', {'value': 'not planned'}, lambda k: (k['state'], k['reason']) == ('closed', 'not_planned')), ('reopen', {}, lambda k: k['state'] == 'open'),
            ('label', {'add': ['a b/c'], 'drop': ['bug', 'nothing']}, lambda k: k['labels'] == ['a b/c']), ('assign', {'add': ['ana'], 'drop': ['bob']}, lambda k: k['assignees'] == ['ana']),
            ('milestone', {'value': '2.0'}, lambda k: k['milestone'] == 2), ('milestone', {}, lambda k: k['milestone'] is None),
            ('edit-task', {'title': 'Renamed'}, lambda k: k['title'] == 'Renamed' and 'text' in k['body']), ('edit-task', {'body': 'other'}, lambda k: k['body'] == 'other')):
        x = op(verb, task=new, **more)
        recs, o = send(f, x)
        ok(o['is'] == 'landed' and want(state(f, int(new))['task']) and find(f, x)['is'] == 'landed', verb + ' ' + json.dumps(more))
    is_(send(f, op('milestone', task=new, value='9.9'))[1]['is'], 'refused', 'a milestone that is not there')
    ok('eve' in send(f, op('assign', task=new, add=['eve']))[1]['message'], 'somebody who has no part in it')
    is_(send(f, op('close', task=new), token='t-eve')[1]['code'], 'auth', 'who may not close')

    # -- reviews --
    notes = [op('code-note', task='2', anchor=anchor(2), body='n1'), op('code-note', task='2', anchor=anchor(2, 3), body='n2')]
    n0 = len(f.log())
    x = op('review', task='2', head=HEAD, verdict='approve', body='Good', notes=notes)
    recs, o = send(f, x, mark=True)
    rv = [r for r in state(f, 2)['reviews'] if 'Good' in r['body']]
    is_((o['is'], o['key'], rv[0]['state'], len(rv[0]['comments']), len([r for r in f.log()[n0:] if r['method'] == 'POST'])),
        ('landed', 'v%d' % rv[0]['id'], 'APPROVED', 2, 1), 'a review of lines is one request')
    is_(find(f, x)['is'], 'landed', 'and found')
    notes = [op('reply', task='2', thread=root, body='re'), op('code-note', task='2', anchor={'type': 'file', 'path': 'src/a.c'}, body='f'), op('code-note', task='2', anchor=anchor(3), body='l')]
    x = op('review', task='2', head=HEAD, verdict='request-changes', body='Not yet', notes=notes)
    recs, o = send(f, x)
    rv = [r for r in state(f, 2)['reviews'] if 'Not yet' in r['body']]
    is_((o['is'], len(rv), rv[0]['state'], len(rv[0]['comments'])), ('landed', 1, 'CHANGES_REQUESTED', 3), 'one with replies and files as well')
    is_([r['state'] for r in state(f, 2)['reviews'] if r['state'] == 'PENDING'], [], 'and nothing stays behind')
    x = op('review', task='2', head=HEAD, verdict='comment', body='Halfway', notes=[notes[0], op('code-note', task='2', anchor=anchor(99), body='off')])
    recs, o = send(f, x)
    is_((o['is'], bodies(f, 'Halfway'), bodies(f, 'off')), ('refused', 0, 0), 'one that fails on the way leaves nothing')
    f.faults({'method': 'POST', 'path': '.*/events', 'do': 'close-after-read', 'times': 1})
    x = op('review', task='2', head=HEAD, verdict='comment', body='Cut', notes=[notes[0]])
    recs, o = send(f, x)
    is_((o['is'], find(f, x)['is']), ('unknown', 'absent'), 'sending it was cut off')
    recs, o = send(f, x)
    is_((o['is'], bodies(f, 'Cut')), ('landed', 1), 'our own pending one is begun anew')
    f.faults({'method': 'POST', 'path': '.*/events', 'do': 'close-after-commit', 'times': 1})
    x = op('review', task='2', head=HEAD, verdict='comment', body='Blind', notes=[notes[0]])
    recs, o = send(f, x)
    is_((o['is'], find(f, x)['is'], bodies(f, 'Blind')), ('unknown', 'landed', 1), 'sent, the answer lost: found')
    f.call('POST', '/repos/%s/pulls/2/reviews' % R, {'body': 'my draft'}, 't-ana')
    x = op('review', task='2', head=HEAD, verdict='comment', body='Mine', notes=[])
    t = Talk('send', source(f))
    is_(t.ask('mark', x)[-1]['error']['code'], 'conflict', 'beside the user\'s own draft there a review is not begun')
    t.end()
    recs, o = send(f, x, mark=False)
    is_((o['is'], o['code'], bodies(f, 'Mine'), bodies(f, 'my draft')), ('refused', 'conflict', 0, 1), "the user's own draft there is never sent nor lost")
    rv = [r for r in records(run('look', source(f), task='2')[0], 'note') if r.get('pending')]
    is_([r['body'] for r in rv], ['my draft'], 'but shown as pending')
    f.call('DELETE', '/repos/%s/pulls/2/reviews/%s' % (R, rv[0]['key'][1:]), token='t-ana')
    ok('own' in send(f, op('review', task='4', verdict='approve', body='x', notes=[]))[1]['message'], 'nobody approves his own change')

    # -- what goes wrong while writing --
    for do, more, want, copies in (
            ('close-before-read', {}, 'unknown', 0), ('close-after-read', {}, 'unknown', 0), ('close-after-commit', {}, 'unknown', 1), ('half-reply', {}, 'unknown', 1),
            ('error-after-commit', {}, 'unknown', 1), ('answer', {'status': 502, 'answer': '<html>'}, 'unknown', 0), ('answer', {'status': 422, 'answer': {'message': 'no'}}, 'refused', 0),
            ('answer', {'status': 429, 'headers': {'Retry-After': '90'}, 'answer': ''}, 'unsent', 0)):
        f.faults(dict({'method': 'POST', 'path': '.*/comments', 'do': do, 'times': 1}, **more))
        x = op('comment', task='1', body='word %s %s' % (do, more.get('status', '')))
        recs, o = send(f, x)
        ok(o['is'] == want and bodies(f, x['body']) == copies and f.hits() == [1] and ('retry_at' in o) == (want == 'unsent'), '%s: %s, %d copies' % (do, want, copies)) or diag(o)
        is_(find(f, x)['is'], 'landed' if copies else 'absent', 'and looked for')
    f.faults({'method': 'POST', 'path': '.*/comments', 'do': 'lag', 'delay': 2, 'times': 1})
    x = op('comment', task='1', body='lagging')
    recs, o = send(f, x)
    is_((o['is'], find(f, x)['is']), ('landed', 'absent'), 'a list that lags')
    f.faults()
    src = source(f, 't-wrong')
    t = Talk('send', src)
    got = t.ask('push', op('comment', task='1', body='x'))[-1]['outcome']
    t.end()
    is_((got['is'], got['code']), ('unsent', 'auth'), 'a wrong token sends nothing')
    t = Talk('send', source(f, ''))
    got = t.ask('push', op('comment', task='1', body='x'))[-1]['outcome']
    t.end()
    is_((got['is'], got['code']), ('unsent', 'auth'), 'no token neither')
    t = Talk('send', source(f, api='http://127.0.0.1:9/'))
    got = t.ask('push', op('comment', task='1', body='x'))[-1]['outcome']
    t.end()
    is_((got['is'], got['code']), ('unsent', 'offline'), 'nobody there')

    # -- deletions --
    lines, st, err = run('pull', source(f))
    cur = last(lines, 'page')
    c = next(l for l in records(lines, 'note') if l['body'] == 'looking')
    f.call('DELETE', '/repos/%s/issues/comments/%s' % (R, c['key'][1:]), token='t-ana')
    f.act('delete', repo=R, task=3)
    lines, st, err = run('pull', source(f), cursor=cur, full=True)
    two = [l for l in records(lines, 'list') if l.get('task') == '2' and l['kinds'] == ['comment']]
    is_((st, [g['key'] for g in records(lines, 'gone')], c['key'] in two[0]['keys']), (0, ['3'], False), 'a reconcile finds what is gone')
    ok(all(l['page'] == cur for l in lines[:-2] if 'page' in l) and 'page' in lines[-2], 'and moves the cursor only at its end')
    f.act('rename', repo=R, to='acme/gadget')
    lines, st, err = run('look', source(f), task='1')
    is_(key(lines, 'task'), ['1'], 'a renamed repository is followed')

# -- many: pages, cut and resumed; what moves while it is read --
with Forge('github') as f:
    f.seed(users=[{'login': 'ana'}], tokens=[{'token': 't-ana', 'login': 'ana'}],
           repos=[{'name': R, 'bulk': dict(issues=520, changes=270, comments=1500, rcomments=400)}])
    lines, st, err = run('pull', source(f))
    full = (len(records(lines, 'task')), len({l['key'] for l in records(lines, 'note')}), len(records(lines, 'thread')))
    is_((st, full), (0, (790, 1900, 400)), 'all pages')
    pages = [i for i, l in enumerate(lines) if 'page' in l]
    seen, cur, cuts = set(), '', 0
    while True:
        t = Talk('pull', source(f), cursor=cur)
        got, n = [], 0
        while n < 5:
            l = t.read()
            if l is None or 'done' in l or 'error' in l:
                break
            got.append(l)
            if 'page' in l:
                cur, n = l['page'], n + 1
                seen |= {(x['record'], x['key']) for x in got if 'key' in x}
                got = []
        t.p.kill()
        t.end()
        cuts += 1
        if n < 5 or cuts > 50:
            break
    want = {(x['record'], x['key']) for x in lines if 'record' in x and 'key' in x}
    ok(seen == want and cuts > 3, 'cut %d times and resumed, nothing is missing' % cuts) or diag(len(want - seen))
    f.config(latency=0.1)
    most = []
    for parallel in (1, 8):
        n0 = len(f.log())
        run('pull', source(f, options={'parallel': parallel}))
        # The server begins with a request at 'time' and holds it for the latency, however slow the machine is.
        began = sorted(r['time'] for r in f.log()[n0:])
        most.append(max(sum(t <= u < t + 0.1 for u in began) for t in began))
    ok(most[0] == 1 and most[1] > 2, 'pages come side by side, one by one where that is asked for: %r at a time' % most)
    f.config(latency=0)
    # every item of a stream changes while it is walked
    cur = last(lines, 'page')
    c = json.loads(cur)
    c['since'] = {k: '2024-01-01T00:00:00Z' for k in c['since']}
    lines, st, err = run('pull', source(f), cursor=json.dumps(c))
    is_((len({l['key'] for l in records(lines, 'task')}), len({l['key'] for l in records(lines, 'note')})), (790, 1900), 'a long walk by time misses nothing')
    t = Talk('pull', source(f), cursor=json.dumps(c))
    moved, got = 0, []
    while True:
        l = t.read()
        if l is None or 'done' in l:
            break
        got.append(l)
        if 'page' in l and moved < 6:
            moved += 1
            f.call('PATCH', '/repos/%s/issues/%d' % (R, moved * 3), {'title': 'moved %d' % moved}, 't-ana')
    t.end()
    is_(len({l['key'] for l in records(got, 'task')}), 790, 'nor one during which tasks move')
    f.config(graphql=False)
    lines, st, err = run('pull', source(f))
    is_((st, len(records(lines, 'thread')), len(records(lines, 'task'))), (0, 0, 790), 'without GraphQL all but the threads')
    f.config(graphql=True, rate_remaining=2, rate_reset=5)
    lines, st, err = run('pull', source(f, options={'max-wait-ms': 0}))
    ok(lines[-1]['error']['code'] == 'rate-limited' and 'retry_at' in lines[-1]['error'], 'a limit ends a pull with the time to come back') if 'error' in lines[-1] else ok(False, 'a limit')
    # a long wait gives signs of life, and ends with whoever waits
    f.config(rate_remaining=None, latency=60)
    t = Talk('pull', source(f))
    t0, l = time.time(), t.read()
    ok(l == {'progress': {'what': 'the server', 'done': 0}} and time.time() - t0 < 50, 'who waits hears so after a while') or diag(l)
    t0 = time.time()
    st, rest, err = t.end()
    ok(st == 1 and time.time() - t0 < 40, 'who goes ends it at once: %.1f s' % (time.time() - t0))
    f.config(latency=0)
shutil.rmtree(T)
done()
