# SPDX-License-Identifier: MIT
# bash completion for killick and git killick. Everything comes from killick itself, so it is never stale.
_killick_ask() { # _killick_ask WORD… : fills COMPREPLY; the last word is being completed
	local line value cur=${!#}
	COMPREPLY=()
	while IFS= read -r line; do
		value=${line%%$'\t'*}
		[[ $value == */ || $value == *= || $value == *: ]] && compopt -o nospace 2>/dev/null
		COMPREPLY+=("$(printf '%q' "$value")")
	done < <(killick __complete "$@" 2>/dev/null)
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}
_killick() {
	local cur prev words cword
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n ':=' cur prev words cword
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	fi
	_killick_ask "${words[@]:1:cword}"
}
# git's own completion calls this for "git killick".
_git_killick() {
	local cur prev words cword i
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n ':=' cur prev words cword
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	fi
	for ((i = 1; i < cword; i++)); do
		[[ ${words[i]} == killick ]] && break
	done
	_killick_ask "${words[@]:i+1:cword-i}"
}
complete -F _killick killick git-killick
