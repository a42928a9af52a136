#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Permalinks against a repository: whose they are, where a branch's name ends, and which are made.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
cd "$T" && repo up && git branch feature/deep/x && git checkout -q -b feature/deep/y && echo 1 >>src/a.c && git commit -qam y && git checkout -q main && git tag v1/rc
cd "$T" && git clone -q up r && cd r && git remote set-url origin git@github.com:acme/widget.git
H=$(git rev-parse HEAD) Y=$(git rev-parse origin/feature/deep/y)
an() { is "$("$gt" anchor "$1" 2>&1)" "$2" "$3"; }
an "https://github.com/acme/widget/blob/$H/src/a.c#L2-L4" "lines src/a.c:2-4@$H" "a full id"
an "https://github.com/Acme/Widget/blob/main/src/a.c" "file src/a.c@$H" "a branch, names in another case"
an "https://github.com/acme/widget/blob/feature/deep/y/src/a.c#L11" "lines src/a.c:11@$Y" "a branch with slashes"
an "https://github.com/acme/widget/blob/v1/rc/src/a.c" "file src/a.c@$H" "a tag with a slash"
an "https://github.com/acme/widget/blob/${H:0:8}/src/a.c" "file src/a.c@$H" "an abbreviated id"
an "https://github.com/acme/widget/blob/1111111111111111111111111111111111111111/x.c#L1" "lines x.c:1@1111111111111111111111111111111111111111" "an id that is not here (yet)"
an "https://github.com/acme/widget/commit/$H" "commit $H" "a commit"
for u in "https://github.com.attacker/acme/widget/blob/$H/src/a.c" "https://github.com@attacker/acme/widget/blob/$H/src/a.c" \
	"https://attacker/github.com/acme/widget/blob/$H/src/a.c" "https://notgithub.com/acme/widget/blob/$H/src/a.c" \
	"https://github.com/acme/widget2/blob/$H/src/a.c" "https://github.com/other/widget/blob/$H/src/a.c" \
	"https://github.com/acme/widget/blob/nobranch/src/a.c" "https://github.com/acme/widget/blob/$H/../x" \
	"https://github.com/acme/widget/blob/$H/.git/config" "https://github.com/acme/widget" "javascript://github.com/acme/widget/blob/$H/a" \
	"https://github.com:8443\\@x/acme/widget/blob/$H/a" "https://github.com/acme/widget/blob/$H/a%00b"; do
	run "$gt" anchor "$u"; like "$err" "^3: .*is no permalink" "not ours: $u"
done
link() { is "$("$gt" link "${@:3}")" "$1" "$2"; }
link "https://github.com/acme/widget/blob/$H/src/a.c#L2-L4" "GitHub lines" HEAD src/a.c 2 4
link "https://github.com/acme/widget/blob/$H/src/a.c#L2" "one line" HEAD src/a.c 2
link "https://github.com/acme/widget/commit/$H" "a commit" HEAD
link "https://github.com/acme/widget/blob/$H/a%20b%23%25%3F%C3%A4.c" "an odd path" HEAD 'a b#%?ä.c'
an "https://github.com/acme/widget/blob/$H/a%20b%23%25%3F%C3%A4.c" "file path:\"a b#%?ä.c\"@$H" "and back"
git commit -q --allow-empty -m local
link none "a commit that was not pushed" HEAD src/a.c 2
git reset -q --hard "$H"
try() { # try URL WANT NAME
	git remote set-url origin "$1"
	link "$2" "$3" HEAD src/a.c 2 4; [ "$2" = none ] || an "$2" "${4:-lines src/a.c:2-4@$H}" "$3, and back"
}
try https://gitlab.com/group/sub/widget.git "https://gitlab.com/group/sub/widget/-/blob/$H/src/a.c#L2-4" GitLab
try ssh://git@gitlab.example.org:2222/g/w "https://gitlab.example.org/g/w/-/blob/$H/src/a.c#L2-4" "GitLab by ssh on a port"
try https://codeberg.org/a/w "https://codeberg.org/a/w/src/commit/$H/src/a.c#L2-L4" Codeberg
try https://gitea.example.org:3000/a/w "https://gitea.example.org:3000/a/w/src/commit/$H/src/a.c#L2-L4" "Gitea on a port"
try https://gerrit.example.org/a/tools/w "https://gerrit.example.org/plugins/gitiles/tools/w/+/$H/src/a.c#2" Gerrit "lines src/a.c:2@$H"
try https://chromium.googlesource.com/chromium/src.git "https://chromium.googlesource.com/chromium/src/+/$H/src/a.c#2" googlesource "lines src/a.c:2@$H"
try https://git.kernel.org/pub/scm/git/git.git "https://git.kernel.org/pub/scm/git/git.git/tree/src/a.c?id=$H#n2" cgit "lines src/a.c:2@$H"
try https://git.zx2c4.com/cgit "https://git.zx2c4.com/cgit/tree/src/a.c?id=$H#n2" "cgit's own project" "lines src/a.c:2@$H"
try https://git.savannah.gnu.org/git/tar.git "https://git.savannah.gnu.org/cgit/tar.git/tree/src/a.c?id=$H#n2" Savannah "lines src/a.c:2@$H"
try https://git.example.org/a/w none "an unknown forge"
git config killick.forge gitlab
try https://git.example.org/a/w "https://git.example.org/a/w/-/blob/$H/src/a.c#L2-4" "told by killick.forge"
git config --unset killick.forge
try ../elsewhere none "a local remote"
git remote set-url origin https://example.com/gitlab/group/proj.git
an "https://example.com/gitlab/group/proj/-/blob/$H/src/a.c#L3" "lines src/a.c:3@$H" "GitLab below a folder of its host"
git remote set-url origin git@example.com:group/proj.git
an "https://example.com/gitlab/group/proj/-/blob/$H/src/a.c#L3" "lines src/a.c:3@$H" "by ssh, where the commit is here"
run "$gt" anchor "https://example.com/gitlab/group/proj/-/blob/main/src/a.c"; is "$st" 1 "but not by a branch's name"
git remote set-url origin https://chromium.googlesource.com/a/chromium/src
an "https://chromium-review.googlesource.com/c/chromium/src/+/58" "change !58" "a Gerrit change"
git remote set-url origin https://git.example.org/w.git
an "https://git.example.org/cgit/w.git/tree/src/a.c?h=feature/deep/y#n3" "lines src/a.c:3@$Y" "cgit by branch"
an "https://git.example.org/cgit/w.git/commit/?id=$Y" "commit $Y" "a commit in cgit"
done_testing
