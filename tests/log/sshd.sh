# SPDX-License-Identifier: MIT
# sshd_start DIR: a private sshd on a free port of 127.0.0.1 that runs git commands in DIR and nothing else, for the
# present user; sets ssh_port, and writes DIR/ssh, a command for GIT_SSH_COMMAND. sshd_stop ends it. 1: there is no sshd.
sshd_start() {
	local d=$1 i sshd
	sshd=$(command -v sshd || command -v /usr/sbin/sshd) || return 1
	command -v ssh-keygen >/dev/null && command -v git-shell >/dev/null || return 1
	mkdir -p "$d/git" && ssh-keygen -q -t ed25519 -N '' -f "$d/host" && ssh-keygen -q -t ed25519 -N '' -f "$d/key" || return 1
	cp "$d/key.pub" "$d/authorized"
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
	for i in 1 2 3 4 5; do
		ssh_port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
		cat >"$d/config" <<C
Port $ssh_port
ListenAddress 127.0.0.1
HostKey $d/host
PidFile none
AuthorizedKeysFile $d/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
ForceCommand cd $d/git && exec git-shell -c "\$SSH_ORIGINAL_COMMAND"
C
		"$sshd" -D -e -f "$d/config" >"$d/log" 2>&1 </dev/null & sshd_pid=$!
		for _ in $(seq 600); do
			(exec 3<>"/dev/tcp/127.0.0.1/$ssh_port") 2>/dev/null && break 2
			kill -0 "$sshd_pid" 2>/dev/null || continue 2
			sleep 0.05
		done
		return 1
	done
	printf '[127.0.0.1]:%s %s\n' "$ssh_port" "$(cut -d' ' -f1,2 "$d/host.pub")" >"$d/known"
	ssh_command="ssh -F none -i $d/key -o IdentitiesOnly=yes -o UserKnownHostsFile=$d/known"
}
sshd_stop() { [ -z "${sshd_pid:-}" ] || kill "$sshd_pid" 2>/dev/null; }
