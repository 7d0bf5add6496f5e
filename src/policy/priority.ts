/** Who goes first when a pool of model servers is full. */
export type Priority = 'interactive' | 'batch'

/** The best class of those that grant a call: a role can only ever help its caller. */
export const bestPriority = (priorities: readonly Priority[]): Priority =>
  priorities.length > 0 && priorities.every((priority) => priority === 'batch') ? 'batch' : 'interactive'
