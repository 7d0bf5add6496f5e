import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const ESTABLISHED = '01'

/** Counts the established TCP connections of a process to a port of loopback, as Linux lists them in /proc. */
export function connectionsOf(pid: number, port: number): number {
  const sockets = socketsOf(pid)
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1)
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , remote, state, , , , , , inode]) => {
      return remote?.endsWith(suffix) && state === ESTABLISHED && sockets.has(inode ?? '')
    }).length
}

function socketsOf(pid: number): Set<string> {
  const inodes = new Set<string>()
  for (const file of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${file}`))?.[1]
      if (inode !== undefined) inodes.add(inode)
    } catch {
      // Closed between the listing and the look.
    }
  }
  return inodes
}
