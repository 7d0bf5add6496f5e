import { createSecretKey, randomBytes } from 'node:crypto'
import { systemClock } from '../clock.ts'
import { formatProblem } from '../config/check.ts'
import { loadConfig } from '../config/load.ts'
import { folderSource } from '../config/source.ts'
import { knowledge } from '../gateway/knowledge.ts'
import { type RedactionRules, redactionRules } from '../gateway/redaction-rules.ts'
import type { PresetName } from '../policy/preset.ts'
import type { Direction, Replacer, RuleSet, Screening } from '../redaction/finding.ts'
import { screenPromptText } from '../redaction/prompt-screening.ts'
import { CommandFailed, exitCodes } from './surroundings.ts'

/** Which rules a text is tested against. */
export interface RulesOptions {
  readonly config: string
  /** A profile of the configuration, instead of a preset. */
  readonly profile?: string
  readonly preset: PresetName
  readonly direction: Direction
}

/** Rules ready to be tested. */
export interface Tested {
  readonly rules: RuleSet
  readonly replacer: Replacer
  /** What the gateway makes of a text: of a prompt, encoded tokens are looked into as well. */
  screen(text: string): Promise<Screening>
}

export async function rulesOf(options: RulesOptions): Promise<Tested> {
  const { profile, preset } = options
  if (profile !== undefined) return tested(await configured(profile, options), profile, options)
  return tested({ profiles: { [preset]: { preset } } }, preset, options)
}

async function configured(profile: string, { config: folder }: RulesOptions): Promise<RedactionRules> {
  const known = { ...knowledge(systemClock.now()), material: 'skip' } as const
  const loaded = await loadConfig(folderSource(folder), known)
  if ('problems' in loaded) {
    const lines = loaded.problems.map((problem) => formatProblem(problem, folder))
    throw new CommandFailed(lines.join('\n'), exitCodes.config)
  }
  const { redaction } = loaded.config
  if (Object.hasOwn(redaction.profiles, profile)) return redaction
  const names = Object.keys(redaction.profiles).join(', ')
  throw new CommandFailed(
    `There is no profile ${profile} in ${folder}/redaction.yaml; there are ${names}.`,
    exitCodes.usage,
  )
}

/** The rules of a profile that need no context to be sure of a value. */
const proven = (redaction: RedactionRules, name: string): RedactionRules => ({
  ...redaction,
  profiles: { [name]: { ...redaction.profiles[name], tierMax: 1 } },
})

function tested(redaction: RedactionRules, name: string, { direction }: RulesOptions): Tested {
  // A key of its own: pseudonyms and hashes look as they do in production, and differ from those.
  const opened = redactionRules(redaction, createSecretKey(randomBytes(32))).rulesFor(name)
  const rules = opened[direction]
  const replacer = opened.replacementFor('test')[direction]
  if (direction === 'reply') return { rules, replacer, screen: async (text) => rules.screen(text, replacer) }
  const { prompt } = redactionRules(proven(redaction, name)).rulesFor(name)
  const screens = {
    ordinary: async ({ text }: { readonly text: string }) => rules.screen(text, replacer),
    proven: async ({ text }: { readonly text: string }) => prompt.screen(text),
    replacer,
  }
  const { signal } = new AbortController()
  return { rules, replacer, screen: (text) => screenPromptText({ kind: 'text', text }, screens, signal) }
}
