# SPDX-License-Identifier: MIT
"""A remote that accepts and never answers: sync gives it up after killick.sync.timeout, says so, ends with 75, leaves no
process behind and loses nothing. Who is asked for a password may think; Ctrl-C ends it at once; SIGCHLD may be ignored."""
import os, re, shutil, signal, socket, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC', '.'), 'tests'))
from tap import *

T = tempfile.mkdtemp(prefix='killick-hang.')
K = os.path.abspath(BIN)
ENV = {'PATH': os.environ['PATH'], 'HOME': T + '/home', 'LC_ALL': 'C.UTF-8', 'TERM': 'dumb', 'GIT_CONFIG_NOSYSTEM': '1'}
for k in ('LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS'):
    if k in os.environ:
        ENV[k] = os.environ[k]
os.makedirs(ENV['HOME'])
# An ssh that says which process it is, then does what $SSH_DOES says.
SSH = T + '/ssh'
with open(SSH, 'w') as f:
    f.write('#!/bin/bash\necho $$ >>"%s/pids"\nlast=${!#}\ncase $SSH_DOES in\n'
            'ask) printf "password: " >/dev/tty; exec 9</dev/tty; read -r x <&9; exec 9<&-; sleep 1000 & echo $! >>"%s/pids"; wait ;;\n'
            'slow) for i in 1 2 3 4 5 6 7 8; do echo "still here" >&2; sleep 0.5; done; exec bash -c "$last" ;;\n'
            '*) sleep 1000 & echo $! >>"%s/pids"; wait ;;\nesac\n' % (T, T, T))
os.chmod(SSH, 0o755)


def run(*a, env=None, cwd=None, timeout=60):
    t0 = time.time()
    p = subprocess.run(list(a), cwd=cwd or R, env=dict(ENV, **(env or {})), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=timeout)
    return p.returncode, p.stdout.decode(), p.stderr.decode(), time.time() - t0


def left(wait=20):
    """Processes of the ssh above that still live; what was killed may take a moment to be gone, and would never go by itself."""
    out, end = living(), time.time() + wait
    while out and time.time() < end:
        time.sleep(0.05)
        out = living()
    return out


def living():
    out = []
    for n in open(T + '/pids').read().split() if os.path.exists(T + '/pids') else []:
        try:
            if open('/proc/%s/stat' % n).read().rsplit(')', 1)[1].split()[0] != 'Z':
                out.append(n)
        except OSError:
            pass
    return out


def fresh():
    if os.path.exists(T + '/pids'):
        os.unlink(T + '/pids')


def wait_for_ssh(n=2):
    end = time.time() + 20
    while time.time() < end:
        if os.path.exists(T + '/pids') and len(open(T + '/pids').read().split()) >= n:
            return
        time.sleep(0.02)


server = socket.socket()
server.bind(('127.0.0.1', 0))
server.listen(50)
port = server.getsockname()[1]
R = T + '/r'
os.makedirs(R)
for a in (['config', '--global', 'user.name', 'Ana'], ['config', '--global', 'user.email', 'ana@example.org'], ['init', '-q', '-b', 'main'],
          ['commit', '-q', '--allow-empty', '-m', 'x'], ['init', '-q', '--bare', T + '/good.git'], ['remote', 'add', 'origin', T + '/good.git'],
          ['config', '--global', 'core.sshCommand', SSH]):
    run('git', *a)
st, out, err, t = run(K, 'note', '.', '-m', 'a word')
is_(st, 0, 'a note')
run('git', 'config', 'killick.sync.timeout', '1s')

for name, url in (('git', 'git://127.0.0.1:%d/x.git' % port), ('http', 'http://127.0.0.1:%d/x.git' % port), ('ssh', 'ssh://h/x.git')):
    fresh()
    run('git', 'remote', 'set-url', 'origin', url)
    st, out, err, t = run(K, 'sync')
    is_(st, 75, name + ': try later')
    ok("no answer from 'origin' for 1 s" in err and 'killick.sync.timeout' in err and len(err.splitlines()) == 2, name + ': says so')
    ok(1 <= t < 20, name + ': in %.1f s' % t)
    is_(left(), [], name + ': nothing is left running')
    st, out, err, t = run(K, 'sync', '--porcelain', '-q')
    ok(st == 75 and out.startswith('failed origin'), name + ': for programs')
