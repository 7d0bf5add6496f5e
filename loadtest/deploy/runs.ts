/** Runs one after the other, and what each of them missed on stderr as it ends. Sets the exit code when anything was missed. */
export async function repeated<Result>(
  runs: number,
  run: () => Promise<Result>,
  missed: (result: Result) => readonly string[],
): Promise<Result[]> {
  const results: Result[] = []
  for (let count = 1; count <= runs; count += 1) {
    const result = await run()
    results.push(result)
    const faults = missed(result)
    for (const fault of faults.slice(0, 10)) process.stderr.write(`run ${count}: ${fault}\n`)
    process.stderr.write(
      `run ${count}: ${faults.length === 0 ? 'all as it must be' : `${faults.length} MISSED`}\n`,
    )
    if (faults.length > 0) process.exitCode = 1
  }
  return results
}
