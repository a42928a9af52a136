# SPDX-License-Identifier: MIT
"""The manual and the tables say the same: commands, options, settings, exit statuses, names of JSON results; and the
examples of the pages run."""
import glob, json, os, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *

T = tempfile.mkdtemp(prefix='killick-manual.')
K = os.path.abspath(BIN)
os.makedirs(T + '/bin')
os.makedirs(T + '/home')
for n in ('killick', 'git-killick'):
    os.symlink(K, T + '/bin/' + n)
ENV = dict(os.environ, PATH=T + '/bin:' + os.environ['PATH'], HOME=T + '/home', LC_ALL='C.UTF-8', TERM='dumb', GIT_CONFIG_NOSYSTEM='1',
           PAGER='cat')
for k in ('XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'EDITOR', 'VISUAL', 'GIT_EDITOR'):
    ENV.pop(k, None)
PAGES = {os.path.basename(p): open(p, encoding='utf-8').read() for p in sorted(glob.glob(SRC + '/man/*.[1-8]'))}


def killick(*a):
    return json.loads(subprocess.run([K] + list(a), env=ENV, cwd='/', stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout)


def sections(page):
    """.Ss heading -> its source."""
    out, name = {}, None
    for line in page.split('\n'):
        m = re.match(r'\.S[sh] (.*)', line)
        if m:
            name = re.split(r' (?:Ar|Op|Oo|Cm)\b', m.group(1))[0].strip() if line.startswith('.Ss') else None
            if name:
                out[name] = ''
        elif name:
            out[name] += line + '\n'
    return out


def options(src):
    """Options that an item of a list explains."""
    found = set()
    for line in src.split('\n'):
        if line.startswith('.It') and ' Fl ' in line:
            found |= set(re.findall(r'Fl -([a-z][a-z-]*)', line))
    return found


SECTIONS = {}
for name, page in PAGES.items():
    for h, src in sections(page).items():
        SECTIONS.setdefault(h, (name, src))

table = killick('help', '--json')['commands']
names = set()
for c in table:
    full = ((c['parent'] + ' ') if c['parent'] else '') + c['name']
    names.add(full)
    own = {o['name'] for o in c['options'] if not o['shared']}
    if full.startswith('hook'):
        page = PAGES['killick-hooks.7']
        ok(all('Fl -' + o in page for o in own) and ('hook ' + c['name'] in page or '.Cm ' + c['name'] in page),
           '%s stands in killick-hooks(7)' % full)
        continue
    if not ok(full in SECTIONS, '%s stands in the manual' % full):
        continue
    is_(sorted(options(SECTIONS[full][1])), sorted(own), '%s: its options, in both directions' % full)
groups = {c['parent'] for c in table if c['parent']}
known = {h for h in SECTIONS if re.fullmatch(r'[a-z]+( [a-z]+)?', h)}
is_(sorted(h for h in known - names if h.split()[0] in {n.split()[0] for n in names}), [], 'the manual has no command that is not there')
shared = {o['name'] for c in table for o in c['options'] if o['shared']}
sh = set()
for h in ('Every command', 'Commands with results', 'Commands that post'):
    sh |= options(SECTIONS[h][1])
is_(sorted(sh), sorted(shared), 'the shared options')
overview = PAGES['killick.1']
for n in sorted({n.split()[0] for n in names}):
    ok(re.search(r'^\.(Cm|Ss) %s\b' % n, overview, re.M), '%s is named in killick(1)' % n)

conf = {c['name']: c for c in killick('config', '--json')['settings']}
page = PAGES['killick-config.5']
items = dict(re.findall(r'\.It Va killick\.(\S+)\n(.*?)(?=\.It|\.El)', page, re.S))
is_(sorted(items), sorted(conf), 'killick-config(5): every setting, and no other')
for n, c in conf.items():
    if n not in items:
        continue
    flat = re.sub(r'\s+', ' ', items[n].replace('\\(dq', '"').replace('\\&', '').replace('\\e', '\\'))
    ok(c['help'] in flat and ('default: ' + (c['default'] or 'not set')) in flat and all(x in flat for x in c['choices']) and
       ('your own' in flat) == c['user_only'], 'killick-config(5): %s as in the table' % n)

src = open(SRC + '/include/killick/cmd/cmd.h').read()
codes = {int(n) for n in re.findall(r'EXIT_[A-Z_]+ = (\d+)', src)} | {141}
m = re.search(r'\.Sh EXIT STATUS\n(.*?)\.Sh', overview, re.S).group(1)
is_(sorted(int(n) for n in re.findall(r'^\.It (\d+)$', m, re.M)), sorted(codes), 'killick(1): the exit statuses')

made = set()
for f in glob.glob(SRC + '/src/cmd/*.c') + glob.glob(SRC + '/src/hook/*.c'):
    made |= set(re.findall(r'out_(?:doc|list_begin)\(c, "([a-z_]+)"', open(f).read()))
results = re.search(r'\.Ss Results\n(.*?)\.Ss', PAGES['killick-json.7'], re.S).group(1)
said = {w for line in re.findall(r'^\.It Li (.*)$', results, re.M) for w in re.split(r'[ ,]+', line) if w}
is_(sorted(made - said), [], 'killick-json(7): every result')
is_(sorted(said - made), [], 'and no other')

if shutil.which('mandoc'):
    for n in PAGES:
        p = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', SRC + '/man/' + n], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        is_(p.stdout.decode(), '', 'mandoc has nothing against ' + n)

# What the hooks' page names is what there is.
page = PAGES['killick-hooks.7']
part = re.search(r'\.Sh DESCRIPTION\n(.*?)\.Sh TRAILERS', page, re.S).group(1)
named = {w for line in re.findall(r'^\.It Cm (.*)$', part, re.M) for w in line.replace(',', ' ').split()}
d = T + '/hooks'
subprocess.run(['git', 'init', '-q', d], env=ENV)
there = {h['name'] for h in json.loads(subprocess.run([K, '-C', d, 'hook', 'status', '--json'], env=ENV, stdout=subprocess.PIPE).stdout)['hooks']}
is_(sorted(named), sorted(there), 'killick-hooks(7): every hook, and no other')
keys = set(re.findall(r'^\.It Cm ([A-Za-z-]+):', re.search(r'\.Sh TRAILERS\n(.*?)\.Sh', page, re.S).group(1), re.M))
code = set(re.findall(r'"(Question|Remark|Decision|Note|[A-Z][a-z]+-thread)"', open(SRC + '/src/hook/trailer.c').read()))
is_(sorted(keys), sorted(code), 'killick-hooks(7): every trailer, and no other')
said = set(re.findall(r'killick\.([A-Za-z.]+)', page)) - {'c'}
is_(sorted(said - set(conf)), [], 'killick-hooks(7): its settings are there')

# What must be so after a line of an example: an expression over what was printed and a shell in the repository.
SEEN = {'killick-hooks.7': {
    "git commit -am 'net: retry' -m 'Question(src/a.c:12-20): Why three?'":
        ("'Why three?' in sh('killick threads kind:question on:src/a.c')", 'the trailer opened a question'),
    'killick at src/a.c:12': ("'Why three?' in out", 'it is on the lines'),
    "git commit --allow-empty -m 'net: cap' -m 'Resolves-thread: k3f9c2'":
        ("'first' in sh('killick threads is:resolved')", 'the thread is resolved'),
    'killick show k3f9c2': ("'net: cap' in out and sh('git rev-parse --short HEAD').strip()[:7] in out", 'by the commit and its message'),
    'git push origin main': ("'refs/killick/log/' in sh('git ls-remote origin')", 'the push took along what was said'),
    'killick hook status': ("out.count('installed') >= 8", 'they are installed'),
    'killick hook remove': ("'killick' not in sh('cat .git/hooks/*')", 'and gone again'),
}}

# The examples, in the order they stand, in one repository a page. The id of the pages stands for its first thread.
for n, page in PAGES.items():
    lines = [l for b in re.findall(r'^\.Bd -literal[^\n]*\n(.*?)^\.Ed', page, re.S | re.M) for l in b.split('\n')]
    lines = [l[2:] for l in lines if l.startswith('$ ')]
    if not lines:
        continue
    d = T + '/' + n
    sh_ = lambda s: subprocess.run(['bash', '-c', s], cwd=d, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.makedirs(d)
    sh_('git config --global user.name Ana; git config --global user.email ana@example.org; git init -q -b main . && mkdir -p src docs && '
        'seq 1 50 >src/a.c && printf "# Guide\\n\\n## Install\\n" >docs/guide.md && git add . && git commit -qm start; git init -q --bare %s.git; '
        'git remote add origin %s.git; killick ask src/a.c:3 -m first; '
        'GIT_AUTHOR_NAME=Bo GIT_AUTHOR_EMAIL=bo@example.org killick reply $(killick threads --jsonl | grep -o "k[0-9a-f]\\{12\\}" | head -n 1) -m answer; '
        'killick task new "A task"' % (d, d))
    ids = re.findall(r'"id":"(k[0-9a-f]+)"', sh_('killick threads --json').stdout.decode())
    for l in lines:
        tasks = re.findall(r'"id":"(T-[0-9a-f]+)"', sh_('killick tasks --json').stdout.decode())
        cmd = re.sub(r'\bk3f9c2\b', ids[-1] if ids else 'k', l.replace('\\e', '\\').replace('\\(dq', '"'))
        cmd = re.sub(r'T-3f9c2a\b', tasks[-1] if tasks else 'T', cmd)
        p = sh_(cmd)
        if not ok(p.returncode == 0, '%s: $ %s' % (n, l)):
            diag(p.stdout.decode())
        elif l in SEEN.get(n, {}):
            expr, name = SEEN[n][l]
            ok(eval(expr, {'sh': lambda s: sh_(s).stdout.decode(), 'out': p.stdout.decode(), 're': re, 'json': json, 'd': d}), '%s: %s' % (n, name))
subprocess.run(['rm', '-rf', T])
done()
