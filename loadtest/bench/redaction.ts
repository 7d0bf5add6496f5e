// How good and how fast the redaction is, beside tools that do the same, on the same texts, in the same run. Quality is
// scored on the corpora of test/corpora: `dev`, which recognizers are written with, and `held-out`, which they are not.
//   npm run bench:redaction           --rounds N (5), --peers none|all|NAME,NAME (all), --json, --write (into the page)
// Peers are installed into .bench/, which git ignores; one that cannot be is named with its reason.
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parts, readCorpus } from './redaction/corpus-files.ts'
import { compared, named } from './redaction/measures.ts'
import { type MissingPeer, openPeer, type Peer, peerPackages } from './redaction/peers.ts'
import { scorePeer, scoreSallyport } from './redaction/quality.ts'
import { markdown, type Quality, qualityRows, type Result, writeInto } from './redaction/report.ts'
import { checkSplits, compareSpeed, measureSallyport } from './redaction/speed.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    peers: { type: 'string', default: 'all' },
    splits: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(
    'npm run bench:redaction -- [--rounds N] [--peers none|all|NAME,NAME] [--splits] [--json] [--write]\n' +
      `peers: ${peerPackages.map(({ name }) => name).join(', ')}\n` +
      '--splits also cuts every text of the corpora in every way (minutes); --write puts the tables into the page\n',
  )
  process.exit(0)
}
const rounds = Math.max(1, Math.min(25, Math.trunc(Number(values.rounds)) || 5))
const page = join(import.meta.dirname, '../../docs/benchmarks/redaction.md')
const progress = (text: string): void => void process.stderr.write(`${text}\n`)

function wantedPeers() {
  if (values.peers === 'none') return []
  if (values.peers === 'all') return peerPackages
  const names = values.peers.split(',')
  const unknown = names.filter((name) => !peerPackages.some((peer) => peer.name === name))
  if (unknown.length > 0) throw new Error(`no peers: ${unknown.join(', ')}`)
  return peerPackages.filter(({ name }) => names.includes(name))
}

const isThere = (peer: Peer | MissingPeer): peer is Peer => 'worker' in peer

async function openPeers(): Promise<(Peer | MissingPeer)[]> {
  const peers: (Peer | MissingPeer)[] = []
  for (const wanted of wantedPeers()) {
    const peer = await openPeer(wanted)
    progress(`${wanted.name} ${wanted.version}: ${isThere(peer) ? 'ready' : peer.reason}`)
    peers.push(peer)
  }
  return peers
}

async function qualityOfSallyport(): Promise<Quality> {
  const quality: Quality = { name: 'sallyport', says: 'findings', standard: {}, strict: {} }
  for (const part of parts) {
    quality.standard[part] = await scoreSallyport(part, 'standard')
    quality.strict[part] = await scoreSallyport(part, 'strict')
    progress(`sallyport: ${part} scored`)
  }
  return quality
}

async function qualityOfPeer({ name, says, worker }: Peer): Promise<Quality> {
  const scores = await scorePeer(worker, 'held-out', (text) => progress(`${name}: ${text}`))
  progress(`${name}: held-out scored`)
  return { name, says, standard: { 'held-out': scores }, strict: {} }
}

const allTexts = (): string[][] =>
  parts.flatMap((part) =>
    [...compared, ...named].map((name) => readCorpus(part, name).map(({ text }) => text)),
  )

async function measure(peers: readonly (Peer | MissingPeer)[]): Promise<Result> {
  const there = peers.filter(isThere)
  const quality = [await qualityOfSallyport()]
  for (const peer of there) quality.push(await qualityOfPeer(peer))
  return {
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? 'unknown processor',
    date: new Date().toISOString().slice(0, 10),
    rounds,
    peers,
    quality,
    splits: values.splits ? await checkSplits(allTexts()) : undefined,
    own: await measureSallyport(rounds, progress),
    compared: await compareSpeed(there, rounds, progress),
  }
}

const peers = await openPeers()
try {
  const result = await measure(peers)
  const shownPeers = peers.map((peer) => (isThere(peer) ? { ...peer, worker: undefined } : peer))
  const json = { ...result, peers: shownPeers, quality: qualityRows(result) }
  process.stdout.write(values.json ? `${JSON.stringify(json, null, 2)}\n` : markdown(result))
  if (values.write) writeInto(page, markdown(result))
} finally {
  for (const peer of peers) if (isThere(peer)) peer.worker.stop()
}
