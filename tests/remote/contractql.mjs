// SPDX-License-Identifier: MIT
// contractql.mjs NODE_MODULES: reads a JSON line {query, variables, data, errors} for each GraphQL request and its answer,
// answers a JSON line {errors: [...]}: what GitHub's published schema says against the query, its variables, or the data.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const modules = process.argv[2]
const require = createRequire(modules + '/')
const { buildSchema, execute, parse, validate } = require('graphql')
const schema = buildSchema(readFileSync(modules + '/@octokit/graphql-schema/schema.graphql', 'utf8'), { assumeValid: true })

// The data is run through the schema as if it were the world: missing fields, wrong types and enums come out as errors.
const answer = (source, args, context, info) => source[info.path.key]
const kind = { Actor: 'User', Minimizable: 'PullRequestReviewComment' }

function check({ query, variables, data }) {
  let document
  try { document = parse(query) } catch (e) { return ['query: ' + e.message] }
  const wrong = validate(schema, document).map(e => 'query: ' + e.message)
  if (wrong.length || data === undefined || data === null) return wrong
  const r = execute({ schema, document, rootValue: data, variableValues: variables || {}, fieldResolver: answer,
    typeResolver: (value, context, info, type) => value.__typename || kind[type.name] || type.name })
  const seen = r.errors ? r.errors.map(e => 'answer: ' + e.message + ' at ' + (e.path || []).join('.')) : []
  return seen
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(JSON.stringify({ errors: check(JSON.parse(line)) }) + '\n')
