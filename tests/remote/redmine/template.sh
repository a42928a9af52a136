#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# template.sh DIR: builds once what every start copies: a private tree of the application with a migrated and seeded database.
# SEED_ISSUES, SEED_JOURNALS, SEED_REPO (a bare repository), SEED_MARKUP: see seed.rb. About half a minute.
set -eu
. "$(dirname "$0")/env.sh"
dir=${1:?folder}
[ ! -e "$dir/.done" ] || exit 0
[ -d /usr/share/redmine ] || die "it is not installed (install.sh)"
rm -rf "$dir"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
cp -a /usr/share/redmine "$dir/app"
cd "$dir/app"
rm -f instances Gemfile.lock config/database.yml
mkdir -p $site/config $site/log $site/files $site/tmp $site/public/plugin_assets
# No absolute path anywhere, so that the tree can be copied to any place.
sed -i "s#/usr/share/redmine/{config,instances/\*/config}/database.yml#$site/config/database.yml#" Gemfile
printf "gem 'puma'\ngem 'bootsnap', require: false\n" >Gemfile.local
# Compiled code is kept: it starts in a third of the time from the second start on.
cat >>config/boot.rb <<'R'
require 'bootsnap'
Bootsnap.setup(cache_dir: File.expand_path('../bs', __dir__), load_path_cache: true,
               compile_cache_iseq: true, compile_cache_yaml: true)
R
cat >$site/config/database.yml <<Y
production:
  adapter: sqlite3
  database: $site/db.sqlite3
  timeout: 10000
Y
printf '%064d\n' 1 >$site/config/secret_key.txt
{ bundle install --local --quiet && bundle exec rake db:migrate && bundle exec rake redmine:load_default_data &&
	bundle exec rails runner "$here/seed.rb"; } >"$dir/build.log" 2>&1 || { tail -20 "$dir/build.log" >&2; exit 1; }
: >$site/log/production.log
touch "$dir/.done"
