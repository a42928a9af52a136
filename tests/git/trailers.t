#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Trailers: a table of messages, each parsed by git interpret-trailers and by killick.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
same() { # same NAME TEXT
	is "$(printf "$2" | "$gt" trailers)" "$(printf "$2" | git interpret-trailers --parse --no-divider)" "$1"
}
same "none" 'subject\n\nbody\n'
same "one" 'subject\n\nbody\n\nSigned-off-by: Ana <a@x>\n'
same "several" 'subject\n\nbody\n\nHelped-by: Bo\nReviewed-by: Cy\n'
same "only a title" 'Fixes: all\n'
same "the title is no trailer" 'a: b\nc: d\n'
same "after the title at once" 'subject\n\nFixes: 1\n'
same "no newline at the end" 'subject\n\nFixes: 1'
same "blank lines at the end" 'subject\n\nFixes: 1\n\n\n'
same "folded" 'subject\n\nNote: one\n  two\n\tthree\nFixes: 1\n'
same "folded first line empty" 'subject\n\nNote:\n  two\n'
same "no value" 'subject\n\nNote:\nFixes: 2\n'
same "blanks before the colon" 'subject\n\nFixes : 1\nAlso\t: 2\n'
same "a space in the key" 'subject\n\nFixes it: 1\n'
same "punctuation in the key" 'subject\n\nFixes_it: 1\n'
same "a mixed paragraph" 'subject\n\nSome words\nFixes: 1\n'
same "a mixed paragraph with git'\''s own" 'subject\n\nSome words here\nSigned-off-by: A <a@x>\nFixes: 1\n'
same "git'\''s own, too few" 'subject\n\none\ntwo\nthree\nfour\nSigned-off-by: A <a@x>\n'
same "a quarter" 'subject\n\none\ntwo\nthree\nSigned-off-by: A <a@x>\n'
same "cherry picked" 'subject\n\nbody\n\n(cherry picked from commit abc)\nFixes: 1\n'
same "an indented line first" 'subject\n\n  quoted: text\nFixes: 1\n'
same "comments between" 'subject\n\nbody\n\nFixes: 1\n# comment\nAlso: 2\n'
same "comments behind" 'subject\n\nbody\n\nFixes: 1\n# On branch main\n#\n# Changes\n'
same "comments and blanks behind" 'subject\n\nFixes: 1\n\n# Please enter\n\n'
same "scissors" 'subject\n\nFixes: 1\n# ------------------------ >8 ------------------------\nd: e\ndiff --git\n'
same "conflicts" 'subject\n\nFixes: 1\n\nConflicts:\n\ta.c\n\tb.c\n'
same "a URL is one too" 'subject\n\nhttps://example.org/x\n'
same "two paragraphs of them" 'subject\n\nA: 1\n\nB: 2\n'
same "--- is text in a commit" 'subject\n\nbody\n---\nA: 1\n'
same "UTF-8 and bytes" 'subject\n\nAcked-by: \xc3\x84nne \xff <a@x>\n'
same "a very long value" "subject\n\nA: $(head -c 20000 /dev/zero | tr '\0' x)\n"
same "a line of blanks ends the body" 'subject\n\nbody\n  \nA: 1\n'
same "empty" ''
same "only comments" '# a\n# b: c\n'
same "a comment as title" '# x\nsubject\n\nA: 1\n'
place() { printf 'subject\n\nbody\n\n%b' "$1" | "$gt" trailers; }
is "$(place 'Question(src/a.c:3-4): why?\nSigned-off-by: A <a@x>\n')" "Question(src/a.c:3-4): why?
Signed-off-by: A <a@x>" "killick's keys may name a place"
is "$(place 'Note(a b(1).c:3): so\n')" "Note(a b(1).c:3): so" "with blanks and brackets in it"
is "$(place 'note(docs/x.md#a): so\n')" "note(docs/x.md#a): so" "in any case"
is "$(place 'func(x): so\n')" "" "others may not"
done_testing
