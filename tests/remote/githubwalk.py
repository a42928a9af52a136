# SPDX-License-Identifier: MIT
"""killick-remote goes through everything that it asks of GitHub, once, through whatever stands at this address: for
contract.py, which checks each request and answer. walk() answers what did not come out well."""
import itertools, json, os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from talk import Talk, last, records, run


def walk(url, project, head, change='2', task='1'):
    ids = ('%032x' % i for i in itertools.count(1 << 60))
    os.environ['KILLICK_TOKEN_GH'] = 't-ana'
    src = dict(name='gh', kind='github', api=url + '/', project=project, caps=['hidden-mark'], options={'backoff-ms': 10})
    bad = []

    def read(do, **more):
        lines, st, err = run(do, src, **more)
        if st or err:
            bad.append((do, more, lines[-1:], err))
        return lines

    def send(verb, want='landed', **more):
        o = dict(id=next(ids), verb=verb, **more)
        t = Talk('send', src)
        o['mark'] = t.ask('mark', o)[-1].get('mark', '')
        got = t.ask('push', o)[-1].get('outcome', {})
        seen = t.ask('find', o)[-1].get('outcome', {})
        t.end()
        if got.get('is') != want or seen.get('is') != ('landed' if want == 'landed' else 'absent'):
            bad.append((verb, more, got, seen))
        return got.get('key')

    read('probe')
    cur = last(read('pull'), 'page')
    for _ in range(3):
        cur = last(read('pull', cursor=cur), 'page') or cur
    read('pull', cursor=cur, full=True)
    lines = read('look', task=change)
    thread = next(l for l in records(lines, 'thread'))
    read('look', task=task)
    at = {'type': 'lines', 'path': 'src/a.c', 'line': 2, 'end': 2, 'commit': head}
    note = lambda verb, **more: dict(id=next(ids), verb=verb, task=change, **more)
    keys = [send('comment', task=task, body='one'), send('code-note', task=change, anchor=at, head=head, body='two'),
            send('commit-note', anchor=dict(at, line=3, end=3), body='three')]
    send('code-note', task=change, anchor=dict(at, end=3), body='four')
    send('code-note', task=change, anchor={'type': 'file', 'path': 'src/a.c', 'commit': head}, body='five')
    send('commit-note', anchor={'type': 'commit', 'commit': head}, body='six')
    send('reply', task=change, thread=thread['key'], body='seven')
    for k in keys:
        for verb, more in (('edit-note', {'body': 'other'}), ('react', {'value': '👍'}), ('unreact', {'value': '👍'}), ('delete-note', {})):
            send(verb, task=change, note=k, **more)
    send('react', task=task, value='🎉')
    send('resolve', task=change, thread=thread['key'], handle=thread['handle'])
    send('reopen-thread', task=change, thread=thread['key'])
    new = send('new-task', title='walked', body='x', add=['bug'], value='ana')
    for verb, more in (('label', {'add': ['a b/c'], 'drop': ['bug']}), ('assign', {'add': ['bob'], 'drop': ['ana']}), ('milestone', {'value': '2.0'}),
                       ('milestone', {}), ('edit-task', {'title': 'walked on', 'body': 'y'}), ('close', {'value': 'not planned'}), ('reopen', {})):
        send(verb, task=new, **more)
    send('review', task=change, head=head, verdict='comment', body='lines', notes=[note('code-note', anchor=at, body='r1')])
    v = send('review', task=change, head=head, verdict='approve', body='all', notes=[
        note('code-note', anchor=dict(at, end=3), body='r2'), note('code-note', anchor={'type': 'file', 'path': 'src/a.c'}, body='r3'),
        note('reply', thread=thread['key'], body='r4')])
    send('edit-note', task=change, note=v, body='all of it')
    send('code-note', want='refused', task=change, anchor=dict(at, line=77, end=77), head=head, body='nowhere')
    return bad
