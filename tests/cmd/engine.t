#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The engine: words, options, standard files, statuses, both names.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
killick ask src/a.c:3 -m 'Why three?' >/dev/null

run killick frobnicate; is "$st" 2 "an unknown command"
like "$err" "^killick: no command 'frobnicate'" "is named"
run killick thred; like "$err" "did you mean 'killick threads'" "the nearest is suggested"
run killick sho; is "$st" 2 "abbreviations are not accepted"; like "$err" "'killick show'" "but suggested"
run killick task clos x; is "$st" 2 "nor of second words"; like "$err" "'killick task close'" "but suggested"
run killick ask; is "$st" 2 "a missing word"; like "$err" 'ask needs ANCHOR' "is named"
run killick reopen a b; is "$st" 2 "a word too many"; like "$err" "'b' is one word too many" "is named"
run killick threads --jsn; is "$st" 2 "an unknown option"; like "$err" 'did you mean --json' "the nearest is suggested"
run killick threads --limit; is "$st" 2 "a missing value"
run killick threads --limit=x; is "$st" 2 "a bad value"
run killick threads -n1 --sort=created; is "$st" 0 "options with values"
run killick threads --sort=size; is "$st" 2 "a value that is no choice"; like "$err" 'updated, created, place' "those there are"
run killick at --json src/a.c; a=$out; run killick at src/a.c --json; is "$out" "$a" "options after words"
run killick at --json -- src/a.c; is "$out" "$a" "-- ends options"
run killick -h; is "$st" 0 "-h"; like "$out" '^usage: killick' "on standard output"
run killick ask -h; is "$st" 0 "ask -h"; like "$out" '--ask=PERSON' "lists its options"
run killick task -h; is "$st" 0 "task -h"; like "$out" 'close' "lists its commands"
run killick --version; like "$out" '^killick [0-9]' "--version"
run killick -C; is "$st" 2 "-C without a folder"
run killick -C nowhere threads; is "$st" 3 "-C into nowhere"
cd "$T"; run killick -C a threads --json; is "$(json "$out" 'len(d["threads"])')" 1 "-C before the command"
run killick threads -C a --json; is "$(json "$out" 'len(d["threads"])')" 1 "-C behind it"
run git -C a killick threads --json; is "$(json "$out" 'len(d["threads"])')" 1 "git killick"
cd a/src; run killick at a.c:3 --json; is "$(json "$out" 'len(d["threads"])')" 1 "paths from a subfolder"; cd ..

# Standard files.
run bash -c 'killick threads >/dev/full'; is "$st" 1 "a full disk behind standard output"; like "$err" 'could not be written: No space' "is said"
run bash -c 'killick threads >&-'; is "$st" 1 "a closed standard output"; like "$err" 'could not be written' "is said"
run bash -c 'killick threads 2>&-'; is "$st" 0 "a closed standard error"
run bash -c 'killick note . -F - <&-'; is "$((st != 0))" 1 "a closed standard input"
run bash -c 'killick threads <&- >&- 2>&-'; is "$st" 1 "all three closed"
run bash -c 'killick ask src/a.c:1 -m x >&-'; is "$st" 1 "a closed standard output after a write"
is "$(killick threads --jsonl | wc -l)" 2 "which stands all the same"
head -c 3000000 /dev/zero | tr '\0' 'x' | fold -w 100 >big; git add big; git commit -qm big
bash -c 'killick file big; echo $? >status' | head -n 1 >/dev/null; is "$(cat status)" 141 "a closed pipe: status 141"
run bash -c 'killick file big 2>err | head -n 1; cat err'; unlike "$out" 'killick:' "without a word"
run killick threads --color=always; like "$out" $'\x1b\\[' "--color=always"
run killick threads; unlike "$out" $'\x1b' "no colour in a pipe"
run env TERM=xterm-256color killick threads; unlike "$out" $'\x1b' "also with a good TERM"
run env -u HOME killick threads; is "$((st == 0 || st == 3))" 1 "without HOME"; unlike "$err" 'BUG|abort' "nothing falls over"
run env -u TERM killick threads; is "$st" 0 "without TERM"
run env -i "PATH=$PATH" killick threads; is "$((st < 4))" 1 "with an empty environment"
run env COLUMNS=0 killick show k; is "$st" 3 "too short an id"

# Help for every row, and a summary that fits.
killick help --json >table
while read -r cmd; do
	# shellcheck disable=SC2086
	run killick $cmd -h; is "$st" 0 "$cmd -h"; like "$out" '^usage: killick '"$cmd" "$cmd -h shows its usage"
done < <(json "$(cat table)" '"\n".join((c["parent"]+" " if c["parent"] else "")+c["name"] for c in d["commands"] if c["name"]!="run")')
run killick help ask; like "$out" '^usage: killick ask' "help COMMAND"
run killick help task new; like "$out" '^usage: killick task new' "help COMMAND COMMAND"
run killick help nosuch; is "$st" 3 "help for what is not there"
run killick; is "$((st != 0 || ${#out} > 0))" 1 "without a terminal and a command it says something"
done_testing
