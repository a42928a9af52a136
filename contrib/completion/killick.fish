# SPDX-License-Identifier: MIT
# fish completion for killick and git killick. Everything comes from killick itself, so it is never stale.
function __killick_ask
	set -l words (commandline -opc)
	set -l at 1
	if test "$words[1]" = git
		set at (contains -i -- killick $words)
	end
	set -l from (math $at + 1)
	set -l before
	if test $from -le (count $words)
		set before $words[$from..-1]
	end
	killick __complete $before (commandline -ct) 2>/dev/null
end
complete -c killick -f -a '(__killick_ask)'
complete -c git -n '__fish_seen_subcommand_from killick' -f -a '(__killick_ask)'
