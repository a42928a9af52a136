#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configuration: syntax, scopes and includes, compared with git config.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
# the "true" of a key without value is ours; git prints the key alone
list_is() { is "$("$gt" config-list)" "$(git config --list --includes | sed '/=/!s/$/=true/')" "$1"; }
cd "$T" && repo r
list_is "a new repository"
cat >>.git/config <<'EOF'
# comment
; another
[a]b=c
[A]	B2 = two words   ; comment
[a]	quoted = "  kept  " # gone
	mixed = one" two "three
	esc = tab\there\"q\"\\ \
continued
	bare
	empty =
	hash = "a#b"
[s "Sub.Section with \"quotes\" and \\back"] Key-1 = v
[old.Style] K=1
[s ""] k = e
[Section "Origin"] URL = x
EOF
printf '[crlf]\r\n\tk = v\r\n[end] last = no newline' >>.git/config
list_is "quotes, escapes, comments, sections, CRLF"
is "$("$gt" config A.BARE)" true "a key without a value is true; names have no case"
is "$("$gt" config 's.Sub.Section with "quotes" and \back.key-1')" v "a subsection is taken exactly"
run "$gt" config 's.sub.Section with "quotes" and \back.key-1'; is "$st" 1 "and has case"
is "$("$gt" config-user a.b)" "" "the repository's own is not the user's"
git config --global killick.x global
is "$("$gt" config-user killick.x)" global "the global file is"
git config killick.x local
is "$("$gt" config killick.x)|$("$gt" config-user killick.x)" "local|global" "local wins, but not for the user's scope"
mkdir -p "$HOME/.config/git" && git config --file "$HOME/.config/git/config" killick.y xdg
list_is "the XDG file comes first"
is "$("$gt" config-user killick.y)" xdg "and is the user's"
# includes
mkdir "$T/inc" && git config --file "$T/inc/one" inc.one 1 && git config --file "$T/inc/two" inc.two 2
git config --file "$T/inc/one" include.path two
git config --global include.path "$T/inc/one"
list_is "an include, and a relative one in it"
git config --global includeIf."gitdir:$T/r/".path "$T/inc/yes" && git config --file "$T/inc/yes" inc.yes 1
git config --global includeIf."gitdir:$T/other/".path "$T/inc/no" && git config --file "$T/inc/no" inc.no 1
git config --global includeIf."gitdir/i:**/R/.git".path "$T/inc/fold" && git config --file "$T/inc/fold" inc.fold 1
git config --global includeIf."onbranch:ma*".path "$T/inc/branch" && git config --file "$T/inc/branch" inc.branch 1
git config --global includeIf."onbranch:feature/".path "$T/inc/fbranch" && git config --file "$T/inc/fbranch" inc.fbranch 1
git config --global includeIf."hasconfig:remote.*.url:https://example.org/**".path "$T/inc/url" && git config --file "$T/inc/url" inc.url 1
git config --global includeIf."gitdir:~/".path "$T/inc/home" && git config --file "$T/inc/home" inc.home 1
list_is "conditional includes"
git remote add up https://example.org/a/b && list_is "one by a remote's URL"
git checkout -q -b feature/x && list_is "one by branch" && git checkout -q main
git config include.path "$T/inc/mine" && git config --file "$T/inc/mine" killick.z evil
is "$("$gt" config killick.z)|$("$gt" config-user killick.z)" "evil|" "what a repository includes stays the repository's"
git config --file "$T/inc/loop" include.path loop && git config --file "$T/inc/loop" loop.k v
git config include.path "$T/inc/loop"; run "$gt" config-list
like "$err" "include each other too deeply" "a loop of includes ends"
(cd / && git config --file "$T/r/.git/config" --unset-all include.path)
# worktree scope
git config extensions.worktreeConfig true && git config --worktree w.t main && list_is "a worktree's own file"
is "$("$gt" config-user w.t)" "" "which is not the user's"
# command line
is "$(git -c killick.c=cli -c killick.flag -c "k.a b.c=x'y" --exec-path="$(dirname "$gt")" -c alias.g="!\"$gt\"" g config killick.c)" cli "git -c"
is "$(GIT_CONFIG_PARAMETERS="'killick.c=old' 'k.it'\''s.x'='v'\''w'" "$gt" config "k.it's.x")" "v'w" "both of its forms, quoted"
is "$(GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=killick.E GIT_CONFIG_VALUE_0=v0 GIT_CONFIG_KEY_1=a.b GIT_CONFIG_VALUE_1=v1 "$gt" config killick.e)" v0 "GIT_CONFIG_COUNT"
is "$(GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=killick.E GIT_CONFIG_VALUE_0=v0 "$gt" config-user killick.e)" v0 "is the user's"
GIT_CONFIG_GLOBAL=$T/inc/one list_is "GIT_CONFIG_GLOBAL"
GIT_CONFIG_GLOBAL=/dev/null list_is "GIT_CONFIG_GLOBAL=/dev/null"
git config --file "$T/sys" sys.tem yes
unset GIT_CONFIG_NOSYSTEM; GIT_CONFIG_SYSTEM=$T/sys list_is "GIT_CONFIG_SYSTEM"; export GIT_CONFIG_NOSYSTEM=1
# outside a repository
mkdir "$T/plain"; is "$(cd "$T/plain" && "$gt" config killick.x)" global "outside of a repository"
run sh -c "cd '$T/plain' && env -u HOME -u XDG_CONFIG_HOME '$gt' config killick.x"; is "$st" 1 "without HOME"
# setting
"$gt" config-set local killick.new 'a "b" #c'; is "$(git config --local killick.new)" 'a "b" #c' "set by git itself"
"$gt" config-set global killick.g -dash; is "$(git config --global killick.g)" "-dash" "a value with a dash"
"$gt" config-set local killick.new; is "$(git config killick.new)" "" "unset"
run "$gt" config-set local killick.new; is "$st" 0 "unset twice is no error"
run "$gt" config-set local --global x; like "$err" "^2: '--global' is not a configuration key" "an option is no key"
touch .git/config.lock; run "$gt" config-set local killick.q 1
like "$err" "^12: cannot set killick.q: .*lock" "a locked file"; rm .git/config.lock
printf '[broken\n' >>"$HOME/.gitconfig"; run "$gt" config-list
like "$err" "bad configuration line [0-9]+ in '$HOME/.gitconfig'" "a broken file of the user's is named"
is "$("$gt" config killick.x)" local "and the rest is still read"
sed -i '$d' "$HOME/.gitconfig"
# identity
is "$("$gt" identity)" "Ana <ana@example.org>" "the user"
is "$(GIT_AUTHOR_NAME=' Bo <x>. ' GIT_AUTHOR_EMAIL='<bo@x>' "$gt" identity)" "Bo x <bo@x>" "from the environment, cleaned as git does"
git config author.name Cy; is "$("$gt" identity)" "Cy <ana@example.org>" "author.*"
git config --global --unset user.email; git config --unset author.name
is "$(EMAIL=env@x "$gt" identity)" "Ana <env@x>" "EMAIL"
run env -u EMAIL "$gt" identity; like "$err" "^2: .*git config --global user.email" "an unknown address: the command that sets it"
# remotes
git remote add second git@example.com:x/y.git; git config remote.second.url git@example.com:x/y.git; git config url."ssh://git@fast/".insteadOf git@example.com:
git config branch.main.remote second
is "$("$gt" remotes)" "second ssh://git@fast/x/y.git
up https://example.org/a/b" "remotes: the upstream's first, insteadOf obeyed"
is "$("$gt" find | sed -n 's/^name=//p')" "x/y" "the repository's name"
git remote rename up origin; is "$("$gt" find | sed -n 's/^name=//p')" "a/b" "is origin's where there is one"
done_testing
