# SPDX-License-Identifier: MIT
"""contractslim.py IN OUT: GitHub's OpenAPI description cut to what an issue and review client needs, and made checkable:

 - only the wanted paths and the components that they reach: the checker then starts in seconds instead of a minute;
 - "nullable" on a schema without "type" makes the JSON schema compiler refuse the whole schema, and the checker then skips
   the body without a word (an issue without a title passes): an alternative that only null meets stands in its place;
 - every JSON answer also under application/vnd.github+json, which is what clients ask for.
"""
import json, re, sys

WANT = re.compile(r'^/(repos/\{owner\}/\{repo\}(/(issues|pulls|comments|commits/\{commit_sha\}/comments|commits/\{ref\}|labels|milestones|'
                  r'assignees|collaborators/\{username\}/permission)(/.*)?)?|user|notifications|rate_limit|users/\{username\}|'
                  r'meta)$')


def nullable(o, count):
    if isinstance(o, list):
        for x in o:
            nullable(x, count)
    if not isinstance(o, dict):
        return
    if o.get('nullable') is True and 'type' not in o:
        del o['nullable']
        count[0] += 1
        null = {'type': 'object', 'nullable': True, 'maxProperties': 0}
        for k in ('oneOf', 'anyOf'):
            if k in o:
                o[k].append(null)
                break
        else:
            rest = {k: o.pop(k) for k in list(o) if k not in ('description', 'title', 'example')}
            o['anyOf'] = [rest, null]
    for x in list(o.values()):
        nullable(x, count)


def answers(d):
    for p in d['paths'].values():
        for m in p.values():
            if isinstance(m, dict):
                yield from m.get('responses', {}).values()
    yield from d['components'].get('responses', {}).values()


def reached(d):
    """The names of components that the paths use, directly or not."""
    keep, todo = set(), [d['paths']]
    while todo:
        o = todo.pop()
        if isinstance(o, dict):
            ref = o.get('$ref')
            if isinstance(ref, str) and ref.startswith('#/components/') and ref not in keep:
                keep.add(ref)
                _, _, kind, name = ref.split('/', 3)
                todo.append(d['components'][kind][name.replace('~1', '/')])
            todo.extend(o.values())
        elif isinstance(o, list):
            todo.extend(o)
    return keep


def slim(d):
    d['paths'] = {p: v for p, v in d['paths'].items() if WANT.match(p)}
    for k in ('webhooks', 'x-webhooks'):
        d.pop(k, None)
    count = [0]
    nullable(d, count)
    for r in answers(d):
        c = r.get('content', {})
        if 'application/json' in c:
            c.setdefault('application/vnd.github+json', c['application/json'])
    keep = reached(d)
    d['components'] = {k: {n: v for n, v in c.items() if '#/components/%s/%s' % (k, n) in keep or k == 'securitySchemes'}
                       for k, c in d['components'].items()}
    return count[0]


if __name__ == '__main__':
    with open(sys.argv[1]) as f:
        spec = json.load(f)
    n = slim(spec)
    with open(sys.argv[2], 'w') as f:
        json.dump(spec, f)
    print('%d paths, %d nullables mended' % (len(spec['paths']), n))
