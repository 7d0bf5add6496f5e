// The simulated model server for replies that are too long, or too secret, to be dictated in a prompt:
//   "plant INDEX SEED"        the planted value of that index, cut by the seed into events of one to nine characters, so
//                             that every cut of every value comes by
//   "say COUNT LENGTH GAP"    so many words of that length, GAP ms apart
//   node loadtest/load/saying-server.ts PORT [FILE OF PLANTED VALUES]
import { readFileSync } from 'node:fs'
import { type RecordedRequest, type Script, startModelServer } from '../model-server.ts'
import { seededRandom } from '../simulated/random.ts'
import type { Planted } from './planted.ts'

const PIECE_LENGTH_MAX = 9
const COUNT_MAX = 20_000

const [port, file] = process.argv.slice(2)
const values = file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as Planted[])

/** The last message decides: it is the end of the body but for its fields. */
function script({ body }: RecordedRequest): Script | undefined {
  const plant = /"plant (\d+) (\d+)"/.exec(body)
  if (plant !== null) return planting(Number(plant[1]), Number(plant[2]))
  const say = /"say (\d+) (\d+) (\d+)"/.exec(body)
  if (say === null) return undefined
  const [count = 0, length = 0, gapMs = 0] = say.slice(1).map(Number)
  const word = `${'word'.padEnd(length, 'o')} `
  return { content: Array<string>(Math.min(count, COUNT_MAX)).fill(word), gapMs }
}

function planting(index: number, seed: number): Script | undefined {
  const planted = values[index]
  if (planted === undefined) return undefined
  return { content: cut(planted.before + planted.value + planted.after, seed), gapMs: 2 }
}

function cut(text: string, seed: number): string[] {
  const random = seededRandom(seed)
  const pieces: string[] = []
  for (let at = 0; at < text.length; ) {
    const length = 1 + Math.floor(random.next() * PIECE_LENGTH_MAX)
    pieces.push(text.slice(at, at + length))
    at += length
  }
  return pieces
}

const server = await startModelServer({
  port: Number(port),
  script,
  maxNumSeqs: 5_000,
  maxModelLen: 10_000_000,
})
process.stdout.write(`simulated model server on ${server.url}, ${values.length} values to plant\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
