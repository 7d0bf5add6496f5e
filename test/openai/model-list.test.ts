import t from 'tap'
import { modelCard, modelList } from '../../src/openai/model-list.ts'

t.test('the list shows names and nothing of the servers', (t) => {
  t.same(modelList(['b', 'a'], 1_700_000_000), {
    object: 'list',
    data: [
      { id: 'b', object: 'model', created: 1_700_000_000, owned_by: 'sallyport' },
      { id: 'a', object: 'model', created: 1_700_000_000, owned_by: 'sallyport' },
    ],
  })
  t.same(modelList([], 1), { object: 'list', data: [] })
  t.same(modelCard('org/m', 5), { id: 'org/m', object: 'model', created: 5, owned_by: 'sallyport' })
  t.end()
})
