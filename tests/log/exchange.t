#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fetch and push: every kind of address, what may go wrong on the other side, forks and rewinds, whose settings count.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1
. "$KILLICK_TEST_SRC/tests/log/sshd.sh" || exit 1

two() { # two NAME: an empty remote NAME.git and clones NAME.a, NAME.b with a store each; the working folder is NAME.a
	git init -q --bare "$T/$1.git"
	(repo "$T/$1.a"; git remote add origin "$T/$1.git"; lt init >/dev/null)
	(repo "$T/$1.b"; git remote add origin "$T/$1.git"; lt init >/dev/null)
	cd "$T/$1.a" || exit 1
}
b() { (cd "${PWD%.a}.b" && lt "$@"); }
count() { echo "$out" | sed -n '1p'; }

# --- there and back ---
two plain; lt append 3 >/dev/null; b append 2 >/dev/null
is "$(lt unpushed)" 3 "three ops wait"
run lt push; is "$(count)" "fetched 0 0 pushed 1 3 forks 0 rewound 0 foreign 0" "push"
is "$(lt unpushed)" 0 "none waits"
run lt push; is "$(count)" "fetched 0 0 pushed 0 0 forks 0 rewound 0 foreign 0" "nothing new"
is "$(b fetch)" "fetched 1 3 pushed 0 0 forks 0 rewound 0 foreign 0" "fetch"
is "$(b fetch)" "fetched 0 0 pushed 0 0 forks 0 rewound 0 foreign 0" "nothing new"
b push >/dev/null; lt fetch >/dev/null; same . ../plain.b; ok $? "both have the same"
is "$(git --git-dir="$T/plain.git" for-each-ref --format='%(refname)' | grep -vc '^refs/killick/log/[0-9a-f]*$')" 0 "nothing else came to the remote"
is "$(git for-each-ref | wc -l)" 1 "nothing came to the user's refs"
git clone -q "$T/plain.git" "$T/plain.c" 2>/dev/null; is "$(git -C "$T/plain.c" for-each-ref | wc -l)" 0 "a clone does not get them"
GIT_DIR=/nonsense GIT_INDEX_FILE=/nonsense/i true; lt append 1 >/dev/null
(cd "$T/plain.a" && GIT_DIR="$T/plain.a/.git" GIT_INDEX_FILE=.git/x GIT_WORK_TREE="$T/plain.a" "$LOGTOOL" push >"$T/x"); like "$(cat "$T/x")" 'pushed 1 1' "as from a hook, with git's variables set"
two pushed; lt append 2 >/dev/null; mkdir sub; (cd sub && lt push >/dev/null); is "$(lt unpushed)" 0 "from a folder below"

# --- addresses ---
try() { # try NAME ADDRESS: push from a and fetch in b, by this address
	lt append 1 >/dev/null; git remote set-url origin "$2"; (cd ../addr.b && git remote set-url origin "$2")
	run lt push; is "$st" 0 "$1: push"; b fetch >/dev/null; same . ../addr.b; ok $? "fetch"
}
two addr
try "an absolute path" "$T/addr.git"
try "a relative path" ../addr.git
try "file://" "file://$T/addr.git"
git init -q --bare "$T/odd ' \"=\$(touch canary)"; try "an odd path" "$T/odd ' \"=\$(touch canary)"
git remote set-url origin "$T/addr.git"; run lt push; is "$st" 0 "and back"
lt append 1 >/dev/null; git remote add other ../addr.git; run lt push other; is "$st" 0 "another remote by name"
lt append 1 >/dev/null; run lt push "$T/addr.git"; is "$st" 0 "a bare path"
(cd src && lt append 1 >/dev/null && "$LOGTOOL" push ../../addr.git >"$T/x" 2>&1); ok $? "a path from a folder below"
git config --global url."$T/".insteadOf short:; git remote add short short:addr.git; lt append 1 >/dev/null
run lt push short; is "$st" 0 "insteadOf of the user"; git config --global --unset-all url."$T/".insteadOf
git config url."$T/nowhere".pushInsteadOf "$T/addr"; run lt push short; is "$st" 1 "an address that nothing rewrites"
lt append 1 >/dev/null; run lt push other; is "$st" 0 "a relative address is resolved after the rewriting"
run lt push; is "$st" 1 "pushInsteadOf counts"; git config --remove-section "url.$T/nowhere"
git config remote.origin.pushurl "$T/plain.git"; run lt push; is "$st" 0 "pushurl counts"; git config --unset remote.origin.pushurl

