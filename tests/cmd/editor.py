# SPDX-License-Identifier: MIT
"""Composing in an editor, colour and the pager: everything that needs a terminal, in a real one (pexpect)."""
import json, os, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *
try:
    import pexpect
except ImportError:
    skip_all('pexpect is not there')

T = tempfile.mkdtemp(prefix='killick-editor.')
HOME = os.path.join(T, 'home')
os.makedirs(os.path.join(T, 'bin'))
os.makedirs(HOME)
os.symlink(os.path.abspath(BIN), os.path.join(T, 'bin', 'killick'))
ENV = {'PATH': os.path.join(T, 'bin') + ':' + os.environ['PATH'], 'HOME': HOME, 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm-256color',
       'GIT_CONFIG_NOSYSTEM': '1', 'GIT_AUTHOR_DATE': '2026-01-02T03:04:05Z', 'GIT_COMMITTER_DATE': '2026-01-02T03:04:05Z'}
if 'LD_LIBRARY_PATH' in os.environ:
    ENV['LD_LIBRARY_PATH'] = os.environ['LD_LIBRARY_PATH']
for k in ('ASAN_OPTIONS', 'UBSAN_OPTIONS'):
    if k in os.environ:
        ENV[k] = os.environ[k]
R = os.path.join(T, 'r')