ok('no answer' in run(K, 'sync', '--json')[1], 'the problem in JSON')

# It lives as long as it says something.
fresh()
run('git', 'remote', 'set-url', 'origin', 'ssh://h%s/good.git' % T)
run('git', 'config', 'killick.sync.timeout', '3s')
st, out, err, t = run(K, 'sync', env={'SSH_DOES': 'slow'})
ok(st == 0 and t > 4 and '1 sent' in out, 'a slow one is waited for (%.1f s)' % t) or diag(err + out)
run('git', 'config', 'killick.sync.timeout', '1s')
run(K, 'note', '.', '-m', 'another word')

# A signal: at once, and nothing stays.
for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    fresh()
    run('git', 'config', 'killick.sync.timeout', '0')
    p = subprocess.Popen([K, 'sync'], cwd=R, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_ssh()
    t0 = time.time()
    p.send_signal(sig)
    st = p.wait(timeout=30)
    ok(st == -sig and time.time() - t0 < 25, '%s ends it' % sig.name)
    is_(left(), [], '%s: nothing is left running' % sig.name)

# Killed without a word to anybody: what git had started goes too.
for timeout in ('0', '1h'):
    fresh()
    run('git', 'config', 'killick.sync.timeout', timeout)
    p = subprocess.Popen([K, 'sync'], cwd=R, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_ssh()
    p.kill()
    p.wait(timeout=30)
    is_(left(), [], 'SIGKILL, timeout %s: nothing is left running' % timeout)

# On a terminal.
try:
    import pexpect
except ImportError:
    pexpect = None
    diag('no pexpect: not tried on a terminal')
if pexpect:
    run('git', 'config', 'killick.sync.timeout', '1s')
    fresh()
    c = pexpect.spawn(K, ['sync'], cwd=R, env=ENV, timeout=30)
    c.expect(pexpect.EOF)
    c.close()
    ok(c.exitstatus == 75 and b"no answer from 'origin' for 1 s" in c.before, 'terminal: given up')
    is_(left(), [], 'terminal: nothing is left running')
    fresh()
    c = pexpect.spawn(K, ['sync'], cwd=R, env=dict(ENV, SSH_DOES='ask'), timeout=30)
    c.expect('password: ')
    time.sleep(2.5)
    ok(c.isalive(), 'terminal: a question may be thought about')
    c.sendline('secret')
    c.expect('no answer')
    c.expect(pexpect.EOF)
    c.close()
    is_(c.exitstatus, 75, 'terminal: after the answer time counts again')
    is_(left(), [], 'terminal: nothing is left running')
    fresh()
    run('git', 'config', 'killick.sync.timeout', '1h')
    c = pexpect.spawn(K, ['sync'], cwd=R, env=ENV, timeout=30)
    wait_for_ssh()
    t0 = time.time()
    c.sendintr()
    c.expect(pexpect.EOF)
    c.close()
    ok(c.signalstatus == signal.SIGINT and time.time() - t0 < 25, 'terminal: Ctrl-C ends it at once')
    is_(left(), [], 'terminal: nothing is left running')

# A parent that ignores SIGCHLD: the kernel would throw the statuses of our children away.
run('git', 'remote', 'set-url', 'origin', T + '/good.git')
run('git', 'config', '--unset', 'killick.sync.timeout')
ignored = 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])'
python = '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable
for a, want in ((['sync'], 0), (['doctor'], 0), (['sync', T + '/nowhere'], 3), (['import', '--from=git-appraise'], 0), (['note', '.', '-m', 'x'], 0)):
    st, out, err, t = run(python, '-c', ignored, K, *a)
    is_(st, want, 'SIGCHLD ignored: ' + ' '.join(a)) if st == want else (ok(False, 'SIGCHLD ignored: ' + ' '.join(a)), diag(out + err))
run(K, 'sync')
os.makedirs(T + '/b')
run('git', 'clone', '-q', T + '/good.git', T + '/b')
run(K, 'sync', cwd=T + '/b')
out = run(K, 'threads', cwd=T + '/b')[1]
ok('a word' in out and 'another word' in out, 'and not a word was lost')
subprocess.run(['rm', '-rf', T])
done()