# --- ssh ---
if sshd_start "$T/sshd"; then
	trap 'sshd_stop; rm -rf "$T"' EXIT
	two ssh; git init -q --bare "$T/sshd/git/r.git"; u="ssh://$(id -un)@127.0.0.1:$ssh_port$T/sshd/git/r.git"
	git remote set-url origin "$u"; (cd ../ssh.b; git remote set-url origin "$u"); lt append 2 >/dev/null
	export GIT_SSH_COMMAND="$ssh_command"
	run lt push; is "$st" 0 "ssh: push"; b fetch >/dev/null; same . ../ssh.b; ok $? "fetch"
	is "$(b fetch)" "fetched 0 0 pushed 0 0 forks 0 rewound 0 foreign 0" "nothing new"
	unset GIT_SSH_COMMAND
	run lt fetch; is "$st" 1 "without the key"; like "$err" "^error auth: cannot fetch from 'origin': .*(verification|denied)" "is no authorisation"
	git config core.sshCommand "$ssh_command"; run lt fetch
	like "$err" '^error auth: .*killick.trustRepositoryConfig' "the repository's own ssh command is not run, and it is said"
	git config --global killick.trustRepositoryConfig true; run lt fetch; is "$st" 0 "unless the user trusts it"
	git config --global --unset killick.trustRepositoryConfig; git config --unset core.sshCommand
	git config --global core.sshCommand "$ssh_command"; run lt fetch; is "$st" 0 "the user's own is run"
	git remote set-url origin "ssh://$(id -un)@127.0.0.1:$ssh_port$T/none.git"; run lt fetch
	like "$err" '^error not-found:' "no such repository"
	git config --global --unset core.sshCommand
	git remote set-url origin "ssh://127.0.0.1:1/x.git"; run lt push; like "$err" '^error offline: .*refused' "nobody listens"
fi

# --- not there ---
two gone; lt append 1 >/dev/null
run lt fetch nobody; like "$err" "^error not-found: no remote 'nobody'" "no such remote"
git remote set-url origin "$T/nowhere.git"; run lt fetch; like "$err" "^error not-found: cannot fetch from 'origin'" "no such folder"
git remote set-url origin https://nobody.invalid/x.git; run lt fetch; like "$err" "^error offline: cannot fetch from 'origin': .*resolve" "no such host"
run lt push; like "$err" "^error offline: cannot push to 'origin'" "for a push too"
git remote set-url origin -- --upload-pack=touch\ canary; run lt fetch; like "$err" '^error usage' "an option for an address"
git remote set-url origin 'ext::touch canary'; run lt fetch; is "$st" 1 "a command for an address"
run lt fetch 'ext::touch canary'; is "$st" 1 "also when given"; run lt fetch -- -x; is "$st" 1 "an option for a name"
is "$(find "$T" -name canary | wc -l)" 0 "nothing was run"
printf '#!/bin/sh\nexec sleep 60\n' >"$T/hang"; chmod +x "$T/hang"; git remote set-url origin ssh://h/x.git
t0=$SECONDS; GIT_SSH_COMMAND="$T/hang" run lt fetch origin 600; like "$err" "^error offline: .*in time" "a server that says nothing"
ok $((SECONDS - t0 > 20)) "is not waited for"
git remote set-url origin "https://user:secret@nobody.invalid/x.git"; run lt fetch https://user:secret@nobody.invalid/x.git
unlike "$out$err" secret "no password in a message"

