/**
 * Lowest Node.js releases with the security fixes that production needs, by major line. The only place that knows them.
 * A newer major line than these is fine; an older one is past its end of life.
 */
export const nodeFloors: readonly string[] = ['24.22.1', '26.12.1']

export type RuntimeVerdict =
  | { readonly supported: true; readonly allowed: true }
  | { readonly supported: false; readonly allowed: boolean; readonly message: string }

/** Whether this Node.js may serve in production: at or above the floor of its line, or allowed by its exact version. */
export function checkRuntime(
  version: string,
  options: { readonly allowUnsupportedNode?: string | undefined } = {},
): RuntimeVerdict {
  const running = version.replace(/^v/, '')
  if (isAtFloor(running)) return { supported: true, allowed: true }
  const allowed = options.allowUnsupportedNode === running
  const floors = nodeFloors.join(' or ')
  const message = allowed
    ? `Node.js ${running} is below the security floor (${floors}); gateway.yaml allows it by name`
    : `Node.js ${running} is below the security floor (${floors}). Upgrade, or name it: runtime.allowUnsupportedNode: ${running}`
  return { supported: false, allowed, message }
}

function isAtFloor(running: string): boolean {
  const [major = 0, minor = 0, patch = 0] = numbers(running)
  const floor = nodeFloors.map(numbers).find(([line]) => line === major)
  if (floor === undefined) return major > Math.max(...nodeFloors.map((each) => numbers(each)[0] ?? 0))
  const [, minorMin = 0, patchMin = 0] = floor
  return minor > minorMin || (minor === minorMin && patch >= patchMin)
}

/** `26.12.1` as numbers; a pre-release (`27.0.0-nightly`) counts as below every floor. */
const numbers = (version: string): number[] =>
  /^\d+\.\d+\.\d+$/.test(version) ? version.split('.').map(Number) : [0, 0, 0]
