# SPDX-License-Identifier: MIT
# A fake forge for shell tests, over lib.sh:
#	forge_start github|gitea|forgejo|both [OPTION…]   $forge is its URL; it ends with the test
#	forge seed '{"users":…}'     forge config '{"latency":0.05}'     forge faults '[{…}]'     forge act '{"do":…}'
#	forge_find TEXT              the notes and tasks that have it, JSON; forge_copies TEXT: how many
#	forge_state OWNER/REPO [N]   everything as it is
#	forge_api TOKEN METHOD PATH [BODY]   as another client would
forge_log=$T/forge.log
forge_start() {
	mkfifo "$T/forge.stdin"
	/usr/bin/python3 "$KILLICK_TEST_SRC/tests/remote/forge.py" --dialect "$@" --log "$forge_log" --ready "$T/forge.url" \
		--parent-pipe <"$T/forge.stdin" >/dev/null &
	forge_pid=$!
	exec 8>"$T/forge.stdin"    # closed when this shell ends, whatever ends it
	local i
	for i in $(seq 100); do
		[ ! -s "$T/forge.url" ] || break
		kill -0 "$forge_pid" 2>/dev/null || break
		sleep 0.05
	done
	forge=$(cat "$T/forge.url") || { echo "Bail out! the fake forge does not start"; exit 1; }
}
forge_stop() { exec 8>&-; wait "$forge_pid"; rm -f "$T/forge.stdin" "$T/forge.url"; }
forge() { curl -sS -A test -X POST "$forge/_forge/$1" -d "${2:-{\}}"; }
forge_get() { curl -sS -A test -G "$forge/_forge/$1" "${@:2}"; }
forge_find() { forge_get find --data-urlencode "text=$1"; }
forge_copies() { json "$(forge_find "$1")" 'len(d)'; }
forge_state() { forge_get state --data-urlencode "repo=$1" ${2:+-d "task=$2"}; }
forge_api() { curl -sS -A test -H "Authorization: Bearer $1" -X "$2" "$forge$3" ${4:+-d "$4"}; }
# GitHub's and Gitea's dialects, for sources called gh and tea that know ana by her token
forge_start_both() {
	command -v curl >/dev/null || skip_all "no curl"
	export KILLICK_TOKEN_GH=t-ana KILLICK_TOKEN_TEA=t-ana
	forge_start both --version 1.26.0
}
