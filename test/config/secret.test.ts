import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import t from 'tap'
import { readSecret, Secret, secretOf } from '../../src/config/secret.ts'
import { folderSource } from '../../src/config/source.ts'

t.test('a secret shows itself to nobody but reveal()', async (t) => {
  const secret = new Secret('sk-very-secret')
  t.equal(secret.reveal(), 'sk-very-secret')
  const shown = [
    `${secret}`,
    String(secret),
    `${secret as unknown as string}x`,
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    format('%s %o %j', secret, secret, secret),
    JSON.stringify(structuredClone(Object.assign(Object.create(null), { ...secret }))),
    new Error('x', { cause: secret }).stack ?? '',
    inspect(new Error('x', { cause: secret })),
  ]
  for (const text of shown) t.notMatch(text, 'very-secret')
  t.same(Object.keys(secret), [])
})

t.test('what a file may hold', async (t) => {
  t.equal((secretOf(Buffer.from(' abc\r\n')) as Secret).reveal(), 'abc')
  t.equal(secretOf(Buffer.from(' \n')), 'is empty')
  t.match(secretOf(Buffer.from('a\r\nx-admin: 1')), /one line/)
  t.match(secretOf(Buffer.from('a b')), /one line/)
  t.match(secretOf(Buffer.from('clé')), /one line/)
  t.match(secretOf(Buffer.alloc(16_385, 65)), /larger than 16384/)
})

t.test('errors name the path and never the content', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'secret-'))
  t.teardown(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'bad'), 'hidden\nvalue')
  await writeFile(join(directory, 'good'), 'hidden\n')
  const source = folderSource(directory)
  t.equal((await readSecret(source, 'good')).reveal(), 'hidden')
  await t.rejects(readSecret(source, 'bad'), {
    message: `${join(directory, 'bad')} must be one line of visible ASCII characters`,
  })
  await t.rejects(readSecret(source, 'none'), /is missing/)
})