def sh(*argv, env=None, ok_=True):
    p = subprocess.run(argv, cwd=R, env=env or ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, p.stdout.decode('utf-8', 'replace'), p.stderr.decode('utf-8', 'replace')


def js(*argv):
    return json.loads(sh('killick', *argv, '--json')[1])


os.makedirs(R)
for a in (['git', 'config', '--global', 'user.name', 'Ana'], ['git', 'config', '--global', 'user.email', 'ana@example.org'],
          ['git', 'init', '-q', '-b', 'main']):
    sh(*a)
with open(os.path.join(R, 'a.c'), 'w') as f:
    f.write(''.join('line %d\n' % i for i in range(1, 200)))
sh('git', 'add', '.')
sh('git', 'commit', '-qm', 'start')

# A fake editor: a Python script that is given the file.
ED = os.path.join(T, 'ed')


def editor(code):
    with open(ED, 'w') as f:
        f.write('#!/usr/bin/python3\nimport os, sys, signal, time, shutil\np = sys.argv[-1]\ntext = open(p).read()\n'
                'open(%r, "w").write(text)\nopen(%r, "w").write(p)\ndef put(s): open(p, "w").write(s)\n%s\n'
                % (os.path.join(T, 'seen'), os.path.join(T, 'path'), code))
    os.chmod(ED, 0o755)


def seen():
    return open(os.path.join(T, 'seen')).read()


def tty(*argv, env=None, send=None, timeout=30, dims=(24, 80)):
    e = dict(ENV, EDITOR=ED)
    e.update(env or {})
    e = {k: v for k, v in e.items() if v is not None}
    p = pexpect.spawn(argv[0], list(argv[1:]), cwd=R, env=e, timeout=timeout, dimensions=dims, encoding='utf-8',
                      codec_errors='replace')
    if send:
        send(p)
    p.expect(pexpect.EOF)
    out = p.before
    p.close()
    return p.exitstatus if p.exitstatus is not None else -p.signalstatus, out.replace('\r\n', '\n')


plain = lambda s: re.sub(r'\x1b\[[0-9;]*m', '', s)
WRITE = 'put(text.replace("sent ------\\n\\n", "sent ------\\nWhy *three*?\\n\\n# A heading\\n", 1))'

editor(WRITE)
st, out = tty('killick', 'ask', 'a.c:3')
is_(st, 0, 'ask in the editor')
ok(re.search(r'^k[0-9a-f]+ asked on a\.c:3; native', plain(out), re.M), 'is reported')
t = js('threads', '--posts')['threads'][0]
is_(t['posts'][0]['body'], 'Why *three*?\n\n# A heading', 'the text alone is sent, a heading too')
head = seen()
ok(head.startswith('# Question on a.c:3\n# Goes to: native r; everyone who can fetch from'), 'the head says what and who')
ok('# audience: everyone\n' in head, 'and offers to narrow it')
ok('# | line 3\n' in head, 'the code is quoted below')
path = open(os.path.join(T, 'path')).read()
ok(not os.path.exists(path), 'the file is gone')
is_(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700, 'its folder is private')
is_(js('drafts')['drafts'], [], 'no draft is left')
q = t['id']

editor('import stat; s = os.stat(p); put("%o %d" % (s.st_mode & 0o777, s.st_nlink))')
tty('killick', 'note', '.')
is_(js('search', '600')['threads'][0]['title'] if js('search', '600')['threads'] else js('threads')['threads'][0]['title'],
    '600 1', 'the file was private')

editor('put(text.replace("audience: everyone", "audience: private").replace("sent ------\\n", "sent ------\\nmine\\n", 1))')
st, out = tty('killick', 'note', 'a.c:5')
ok('only you' in out, 'the audience line narrows')
editor('put(text.replace("audience: everyone", "audience: nobody").replace("sent ------\\n", "sent ------\\nkept\\n", 1))')
st, out = tty('killick', 'note', 'a.c:5')
is_(st, 2, 'an unknown audience is refused')
ok('nobody' in out and 'drafts send' in out, 'the text is kept and said how to go on')
d = js('drafts')['drafts'][0]
is_(d['body'], 'kept', 'with its words')
sh('killick', 'drafts', 'drop', d['id'])

editor('pass')
st, out = tty('killick', 'ask', 'a.c:3')
is_(st, 1, 'an empty text sends nothing')
ok('nothing was written' in out, 'and says so')
is_(js('drafts')['drafts'], [], 'and leaves no draft')

editor(WRITE + '\nsys.exit(3)')
st, out = tty('killick', 'reply', q)
is_(st, 1, 'a failing editor sends nothing')
d = js('drafts')['drafts']
is_([x['body'] for x in d], ['Why *three*?\n\n# A heading'], 'and its text is kept')
ok('drafts send ' + d[0]['id'] in out, 'and said how to go on')
ok('# Ana\n# > Why *three*?\n' in seen(), 'a reply quotes what it answers')
st, out, _ = sh('killick', 'drafts', 'send', d[0]['id'])
is_(st, 0, 'it can be sent afterwards')

editor(WRITE + '\nos.kill(os.getpid(), signal.SIGKILL)')
st, out = tty('killick', 'reply', q)
is_(st, 1, 'a killed editor sends nothing')
ok('killed by signal 9' in out, 'and says why')
sh('killick', 'drafts', 'drop', js('drafts')['drafts'][0]['id'])

# killick itself is killed while the editor is open: the text is found again.
editor(WRITE + '\nopen(%r, "w").write("go"); time.sleep(30)' % os.path.join(T, 'ready'))
p = pexpect.spawn('killick', ['reply', q], cwd=R, env=dict(ENV, EDITOR=ED), timeout=30)
for _ in range(200):
    if os.path.exists(os.path.join(T, 'ready')):
        break
    time.sleep(0.05)
is_([x['body'] for x in js('drafts')['drafts']], [''], 'while the editor is open there is a draft')
os.kill(p.pid, signal.SIGKILL)
p.close(force=True)
d = js('drafts')['drafts']
is_([x['body'] for x in d], ['Why *three*?\n\n# A heading'], 'a killed killick loses nothing')
is_(os.listdir(os.path.dirname(path)), [], 'and leaves no file behind')
sh('killick', 'drafts', 'drop', d[0]['id'])

# What the editor leaves is not trusted.
for what, code in (('a symbolic link', 'put("x"); os.rename(p, p + "1"); os.symlink("/etc/passwd", p)'),
                   ('a pipe', 'os.unlink(p); os.mkfifo(p)'),
                   ('a second name', 'put("x"); os.link(p, p + ".other")'),
                   ('a folder', 'os.unlink(p); os.mkdir(p)'),
                   ('nothing', 'os.unlink(p)')):
    editor(code)
    st, out = tty('killick', 'note', '.', timeout=20)
    ok(st != 0 and 'root:' not in out and 'killick: ' in out, 'the editor left ' + what)
    ok('root:' not in json.dumps(js('threads', '--posts')), what + ' is not read')
    shutil.rmtree(os.path.dirname(path))
    for d in js('drafts')['drafts']:
        sh('killick', 'drafts', 'drop', d['id'])

# Modelines in what others wrote do nothing.
ENV2 = dict(ENV, GIT_AUTHOR_NAME='Eve', GIT_AUTHOR_EMAIL='eve@example.org')
for line in ('vim: set makeprg=touch:', ' vi:noai:', '/* vim>702: x */', 'ex: x', '-*- mode: evil -*-', 'Local Variables:',
             '\x1b]0;owned\x07'):
    sh('killick', 'reply', q, '-m', line, env=ENV2)
    editor('pass')
    tty('killick', 'reply', q)
    ok(not re.search(r'(^|\s)(vi|vim|Vim|ex)([<=>]?\d+)?:|-\*-|Local Variables:|\x1b', seen().split('from here on')[1]),
       'defused: %r' % line)

# edit, task edit, drafts edit begin with the text there is.
editor('put(text.replace("Why *three*?", "Why *four*?"))')
st, out = tty('killick', 'edit', q)
is_(st, 0, 'edit in the editor')
ok('Why *three*?\n\n# A heading' in seen(), 'begins with what is there')
is_(js('show', q)['thread']['posts'][0]['body'], 'Why *four*?\n\n# A heading', 'and changes it')
editor('pass')
st, out = tty('killick', 'edit', q)
ok(st == 1 and 'nothing was changed' in out, 'an unchanged text is no edit')
is_(js('drafts')['drafts'], [], 'and leaves no draft')
sh('killick', 'note', '.', '-m', 'one', '--draft')
d = js('drafts')['drafts'][0]['id']
editor('put(text.replace("one", "two"))')
st, out = tty('killick', 'drafts', 'edit', d)
is_(js('drafts')['drafts'][0]['body'], 'two', 'drafts edit in the editor')
sh('killick', 'drafts', 'drop', d)

# Which editor, and when there is none.
editor(WRITE)
st, out = tty('killick', 'note', '.', '--dry-run')
ok(st == 0 and 'goes to: native' in out, '--dry-run opens no editor')
st, out = tty('killick', 'note', '.', env={'TERM': 'dumb', 'EDITOR': None})
ok(st == 2 and '-m TEXT or -F FILE' in out, 'a dumb terminal without EDITOR')
st, out = tty('killick', 'note', '.', env={'EDITOR': '/nonexistent'})
ok(st != 0 and '/nonexistent' in out, 'an editor that is not there')
is_(js('drafts')['drafts'], [], 'leaves no draft')
st, out = tty('killick', 'note', '.', env={'EDITOR': 'false', 'VISUAL': ED})
is_(st, 0, 'VISUAL before EDITOR')
st, out = tty('killick', 'note', '.', env={'EDITOR': 'false', 'GIT_EDITOR': "'%s'" % ED})
is_(st, 0, 'GIT_EDITOR before both, with quotes')
st, out = tty('killick', 'note', '.', env={'EDITOR': '"unbalanced'})
ok(st == 2 and 'quotes' in out, 'unbalanced quotes')
sh('git', 'config', 'core.editor', 'touch %s/evil; false' % T)
sh('git', 'config', 'killick.editor', 'touch %s/evil' % T)
tty('killick', 'note', '.')
ok(not os.path.exists(os.path.join(T, 'evil')), "a repository's own editor is not run")
sh('git', 'config', '--unset', 'core.editor')
sh('git', 'config', '--unset', 'killick.editor')

# Colour and the pager.
st, out = tty('killick', 'threads', '--no-pager')
ok('\x1b[' in out, 'colour on a terminal')
ok('\x1b' not in tty('killick', 'threads', env={'NO_COLOR': '1'})[1], 'none with NO_COLOR')
ok('\x1b' not in tty('killick', 'threads', env={'TERM': 'dumb'})[1], 'none on a dumb one')
ok('\x1b' not in tty('killick', 'threads', '--color=never')[1], 'none with --color=never')
ok('\x1b' in tty('killick', 'threads', '--color=always', env={'NO_COLOR': '1'})[1], '--color=always wins')
pager = os.path.join(T, 'pager')
with open(pager, 'w') as f:
    f.write('#!/bin/sh\nsed "s/^/PAGED /"\n')
os.chmod(pager, 0o755)
st, out = tty('killick', 'file', 'a.c', env={'PAGER': pager})
ok(st == 0 and 'PAGED' in out and 'line 199' in out, 'long text is paged')
st, out = tty('killick', 'file', 'a.c', '--no-pager', env={'PAGER': pager})
ok('PAGED' not in out and 'line 199' in out, 'not with --no-pager')
st, out = tty('killick', 'file', 'a.c:1-3', env={'PAGER': pager})
ok('PAGED' not in out, 'a screenful is not')
st, out = tty('killick', 'file', 'a.c', env={'PAGER': 'cat'})
ok(st == 0 and 'line 199' in out, 'PAGER=cat')
st, out = tty('killick', 'file', 'a.c', env={'PAGER': '/nonexistent'})
ok(st == 0 and 'line 199' in out, 'a pager that is not there')
st, out = tty('killick', 'file', 'a.c', env={'PAGER': 'head -n 2'})
ok(st == 0 and 'line 2' in out and 'killick:' not in out, 'a pager that is left early')
sh('git', 'config', 'killick.pager', 'touch %s/evil2' % T)
tty('killick', 'file', 'a.c', env={'PAGER': pager})
ok(not os.path.exists(os.path.join(T, 'evil2')), "a repository's own pager is not run")
sh('git', 'config', '--unset', 'killick.pager')
for w in (20, 40, 80, 200):
    st, out = tty('killick', 'threads', '--no-pager', dims=(24, w))
    ok(st == 0, 'threads at %d columns' % w)

# A terminal of another charset gets no byte that it would take for something else.
sh('killick', 'note', '.', '-m', 'caf\u00e9 \u201cquoted\u201d')
st, out = tty('killick', 'threads', '--no-pager', env={'LC_ALL': 'de_DE.ISO-8859-1'})
ok('caf? ?quoted?' in out and not re.search('[^\x00-\x7f]', out), 'no UTF-8 on a Latin-1 terminal')
st, out = tty('killick', 'threads', '--no-pager', env={'LC_ALL': 'C'})
ok('caf\u00e9' in out, 'a locale without charset says nothing about the terminal')

# What is shown on a terminal is read; in a pipe it is not.
sh('killick', 'reply', q, '-m', 'unread?', env=ENV2)
sh('killick', 'show', q)
is_(len(js('threads', 'is:unread')['threads']), 1, 'a pipe reads nothing')
tty('killick', 'show', q, '--no-pager', '--keep-unread')
is_(len(js('threads', 'is:unread')['threads']), 1, 'nor does --keep-unread')
tty('killick', 'show', q, '--no-pager')
is_(len(js('threads', 'is:unread')['threads']), 0, 'a terminal does')
shutil.rmtree(T, ignore_errors=True)
done()
