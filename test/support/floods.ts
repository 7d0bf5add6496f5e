/** Replies so long that sockets' buffers fill: their tokens must be within what the caller may ask for. */
export const floodTokens = 1_000_000
/** What the simulated model server takes. */
export const floodModelLen = 2_000_000
export const forFloods = {
  models: { models: { demo: { outputTokensMax: floodTokens } } },
  policies: {
    roles: {
      app: { parameters: { outputTokensMax: floodTokens } },
      admin: { parameters: { outputTokensMax: floodTokens } },
    },
  },
}
