# SPDX-License-Identifier: MIT
"""Where a token is found, in which order, for whom; and that it never leaves: a canary is looked for in every child's arguments
and environment, in traces, messages, files and memory that /proc shows."""
import glob, json, os, resource, shutil, stat, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
T = tempfile.mkdtemp(prefix='killick-test.')
BASE = {k: v for k, v in os.environ.items() if not k.endswith(('_TOKEN', '_proxy', '_PROXY')) and not k.startswith('GIT_') and
        k not in ('KILLICK_CLOCK', 'KILLICK_TRACE', 'GH_HOST', 'NETRC', 'XDG_CACHE_HOME', 'XDG_DATA_HOME')}
BASE.update(HOME=T, XDG_CONFIG_HOME=T + '/config', GIT_CONFIG_NOSYSTEM='1', PATH=T + '/bin:' + os.environ['PATH'])
os.environ.clear()
os.environ.update(BASE)
from tap import *
from forgeclient import Forge
from talk import Talk, last, records, run

PLACES = ['helper', 'own', 'env', 'gh', 'hosts', 'git', 'netrc']
os.mkdir(T + '/bin')


def script(name, text):
    path = '%s/bin/%s' % (T, name)
    with open(path, 'w') as f:
        f.write('#!/bin/sh\n' + text)
    os.chmod(path, 0o755)
    return path


def put(name, text):
    path = T + '/' + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(text)


def clear():
    for name in ('.gitconfig', '.netrc', 'config', 'bin'):
        path = T + '/' + name
        shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.remove(path)
    os.mkdir(T + '/bin')
    script('gh', 'exit 1\n')


def config(*a):
    subprocess.run(['git', 'config', '--global', *a], check=True)


def place(what, host, token=None):
    """Puts a token into this place; returns what the environment gets."""
    token = token or 't-' + what
    if what == 'helper':
        config('killick.source.my forge.helper', script('my-helper', 'echo %s\n' % token) + ' "an argument"')
    elif what == 'own':
        return {'KILLICK_TOKEN_MY_FORGE': token}
    elif what == 'env':
        return {'GH_ENTERPRISE_TOKEN': token}
    elif what == 'gh':
        script('gh', '[ "$*" = "auth token --hostname %s" ] || exit 1\necho %s\n' % (host, token))
    elif what == 'hosts':
        put('config/gh/hosts.yml', 'github.com:\n    oauth_token: t-wrong\n%s:\n    users:\n        x:\n            oauth_token: t-wrong\n    user: x\n    oauth_token: %s\n' % (host, token))
    elif what == 'git':
        config('credential.helper', script('cred-helper', 'cat >>%s/asked-$1\n[ "$1" = get ] && printf "username=x\\npassword=%s\\n"\nexit 0\n' % (T, token)))
    elif what == 'netrc':
        put('.netrc', 'default login a password t-wrong\nmachine example.org login a password t-wrong\nmacdef x\n machine %s password t-wrong\n\n'
            'machine %s\n  login x password %s\n' % (host, host, token))
    return {}


