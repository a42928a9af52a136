" SPDX-License-Identifier: MIT
" killick in vim and neovim: threads as signs in the margin and as a quickfix list; ask, reply and resolve in place.
"
" For vim 8.1 or later: put the folder above this one on 'runtimepath', or this file into ~/.vim/plugin.
"
"   :KillickThreads [QUERY]      threads as a quickfix list: of this file, or by a query (is:open by:me)
"   :[range]KillickAsk [TEXT]    ask on these lines; with ! privately. Also KillickRemark, KillickDecide, KillickNote
"   :KillickShow                 the thread on this line, in a window below
"   :KillickReply [TEXT]         reply to it; :KillickResolve and :KillickReopen settle it
"   :KillickSigns                look again (done when a file is read or written)
"
" Without TEXT vim asks for a line. g:killick_command names the program, g:killick_signs = 0 turns the signs off.

if exists('g:loaded_killick') || !exists('*sign_define') || !exists('*json_decode') || !(has('job') || has('nvim'))
	finish
endif
let g:loaded_killick = 1

let s:signs = {'question': '?', 'remark': '!', 'decision': '#', 'note': '·'}
for s:kind in keys(s:signs)
	call sign_define('killick_' . s:kind, {'text': s:signs[s:kind], 'texthl': 'Todo'})
	call sign_define('killick_' . s:kind . '_settled', {'text': s:signs[s:kind], 'texthl': 'Comment'})
endfor

" Runs words (no shell ever reads them) with text, or null, on stdin. Returns [status, output]; stderr is part of it
" unless quiet.
if has('nvim')
	function! s:exec(words, text, quiet) abort
		let parts = {}
		let options = {'stdout_buffered': 1, 'on_stdout': {id, data, event -> extend(parts, {'out': join(data, "\n")})}}
		if !a:quiet
			call extend(options, {'stderr_buffered': 1, 'on_stderr': {id, data, event -> extend(parts, {'err': join(data, "\n")})}})
		endif
		try
			let job = jobstart(a:words, options)
		catch
			return [127, a:words[0] . ' cannot be run']
		endtry
		if a:text isnot v:null
			call chansend(job, a:text)
		endif
		call chanclose(job, 'stdin')
		let status = jobwait([job])[0]
		return [status, get(parts, 'out', '') . get(parts, 'err', '')]
	endfunction
else
	function! s:exec(words, text, quiet) abort
		let job = job_start(a:words, {'mode': 'raw', 'drop': 'never', 'in_io': a:text is v:null ? 'null' : 'pipe',
			\ 'err_io': a:quiet ? 'null' : 'out'})
		let channel = job_getchannel(job)
		if a:text isnot v:null
			call ch_sendraw(channel, a:text)
			call ch_close_in(channel)
		endif
		let out = ''
		while index(['open', 'buffered'], ch_status(channel, {'part': 'out'})) >= 0
			let out .= ch_readraw(channel)
		endwhile
		while job_status(job) ==# 'run'
			sleep 1m
		endwhile
		return [job_info(job).exitval, out]
	endfunction
endif

" Runs killick in the file's folder. Returns [status, output]; errors are shown unless quiet.
function! s:run(words, text, quiet) abort
	let [status, out] = s:exec([get(g:, 'killick_command', 'killick'), '-C', expand('%:p:h')] + a:words, a:text, a:quiet)
	if status && !a:quiet
		echohl ErrorMsg
		echomsg substitute(out, '\_s\+$', '', '')
		echohl None
	endif
	return [status, out]
endfunction

function! s:is_file() abort
	return &buftype ==# '' && expand('%') !=# '' && filereadable(expand('%:p'))
endfunction

" A name that begins with "-" or reads as another anchor stays a file.
function! s:anchor(from, to) abort
	let name = './' . expand('%:p:t')
	return a:from == 0 ? name : name . ':' . a:from . (a:to > a:from ? '-' . a:to : '')
endfunction

function! s:threads() abort
	if !s:is_file()
		return []
	endif
	let [status, out] = s:run(['at', '--json', s:anchor(0, 0)], v:null, 1)
	try
		return status ? [] : json_decode(out).threads
	catch
		return []
	endtry
endfunction

" Lines of a thread in this file, or [0, 0] if it lost them.
function! s:lines(thread) abort
	let place = a:thread.place
	if type(place) != v:t_dict || index(['exact', 'moved', 'edited'], place.state) < 0
		return [0, 0]
	endif
	let first = type(place.line) == v:t_number && place.line > 0 ? place.line : 1
	return [first, type(place.end) == v:t_number ? max([place.end, first]) : first]
