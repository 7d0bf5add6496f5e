// Starts a row and makes sure that it is what it says: the right reply, and masked, or not, as it should be.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../processes.ts'
import { call, type Target } from './drive.ts'
import { type Load, shortChat } from './loads.ts'
import { ECHO, SAY_ADDRESS } from './model.ts'
import { cache, root } from './places.ts'
import { type Program, startProgram } from './program.ts'
import type { Plan, Row } from './row.ts'
import type { Scene } from './world.ts'

export interface Running {
  readonly row: Row
  readonly program: Program
  readonly target: Target
  /** How it was started, without the places of this machine. */
  readonly command: string
  readonly files: Readonly<Record<string, string>>
}

const UP_MS_MAX = 90_000
const LOOK_MS = 100
const ADDRESS = 'jane.doe@example.com'

/** Starts it, or throws with the end of what it printed. What is started is handed to `opened` at once. */
export async function startRow(row: Row, scene: Scene, opened: (program: Program) => void): Promise<Running> {
  const folder = join(scene.world.folder, row.name)
  mkdirSync(folder, { mode: 0o700 })
  const plan = await row.plan(scene.world, { folder, port: await freePort() })
  for (const [name, text] of Object.entries(plan.files))
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  const launch = { ...plan, cwd: plan.cwd ?? folder }
  const program = await startProgram(launch, join(folder, 'output.log'))
  opened(program)
  const target = { origin: plan.origin, headers: plan.headers, agent: scene.agent() }
  try {
    await answersRightly(target, program)
    await masks(target, row)
  } catch (error) {
    await program.stop()
    throw new Error(`${(error as Error).message}\n${program.tail()}`)
  }
  return { row, program, target, ...recorded(plan, scene.world.folder, folder) }
}

async function answersRightly(target: Target, program: Program): Promise<void> {
  let [ended, wrong] = ['', 'nothing was asked']
  void program.ended.then((how) => {
    ended = how
  })
  const until = performance.now() + UP_MS_MAX
  while (performance.now() < until) {
    const failure = await call(target, shortChat)
    if (failure === undefined) return
    wrong = failure
    if (ended !== '') throw new Error(`ended with ${ended}`)
    await delay(LOOK_MS)
  }
  throw new Error(`no right answer in ${UP_MS_MAX / 1_000} s, the last one was ${wrong}`)
}

/** An address in the prompt, which the model server says again, and one that it says in pieces of its own. */
async function masks(target: Target, { redacts }: Row): Promise<void> {
  for (const content of [`${ECHO}write to ${ADDRESS} today`, SAY_ADDRESS]) {
    const probe: Load = {
      ...shortChat,
      body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content }], max_tokens: 32 }),
      isRight: (reply) => reply.includes('write to') && reply.includes(ADDRESS) !== (redacts ?? false),
    }
    const failure = await call(target, probe)
    if (failure === undefined) continue
    throw new Error(`${redacts ? 'does not mask' : 'changes'} "${content}": ${failure}`)
  }
}

function recorded(plan: Plan, world: string, folder: string): Pick<Running, 'command' | 'files'> {
  const plain = (text: string): string =>
    text
      .replaceAll(folder, '.')
      .replaceAll(world, '..')
      .replaceAll(cache, '$CACHE')
      .replaceAll(root, '$SALLYPORT')
      .replaceAll(process.execPath, 'node')
  const env = Object.entries(plan.env ?? {}).map(
    ([name, value]) => `${name}=${name.endsWith('_KEY') ? '...' : value}`,
  )
  return {
    command: plain([...env, plan.command, ...plan.args].join(' ')),
    files: Object.fromEntries(Object.entries(plan.files).map(([name, text]) => [name, plain(text)])),
  }
}
