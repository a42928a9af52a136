;;; killick.el --- threads on lines, from killick  -*- lexical-binding: t; -*-
;; SPDX-License-Identifier: MIT
;; Package-Requires: ((emacs "27.1"))

;;; Commentary:
;; Threads of killick(1) in Emacs: as flymake notes in the margin, as a list to walk with `next-error', and commands that
;; ask, reply and settle in place.
;;
;;   (add-to-list 'load-path "the folder of this file")
;;   (require 'killick)
;;   (add-hook 'prog-mode-hook #'killick-flymake)      ; with flymake-mode: threads beside the diagnostics
;;
;; M-x killick-threads   the threads of this file; with a prefix, of a query (is:open by:me)
;; M-x killick-ask       ask about the line or the region; with a prefix, privately
;; M-x killick-show, killick-reply, killick-resolve, killick-reopen: the thread on this line

;;; Code:
(require 'compile)
(require 'flymake)
(require 'json)
(require 'seq)
(require 'subr-x)

(defgroup killick nil "Discussion anchored to the work." :group 'tools)
(defcustom killick-command "killick" "The program." :type 'string)

(defun killick--anchor (&optional from to)
  "The visited file as an anchor, with lines FROM to TO."
  (unless buffer-file-name (user-error "This buffer visits no file"))
  (concat "./" (file-name-nondirectory buffer-file-name)
          (when from (format ":%d" from))
          (when (and to (> to from)) (format "-%d" to))))

(defun killick--run (input &rest words)
  "The output of killick with WORDS and INPUT (or nil), run in the file's folder."
  (let ((errors (make-temp-file "killick")))
    (unwind-protect
        (with-temp-buffer
          (let* ((coding-system-for-read 'utf-8-unix)
                 (coding-system-for-write 'utf-8-unix)
                 (out (current-buffer))
                 (status (with-temp-buffer
                           (when input (insert input))
                           (apply #'call-process-region nil nil killick-command nil (list out errors) nil words))))
            (unless (eq status 0)
              (user-error "%s" (string-trim (with-temp-buffer (insert-file-contents errors) (buffer-string)))))
            (buffer-string)))
      (delete-file errors))))

(defun killick--json (text)
  "The threads in TEXT."
  (append (alist-get 'threads (json-parse-string text :object-type 'alist :null-object nil :false-object nil)) nil))

(defun killick--lines (thread)
  "First and last line of THREAD in its file, or nil if it lost them."
  (let-alist thread
    (when (member .place.state '("exact" "moved" "edited"))
      (let ((first (max 1 (or .place.line 1)))) (cons first (max first (or .place.end 1)))))))

(defun killick--here ()
  "The thread on this line: what begins here before what goes on."
  (let* ((line (line-number-at-pos nil t))
         (on (seq-filter (lambda (th) (let ((at (killick--lines th))) (and at (<= (car at) line (cdr at)))))
                         (killick--json (killick--run nil "at" "--json" (killick--anchor))))))
    (or (seq-find (lambda (th) (= (car (killick--lines th)) line)) on) (car on)
        (user-error "No thread on this line"))))

;;;###autoload
(defun killick-threads (query)
  "List this file's threads, or with a prefix argument those of QUERY."
  (interactive (list (when current-prefix-arg (read-string "threads: " "is:open "))))
  (let ((top (locate-dominating-file default-directory ".git"))
        (threads (killick--json (if query (killick--run nil "threads" "--json" query)
                                  (killick--run nil "at" "--json" (killick--anchor))))))
    (with-current-buffer (get-buffer-create "*killick*")
      (let ((inhibit-read-only t))
        (erase-buffer)
        (setq default-directory (expand-file-name (or top default-directory)))
        (dolist (th threads)
          (let-alist th
            (when .place.path
              (insert (format "%s:%d: %s %s: %s%s\n" .place.path (or (car (killick--lines th)) 1) .kind (substring .id 0 7) .title
                              (if (equal .place.state "gone") " (gone)" ""))))))
        (when (= (buffer-size) 0) (insert "no threads\n"))
        (goto-char (point-min)))
      (compilation-mode)
      (display-buffer (current-buffer)))))

(defun killick--open (verb private from to text)
  "Open a thread by VERB on lines FROM to TO with TEXT; PRIVATE: for yourself."
  (when (string-empty-p (string-trim text)) (user-error "Nothing was written, nothing was sent"))
  (when (buffer-modified-p) (save-buffer))
  (message "%s" (string-trim (apply #'killick--run text verb (killick--anchor from to) "-F" "-" (when private '("--private")))))
  (when (bound-and-true-p flymake-mode) (flymake-start)))

;;;###autoload
(defun killick-ask (private from to text)
  "Ask TEXT on the line or the region, FROM to TO; with a prefix PRIVATE."
  (interactive
   (let ((from (line-number-at-pos (if (use-region-p) (region-beginning) (point)) t))
         (to (line-number-at-pos (if (use-region-p) (max (point-min) (1- (region-end))) (point)) t)))
     (list current-prefix-arg from to
           (read-string (format "ask on line %d (%s): " from (if current-prefix-arg "private" "everyone"))))))
  (killick--open "ask" private from to text))

;;;###autoload
(defun killick-reply (text)
  "Reply TEXT to the thread on this line."
  (interactive (list (read-string (let-alist (killick--here) (format "reply to \"%s\" (%s): " .title .audience)))))
  (when (string-empty-p (string-trim text)) (user-error "Nothing was written, nothing was sent"))
  (message "%s" (string-trim (killick--run text "reply" (alist-get 'id (killick--here)) "-F" "-"))))

(defun killick--settle (verb)
  "Do VERB to the thread on this line."
  (message "%s" (string-trim (killick--run nil verb (alist-get 'id (killick--here)))))
  (when (bound-and-true-p flymake-mode) (flymake-start)))
;;;###autoload
(defun killick-resolve () "Resolve the thread on this line." (interactive) (killick--settle "resolve"))
;;;###autoload
(defun killick-reopen () "Reopen the thread on this line." (interactive) (killick--settle "reopen"))

;;;###autoload
(defun killick-show ()
  "Show the thread on this line."
  (interactive)
  (let ((text (killick--run nil "show" "--color=never" "--no-pager" (alist-get 'id (killick--here)))))
    (with-current-buffer (get-buffer-create "*killick thread*")
      (let ((inhibit-read-only t)) (erase-buffer) (insert text) (goto-char (point-min)))
      (special-mode)
      (display-buffer (current-buffer)))))

(defun killick-flymake-backend (report-fn &rest _)
  "Report open threads to flymake by REPORT-FN."
  (funcall report-fn
           (delq nil (mapcar
                      (lambda (th)
                        (let ((at (killick--lines th)))
                          (when (and at (equal (alist-get 'state th) "open"))
                            (let ((region (flymake-diag-region (current-buffer) (car at))))
                              (flymake-make-diagnostic (current-buffer) (car region) (cdr region) :note
                                                       (format "%s: %s" (alist-get 'kind th) (alist-get 'title th)))))))
                      (when (and buffer-file-name (file-exists-p buffer-file-name))
                        (ignore-errors (killick--json (killick--run nil "at" "--json" (killick--anchor)))))))))

;;;###autoload
(defun killick-flymake ()
  "Show the open threads of this buffer's file as flymake notes."
  (add-hook 'flymake-diagnostic-functions #'killick-flymake-backend nil t))

(provide 'killick)
;;; killick.el ends here
