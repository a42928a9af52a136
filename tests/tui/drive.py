# SPDX-License-Identifier: MIT
"""The screens in a real terminal (pexpect and pyte) and without one (a script of keys), over a scratch repository.

World: a home, a repository, a clock; killick(), git(), write(). Tty: a killick in a terminal of any size; shows() waits for
words instead of sleeping, so that a slow machine is slow and not wrong."""
import os, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.environ.get('KILLICK_TEST_SRC') or
                                os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'tests'))
from tap import *
import pexpect, pyte

WAIT = 30


class World:
    def __init__(self, name='widget'):
        self.top = tempfile.mkdtemp(prefix='killick-test.')
        os.makedirs(self.top + '/home')
        self.env = {k: v for k, v in os.environ.items() if k.startswith(('ASAN', 'UBSAN', 'LSAN'))}
        self.env.update(PATH=os.environ['PATH'], HOME=self.top + '/home', LC_ALL='C.UTF-8', TZ='UTC', TERM='xterm-256color',
                        GIT_CONFIG_NOSYSTEM='1', KILLICK_CLOCK='2026-01-02T04:00:00Z+', VISUAL='true', TMPDIR=self.top)
        self.repo = self.top + '/' + name
        # pyte knows no scrolling by n lines, which curses uses where the terminal has it.
        for term in ('xterm-256color', 'xterm'):
            info = subprocess.run(['infocmp', '-1x', term], capture_output=True, text=True).stdout
            with open(self.top + '/ti', 'w') as f:
                f.writelines(line + '\n' for line in info.split('\n') if not line.strip().startswith(('indn=', 'rin=')))
            subprocess.run(['tic', '-x', '-o', self.top + '/home/.terminfo', self.top + '/ti'], capture_output=True)
        for a in (('user.name', 'Ana'), ('user.email', 'ana@example.org'), ('init.defaultBranch', 'main')):
            self.run('git', 'config', '--global', *a)
        self.run('git', 'init', '-q', self.repo)

    def run(self, *argv, **more):
        r = subprocess.run(argv, cwd=self.repo if os.path.isdir(self.repo) else self.top, env=dict(self.env, **more),
                           stdin=subprocess.DEVNULL, capture_output=True)
        self.status, self.err = r.returncode, r.stderr.decode('utf-8', 'replace')
        return r.stdout.decode('utf-8', 'replace')

    def git(self, *argv):
        return self.run('git', *argv)

    def killick(self, *argv, **more):
        return self.run(BIN, *argv, **more)

    def write(self, path, text):
        full = os.path.join(self.repo, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'wb') as f:
            f.write(text.encode('utf-8', 'surrogateescape') if isinstance(text, str) else text)

    def commit(self, message='work'):
        self.git('add', '-A')
        self.git('commit', '-qm', message)

    def editor(self, text):
        """A script that is the editor from now on; its file is $f."""
        path = self.top + '/editor'
        with open(path, 'w') as f:
            f.write('#!/bin/sh\nfor f; do :; done\n' + text)
        os.chmod(path, 0o755)
        self.env['VISUAL'] = path

    def script(self, text, *argv):
        """What a script of keys dumped: the screens as lists of lines."""
        path = self.top + '/script'
        with open(path, 'w') as f:
            f.write(text)
        out = self.killick('tui', '--script', path, *argv)
        return [s.split('\n')[1:-1] for s in re.findall(r'(?ms)^--- .*?^---$', out)]

    def done(self):
        shutil.rmtree(self.top, ignore_errors=True)


class Tty:
    def __init__(self, world, *argv, rows=24, cols=80, **more):
        self.screen = pyte.Screen(cols, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b''
        self.child = pexpect.spawn(argv[0] if argv and '/' in argv[0] else BIN, list(argv[1:] if argv and '/' in argv[0] else argv),
                                   cwd=world.repo, env=dict(world.env, **more), dimensions=(rows, cols))

    def pump(self, seconds):
        """True while it lives."""
        end = time.time() + seconds
        while True:
            try:
                got = self.child.read_nonblocking(65536, max(0.01, min(0.05, end - time.time())))
                self.raw += got
                # What pyte 0.8 does not know: private sequences of other letters, colours with colons.
                self.stream.feed(re.sub(rb'\x1b\[[>=?][0-9;]*[a-gi-km-z]|\x1b\[[0-9;]*:[0-9:;]*m', b'', got))
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                return False
            if time.time() >= end:
                return True

    def text(self):
        return '\n'.join(line.rstrip() for line in self.screen.display)

    def shows(self, *words, gone=(), wait=WAIT):
        """Waits until all the words are on the screen and none of those that have to go."""
        end = time.time() + wait
        while time.time() < end:
            alive = self.pump(0.1)
            now = self.text()
            if all(w in now for w in words) and not any(w in now for w in gone):
                return True
            if not alive:
                break
        diag(self.text())
        return False

    def keys(self, text):
        self.child.send(text)

    def resize(self, rows, cols):
        self.screen.resize(rows, cols)
        self.child.setwinsize(rows, cols)

    def ends(self, wait=WAIT):
        """The exit status, or minus the signal; None if it goes on."""
        end = time.time() + wait
        while time.time() < end and self.pump(0.1):
            pass
        if self.child.isalive() and not self.child.terminated:
            return None
        self.child.close()
        return self.child.exitstatus if self.child.signalstatus is None else -self.child.signalstatus

    def close(self):
        self.child.close(force=True)
