import type { Json, JsonObject } from './call.ts'
import { errorInEvent } from './error-body.ts'
import type { Reply, ReplyDialect } from './reply.ts'
import { indexOf, listOf, objectOf, protocol } from './reply-field.ts'
import { embeddingUsageBody, readUsage } from './usage.ts'

/**
 * Replies of /v1/embeddings: vectors of finite numbers, or their base64 form. There is no text in them and no stream
 * of them.
 */
const vectorsMax = 2_048
const dimensionsMax = 65_536
const base64CharsMax = dimensionsMax * 6
const base64Shape = /^[A-Za-z0-9+/]*={0,2}$/

function vectorOf(value: unknown): Json {
  if (typeof value === 'string') {
    if (value.length <= base64CharsMax && base64Shape.test(value)) return value
    throw protocol('embedding is not base64')
  }
  const vector: number[] = []
  for (const item of listOf(value, 'embedding', dimensionsMax)) {
    if (typeof item !== 'number' || !Number.isFinite(item))
      throw protocol('embedding is not a list of numbers')
    vector.push(item)
  }
  return vector
}

function embeddingOf(value: unknown): JsonObject {
  const source = objectOf(value, 'embedding')
  const index = indexOf(source['index'], 'embedding index', vectorsMax)
  return { object: 'embedding', index, embedding: vectorOf(source['embedding']) }
}

const noStream = (): never => {
  throw protocol('embeddings are not streamed')
}

/** The dialect for embeddings. It keeps nothing, so there is one of it. */
export const embeddingReplies: ReplyDialect = {
  whole(json: unknown, publicModel: string): Reply {
    const source = objectOf(json, 'reply')
    const error = errorInEvent(source)
    if (error !== undefined) throw error
    const data = listOf(source['data'], 'data', vectorsMax).map(embeddingOf)
    const usage = readUsage(source['usage'])
    const body: JsonObject = { object: 'list', data, model: publicModel }
    if (usage !== undefined) body['usage'] = embeddingUsageBody(usage)
    return { body, texts: [], finished: [], usage, usageOnly: false }
  },
  event: noStream,
  carrier: noStream,
  cutting: noStream,
}