with Forge('github') as f:
    f.seed(users=[{'login': p} for p in PLACES], tokens=[{'token': 't-' + p, 'login': p} for p in PLACES] + [{'token': 't-canary', 'login': 'own'}],
           repos=[{'name': 'acme/widget', 'perms': {p: 'write' for p in PLACES}, 'tasks': [{'title': 'x'}]}])
    SRC = dict(name='my forge', kind='github', api=f.url + '/', project='acme/widget', caps=['hidden-mark'])

    def probe(env=None, **src):
        lines, st, err = run('probe', dict(SRC, **src), env=dict(os.environ, **(env or {})))
        return last(lines, 'probe') or {'me': None, 'error': lines}

    def who(env=None, **src):
        p = probe(env, **src)
        return p['me'] and p['me']['login']

    order = ['helper', 'own', 'env', 'gh', 'hosts', 'git', 'netrc']
    for i, first in enumerate(order):
        clear()
        env = {}
        for what in order[i:]:
            env.update(place(what, f.host))
        p = probe(env)
        is_(p['me'] and p['me']['login'], first, 'first comes ' + first)
        ok(p['credential'] and len(p['tried']) >= i, 'it says so: %s' % p['credential'])
        ok('t-' not in json.dumps(p['tried']), 'and no token')
    clear()
    p = probe()
    ok(p['me'] is None and len(p['tried']) >= 6, 'none anywhere: %d places are named' % len(p['tried']))

    # -- bound to the host --
    clear()
    is_(who({'GH_TOKEN': 't-env', 'GITHUB_TOKEN': 't-env'}), None, "github.com's variables are for github.com only")
    is_(who({'GH_ENTERPRISE_TOKEN': 't-env', 'GH_HOST': 'ghe.example.org'}), None, 'GH_HOST names the host that is meant')
    is_(who({'GH_ENTERPRISE_TOKEN': 't-env', 'GH_HOST': f.host}), 'env', 'this one')
    is_(who({'KILLICK_TOKEN_OTHER': 't-own'}), None, "another source's variable")
    is_(who({'KILLICK_TOKEN_MY_FORGE': 't-own'}, web='https://github.com/'), 'own', 'a web address is nobody')
    for what in ('gh', 'hosts', 'netrc'):
        clear()
        place(what, 'github.com')
        is_(who(web='https://github.com/'), None, "github.com's token is not told to a host that says it is github.com: " + what)
    clear()
    place('git', f.host)
    is_(who(), 'git', 'git credential')
    asked = open(T + '/asked-get').read()
    ok('protocol=http\n' in asked and 'host=%s\n' % f.host in asked, 'is asked for this host and port')
    ok(os.path.exists(T + '/asked-store') and 'password=t-git' in open(T + '/asked-store').read(), 'and told that it was right')
    place('git', f.host, 't-bad')
    lines, st, err = run('probe', SRC)
    ok(lines[-1]['error']['code'] == 'auth' and 'git credential' in lines[-1]['error']['message'] and os.path.exists(T + '/asked-erase'), 'or that it was wrong')
    # -- odd contents --
    for name, text in (('empty', ''), ('a line break inside', 'a\\r\\nX-Evil: 1'), ('blanks', 'a b'), ('nothing', '\\n\\n'), ('endless', None)):
        clear()
        config('killick.source.my forge.helper', script('my-helper', 'yes | head -c 10000000\n' if text is None else "printf '%s'\n" % text))
        p = probe()
        # Of several lines the first is the token: here one that nobody has.
        ok(p['me'] is None and ('error' in p) == (name == 'a line break inside'), 'a helper that says ' + name)
    clear()
    config('killick.source.my forge.helper', 'nonexistent-program "x')
    ok(any('quotes' in l for l in probe()['tried']), 'a setting with an open quote')
    config('killick.source.my forge.helper', 'nonexistent-program')
    ok(any('nonexistent' in l for l in probe()['tried']), 'a program that is not there')
    # -- a repository's own configuration names no program --
    clear()
    os.makedirs(T + '/repo')
    subprocess.run(['git', 'init', '-q', T + '/repo'], check=True)
    for key in ('killick.source.my forge.helper', 'credential.helper'):
        subprocess.run(['git', '-C', T + '/repo', 'config', key, script('evil', 'touch %s/evil-ran\necho t-own\n' % T)], check=True)
    os.chdir(T + '/repo')
    is_((who(), os.path.exists(T + '/evil-ran')), (None, False), 'a repository names no helper')
    os.chdir(T)

    # -- the canary --
    CANARY = 't-canary'
    clear()
    script('gh', 'env >>%s/gh-env\nexit 1\n' % T)
    config('credential.helper', script('cred-helper', 'env >>%s/gh-env\nexit 0\n' % T))
    env = {'KILLICK_TOKEN_OTHER': CANARY, 'GH_TOKEN': CANARY, 'GITHUB_TOKEN': CANARY, 'GITLAB_TOKEN': CANARY}
    probe(env)
    ok(os.path.exists(T + '/gh-env') and CANARY not in open(T + '/gh-env').read(), 'no child has a token in its environment')
    seen = []
    env = dict(os.environ, KILLICK_TOKEN_MY_FORGE=CANARY, KILLICK_TRACE='all')
    f.config(latency=1)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))     # whoever runs the tests may have none to begin with
    t = Talk('pull', SRC, env)
    here, core = CANARY.encode(), None
    while t.p.poll() is None and (CANARY.encode() in here or core != '0'):    # as soon as it has read the request; it ends some day
        try:
            core = [l for l in open('/proc/%d/limits' % t.p.pid) if 'core' in l][0].split()[4]
            here = open('/proc/%d/environ' % t.p.pid, 'rb').read()
        except PermissionError:  # the user's own processes may not look either: it has closed itself to them
            here = b''
        except (OSError, IndexError):
            pass
        time.sleep(0.05)
    ok(CANARY.encode() not in here, 'nor has its own, by now')
    is_(core, '0', 'no core dumps')
    t.until('done')
    st, rest, err = t.end()
    f.config(latency=0)
    ok(CANARY not in err and 'http: GET' in err, 'nor the trace')
    bad = dict(os.environ, KILLICK_TOKEN_MY_FORGE='t-canary-of-nobody', KILLICK_TRACE='all')
    lines, st, err = run('pull', SRC, env=bad)
    ok(lines[-1]['error']['code'] == 'auth' and 'canary' not in json.dumps(lines) + err, 'nor a message about it')
    if shutil.which('strace'):
        log = T + '/strace'
        req = json.dumps(dict(wire=1, do='probe', source=SRC)) + '\n'
        p = subprocess.Popen(['strace', '-f', '-v', '-s', '100000', '-e', 'trace=execve,prctl', '-o', log, REMOTE], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=dict(os.environ, KILLICK_TOKEN_MY_FORGE=CANARY))
        p.stdin.write(req.encode())
        p.stdin.flush()
        p.stdout.readline()
        p.stdin.close()
        p.wait()
        calls = [l for l in open(log) if 'execve(' in l]
        ok(any('PR_SET_DUMPABLE, SUID_DUMP_DISABLE' in l for l in open(log)) or b'__asan_init' in open(REMOTE, 'rb').read(),
           'and nobody may attach to it')
        ok(len(calls) > 1 and not [l for l in calls[1:] if CANARY in l], 'nor an argument or the environment of %d programs' % (len(calls) - 1))
    found = [p for p in glob.glob(T + '/**', recursive=True) + glob.glob(T + '/.*/**', recursive=True)
             if os.path.isfile(p) and not p.endswith('/strace') and CANARY.encode() in open(p, 'rb').read()]
    is_(found, [], 'nor any file')
shutil.rmtree(T)
done()
