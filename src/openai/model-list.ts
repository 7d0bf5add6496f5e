/** A model as `GET /v1/models/{model}` shows it: nothing of the server behind it (paths, adapters, context length). */
export interface ModelCard {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly owned_by: 'sallyport'
}

export interface ModelList {
  readonly object: 'list'
  readonly data: readonly ModelCard[]
}

/** `createdSeconds` is a Unix time; the gateway gives the time its policy was loaded. */
export const modelCard = (name: string, createdSeconds: number): ModelCard => ({
  id: name,
  object: 'model',
  created: createdSeconds,
  owned_by: 'sallyport',
})

/** The reply of `GET /v1/models`, in the order of the names. */
export const modelList = (names: readonly string[], createdSeconds: number): ModelList => ({
  object: 'list',
  data: names.map((name) => modelCard(name, createdSeconds)),
})
