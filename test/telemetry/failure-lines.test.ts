import { connect } from 'node:net'
import t from 'tap'
import { Refusal } from '../../src/refusal.ts'
import { failureFrames, failureLines } from '../../src/telemetry/failure-lines.ts'

const secret = 'AKIAIOSFODNN7EXAMPLE'
const caught = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error
  }
}

t.test('foreign messages are left out, because they quote their input', (t) => {
  const errors = [
    caught(() => JSON.parse(`"${secret}`)),
    caught(() => new URL(`http://${secret}:x`)),
    caught(() => new Headers({ 'x-y': `${secret}\n` })),
    Object.assign(new Error(secret), { name: `${secret} x`, code: `${secret} `, syscall: secret }),
    new TypeError(`x\n    at ${secret} (file:///${secret}/src/a.ts:1:1)`),
  ]
  for (const error of errors) {
    const text = [...failureLines(error), ...failureFrames(error)].join('\n')
    t.ok(text.length > 0)
    t.notMatch(text, secret)
  }
  t.end()
})

t.test('system errors keep code and system call', async (t) => {
  const error = await new Promise((resolve) => connect(1, '127.0.0.1').on('error', resolve))
  t.same(failureLines(error), ['Error ECONNREFUSED connect'])
})

t.test('a refusal tells its code and detail, and the chain of causes is followed', (t) => {
  const cause = Object.assign(new RangeError('x'), { code: 'ERR_OUT_OF_RANGE' })
  const error = new Refusal('upstream_error', 'no response head', { cause: new Error('y', { cause }) })
  t.same(failureLines(error), [
    'Refusal upstream_error: no response head',
    'Error',
    'RangeError ERR_OUT_OF_RANGE',
  ])
  t.same(failureLines(new AggregateError([cause, new Error('z')])), [
    'AggregateError',
    'RangeError ERR_OUT_OF_RANGE',
  ])
  t.end()
})

t.test('frames say where', (t) => {
  const [frame] = failureFrames(new Error('line one\nline two'))
  t.match(frame, /test\/telemetry\/failure-lines\.test\.ts:\d+:\d+$/)
  t.end()
})

t.test('whatever is thrown is told, in a bounded way', (t) => {
  const loop = new Error('a')
  loop.cause = loop
  t.equal(failureLines(loop).length, 5)
  const trap = new Proxy(new Error('a'), {
    get() {
      throw new Error(secret)
    },
  })
  t.same(failureLines(trap), ['unreadable error'])
  t.same(failureFrames(trap), [])
  t.same(failureLines(undefined), [])
  t.same(failureLines(null), ['thrown null'])
  t.same(failureLines(secret), ['thrown string'])
  t.same(failureLines({ code: 'EX', message: secret }), ['thrown object'])
  t.ok(failureLines(new Refusal('internal_error', 'x'.repeat(1 << 20))).join('').length <= 200)
  const long = new Error('m'.repeat(1 << 20))
  t.ok(failureFrames(long).join('').length < 4096)
  t.end()
})
