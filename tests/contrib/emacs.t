#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# contrib/emacs: compiles without a warning; lists, asks, replies, reports to flymake.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
command -v emacs >/dev/null || skip_all "no emacs"
emacs --batch -Q --eval '(unless (version<= "27.1" emacs-version) (kill-emacs 1))' 2>/dev/null || skip_all "an emacs older than 27.1"
el=$T/killick.el; cp "$KILLICK_TEST_SRC/contrib/emacs/killick.el" "$el"
run emacs --batch -Q --eval '(setq byte-compile-error-on-warn t)' -f batch-byte-compile "$el"; is "$st" 0 "compiles"
[ "$st" = 0 ] || diag "$err"
# in_emacs FILE FORM: prints FORM's value, evaluated in FILE's buffer
in_emacs() { run timeout 60 emacs --batch -Q -l "$el" --eval "(with-current-buffer (find-file-noselect \"$1\") (princ (format \"%s\" $2)))"; }

repo r
killick ask src/a.c:4-6 -m 'Why four?' >/dev/null; killick remark src/a.c:8 -m 'Off by one' >/dev/null
printf 'new\n' | cat - src/a.c >b && mv b src/a.c
in_emacs src/a.c '(progn (killick-threads nil) (with-current-buffer "*killick*" (buffer-string)))'
like "$out" '^src/a\.c:5: question k[0-9a-f]{6}: Why four' "the list of the file, by the work tree"
in_emacs src/a.c '(progn (killick-threads "kind:remark") (with-current-buffer "*killick*" (buffer-string)))'
like "$out" '^src/a\.c:9: remark .*: Off by one' "and of a query"
in_emacs src/a.c '(let (got) (killick-flymake-backend (lambda (d) (setq got d))) (mapcar (lambda (d) (cons (line-number-at-pos (flymake-diagnostic-beg d)) (flymake-diagnostic-text d))) got))'
like "$out" '\(5 \. question: Why four\?\).*\(9 \. remark: Off by one\)|\(9 \. remark: Off by one\).*\(5 \. question: Why four\?\)' "flymake notes"
in_emacs src/a.c '(killick-ask nil 2 3 "Wörter & \"quotes\"?")'
is "$(json "$(killick threads quotes --json)" '[(t["title"], t["anchor"]["line"], t["anchor"]["end"], t["audience"]) for t in d["threads"]]')" '[["W\u00f6rter & \"quotes\"?", 2, 3, "everyone"]]' "asks what was typed, there"
in_emacs src/a.c '(progn (goto-line 9) (killick-reply "As it should be") (killick-resolve))'; is "$st" 0 "reply and resolve"
is "$(json "$(killick threads kind:remark --json)" 'd["threads"][0]["state"]')" resolved "are done"
in_emacs src/a.c '(progn (goto-line 6) (killick-show) (with-current-buffer "*killick thread*" (buffer-string)))'
like "$out" 'Why four' "shows the thread on the line"
in_emacs src/a.c '(progn (goto-line 1) (killick-show))'; like "$err" 'No thread on this line' "no thread is said"
done_testing
