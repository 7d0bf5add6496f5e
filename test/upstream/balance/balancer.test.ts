import fc from 'fast-check'
import t from 'tap'
import { seededRandom } from '../../../scripts/balance/seeded-random.ts'
import { type BalancedCall, Balancer } from '../../../src/upstream/balance/balancer.ts'
import { PromptBlocks } from '../../../src/upstream/balance/prompt-blocks.ts'

/** A server with a load that is set by hand. */
class SimulatedMember {
  readonly origin: string
  held = 0
  room = 10
  readonly load = { slowness: 1, backlog: 0 }

  constructor(origin: string) {
    this.origin = origin
  }
}

const blocks = new PromptBlocks(Buffer.from('8 bytes!'))
const system = 'You are a helpful assistant. '.repeat(40)
const callOf = (text: string, tried: readonly string[] = []): BalancedCall => ({
  inputTokens: Math.ceil((system.length + text.length) / 4),
  prefix: blocks.of(['acme', 'llama'], [system + text]),
  tried: new Set(tried),
})
const conversation = (name: string, turns = 1): string => `${name} says something. `.repeat(300 * turns)

const world = (servers = 4, wantsPrefix = true, seed = 1) => {
  const balancer = new Balancer<SimulatedMember>({ random: seededRandom(seed), wantsPrefix })
  const members = Array.from(
    { length: servers },
    (_, index) => new SimulatedMember(`https://10.0.0.${index}:8000`),
  )
  for (const member of members) balancer.joined(member)
  const candidates = members.map((member) => ({ member, share: 1 }))
  const choose = (call: BalancedCall) => balancer.choose(candidates, call)
  const send = (call: BalancedCall) => {
    const member = choose(call) as SimulatedMember
    return { member, tokens: balancer.chosen(member, call) }
  }
  return { balancer, members, candidates, choose, send }
}

t.test('a conversation goes on where it began, though all have the same system prompt', (t) => {
  const { send } = world()
  const names = Array.from({ length: 40 }, (_, index) => `user ${index}`)
  const places = names.map((name) => send(callOf(conversation(name))).member)
  t.ok(new Set(places).size === 4, 'they are spread')
  const again = names.map((name) => send(callOf(conversation(name, 2))))
  t.same(
    again.map(({ member }) => member.origin),
    places.map(({ origin }) => origin),
  )
  const whole = callOf(conversation('user 1', 2)).inputTokens
  t.ok(
    again.every(({ tokens }) => tokens < whole * 0.6),
    'half of it was read before',
  )
  t.end()
})

t.test('it goes elsewhere when its server has too much to do', (t) => {
  const { send, choose } = world()
  const { member } = send(callOf(conversation('a')))
  const next = callOf(conversation('a', 2))
  member.load.backlog = 5_000
  t.equal(choose(next), member, 'what is saved is worth the wait')
  member.load.backlog = 50_000
  t.not(choose(next), member)
  t.end()
})

t.test('a server with far more calls than the others keeps only what is worth the wait', (t) => {
  const { send, choose } = world()
  const { member } = send(callOf(conversation('a')))
  const next = callOf(conversation('a', 2))
  member.load.backlog = 5_000
  member.held = 12
  t.not(choose(next), member)
  member.load.backlog = 500
  t.equal(choose(next), member)
  t.end()
})

t.test('what many prompts share is worth a second copy', (t) => {
  const { send, choose } = world()
  const shared = conversation('all of us', 4)
  const { member } = send(callOf(shared))
  member.load.backlog = callOf(shared).inputTokens * 2
  t.equal(choose(callOf(`${shared} first`)), member, 'it may be one conversation')
  for (let i = 0; i < 50; i++) {
    member.load.backlog = 0
    t.equal(send(callOf(`${shared} user ${i} ${conversation('x', 0.1)}`)).member, member)
  }
  member.load.backlog = callOf(shared).inputTokens * 2
  t.not(choose(callOf(`${shared} last`)), member)
  t.end()
})

t.test('gateways that share a key and nothing else agree on new prompts', (t) => {
  const gateways = [world(8, true, 1), world(8, true, 2), world(8, true, 3)]
  for (const { send } of gateways) send(callOf(''))
  const places = Array.from({ length: 30 }, (_, index) => {
    const call = callOf(conversation(`user ${index}`))
    return new Set(gateways.map(({ send }) => send(call).member.origin))
  })
  t.ok(places.every(({ size }) => size === 1))
  t.ok(new Set(places.flatMap((each) => [...each])).size > 5)
  t.end()
})

t.test('1. somebody is chosen, and nobody full or tried while there is another', (t) => {
  const server = fc.record({
    room: fc.nat(1),
    backlog: fc.nat(9_000),
    slowness: fc.integer({ min: 1, max: 8 }),
    isTried: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(server, { minLength: 1, maxLength: 24 }), fc.boolean(), (servers, wantsPrefix) => {
      const { members, choose, balancer } = world(servers.length, wantsPrefix)
      const tried = members.filter((_, index) => servers[index]?.isTried).map(({ origin }) => origin)
      for (const [index, member] of members.entries()) {
        member.room = servers[index]?.room ?? 0
        Object.assign(member.load, { backlog: servers[index]?.backlog, slowness: servers[index]?.slowness })
      }
      const call = callOf(conversation('a'), tried)
      balancer.chosen(members[0] as SimulatedMember, call)
      const chosen = choose(call)
      if (chosen === undefined) return false
      const free = members.filter(({ room, origin }) => room > 0 && !tried.includes(origin))
      return free.length === 0 || free.includes(chosen)
    }),
  )
  t.equal(
    new Balancer<SimulatedMember>({ random: Math.random, wantsPrefix: true }).choose([], callOf('')),
    undefined,
  )
  t.end()
})

t.test('2. choosing alone is not remembered', (t) => {
  const { choose, balancer, members } = world()
  const call = callOf(conversation('a'))
  for (let i = 0; i < 10; i++) choose(call)
  const untouched = members.map((member) => {
    const { balancer: fresh } = world()
    return fresh.chosen(member, call)
  })
  t.same(
    members.map((member) => balancer.chosen(member, call)),
    untouched,
  )
  t.end()
})

t.test('who left is forgotten, and who joins is found', (t) => {
  const { balancer, members, candidates, send } = world()
  const call = callOf(conversation('a'))
  const { member } = send(call)
  balancer.left(member)
  const rest = candidates.filter((candidate) => candidate.member !== member)
  t.ok(rest.some((candidate) => candidate.member === balancer.choose(rest, call)))
  balancer.joined(member)
  t.equal(balancer.chosen(member, call), call.inputTokens)
  t.equal(members.length, 4)
  t.end()
})

t.test('without affinity, or a prefix, only load counts', (t) => {
  const { send, members } = world(4, false)
  const { member, tokens } = send(callOf(conversation('a')))
  t.equal(tokens, callOf(conversation('a')).inputTokens)
  member.load.backlog = 1
  t.not(send(callOf(conversation('a'))).member, member)
  for (const [index, each] of members.entries()) each.load.slowness = index === 2 ? 1 : 4
  member.load.backlog = 0
  t.equal(world(4).choose({ inputTokens: 5, prefix: [], tried: new Set() })?.room, 10)
  t.equal(send(callOf('x')).member, members[2], 'the fastest of idle ones')
  t.end()
})
