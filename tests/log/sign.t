#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Signatures of logs: made with a push where the user's git signs with SSH, checked against the user's allowed signers.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1
command -v ssh-keygen >/dev/null || skip_all "no ssh-keygen"
ssh-keygen -q -t ed25519 -N '' -C ana -f "$T/ana" && ssh-keygen -q -t ed25519 -N '' -C eve -f "$T/eve" || skip_all "ssh-keygen makes no key"
ssh-keygen -Y sign -n x -f "$T/ana" </dev/null >/dev/null 2>&1 || skip_all "ssh-keygen cannot sign"
printf 'ana@example.org %s\n' "$(cut -d' ' -f1,2 "$T/ana.pub")" >"$T/allowed"
git init -q --bare "$T/o.git"
repo "$T/a"; git remote add origin "$T/o.git"; lt append 3 >/dev/null; w=$(writer)
is "$(lt verify | head -1)" "unsigned 0/3 - -" "nothing is signed at first"
git config user.signingKey "$T/eve"; git config gpg.format ssh; lt push >/dev/null
is "$(lt count)" "3 3" "the repository's own configuration names no key"
git config --unset user.signingKey; git config --unset gpg.format
git config --global gpg.format ssh; git config --global user.signingKey "$T/ana"; git config --global gpg.ssh.allowedSignersFile "$T/allowed"
git config killick.sign false; lt append 1 >/dev/null; lt push >/dev/null; is "$(lt count)" "4 4" "killick.sign=false: no signature"; git config --unset killick.sign
run lt push; is "$(lt count)" "5 5" "a push signs"
is "$(lt read | tail -1 | awk '{print $6}')" sign "with one op"
like "$(lt verify)" '^signed 4/5 ana@example.org SHA256:' "which holds"
lt push >/dev/null; is "$(lt count)" "5 5" "nothing new: no new signature"
lt append 2 >/dev/null; like "$(lt verify)" '^signed 4/7 ' "what came behind is not covered"
lt push >/dev/null; like "$(lt verify)" '^signed 7/8 ' "until the next push"
repo "$T/b"; git remote add origin "$T/o.git"; lt fetch >/dev/null; like "$(lt verify "$w")" '^signed 7/8 ana' "others see it"
intact; ok $? "the log is sound"
lt append 1 >/dev/null; git config --global user.signingKey "$T/ana.pub"; lt push >/dev/null; like "$(lt verify)" '^signed 1/2 ' "a public key's name stands for the pair"
git config --global user.signingKey "$T/none"; lt append 1 >/dev/null; run lt push
is "$st" 0 "a key that is not there: the push goes on"; like "$out" 'note sent without a signature: ' "and says so"; like "$out" 'pushed 1 1' "unsigned"
git config --global user.signingKey "$T/ana"
if command -v ssh-agent >/dev/null && eval "$(ssh-agent -s 2>/dev/null)" >/dev/null && ssh-add -q "$T/ana" 2>/dev/null; then
	lt append 1 >/dev/null; git config --global user.signingKey "key::$(cut -d' ' -f1,2 "$T/ana.pub")"; lt push >/dev/null
	like "$(lt verify)" '^signed 4/5 ' "a literal key in an agent"; kill "$SSH_AGENT_PID"; git config --global user.signingKey "$T/ana"
fi

# --- what does not hold ---
cd "$T/a"; : >"$T/none.allowed"
git config --global gpg.ssh.allowedSignersFile "$T/none.allowed"; like "$(lt verify)" '^unknown-key 0/8 - SHA256:' "a key that nobody allowed"; like "$(lt verify)" 'why the key is none' "with the reason"
git config --global --unset gpg.ssh.allowedSignersFile; like "$(lt verify)" 'why gpg.ssh.allowedSignersFile is not set' "no list of keys"
git config gpg.ssh.allowedSignersFile "$T/allowed"; like "$(lt verify)" '^unknown-key' "a list of the repository's does not count"; git config --unset gpg.ssh.allowedSignersFile
git config --global gpg.ssh.allowedSignersFile "$T/allowed"
printf 'ana@example.org namespaces="git" %s\n' "$(cut -d' ' -f1,2 "$T/ana.pub")" >"$T/allowed"; like "$(lt verify)" '^unknown-key' "a key for git alone"
printf 'ana@example.org namespaces="killick*" %s\n' "$(cut -d' ' -f1,2 "$T/ana.pub")" >"$T/allowed"; like "$(lt verify)" '^signed' "a key for killick"
printf 'ana@example.org valid-before="20200101" %s\n' "$(cut -d' ' -f1,2 "$T/ana.pub")" >"$T/allowed"; like "$(lt verify)" '^unknown-key' "a key that had expired when its signature was first seen"
printf 'ana@example.org %s\n' "$(cut -d' ' -f1,2 "$T/ana.pub")" >"$T/allowed"
repo_copy() { rm -rf "$T/m"; repo "$T/m"; lt init >/dev/null; }   # a store to forge in; same repository id
lines() { git --git-dir="$T/a/.git/killick/store.git" log --reverse --format=%b "refs/killick/log/$w" | grep '^{'; }
repo_copy; lines | head -4 >"$T/l"; lines | sed -n 5p >"$T/sig"; mapfile -t l <"$T/l"
raw $w "${l[@]}" "$(cat "$T/sig")"; like "$(lt verify $w)" '^signed 4/5' "the same log in another store holds"
repo_copy; raw $w "${l[@]}" "$(/usr/bin/python3 -c 'import re,sys
print(re.sub(r"(.)(.{12}\\n-----END)", lambda m: ("b" if m[1] == "a" else "a") + m[2], open(sys.argv[1]).read()), end="")' "$T/sig")"; like "$(lt verify $w)" '^bad 0/5' "a changed signature"
repo_copy; x=$(op $w 4 "$(sha "${l[3]}")" 5); raw $w "${l[@]}" "$x" "$(sed "s/\"seq\":4,\"prev\":\"[0-9a-f]*\",\"lamport\":5/\"seq\":5,\"prev\":\"$(sha "$x")\",\"lamport\":6/" "$T/sig")"
is "$(lt read | grep -c '^out')" 0 "an old signature, put behind a new op, in a sound chain"; like "$(lt verify $w)" '^bad 0/6' "signs nothing"; like "$(lt verify $w)" 'another place' "and it is said why"
repo_copy; raw $w "${l[@]}" "$(cat "$T/sig")" "$(op $w 5 "$(sha "$(cat "$T/sig")")" 9)"; like "$(lt verify $w)" '^signed 4/6' "somebody's op behind the signature: covered up to there"
x=$(op $w 5 "$(sha "$(cat "$T/sig")")" 9); raw $w "$(op $w 6 "$(sha "$x")" 10 "" sign)"; like "$(lt verify $w)" '^bad 4/7' "a forged signature behind it: bad, and still covered up to there"
repo_copy; y=$(sed "s/$w/$W1/g" "$T/l" | head -1); raw $W1 "$y" "$(sed "s/$w/$W1/; s/\"seq\":4,\"prev\":\"[0-9a-f]*\"/\"seq\":1,\"prev\":\"$(sha "$y")\"/" "$T/sig")"; like "$(lt verify $W1)" '^bad 0/2' "a signature of another log"
cp -r "$T/a" "$T/c"; cd "$T/c"; run lt verify nonsense; is "$st" 1 "no writer"; run lt verify $W2; like "$err" 'not-found' "no such log"
done_testing
