#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stop.sh DIR: ends the server that start.sh started there, by its process id, and waits for it.
run=${1:?folder}
[ -e "$run/puma.pid" ] || exit 0
pid=$(cat "$run/puma.pid")
if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q puma; then
	kill "$pid"
	for _ in $(seq 100); do
		[ -d "/proc/$pid" ] || break
		sleep 0.1
	done
	[ ! -d "/proc/$pid" ] || kill -9 "$pid"
fi
rm -f "$run/puma.pid"
