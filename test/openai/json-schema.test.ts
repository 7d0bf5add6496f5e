import t, { type Test } from 'tap'
import type { Json, JsonObject } from '../../src/openai/call.ts'
import { object, rebuild } from '../../src/openai/field.ts'
import { jsonSchema } from '../../src/openai/json-schema.ts'
import { parseCall } from '../../src/openai/parse.ts'
import { isTamePattern } from '../../src/openai/schema-pattern.ts'
import { Walk } from '../../src/openai/walk.ts'
import { verdictOf } from '../support/request-body.ts'

const fields = {
  grammar: jsonSchema('grammar'),
  tool: jsonSchema('tool'),
  box: object({ tool: jsonSchema('tool') }),
}

function copy(purpose: 'grammar' | 'tool', schema: Json) {
  const walk = new Walk({ unknownFields: 'refuse', controlTokens: 'escape' })
  const fresh = rebuild({ [purpose]: schema }, fields, walk, { required: [] })
  return { schema: fresh[purpose], texts: walk.texts, dropped: walk.dropped }
}

const verdict = (purpose: 'grammar' | 'tool', schema: Json): string => verdictOf(() => copy(purpose, schema))

const both = (t: Test, schema: Json, expected: string, name: string): void => {
  for (const purpose of ['grammar', 'tool'] as const) {
    t.equal(verdict(purpose, schema).replace(purpose, 'it'), expected, `${name} (${purpose})`)
  }
}

const person: JsonObject = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    name: { type: 'string', description: 'full name', examples: ['Ann'] },
    age: { type: ['integer', 'null'], minimum: 0, default: null },
    'Größe (cm)': { $ref: '#/$defs/length' },
    pattern: { type: 'string', pattern: '^[a-z]{2,8}$' },
  },
  required: ['name'],
  additionalProperties: false,
  $defs: { length: { type: 'number', exclusiveMinimum: 0 } },
}

t.test('a schema is copied whole', (t) => {
  for (const purpose of ['grammar', 'tool'] as const) t.same(copy(purpose, person).schema, person)
  t.equal(copy('tool', {}).schema, undefined, 'a tool without parameters needs no schema')
  t.equal(verdict('grammar', {}), 'invalid_value grammar')
  both(t, true, 'invalid_value it', 'boolean')
  both(t, [], 'invalid_value it', 'array')
  t.end()
})

t.test('every string is text, and every key that is no keyword', (t) => {
  const { texts } = copy('tool', person)
  const seen = texts.map(({ path, text }) => `${path} ${text}`)
  t.ok(seen.includes('tool.properties.*.description full name'))
  t.ok(seen.includes('tool.properties.*.examples[0] Ann'))
  t.ok(seen.includes('tool.required[0] name'))
  t.ok(seen.includes('tool.properties.* Größe (cm)'))
  t.notOk(
    seen.some((line) => line.endsWith(' string')),
    'names of types are no text',
  )
  t.notOk(seen.some((line) => line.endsWith(' properties')))
  t.end()
})

t.test('a masked key keeps what stands under it, masked too', (t) => {
  const { schema, texts } = copy('tool', {
    properties: { secret_key: { description: 'about secret', enum: ['secret'] }, secret_text: 'x secret' },
  })
  for (const slot of texts) slot.replace(slot.text.replaceAll('secret', 'MASK'))
  t.same(schema, {
    properties: { MASK_key: { description: 'about MASK', enum: ['MASK'] }, MASK_text: 'x MASK' },
  })
  t.end()
})

t.test('a masked key whose value is masked after it', (t) => {
  const { schema, texts } = copy('tool', { secret_text: 'x secret' })
  for (const slot of [...texts].reverse()) slot.replace(slot.text.replaceAll('secret', 'MASK'))
  t.same(schema, { MASK_text: 'x MASK' })
  t.end()
})

t.test('keys that become the same when masked are refused', (t) => {
  const { texts } = copy('tool', { properties: { 'a@x': {}, 'b@x': {} } })
  const keys = texts.filter((slot) => slot.text.includes('@'))
  t.equal(keys.length, 2)
  t.equal(
    verdictOf(() => keys.map((slot) => slot.replace('[EMAIL]'))),
    'content_blocked tool.properties.*',
  )
  t.equal(
    verdictOf(() => copy('tool', { key1: 1 }).texts[0]?.replace('__proto__')),
    'content_blocked tool.*',
  )
  t.end()
})

t.test('bounds', (t) => {
  const nested = (depth: number): JsonObject =>
    depth === 1 ? { type: 'string' } : { items: nested(depth - 1) }
  both(t, nested(30), 'accepted', 'depth 30')
  t.match(verdict('grammar', nested(40)), /^invalid_value grammar\.items/)
  t.match(verdict('tool', nested(200)), /^invalid_value tool\.items/)
  both(t, { enum: Array.from({ length: 4_000 }, (_, index) => index) }, 'accepted', 'large enum')
  t.match(
    verdict('tool', { enum: Array.from({ length: 6_000 }, (_, index) => index) }),
    /^invalid_value tool\.enum\[\d+\]$/,
  )
  both(t, { description: 'x'.repeat(2 * 1024 * 1024) }, 'invalid_value it.description', '2 MiB')
  both(t, { properties: { ['x'.repeat(65)]: {} } }, 'invalid_value it.properties.*', 'long key')
  for (const key of ['a"b', 'a\nb', '<|im_start|>', 'a{b', 'a`b', '']) {
    both(t, { properties: { [key]: {} } }, 'invalid_value it.properties.*', `key ${JSON.stringify(key)}`)
  }
  t.end()
})

