/** A folder with a good configuration, certificates and keys and all, that no gateway runs on. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { type FileSource, folderSource } from '../../src/config/source.ts'
import { knowledge } from '../../src/gateway/knowledge.ts'
import { startStack } from '../support/stack.ts'

type Section = Record<string, unknown>

export interface ConfigFolder {
  readonly source: FileSource
  read(file: string): string
  put(file: string, text: string): void
  /** Changes a file that holds JSON. */
  edit(file: string, change: (section: Section) => void): void
  load(): Promise<Config>
}

export async function configFolder(t: Test): Promise<ConfigFolder> {
  const stack = await startStack()
  await stack.gateway.close()
  t.teardown(() => stack.stop())
  const directory = join(stack.folder, 'config')
  const source = folderSource(directory)
  const read = (file: string): string => readFileSync(join(directory, file), 'utf8')
  const put = (file: string, text: string): void =>
    writeFileSync(join(directory, file), text, { mode: 0o600 })
  return {
    source,
    read,
    put,
    edit: (file, change) => {
      const section = JSON.parse(read(file)) as Section
      change(section)
      put(file, JSON.stringify(section, null, 2))
    },
    load: async () => {
      const loaded = await loadConfig(source, knowledge(Date.now()))
      if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
      return loaded.config
    },
  }
}
