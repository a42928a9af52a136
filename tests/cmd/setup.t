#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# init, doctor, config, version, export and import, completion.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
run killick init; is "$st" 3 "init outside a repository"; like "$err" 'git init' "says what to do"
repo a
run killick init; is "$st" 0 "init"; like "$out" 'is set up' "says so"; like "$out" 'killick ask' "and what is next"
is "$(git for-each-ref | wc -l)" 1 "no ref of the user's is touched"
is "$(git status --porcelain)" "" "nor the work tree"
run killick init; is "$st" 0 "init again"; like "$out" 'before' "finds it set up"
run killick init --json; is "$(json "$out" '(d["repository"]["created"],len(d["repository"]["repo"]),len(d["repository"]["writer"]))')" '[false, 32, 32]' "init --json"
run killick init --join xyz; is "$st" 2 "init --join with nonsense"

run killick doctor; is "$st" 0 "doctor finds all well"; like "$out" 'all is well' "and says so"
run killick doctor --json; is "$(json "$out" 'sorted(set(c["name"] for c in d["checks"]))')" '["desk", "files", "forks", "git", "hooks", "identity", "index", "repository", "settings", "store"]' "doctor --json"
git config killick.nosuch 1
run killick doctor; is "$st" 1 "an unknown setting"; like "$out" 'nosuch' "is found"; like "$out" 'mend: git config --unset killick.nosuch' "with the way to mend it"
git config --unset killick.nosuch
git config killick.place.threshold 7; run killick doctor; is "$st" 1 "a malformed setting"; git config --unset killick.place.threshold
chmod 755 "$HOME/.local/share/killick"; killick doctor >/dev/null
is "$(stat -c %a "$HOME/.local/share/killick")" 700 "a folder open to others is closed again"
run killick doctor --mend; is "$st" 0 "doctor --mend"; like "$out" 'built anew' "builds the index anew"
killick ask src/a.c:3 -m 'Why?' >/dev/null
before=$(killick export)
for i in "$HOME"/.cache/killick/index.db*; do rm -f "$i"; done
is "$(killick export)" "$before" "an index that is gone is rebuilt"
echo 'this is no database' >"$HOME/.cache/killick/index.db"
run killick threads --json; is "$(json "$out" 'len(d["threads"])')" 1 "so is a foreign one"
(cd "$T" && run killick doctor; [ "$st" = 1 ]); ok $? "doctor outside a repository"

run killick config; is "$st" 0 "config lists"; like "$out" 'killick\.place\.threshold = 0\.5' "the settings with their values"
run killick config place.threshold; is "$out" 0.5 "config NAME"
run killick config place.threshold 0.7; is "$st" 0 "config NAME VALUE"
is "$(git config killick.place.threshold)" 0.7 "sets git's own"
run killick config killick.place.threshold --json; is "$(json "$out" '(d["setting"]["value"],d["setting"]["default"])')" '["0.7", "0.5"]' "config --json"
run killick config place.threshold 7; is "$st" 2 "a value out of range"
run killick config --unset place.threshold; is "$(git config killick.place.threshold)" "" "config --unset"
run killick config place.treshold; is "$st" 3 "a mistyped name"; like "$err" 'place\.threshold' "the nearest"
run killick config pager cat; is "$st" 2 "a program needs --global"; like "$err" '--global' "and that is said"
run killick config --global pager cat; is "$(git config --global killick.pager)" cat "config --global"
git config killick.pager 'touch /tmp/evil'; is "$(killick config pager)" cat "a repository's own program is not taken"
run killick config push true; is "$(git config killick.push)" true "a plain setting in the repository"

run killick version; like "$out" '^killick [0-9]' "version"
run killick version -l; like "$out" 'libgit2 1' "version -l"
run killick version --json; is "$(json "$out" 'sorted(d["killick"]["libraries"])')" '["jansson", "libcurl (killick-remote)", "libgit2", "libmd", "md4c", "ncursesw", "sqlite3", "utf8proc"]' "version --json"

