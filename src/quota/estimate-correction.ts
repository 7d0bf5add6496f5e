/**
 * How the estimate of prompt tokens is corrected per model, from what its servers report. Vocabularies differ: a fixed
 * estimate that errs upwards for all of them sets aside far too much for most.
 *
 * 1. The factor is the mean of reported / estimated plus three mean deviations, both with exponentially fading weights:
 *    it follows a change of the vocabulary and stays above nearly every single call.
 * 2. It is 1 until enough calls were seen, and always within [factorMin, factorMax], whatever is reported.
 * 3. What is kept is bounded: two numbers for each of at most `modelsMax` models.
 *
 * A prompt made to be counted low shifts the factor within its bounds; settlement charges the truth all the same.
 */
const seenMin = 32
const fading = 1 / 64
const factorMin = 0.5
const factorMax = 2
const modelsMax = 1_024

interface Learned {
  mean: number
  deviation: number
  seen: number
}

export class EstimateCorrection {
  readonly #models = new Map<string, Learned>()

  /** The estimate as it is charged: a whole number, at least 1 for a prompt that is not empty. */
  corrected(model: string, estimate: number): number {
    return Math.ceil(estimate * this.factor(model))
  }

  factor(model: string): number {
    const learned = this.#models.get(model)
    if (learned === undefined || learned.seen < seenMin) return 1
    return clamp(learned.mean + 3 * learned.deviation)
  }

  /** What an estimate turned out to be. */
  learn(model: string, estimate: number, reported: number): void {
    if (estimate <= 0 || reported <= 0) return
    const ratio = Math.min(reported / estimate, factorMax)
    const learned = this.#models.get(model)
    if (learned === undefined) {
      if (this.#models.size < modelsMax) this.#models.set(model, { mean: ratio, deviation: 0, seen: 1 })
      return
    }
    learned.seen += 1
    const weight = Math.max(fading, 1 / learned.seen)
    learned.deviation += (Math.abs(ratio - learned.mean) - learned.deviation) * weight
    learned.mean += (ratio - learned.mean) * weight
  }
}

const clamp = (factor: number): number => Math.min(factorMax, Math.max(factorMin, factor))
