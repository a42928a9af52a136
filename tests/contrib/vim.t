#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# contrib/vim in a real vim: signs, the quickfix list, asking and replying.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
plugin=$KILLICK_TEST_SRC/contrib/vim
vi=$(command -v vim || command -v nvim) || skip_all "no vim"
# in_vim FILE COMMAND…: the commands in FILE's buffer; what they write to $T/out is $out
in_vim() {
	local file=$1; shift; local args=(); for c in "$@"; do args+=(-c "$c"); done; : >"$T/out"
	timeout 60 "$vi" -es -u NONE -i NONE -N --cmd "set runtimepath^=$plugin" --cmd 'runtime plugin/killick.vim' "$file" "${args[@]}" -c 'qa!' >"$T/vim" 2>&1 </dev/null
	out=$(cat "$T/out")
}
in_vim /dev/null "call writefile([exists(':KillickAsk') . ''], '$T/out')"
[ "$out" = 2 ] || skip_all "$vi is too small: signs and json_decode are needed"

repo r
killick ask src/a.c:4-6 -m 'Why four?' >/dev/null; killick remark src/a.c:8 -m 'Off by one' >/dev/null
signs="call writefile(map(sign_getplaced('%', {'group': 'killick'})[0].signs, 'v:val.lnum . v:val.name'), '$T/out')"
in_vim src/a.c "$signs"; is "$out" $'4killick_question\n8killick_remark' "signs stand where the threads are"
printf 'new\n' | cat - src/a.c >b && mv b src/a.c
in_vim src/a.c "$signs"; is "$out" $'5killick_question\n9killick_remark' "and follow the work tree"
qf="call writefile(map(getqflist(), 'bufname(v:val.bufnr) . \":\" . v:val.lnum . v:val.type . v:val.text'), '$T/out')"
in_vim src/a.c KillickThreads "$qf"; like "$out" 'src/a\.c:5Wquestion k[0-9a-f]+: Why four\?' "the quickfix list of the file"
in_vim src/a.c 'KillickThreads kind:remark' "$qf"; like "$out" '^[^ ]*src/a\.c:9Wremark [^ ]*: Off by one$' "and of a query"
in_vim src/a.c "2,3KillickAsk It's \"quoted\" & \$HOME?" "$signs"; like "$out" '^2killick_question' "KillickAsk on a range"
is "$(json "$(killick threads "quoted" --json)" '[(t["title"], t["anchor"]["line"], t["anchor"]["end"], t["audience"]) for t in d["threads"]]')" '[["It'"'"'s \"quoted\" & $HOME?", 2, 3, "everyone"]]' "asks what was typed, there"
in_vim src/a.c '1KillickNote! own words'
is "$(json "$(killick threads own --json)" '[t["audience"] for t in d["threads"]]')" '["private"]' "with ! privately"
in_vim src/a.c 9 'KillickReply As it should be' 'KillickResolve' "$signs"; like "$out" '9killick_remark_settled' "reply and resolve"
is "$(json "$(killick threads kind:remark --json)" '(d["threads"][0]["state"])')" resolved "are done"
in_vim src/a.c 6 KillickShow "call writefile(getline(1, '\$'), '$T/out')"; like "$out" 'Why four' "KillickShow shows the thread"
mkdir -p odd && printf 'x\ny\n' >'odd/a b#1:2.c'
in_vim 'odd/a b#1:2.c' '2KillickAsk odd?' "$signs"; is "$out" 2killick_question "a name that reads like an anchor"
bad='odd/$(touch pwned);`touch pwned`'; mkdir "$bad" && printf 'x\ny\n' >"$bad/it's \"c\"&.c"
in_vim "$bad/it's \"c\"&.c" '1KillickAsk odd?' KillickThreads "$qf"; like "$out" "it's \"c\"&\.c:1Wquestion" "hostile names are only names"
is "$(find . -name pwned)" "" "that no shell reads"
in_vim /dev/null "$signs"; is "$out" "" "no file, no signs"
printf 'x\n' >"$T/elsewhere"; in_vim "$T/elsewhere" "$signs"; is "$(cat "$T/vim")" "" "outside a repository it is silent"
done_testing