# Export and import.
killick note docs/guide.md#install -m 'A note' >/dev/null
killick task new 'A task' >/dev/null
killick export >"$T/all.jsonl"
run killick import "$T/all.jsonl"; is "$st" 0 "import of one's own export"; like "$out" 'nothing new' "changes nothing"
is "$(killick export | sha256sum)" "$(sha256sum <"$T/all.jsonl")" "nothing at all"
cd "$T" && git clone -q a b 2>/dev/null && cd b || exit 1
run killick import "$T/all.jsonl" --dry-run; like "$out" 'would take in [0-9]+ ops' "import --dry-run"
is "$(killick threads --jsonl | wc -l)" 0 "writes nothing"
run killick import "$T/all.jsonl" --json; is "$st" 0 "import into a clone"; is "$(json "$out" 'd["import"]["ops"]')" "$(grep -c '"op"' "$T/all.jsonl")" "takes in every op"
is "$(killick export | sha256sum)" "$(sha256sum <"$T/all.jsonl")" "and exports the same bytes"
run killick import - <"$T/all.jsonl"; like "$out" 'nothing new' "from standard input"
cd "$T" && repo c; run killick import "$T/all.jsonl"; is "$st" 0 "import into another repository"
is "$(killick export | sha256sum)" "$(sha256sum <"$T/all.jsonl")" "is a copy too"
run killick import /dev/null; is "$st" 6 "an empty file"
run killick import src/a.c; is "$st" 6 "a file that is no export"
sed 's/Why?/What/' "$T/all.jsonl" >"$T/forged.jsonl"; cd "$T" && repo d
run killick import "$T/forged.jsonl"; is "$((st == 4 || st == 6))" 1 "a forged export is refused"
is "$(killick threads --jsonl | wc -l)" 0 "whole"
run killick import nosuch; is "$st" 3 "a file that is not there"

# git-appraise.
cd "$T" && repo e
h=$(git rev-parse HEAD)
one='{"timestamp":"0000000001","author":"bo@example.org","location":{"commit":"'$h'","path":"src/a.c","range":{"startLine":4}},"description":"This leaks."}'
two='{"timestamp":"0000000002","author":"ana@example.org","parent":"'$(printf '%s' "$one" | sha1sum | cut -d' ' -f1)'","description":"Where?","resolved":true}'
printf '%s\n%s\n' "$two" "$one" | git notes --ref=devtools/discuss add -F - "$h"
run killick import --from=git-appraise; is "$st" 0 "import --from=git-appraise"; like "$out" 'took in 2 posts' "takes in its comments"
run killick threads --json; is "$(json "$out" '[(t["kind"],t["state"],t["anchor"]["text"],t["posts"]) for t in d["threads"]]')" '[["remark", "resolved", "src/a.c:4", null]]' "as threads"
is "$(json "$(killick threads --posts --json)" '[[(p["author"]["email"],p["body"],p["time"]) for p in t["posts"]] for t in d["threads"]][0][0]')" '["bo@example.org", "This leaks.", "1970-01-01T00:00:01Z"]' "with author and time"
run killick import --from=git-appraise; like "$out" 'nothing new' "once"

# Completion.
cd "$T/a"
c() { killick __complete "$@" | cut -f1; }
is "$(c th)" "threads" "completes commands"
is "$(c task cl)" "close" "second words"
is "$(c show --no-c)" "--no-code" "options"
is "$(c threads --sort= | tr '\n' ' ')" "--sort=updated --sort=created --sort=place " "values of options"
is "$(c threads --sort cr)" "created" "also as their own word"
is "$(c ask src/)" "src/a.c" "paths"
like "$(c show k)" '^k[0-9a-f]{6}' "threads"
like "$(killick __complete show k)" $'\tWhy\\?' "with their titles"
is "$(c config place.t)" "place.threshold" "settings"
is "$(c threads is:op)" "is:open" "queries"
is "$(c resolve x --commit ma)" "main" "revisions"
is "$(c note . --to pr)" "private" "sources"
like "$(c -C ../ th)" '^threads$' "behind -C"
is "$(c nosuchcommand x)" "" "nothing where nothing fits"
bash -n "$KILLICK_TEST_SRC/contrib/completion/killick.bash"; ok $? "the bash script parses"
is "$(bash -c '. "$1"; COMP_WORDS=(killick thr); COMP_CWORD=1; _killick; echo "${COMPREPLY[@]}"' x "$KILLICK_TEST_SRC/contrib/completion/killick.bash")" "threads" "and completes"
done_testing
