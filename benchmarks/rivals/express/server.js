// Clusters in an array, served by Express 4 as it comes. Generous: the array has a map of ids beside it, and nothing is
// ever written to a disk. Filters are compiled to closures, for the few operators that the benchmark needs; or they are
// left to sift, which knows all of MongoDB's.
//
//     node server.js PORT CLUSTERS.ndjson [sift]

const fs = require('fs')
const readline = require('readline')
const express = require('express')
const { default: sift } = require('sift')

const clusters = []
const byId = new Map()

const app = express()
app.use(express.json({ limit: '8mb' }))

app.get('/clusters/:id', (request, response) => {
  const cluster = byId.get(request.params.id)
  if (cluster === undefined) return response.status(404).json({ error: 'Cluster not found' })
  response.json(cluster)
})

app.put('/clusters/:id', (request, response) => {
  const cluster = byId.get(request.params.id)
  if (cluster === undefined) return response.status(404).json({ error: 'Cluster not found' })
  for (const [path, value] of Object.entries(request.body.$set)) assign(cluster, path.split('.'), value)
  response.json(cluster)
})

app.post('/clusters/query', (request, response) => {
  response.json(clusters.filter(filterOf(request.body)))
})

app.post('/clusters/aggregate', (request, response) => {
  const [{ $group: { _id: by } }] = request.body
  const path = by.slice(1).split('.')
  const counts = new Map()
  for (const cluster of clusters) {
    const value = valueAt(cluster, path)
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  response.json(Array.from(counts, ([_id, clusters]) => ({ _id, clusters })))
})

function compile(filter) {
  const tests = Object.entries(filter).map(([name, condition]) => {
    const path = name.split('.')
    const test = compileCondition(condition)
    return (document) => test(valueAt(document, path))
  })
  return (document) => tests.every((test) => test(document))
}

function compileCondition(condition) {
  if (condition === null || typeof condition !== 'object') return equalTo(condition)
  const tests = Object.entries(condition).map(([operator, operand]) => OPERATORS[operator](operand))
  return (value) => tests.every((test) => test(value))
}

function equalTo(operand) {
  return (value) => value === operand || (Array.isArray(value) && value.includes(operand))
}

const OPERATORS = {
  $gte: (operand) => (value) => value >= operand,
  $in: (operands) => {
    const wanted = new Set(operands)
    return (value) => wanted.has(value) || (Array.isArray(value) && value.some((element) => wanted.has(element)))
  },
  $elemMatch: (filter) => {
    const test = compile(filter)
    return (value) => Array.isArray(value) && value.some(test)
  }
}

function valueAt(document, path) {
  let value = document
  for (const name of path) value = value?.[name]
  return value
}

function assign(document, path, value) {
  for (const name of path.slice(0, -1)) document = document[name] ??= {}
  document[path.at(-1)] = value
}

const [port, file, library] = process.argv.slice(2)
const filterOf = library === 'sift' ? sift : compile

async function main() {
  for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
    const cluster = JSON.parse(line)
    clusters.push(cluster)
    byId.set(cluster.id, cluster)
  }
  app.listen(Number(port), '127.0.0.1', 2048)
}

main()
