// Results of the soak as tables, and what they are judged by.
import type { AbortsResult } from './aborts.ts'
import { isWhole } from './evidence.ts'
import type { IdleResult } from './idle-streams.ts'
import type { Slope } from './slope.ts'
import type { Held } from './soak-stage.ts'
import type { SteadyResult } from './steady.ts'
import { table } from './table.ts'

export interface Report {
  readonly data: object
  readonly text: string
  /** What was missed, in words. */
  readonly faults: readonly string[]
}

/** Handles that may be open beside what is counted: a connection of a probe, one that is just closing. */
const SLACK = 8
/** What a second round may take above the first: the allocator keeps pages, and where it stands is chance. */
const SECOND_ROUND_MAX = 1.15
const RSS_MIB_PER_MINUTE_MAX = 1
const FLOOR_MIB_MAX = 16
const RSS_GROWTH_MIB_MAX = 64

const row = (name: string, { rssMiB, heapMiB, handles, inFlight }: Held) => ({
  '': name,
  'RSS MiB': rssMiB.toFixed(1),
  'heap MiB': heapMiB.toFixed(1),
  handles,
  'in flight': inFlight,
})

export function idleReport(result: IdleResult): Report {
  const { streams, before, held, after, heldAgain, afterAgain, lost } = result
  const perStream = (now: Held, base: Held): number => ((now.rssMiB - base.rssMiB) * 1024) / streams
  const rssKiB = perStream(held, before)
  const data = {
    ...result,
    rssKiBPerStream: rssKiB,
    heapKiBPerStream: ((held.heapMiB - before.heapMiB) * 1024) / streams,
  }
  return {
    data,
    text: [
      table([
        row('before', before),
        row(`${streams} streams`, held),
        row('after', after),
        row(`${streams} again`, heldAgain),
        row('after', afterAgain),
      ]),
      `RSS for a stream: ${rssKiB.toFixed(1)} KiB; streams lost: ${lost.length}\n`,
    ].join(''),
    faults: [
      ...(lost.length > 0 ? [`${lost.length} streams were lost: ${lost[0]}`] : []),
      ...(held.inFlight === streams ? [] : [`${held.inFlight} of ${streams} streams were held`]),
      ...(Math.max(after.handles, afterAgain.handles) > before.handles + SLACK
        ? ['handles stayed open']
        : []),
      ...(Math.max(after.inFlight, afterAgain.inFlight) > 0 ? ['exchanges stayed in flight'] : []),
      ...(heldAgain.rssMiB > held.rssMiB * SECOND_ROUND_MAX ? ['the second round took more memory'] : []),
    ],
  }
}

export function steadyReport(result: SteadyResult): Report {
  const { minutesHeld, rss, heap, handles, floors, calls, streams } = result
  const said = (name: string, { slope, plusMinus }: Slope, unit: string): string =>
    `${name}: ${slope.toFixed(3)} ± ${plusMinus.toFixed(3)} ${unit} a minute\n`
  const failed = calls.faults.length + streams.faults.length
  return {
    data: {
      ...result,
      calls: { ...calls, ids: calls.ids.length },
      streams: { ...streams, ids: streams.ids.length },
    },
    text:
      table(minutesHeld.map((held, minute) => row(`minute ${minute}`, held))) +
      said('RSS', rss, 'MiB') +
      said('heap', heap, 'MiB') +
      said('handles', handles, '') +
      `lowest RSS of each half: ${floors.map((mib) => mib.toFixed(1)).join(' and ')} MiB\n` +
      `${calls.made} calls, p50 ${calls.p50Ms.toFixed(0)} ms, p99 ${calls.p99Ms.toFixed(0)} ms; ${streams.made} streams; ${failed} failed\n`,
    faults: [
      ...(failed > 0 ? [`${failed} failed: ${[...calls.faults, ...streams.faults][0]}`] : []),
      // A slope counts when its whole interval is above the bound.
      ...(rss.slope - rss.plusMinus > RSS_MIB_PER_MINUTE_MAX ? ['memory grows'] : []),
      ...(floors[1] - floors[0] > FLOOR_MIB_MAX ? ['memory is not given back'] : []),
      ...(handles.slope - handles.plusMinus > 1 ? ['handles grow'] : []),
    ],
  }
}

export function abortsReport(result: AbortsResult): Report {
  const { aborted, before, underWay, after, evidence, leftUpstream, exitCode, seconds, unexpected } = result
  const counts = Object.entries(aborted)
    .map(([phase, count]) => `${phase} ${count}`)
    .join(', ')
  const { ids, ...audit } = evidence
  // The first tenth is what this load needs; what comes on top of it is what stays behind.
  const growth = (underWay.at(-1)?.rssMiB ?? 0) - (underWay[0]?.rssMiB ?? 0)
  return {
    data: { ...result, evidence: { ...audit, ended: ids.size }, rssGrowthMiB: growth },
    text:
      table([
        row('before', before),
        ...underWay.map((held, tenth) => row(`${(tenth + 1) * 10} %`, held)),
        row('after', after),
      ]) +
      `hung up: ${counts}; in ${seconds.toFixed(0)} s\n` +
      `audit: ${audit.records} records, ${audit.admitted} admitted, ${audit.unended} without an ending, chain ${audit.intact ? 'intact' : 'BROKEN'}; ` +
      `endings ${JSON.stringify(audit.outcomes)}\n` +
      `left at the model server: ${leftUpstream}; exit code ${exitCode}; callers who did not come so far: ${unexpected.length}\n`,
    faults: [
      ...(isWhole(evidence) ? [] : ['the audit log has a gap']),
      ...(after.handles > before.handles + SLACK ? ['handles stayed open'] : []),
      ...(after.inFlight > before.inFlight ? ['exchanges stayed in flight'] : []),
      ...(leftUpstream > 0 ? ['the model server still works for callers who have left'] : []),
      ...(growth > RSS_GROWTH_MIB_MAX ? [`memory grew by ${growth.toFixed(0)} MiB`] : []),
      ...(exitCode === 0 ? [] : [`the gateway ended with ${exitCode}`]),
      ...(unexpected.length > 0
        ? [`${unexpected.length} callers did not come so far: ${unexpected[0]}`]
        : []),
    ],
  }
}