# --- hosts that refuse ---
two hide; lt append 1 >/dev/null; git --git-dir="$T/hide.git" config receive.hideRefs refs/killick
run lt push; like "$err" "^error refused: .*hidden ref.*killick.namespace refs/heads/killick" "hidden refs: the setting that helps is named"
is "$(lt unpushed)" 1 "the op still waits"
git config killick.namespace refs/heads/killick; (cd ../hide.b; git config killick.namespace refs/heads/killick)
run lt push; is "$st" 0 "the namespace of branches"; b fetch >/dev/null; same . ../hide.b; ok $? "works both ways"
is "$(git --git-dir="$T/hide.git" for-each-ref --format='%(refname)' | sed 's|/[0-9a-f]*$||')" refs/heads/killick "and is used there only"
is "$(sg for-each-ref refs/heads | wc -l)" 0 "not here"
for ns in refs/heads refs refs/heads/../x 'refs/heads/*' 'refs/heads/a b' --force refs/heads/x/ ; do
	git config killick.namespace "$ns"; run lt push; [ "$st" = 1 ] && like "$err" '^error usage: killick.namespace' "no namespace: $ns"
done
two hook; printf '#!/bin/sh\necho "no refs of yours" >&2; exit 1\n' >"$T/hook.git/hooks/pre-receive"; chmod +x "$T/hook.git/hooks/pre-receive"
lt append 1 >/dev/null; run lt push; like "$err" '^error refused: .*hook declined.*no refs of yours' "a hook that says no, with its words"
two some; lt append 1 >/dev/null; raw $W1 "$(op $W1 0 "" 1)"; raw $W2 "$(op $W2 0 "" 1)"
printf '#!/bin/sh\ncase $1 in *%s) exit 1;; esac\n' $W1 >"$T/some.git/hooks/update"; chmod +x "$T/some.git/hooks/update"
run lt push; like "$err" '^error refused: .*refused 1 logs' "one log refused"; like "$out" 'pushed 2 2' "does not keep the others back"

# --- whose settings count ---
two evil; lt append 1 >/dev/null; lt push >/dev/null; c="$T/evil-canary"; printf '#!/bin/sh\ntouch %s\nexit 1\n' "$c" >"$T/evil"; chmod +x "$T/evil"
for key in core.sshCommand core.fsmonitor core.pager core.askPass core.editor credential.helper core.alternateRefsCommand gpg.program \
	remote.origin.uploadpack remote.origin.receivepack remote.origin.vcs uploadpack.packObjectsHook; do git config $key "$T/evil"; done
git config --unset remote.origin.vcs; git config core.hooksPath "$T/evil-hooks"; mkdir "$T/evil-hooks"
for h in pre-push reference-transaction pre-auto-gc post-index-change; do cp "$T/evil" "$T/evil-hooks/$h"; done
lt append 1 >/dev/null; lt push >/dev/null; lt fetch >/dev/null; lt gc; GIT_SSH_COMMAND=false lt fetch ssh://h/x >/dev/null 2>&1
git remote add e ssh://nobody.invalid/x; git remote add h https://nobody.invalid/x; lt fetch e >/dev/null 2>&1; lt fetch h >/dev/null 2>&1; lt push e >/dev/null 2>&1
is "$(test -e "$c"; echo $?)" 1 "no program that the repository's configuration names is run"
rm -f "$(store)/config.lock"; git config -f "$(store)/config" core.sshCommand "$T/evil"; run lt fetch e
like "$err" "^error refused: .*sshCommand" "a store with settings that are not ours is not exchanged"
is "$(lt count)" "2 2" "but read"
git config -f "$(store)/config" --unset core.sshCommand; run lt fetch; is "$st" 0 "once it is gone it works"
echo "$T/evil.git" >"$(store)/commondir"; run lt fetch; is "$st" 0 "a commondir file leads nowhere"; rm "$(store)/commondir"

