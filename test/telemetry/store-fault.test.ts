import t from 'tap'
import { causes } from '../../src/quota/shared/cause.ts'
import { storeFaults } from '../../src/telemetry/store-fault.ts'

t.test('the label knows every reason for which the store is away', (t) => {
  t.same(storeFaults, causes)
  t.end()
})
