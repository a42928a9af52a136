# SPDX-License-Identifier: MIT
"""The other people of a tracker that is a folder (src/remote/dir.c): makes tasks and talk in it, and counts what is there.

tracker.py DIR init | task KEY TITLE [state=closed …] | change KEY TITLE HEAD BASE BRANCH | note TASK LOGIN BODY [ANCHOR-JSON]
               code TASK LOGIN BODY PATH LINE COMMIT | fault JSON | set TASK FIELD VALUE | gone TASK | delete TASK KEY | later | bodies TASK | count TEXT | dump TASK
"""
import fcntl, json, os, sys, time

D = sys.argv[1]


def path(key):
    return os.path.join(D, 'tasks', key + '.json')


def load(key):
    try:
        with open(path(key)) as f:
            return json.load(f)
    except FileNotFoundError:
        return {'rev': 0, 'notes': [], 'threads': []}


def all_docs():
    return {n[:-5]: load(n[:-5]) for n in sorted(os.listdir(os.path.join(D, 'tasks'))) if n.endswith('.json')}


def now():
    """What people do here was done an hour ago, a second an act; after `later` it is done in a minute."""
    with open(os.path.join(D, 'clock')) as f:
        t = int(f.read())
    with open(os.path.join(D, 'clock'), 'w') as f:
        f.write(str(t + 1))
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))


def save(key, doc):
    doc['rev'] = 1 + max([d['rev'] for d in all_docs().values()] + [0])
    tmp = path(key) + '~'
    with open(tmp, 'w') as f:
        json.dump(doc, f)
    os.rename(tmp, path(key))


def next_key():
    keys = [int(n['key']) for d in all_docs().values() for n in d.get('notes', []) if n['key'].isdigit()]
    return str(max(keys + [1000]) + 1)


def add_task(key, title, extra):
    doc = load(key)
    doc['task'] = dict({'record': 'task', 'key': key, 'name': 'DIR-' + key, 'state': 'open', 'title': title,
                        'author': {'login': 'bo'}, 'created': now()}, **extra)
    doc['task'].setdefault('updated', doc['task']['created'])
    save(key, doc)


def add_note(key, login, body, extra):
    doc = load(key)
    at = now()
    note = dict({'record': 'note', 'key': next_key(), 'kind': 'comment', 'author': {'login': login}, 'created': at,
                 'updated': at, 'body': body}, **extra)
    if doc.get('task'):
        note['task'] = key
    doc.setdefault('notes', []).append(note)
    return doc, note


def main(what, *a):
    if what == 'init':
        os.makedirs(os.path.join(D, 'tasks'))
        with open(os.path.join(D, 'source.json'), 'w') as f:
            json.dump({'me': {'login': 'ana', 'name': 'Ana'}, 'title': 'Widget', 'public': True}, f)
        with open(os.path.join(D, 'clock'), 'w') as f:
            f.write(str(int(time.time()) - 3600))
        return
    with open(os.path.join(D, 'lock'), 'a') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if what == 'task':
            add_task(a[0], a[1], dict(x.split('=', 1) for x in a[2:]))
        elif what == 'change':
            add_task(a[0], a[1], {'change': True, 'name': '!' + a[0], 'head': a[2], 'base': a[3], 'head_ref': a[4]})
        elif what == 'note':
            doc, note = add_note(a[0], a[1], a[2], {})
            save(a[0], doc)
            print(note['key'])
        elif what == 'code':
            key = next_key()
            doc, note = add_note(a[0], a[1], a[2], {'kind': 'code', 'thread': 't' + key, 'anchor': {
                'type': 'lines', 'path': a[3], 'line': int(a[4]), 'end': int(a[4]), 'commit': a[5]}})
            doc.setdefault('threads', []).append({'record': 'thread', 'key': 't' + key, 'task': a[0], 'resolved': False,
                                                  'can_resolve': True, 'can_reply': True})
            save(a[0], doc)
        elif what == 'fault':
            with open(os.path.join(D, 'faults'), 'a') as f:
                f.write(a[0] + '\n')
        elif what == 'set':
            doc = load(a[0])
            doc['task'][a[1]] = json.loads(a[2])
            doc['task']['updated'] = now()
            save(a[0], doc)
        elif what == 'gone':
            doc = load(a[0])
            doc['gone'] = True
            save(a[0], doc)
        elif what == 'later':
            with open(os.path.join(D, 'clock'), 'w') as f:
                f.write(str(int(time.time()) + 60))
        elif what == 'delete':
            doc = load(a[0])
            doc['notes'] = [n for n in doc['notes'] if n['key'] != a[1]]
            save(a[0], doc)
        elif what == 'bodies':
            for n in load(a[0]).get('notes', []):
                print(n['author'].get('login', '?') + ': ' + n['body'].split('\n\n<!--')[0].replace('\n', '|'))
        elif what == 'count':
            print(sum(a[0] in n['body'] for d in all_docs().values() for n in d.get('notes', [])))
        elif what == 'get':
            v = load(a[0])
            for k in a[1:]:
                v = v[int(k)] if isinstance(v, list) else v.get(k)
            print(v if isinstance(v, str) else json.dumps(v))


main(*sys.argv[2:])
