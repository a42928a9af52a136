# SPDX-License-Identifier: MIT
# seed.rb: run by "rails runner" of template.sh. The same data at every run. Does nothing when the project is there.
#   SEED_ISSUES (2000), SEED_JOURNALS (5 an issue), SEED_REPO (path of a bare repository: its commits become changesets,
#   linked to issues by "refs #N"),
#   SEED_MARKUP (textile, common_mark or markdown; the server's default)
# Keys, for tests only: admin a*40, alice b*40 (Manager), bob c*40 (Reporter, who sees no private notes), carol d*40 (nobody).
n  = (ENV['SEED_ISSUES']   || 2000).to_i
nj = (ENV['SEED_JOURNALS'] || 5).to_i
Setting.rest_api_enabled = 1
Setting.autofetch_changesets = 0
Setting.default_language = 'en'
Setting.notified_events = []             # no mail
Setting.sys_api_enabled = 1
Setting.sys_api_key = 's' * 20
Setting.enabled_scm = %w(Git)
Setting.text_formatting = ENV['SEED_MARKUP'] if ENV['SEED_MARKUP']

key = lambda { |user, c|
  Token.where(user_id: user.id, action: 'api').delete_all
  Token.create!(user: user, action: 'api').update_columns(value: c * 40)
}
person = lambda { |login, c|
  u = User.new(firstname: login.capitalize, lastname: 'Tester', mail: "#{login}@example.org", language: 'en', mail_notification: 'none')
  u.login = login
  u.password = u.password_confirmation = login + '-password'
  u.save!
  key.(u, c)
  u
}
exit 0 if Project.find_by(identifier: 'demo')
admin = User.find_by!(login: 'admin')
admin.update_columns(must_change_passwd: false)
key.(admin, 'a')
alice = person.('alice', 'b')
bob = person.('bob', 'c')
person.('carol', 'd')

project = Project.new(name: 'Demo', identifier: 'demo', is_public: true)
project.enabled_module_names = %w(issue_tracking repository)
project.trackers = Tracker.all
project.save!
secret = Project.new(name: 'Secret', identifier: 'secret', is_public: false)
secret.enabled_module_names = %w(issue_tracking)
secret.trackers = Tracker.all
secret.save!
[project, secret].each { |x| Member.create!(project: x, principal: alice, roles: [Role.find_by!(name: 'Manager')]) }
Member.create!(project: project, principal: bob, roles: [Role.find_by!(name: 'Reporter')])
vers = %w(1.0 2.0).map { |v| Version.create!(project: project, name: v) }

trackers = Tracker.sorted.to_a
statuses = IssueStatus.sorted.to_a
prios = IssuePriority.active.sorted.to_a
people = [admin, alice, bob]
rnd = Random.new(42)
base = Time.utc(2024, 1, 1)
text = ('The quick brown fox jumps over the lazy dog. ' * 6).strip
first = (Issue.maximum(:id) || 0) + 1
rows = (0...n).map do |i|
  id = first + i
  created = base + i * 1800
  st = statuses[rnd.rand(statuses.size)]
  { id: id, tracker_id: trackers[rnd.rand(trackers.size)].id, project_id: project.id,
    subject: "Issue number #{id}: #{%w(crash leak hang typo wish slow)[i % 6]} in #{%w(parser cache sync pager editor)[i % 5]}",
    description: "#{text}\r\n\r\nSteps: #{id}. Not ASCII: é ß 漢字 🐛\r\nlast line", status_id: st.id,
    priority_id: prios[rnd.rand(prios.size)].id, author_id: people[i % 3].id, assigned_to_id: (i % 4 == 0 ? nil : alice.id),
    fixed_version_id: (i % 5 == 0 ? vers[i % 2].id : nil), lock_version: 0, done_ratio: 0, is_private: (i % 97 == 96),
    root_id: id, lft: 1, rgt: 2, created_on: created, updated_on: created + nj * 600, start_date: created.to_date,
    closed_on: (st.is_closed ? created + nj * 600 : nil) }
end
Issue.transaction { rows.each_slice(500) { |s| Issue.insert_all!(s) } }
jid = (Journal.maximum(:id) || 0) + 1
js = []
ds = []
rows.each do |r|
  nj.times do |k|
    js << { id: jid, journalized_id: r[:id], journalized_type: 'Issue', user_id: people[(r[:id] + k) % 3].id,
            notes: (k.even? ? "Comment #{k} on ##{r[:id]}: #{text[0, 40 + rnd.rand(150)]}" : ''),
            created_on: r[:created_on] + (k + 1) * 600, private_notes: false }
    ds << { journal_id: jid, property: 'attr', prop_key: 'status_id', old_value: statuses[0].id.to_s,
            value: r[:status_id].to_s } if k.odd?
    jid += 1
  end
end
Journal.transaction do
  js.each_slice(500) { |s| Journal.insert_all!(s) }
  ds.each_slice(500) { |s| JournalDetail.insert_all!(s) }
end
if (path = ENV['SEED_REPO'])
  r = Repository::Git.new(project: project, identifier: 'main', is_default: true, url: path)
  r.path_encoding = 'UTF-8'
  r.save!
  r.fetch_changesets
end
Issue.find(first).update_columns(updated_on: rows[0][:updated_on]) if n > 0
