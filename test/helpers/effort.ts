/**
 * How often tests that repeat themselves do so: a few times, so that whoever works need not wait; with THOROUGH=1 as often as every
 * change has to stand, which CI does; with SLOW=1 for a night.
 */
type Effort = 'quick' | 'thorough' | 'slow';

const EFFORT: Effort =
  process.env['SLOW'] === '1' ? 'slow' : process.env['THOROUGH'] === '1' ? 'thorough' : 'quick';

export const SLOW: boolean = EFFORT === 'slow';

export function repeated(times: Readonly<Record<Effort, number>>): number {
  return times[EFFORT];
}