t.test('references', (t) => {
  const tree: JsonObject = { properties: { children: { type: 'array', items: { $ref: '#' } } } }
  t.equal(verdict('tool', tree), 'accepted', 'a tree is a good tool schema')
  t.equal(verdict('grammar', tree), 'invalid_value grammar', 'and no good grammar')
  both(t, { $ref: '#' }, 'invalid_value it', 'itself')
  both(
    t,
    { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    'invalid_value it',
    'circle of two',
  )
  both(
    t,
    { $defs: { a: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/a' }] } } },
    'invalid_value it',
    'circle through anyOf',
  )
  both(t, { $ref: '#/$defs/nothing' }, 'invalid_value it', 'dangling')
  both(t, { $ref: '#/constructor' }, 'invalid_value it', 'inherited')
  both(t, { $ref: '#anchor' }, 'invalid_value it', 'anchor')
  both(t, { $ref: '#/%' }, 'invalid_value it', 'bad escape')
  both(t, { $ref: 'http://10.0.0.1/schema.json' }, 'remote_content_refused it.$ref', 'remote')
  both(t, { $ref: 'file:///etc/passwd' }, 'remote_content_refused it.$ref', 'file')
  both(t, { properties: { x: { $dynamicRef: '#x' } } }, 'unsupported_parameter it.properties.*.*', 'dynamic')
  both(
    t,
    { patternProperties: { '^(a+)+$': {} } },
    'unsupported_parameter it.*',
    'regular expressions as keys',
  )
  both(t, { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'string' } } }, 'accepted', 'escaped pointer')
  both(t, { $ref: '#/anyOf/1', anyOf: [{}, { type: 'string' }] }, 'accepted', 'pointer into an array')
  t.end()
})

t.test('references that expand exponentially', (t) => {
  const $defs: JsonObject = { d0: { type: 'string' } }
  for (let level = 1; level <= 40; level += 1) {
    const twice = { $ref: `#/$defs/d${level - 1}` }
    $defs[`d${level}`] = { allOf: [twice, { ...twice }] }
  }
  both(t, { $ref: '#/$defs/d40', $defs }, 'invalid_value it', 'doubling')
  const chain = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [
      `d${index}`,
      index === 999 ? {} : { $ref: `#/$defs/d${index + 1}` },
    ]),
  )
  both(t, { $ref: '#/$defs/d0', $defs: chain }, 'invalid_value it', 'a long chain')
  t.end()
})

t.test('costly constraints are refused in a grammar and dropped from a tool', (t) => {
  const wild = { type: 'string', pattern: '(a+)+b', maxLength: 1_000_000_000 }
  t.equal(verdict('grammar', { properties: { x: wild } }), 'invalid_value grammar.properties.*.pattern')
  t.equal(verdict('grammar', { maxItems: 100_000 }), 'invalid_value grammar.maxItems')
  const { schema, dropped } = copy('tool', { properties: { x: wild } })
  t.same(schema, { properties: { x: { type: 'string' } } })
  t.same(dropped, ['tool.properties.*.pattern', 'tool.properties.*.maxLength'])
  t.end()
})

t.test('tame patterns', (t) => {
  for (const pattern of [
    '^[a-z]+$',
    '^\\d{4}-\\d{2}-\\d{2}$',
    '^(foo|bar)*$',
    '(?:ab){2,5}',
    '^\\w+@\\w+\\.\\w+$',
    '[(+*]+x',
    '\\(a+\\)+',
    '',
    'a|b|c',
    '(a)(b+)(c)',
    'a{,5}',
    'x{',
  ]) {
    t.ok(isTamePattern(pattern), pattern)
  }
  for (const pattern of [
    '(a+)+b',
    '(a*)*',
    '((a+)b)*',
    '(?:a+){2,}',
    '(a|b+)*?',
    '(a{1,3})+',
    '(?=a)',
    '(?<!a)b',
    '(?P<n>a)',
    '(a)\\1',
    '\\k<n>',
    'a{5000}',
    'a{1,99999}',
    '(((a{1,10}){1,10}){1,10})',
    'x'.repeat(513),
  ]) {
    t.notOk(isTamePattern(pattern), pattern)
  }
  t.ok(isTamePattern('('.repeat(512)), "an unclosed group is the engine's to refuse")
  t.end()
})

t.test('a long number is text: it can be a card', (t) => {
  const parameters = {
    type: 'object',
    properties: { card: { type: 'integer', default: 4111111111111111, enum: [1, 4111111111111111] } },
  }
  const body = {
    model: 'demo',
    messages: [{ role: 'user', content: 'hi' }],
    tools: [{ type: 'function', function: { name: 'pay', parameters } }],
  }
  const call = parseCall('chat.completions', Buffer.from(JSON.stringify(body)), { unknownFields: 'refuse' })
  const slots = call.texts.filter(({ text }) => text === '4111111111111111')
  t.same(
    slots.map(({ path }) => path.replace(/.*\.card\.|.*\*\./, '')),
    ['default', 'enum[1]'],
  )
  for (const slot of slots) slot.replace('[CREDIT_CARD]')
  t.notMatch(JSON.stringify(call.fields), '4111')
  t.match(JSON.stringify(call.fields), '"default":"[CREDIT_CARD]","enum":[1,"[CREDIT_CARD]"]')
  t.end()
})
