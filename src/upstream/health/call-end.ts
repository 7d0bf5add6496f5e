/**
 * What the end of a call tells about its server.
 *
 * - `answered`: a response head below 500 came (4xx too, but 429) and nothing broke after it.
 * - `failed`: no connection, a broken connection or protocol, a status of 500 or above other than 503, no first byte in
 *   time.
 * - `overloaded`: 429 or 503; it is alive, and full.
 * - `abandoned`: the caller left, or the other side of a hedge won; it says nothing.
 */
export type CallEnd = 'answered' | 'failed' | 'overloaded' | 'abandoned'
