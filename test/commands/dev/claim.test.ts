import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAuditLog } from '../../../src/audit/open.ts'
import { systemClock } from '../../../src/clock.ts'
import { claimFolder } from '../../../src/commands/dev/claim.ts'
import { freePorts } from '../../support/stack.ts'

function newFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-claim-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

async function ports(): Promise<{ port: number; probesPort: number; opsPort: number }> {
  const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
  return { port, probesPort, opsPort }
}

t.test('a folder that is new, empty or its own is taken', async (t) => {
  const folder = newFolder(t)
  await claimFolder(join(folder, 'new'), await ports())
  mkdirSync(join(folder, 'empty'))
  await claimFolder(join(folder, 'empty'), await ports())
  await claimFolder(join(folder, 'empty'), await ports())
  t.same(readdirSync(join(folder, 'empty')).sort(), ['.gitignore', 'audit'])
  t.same(readdirSync(join(folder, 'empty', 'audit')), [], 'no lock is left')
})

t.test('a folder with files of somebody else is left as it is', async (t) => {
  for (const file of ['gateway.yaml', '.gitignore']) {
    const folder = newFolder(t)
    mkdirSync(join(folder, 'config'))
    writeFileSync(join(folder, 'config', 'gateway.yaml'), 'precious')
    writeFileSync(join(folder, file), 'precious\n')
    await t.rejects(claimFolder(folder, await ports()), {
      name: 'CommandFailed',
      message: /holds files that `sallyport dev` did not make/,
    })
    t.same(readdirSync(folder).sort(), [file, 'config'].sort())
  }
})

t.test('a file in place of the folder', async (t) => {
  const file = join(newFolder(t), 'file')
  writeFileSync(file, '')
  await t.rejects(claimFolder(file, await ports()), { message: /is not a folder that can be read/ })
})

t.test('a folder in which a gateway runs', async (t) => {
  const folder = newFolder(t)
  await claimFolder(folder, await ports())
  const log = await openAuditLog({
    directory: join(folder, 'audit'),
    segmentBytesMax: 2 ** 20,
    clock: systemClock,
  })
  await t.rejects(claimFolder(folder, await ports()), { message: /A gateway runs in .+ already/ })
  await log.close()
  await claimFolder(folder, await ports())
})

t.test('a port in use: which one, which option chooses another, and no folder is made', async (t) => {
  const folder = join(newFolder(t), 'new')
  const taken = await ports()
  for (const [name, option] of [
    ['port', '--port'],
    ['probesPort', '--probes-port'],
    ['opsPort', '--ops-port'],
  ] as const) {
    const server = createServer().listen(taken[name], '127.0.0.1')
    await once(server, 'listening')
    await t.rejects(claimFolder(folder, taken), {
      message: new RegExp(`^Port ${taken[name]} is in use\\. .+npm start -- ${option} \\d+$`),
    })
    server.close()
    await once(server, 'close')
  }
  t.notOk(existsSync(folder))
})
