import t from 'tap'
import { checkRuntime } from '../../src/config/runtime.ts'

t.test('floors by major line', async (t) => {
  for (const good of ['v26.12.1', '26.12.2', '26.13.0', '27.0.0', '24.22.1', '24.30.0']) {
    t.same(checkRuntime(good), { supported: true, allowed: true }, good)
  }
  for (const bad of [
    'v26.12.0',
    '26.10.0',
    '25.9.9',
    '24.22.0',
    '22.99.0',
    '20.20.2',
    'x',
    '',
    '27.0.0-nightly2026',
  ]) {
    t.match(checkRuntime(bad), { supported: false, allowed: false }, bad)
  }
})

t.test('a version below is allowed by its exact name only', async (t) => {
  const verdict = (allowUnsupportedNode: string) => checkRuntime('v26.10.0', { allowUnsupportedNode })
  t.match(verdict('26.10.0'), { supported: false, allowed: true, message: /allows it by name/ })
  t.match(verdict('26.10.1'), {
    supported: false,
    allowed: false,
    message: /allowUnsupportedNode: 26\.10\.0$/,
  })
  t.match(checkRuntime('v26.10.0', { allowUnsupportedNode: undefined }), { allowed: false })
})