# --- rewound and replaced ---
two rew; lt append 3 >/dev/null; w=$(writer); lt push >/dev/null; b fetch >/dev/null; all=$(ids); old=$(sg rev-parse "refs/killick/log/$w~2")
git --git-dir="$T/rew.git" update-ref "refs/killick/log/$w" "$old"
run b fetch; is "$st" 1 "a rewound log on the remote"; like "$err" '^error conflict: .*lost' "is refused, and said"
is "$(b count)" "3 3" "nothing is lost here"
like "$(b push)" 'pushed 1 2' "any holder's push brings it back"
is "$(git --git-dir="$T/rew.git" rev-parse "refs/killick/log/$w")" "$(sg rev-parse "refs/killick/log/$w")" "whole"
git --git-dir="$T/rew.git" update-ref -d "refs/killick/log/$w"; run b fetch; like "$err" 'conflict: .*lost' "a deleted log too"; b push >/dev/null
run lt fetch; is "$st" 0 "and the writer sees nothing of it"
# replaced by somebody
evil=$(printf 'x\n\n%s\n' "$(op $w 0 "" 7)" | git --git-dir="$T/rew.git" commit-tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904 2>/dev/null || { git --git-dir="$T/rew.git" hash-object -t tree -w /dev/null >/dev/null; printf 'x\n\n%s\n' "$(op $w 0 "" 7)" | git --git-dir="$T/rew.git" commit-tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904; })
git --git-dir="$T/rew.git" update-ref "refs/killick/log/$w" "$evil"
run b fetch; is "$st" 1 "a replaced log"; like "$err" '^error conflict: .*parts from' "is a fork"; is "$(b ids 2>/dev/null; cd ../rew.b; ids)" "$all" "and kept out"
run b fetch; is "$st" 0 "it is an error once"; like "$out" 'forks 1' "and shown ever after"
run b append 1; run b push; is "$st" 0 "what else there is goes on"
# the writer itself finds the remote changed: its words go to a new id
run lt fetch; is "$st" 0 "the writer of a replaced log"; like "$out" 'new-writer' "takes a new id"
is "$(lt read | awk '$1 == "op"' | wc -l)" 5 "and writes its three ops again beside the one of the remote and b's"
intact; ok $? "in a sound chain"
run lt push; is "$st" 0 "which is pushed"; like "$out" 'pushed 1 3' "whole"

# --- restored and copied ---
two rest; lt append 2 >/dev/null; w=$(writer); lt push >/dev/null; s0=$(sg rev-parse "refs/killick/log/$w"); lt append 2 >/dev/null; lt push >/dev/null; all=$(ids)
sg update-ref "refs/killick/log/$w" "$s0"; sg for-each-ref --format='delete %(refname)' refs/killick/remote refs/killick/pushed | sg update-ref --stdin
run lt fetch; is "$st" 0 "restored in place, nothing new"; is "$(ids)" "$all" "the rest comes back"; is "$(test "$(writer)" != "$w"; echo $?)" 0 "a new writer id"
two rest2; lt append 2 >/dev/null; w=$(writer); lt push >/dev/null; s0=$(sg rev-parse "refs/killick/log/$w"); lt append 2 >/dev/null; lt push >/dev/null
sg update-ref "refs/killick/log/$w" "$s0"; sg for-each-ref --format='delete %(refname)' refs/killick/remote refs/killick/pushed | sg update-ref --stdin
e=$(lt append 1 thread); lt random 5 6 >/dev/null; n=$(lt read | grep -c '^op'); run lt push
is "$st" 1 "restored in place, then written to: the push"; like "$err" '^error conflict' "is refused"
lt fetch >"$T/x"; is "$?" 0 "the fetch mends it"
is "$(ids | wc -l)" $((n + 2)) "no word is lost: the remote's two and all that was here"
is "$(lt read | awk -v w="$w" '$1 == "op" && $3 != w' | wc -l)" 7 "seven were written again"
intact; ok $? "in a sound chain"
run lt fetch; run lt push; is "$st" 0 "and pushed"; b fetch >/dev/null; same . ../rest2.b; ok $? "others have the same"
is "$(sg for-each-ref refs/killick/fork | wc -l)" 1 "the old head is kept"

