#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# start.sh TEMPLATE DIR: a fresh private Redmine on a free port of 127.0.0.1; prints its address when it answers.
# As root it gives the server to nobody. stop.sh DIR ends it; it ends by itself when the process WATCH (environment) does.
set -eu
. "$(dirname "$0")/env.sh"
template=${1:?template}
run=${2:?folder}
[ -e "$template/.done" ] || die "there is no template at $template (template.sh)"
[ ! -e "$run/app" ] || die "there is one in $run already"
mkdir -p "$run"
run=$(cd "$run" && pwd)
cp -a "$template/app" "$run/app"
port=${PORT:-$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}
as=()
printf '[safe]\n\tdirectory = *\n' >"$run/.gitconfig"    # it reads repositories that others own
if [ "$(id -u)" = 0 ]; then
	chown -R nobody:nogroup "$run"
	chmod 755 "$run"
	as=(setpriv --reuid=nobody --regid=nogroup --clear-groups env "HOME=$run")
else
	export HOME="$run"
fi
cd "$run/app"
setsid "${as[@]}" bundle exec puma -e production -b "tcp://127.0.0.1:$port" -t 1:4 >"$run/puma.log" 2>&1 </dev/null &
pid=$!
echo $pid >"$run/puma.pid"
if [ -n "${WATCH-}" ]; then
	(while kill -0 "$WATCH" 2>/dev/null; do sleep 1; done; kill "$pid" 2>/dev/null) >/dev/null 2>&1 </dev/null &
fi
for _ in $(seq 900); do
	kill -0 "$pid" 2>/dev/null || { tail -20 "$run/puma.log" >&2; exit 1; }
	if curl -fs --max-time 20 -o /dev/null "http://127.0.0.1:$port/issue_statuses.json"; then
		echo "http://127.0.0.1:$port"
		exit 0
	fi
	sleep 0.1
done
die "no answer in time"
