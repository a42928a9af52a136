#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two people, one bare remote, no server: threads written offline on both sides, in any order, end the same everywhere.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1

exchange() { # exchange URL NAME: the whole story over one transport
	local url=$1 name=$2 k q
	cd "$T" || return
	git clone -q "$url" "$name-ana" 2>/dev/null; git clone -q "$url" "$name-bo" 2>/dev/null
	git -C "$name-bo" config user.name Bo; git -C "$name-bo" config user.email bo@example.org
	killick -C "$name-ana" init >/dev/null 2>&1; killick -C "$name-bo" init >/dev/null 2>&1
	run killick -C "$name-ana" ask src/a.c:3-4 -m 'Why three?' --json
	q=$(json "$out" 'd["thread"]["id"]')
	run killick -C "$name-bo" note docs/guide.md#install/debian -m 'Use the -dev package'
	is "$st" 0 "$name: both write offline"
	run killick -C "$name-ana" sync; is "$st" 0 "$name: Ana sends"
	run killick -C "$name-bo" sync; is "$st" 0 "$name: Bo fetches and sends"
	like "$(killick -C "$name-bo" show "$q")" 'Why three\?' "$name: Bo reads the question"
	run killick -C "$name-bo" reply "$q" -m 'Four would time out.'; is "$st" 0 "$name: Bo answers"
	killick -C "$name-ana" reply "$q" -m 'While offline: never mind?' >/dev/null
	killick -C "$name-bo" sync >/dev/null 2>&1; killick -C "$name-ana" sync >/dev/null 2>&1; killick -C "$name-bo" sync >/dev/null 2>&1
	killick -C "$name-ana" accept "$q" >/dev/null; killick -C "$name-ana" sync >/dev/null 2>&1; killick -C "$name-bo" sync >/dev/null 2>&1
	is "$(json "$(killick -C "$name-bo" show "$q" --json)" '(d["thread"]["state"],len(d["thread"]["posts"]))')" '["answered", 3]' "$name: the answer is accepted on both sides"
	killick -C "$name-ana" export >"$T/$name-a.export"; killick -C "$name-bo" export >"$T/$name-b.export"
	cmp -s "$T/$name-a.export" "$T/$name-b.export"; ok $? "$name: byte-identical exports"
	[ "$(wc -l <"$T/$name-a.export")" -ge 5 ]; ok $? "$name: which are not empty"
	run killick -C "$name-bo" ask . --private -m 'only me'; killick -C "$name-bo" sync >/dev/null 2>&1
	killick -C "$name-ana" sync >/dev/null 2>&1
	unlike "$(killick -C "$name-ana" threads)" 'only me' "$name: what is private never leaves"
	grep -rq 'only me' "$T/remote.git" "$name-bo/.git/killick"; is $? 1 "$name: nor enters the store"
}

git init -q --bare remote.git
(repo seed && git push -q ../remote.git main) 2>/dev/null
git -C remote.git symbolic-ref HEAD refs/heads/main
exchange "$T/remote.git" path
exchange "file://$T/remote.git" file

# With nothing new on either side, a remote on this machine is asked without a child.
children() { KILLICK_TRACE=all killick -C "$1" sync 2>&1 | grep -c 'in the store: '; }
killick -C path-ana sync >/dev/null 2>&1; killick -C file-ana sync >/dev/null 2>&1
is "$(children path-ana)" 0 "nothing new: no git is started"
is "$(children file-ana)" 0 "nor for a file:// address"
git -C remote.git pack-refs --all
is "$(children path-ana)" 0 "nor when the refs are packed there"
git -C path-ana config remote.origin.uploadpack false
is "$(($(children path-ana) > 0))" 0 "the repository's own uploadpack counts for nothing"
git config --global remote.origin.uploadpack "$(git --exec-path)/git-upload-pack"
is "$(($(children path-ana) > 0))" 1 "a program of the user's is what answers"
git config --global --unset remote.origin.uploadpack
killick -C file-ana note . -m 'one more' >/dev/null; killick -C file-ana sync >/dev/null 2>&1
run killick -C path-ana sync; like "$out" '1 op fetched' "what is new is found"
mv remote.git away.git; run killick -C path-ana sync; is "$((st != 0))" 1 "a remote that is gone is no remote with nothing new"; mv away.git remote.git

if [ -x /usr/sbin/sshd ]; then
	mkdir "$T/ssh" && cd "$T/ssh" && ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f id
	chmod 700 "$T" "$T/ssh"; cp id.pub keys
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	listens() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
	cat >conf <<-C
		Port $port
		ListenAddress 127.0.0.1
		HostKey $T/ssh/host
		AuthorizedKeysFile $T/ssh/keys
		PidFile $T/ssh/pid
		StrictModes no
		UsePAM no
		PasswordAuthentication no
	C
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	/usr/sbin/sshd -f "$T/ssh/conf" -E "$T/ssh/log"
	for _ in $(seq 600); do ! listens || break; sleep 0.05; done
	trap '[ -f "$T/ssh/pid" ] && kill "$(cat "$T/ssh/pid")"; rm -rf "$T"' EXIT
	export GIT_SSH_COMMAND="ssh -i $T/ssh/id -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
	exchange "ssh://$(id -un)@127.0.0.1:$port$T/remote.git" ssh
	kill "$(cat "$T/ssh/pid")"
	for _ in $(seq 600); do listens || break; sleep 0.05; done
	cd "$T" && run killick -C ssh-ana sync
	is "$st" 75 "an unreachable host: try later"
	unlike "$err" $'\x1b' "said in plain words"
else
	ok 1 "sshd is installed"
fi
done_testing