# --- the same log in other commits (an import makes them) ---
two cut; lt append 3 >/dev/null; w=$(writer); lt push >/dev/null; mapfile -t l < <(sg log --reverse --format=%b "refs/killick/log/$w" | grep '^{')
cd ../cut.b; raw "$w" "${l[@]}"; lt read "$T/hcut" >/dev/null
run lt fetch; is "$st" 0 "the same lines in other commits are no fork"; is "$(sg rev-parse "refs/killick/log/$w")" "$(git --git-dir="$T/cut.git" rev-parse "refs/killick/log/$w")" "the remote's commits are taken"
lt read "$T/hcut" >/dev/null; is "$(lt count)" "3 3" "the same ops"
cd ../cut.a; lt append 1 >/dev/null; lt push >/dev/null; repo "$T/cut.c"; git remote add origin "$T/cut.git"; lt init >/dev/null; raw "$w" "${l[@]:0:2}" ; raw "$w" "${l[2]}"
run lt fetch; is "$st" 0 "fewer of them"; is "$(lt count)" "4 4" "go on"
x=$(op "$w" 4 "$(sha "$(sg log -1 --format=%b "refs/killick/log/$w" | grep '^{')")" 9); mapfile -t l < <(sg log --reverse --format=%b "refs/killick/log/$w" | grep '^{')
repo "$T/cut.d"; git remote add origin "$T/cut.git"; lt init >/dev/null; raw "$w" "${l[@]}" "$x"
run lt fetch; is "$st" 0 "more of them"; is "$(lt count)" "5 9" "are kept"; intact; ok $? "sound"; like "$(lt push)" 'pushed 1 1' "and can be pushed"
repo "$T/cut.e"; git remote add origin "$T/cut.git"; lt init >/dev/null; raw "$w" "${l[@]:0:3}" "$(op "$w" 3 "$(sha "${l[2]}")" 7)"
run lt fetch; like "$err" '^error conflict: .*parts from' "other lines are a fork"; is "$(lt count)" "4 7" "and kept out"

git init -q --bare "$T/rubbish.git"; repo "$T/cut.f"; lt init >/dev/null; raw "$w" rubbish rubbish "${l[2]}"; sg push -q "$T/rubbish.git" "refs/killick/log/$w"
repo "$T/cut.g"; lt init >/dev/null; raw "$w" "${l[@]:0:3}"; run lt fetch "$T/rubbish.git"; like "$err" '^error conflict' "a log that is like ours at its end alone"; is "$(lt count)" "3 3" "does not take its place"

# --- repository ids ---
git init -q --bare "$T/ids.git"; git init -q "$T/ids.a"; cd "$T/ids.a"; git remote add origin "$T/ids.git"; lt append 1 >/dev/null; lt push >/dev/null
repo "$T/ids.b"; git remote add origin "$T/ids.git"; lt init >/dev/null
run lt fetch; like "$out" 'foreign 0 adopted' "a store that has said nothing takes the id it finds"
is "$(repo_id)" "$(cd ../ids.a; repo_id)" "and keeps it"; lt append 1 >/dev/null; lt push >/dev/null; (cd ../ids.a; lt fetch >/dev/null); same . ../ids.a; ok $? "they share"
repo "$T/ids.c"; git remote add origin "$T/ids.git"; lt append 1 >/dev/null; run lt fetch
like "$out" 'foreign 2' "one that has spoken keeps its own"; like "$out" 'note .*init --join' "and is told how to join"
is "$(lt count)" "1 1" "the others are kept out"; like "$(lt push)" 'pushed 1 1' "its own is sent"
lt join "$(cd ../ids.a; repo_id)"; is "$(lt count)" "3 1" "until it joins"

# --- hostile remotes ---
two host; lt append 1 >/dev/null; g="git --git-dir=$T/host.git"
h=$(echo hello | $g hash-object -w --stdin); $g update-ref refs/killick/log/$W1 "$h"; $g update-ref refs/killick/log/HEAD "$h" 2>/dev/null
$g update-ref "refs/killick/log/deep/$W2" "$h"; $g update-ref "refs/killick/log/;touch" "$h"
run lt fetch; is "$st" 0 "blobs and odd names for logs"; like "$out" 'note .*cannot be read' "are noted"; is "$(lt count)" "1 1" "and nothing else"
sg for-each-ref --format='%(refname)' refs/killick/log | grep -q "$W1\|$W2"; is $? 1 "no log is made of them"
two shal; lt append 5 >/dev/null; w=$(writer); lt push >/dev/null; git clone -q --bare --depth 1 "file://$T/shal.git" "$T/shal2.git" 2>/dev/null || git init -q --bare "$T/shal2.git"
git --git-dir="$T/shal2.git" fetch -q --depth 2 "file://$T/shal.git" "refs/killick/log/*:refs/killick/log/*"
cd ../shal.b; run lt fetch "$T/shal2.git"; is "$(lt count)" "0 0" "a log cut off by a shallow remote is not taken"
done_testing