endfunction

function! s:place_signs() abort
	call sign_unplace('killick', {'buffer': bufnr('%')})
	if !get(g:, 'killick_signs', 1)
		return
	endif
	for thread in s:threads()
		let first = s:lines(thread)[0]
		if first
			call sign_place(0, 'killick', 'killick_' . thread.kind . (thread.state ==# 'open' ? '' : '_settled'),
				\ bufnr('%'), {'lnum': first})
		endif
	endfor
endfunction

" The thread that begins here, else the one that goes on here.
function! s:here() abort
	let found = {}
	for thread in s:threads()
		let [first, last] = s:lines(thread)
		if first && first <= line('.') && line('.') <= last && (empty(found) || first == line('.'))
			let found = thread
		endif
	endfor
	if empty(found)
		echo 'no thread on this line'
	endif
	return found
endfunction

function! s:list(query) abort
	if a:query ==# ''
		let items = s:threads()
	else
		let [status, out] = s:run(['threads', '--json', a:query], v:null, 0)
		if status
			return
		endif
		let items = json_decode(out).threads
	endif
	let top = substitute(s:exec(['git', '-C', expand('%:p:h'), 'rev-parse', '--show-toplevel'], v:null, 1)[1], '\n$', '', '')
	let list = []
	for thread in items
		let place = type(thread.place) == v:t_dict ? thread.place : {}
		if type(get(place, 'path', v:null)) == v:t_string
			call add(list, {'filename': top . '/' . place.path, 'lnum': max([s:lines(thread)[0], 1]),
				\ 'text': thread.kind . ' ' . thread.id[:6] . ': ' . thread.title . (place.state ==# 'gone' ? ' (gone)' : ''),
				\ 'type': thread.state ==# 'open' ? 'W' : 'I'})
		endif
	endfor
	call setqflist([], ' ', {'title': 'killick ' . (a:query ==# '' ? expand('%:t') : a:query), 'items': list})
	if empty(list)
		echo 'no threads'
	else
		copen
	endif
endfunction

function! s:say(words, text, prompt) abort
	let text = a:text ==# '' ? input(a:prompt . ': ') : a:text
	redraw
	if text ==# ''
		echo 'nothing was written, nothing was sent'
		return
	endif
	let [status, out] = s:run(a:words + ['-F', '-'], text, 0)
	if !status
		echo substitute(out, '\_s\+$', '', '')
		call s:place_signs()
	endif
endfunction

function! s:open(verb, private, from, to, text) abort
	if &modified
		update
	endif
	call s:say([a:verb, s:anchor(a:from, a:to)] + (a:private ? ['--private'] : []), a:text,
		\ a:verb . (a:private ? ' (private)' : ' (everyone)'))
endfunction

function! s:reply(text) abort
	let thread = s:here()
	if !empty(thread)
		call s:say(['reply', thread.id], a:text, 'reply to "' . thread.title . '" (' . thread.audience . ')')
	endif
endfunction

function! s:settle(verb) abort
	let thread = s:here()
	if !empty(thread) && s:run([a:verb, thread.id], v:null, 0)[0] == 0
		call s:place_signs()
	endif
endfunction

function! s:show() abort
	let thread = s:here()
	if empty(thread)
		return
	endif
	let [status, out] = s:run(['show', '--color=never', '--no-pager', thread.id], v:null, 0)
	if !status
		botright new
		setlocal buftype=nofile bufhidden=wipe noswapfile nobuflisted
		call setline(1, split(out, "\n"))
		execute 'resize' min([line('$'), 15])
		setlocal nomodifiable
		nnoremap <buffer> <silent> q :close<CR>
	endif
endfunction

command! -nargs=* KillickThreads call s:list(<q-args>)
command! -range -bang -nargs=* KillickAsk call s:open('ask', <bang>0, <line1>, <line2>, <q-args>)
command! -range -bang -nargs=* KillickRemark call s:open('remark', <bang>0, <line1>, <line2>, <q-args>)
command! -range -bang -nargs=* KillickDecide call s:open('decide', <bang>0, <line1>, <line2>, <q-args>)
command! -range -bang -nargs=* KillickNote call s:open('note', <bang>0, <line1>, <line2>, <q-args>)
command! -nargs=* KillickReply call s:reply(<q-args>)
command! KillickResolve call s:settle('resolve')
command! KillickReopen call s:settle('reopen')
command! KillickShow call s:show()
command! KillickSigns call s:place_signs()

augroup killick
	autocmd!
	autocmd BufReadPost,BufWritePost * call s:place_signs()
augroup END
