/** What was measured, beside what it is compared with and what it is to reach. */
import { median } from './statistics.ts';

export type Topic =
  | 'relay'
  | 'latency'
  | 'join'
  | 'memory'
  | 'startup'
  | 'crypto'
  | 'terminal'
  | 'kept'
  | 'talk'
  | 'files';

/** How far a figure may go, or has to. */
type Bound = { readonly most: number } | { readonly least: number };

export type Goal = Bound & {
  /** Complete with what it is a multiple of. */
  readonly text: string;
  readonly actual: number;
};

export interface Row {
  readonly topic: Topic;
  readonly what: string;
  readonly unit: string;
  /** Medians, by what was measured: this program under `securechat`. */
  readonly medians: Readonly<Record<string, number>>;
  /** Of this program to each other one: the median of the ratios of repetitions made side by side. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
}

export const OURS = 'securechat';

/** For one of the `ratios`. */
export type RatioGoal = Bound & { readonly to: string };

/**
 * @param samples one value for each repetition, by what was measured; the same place in each list is the same repetition
 */
export function row(
  about: Pick<Row, 'topic' | 'what' | 'unit'>,
  samples: ReadonlyMap<string, readonly number[]>,
  goals: { readonly ratios?: readonly RatioGoal[]; readonly most?: number } = {},
): Row {
  const ours = samples.get(OURS) ?? [];
  const medians: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const [name, values] of samples) {
    medians[name] = median(values);
    if (name !== OURS)
      ratios[name] = median(ours.map((value, place) => value / (values[place] ?? Number.NaN)));
  }
  const reached: Goal[] = [];
  for (const { to, ...bound } of goals.ratios ?? []) {
    const actual = ratios[to];
    const times = 'most' in bound ? `at most ${bound.most}` : `at least ${bound.least}`;
    if (actual !== undefined) reached.push({ text: `${times} × ${to}`, actual, ...bound });
  }
  if (goals.most !== undefined) {
    const { most } = goals;
    reached.push({ text: `at most ${most} ${about.unit}`, actual: medians[OURS] ?? Number.NaN, most });
  }
  return { ...about, medians, ratios, goals: reached };
}

export function isReached(goal: Goal): boolean {
  return 'most' in goal ? goal.actual <= goal.most : goal.actual >= goal.least;
}

/** A line a row. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map(({ what, unit, medians, ratios, goals }) => {
    const others = Object.entries(ratios).map(
      ([name, ratio]) => `${name} ${short(medians[name] ?? Number.NaN)} (${ratio.toFixed(2)} ×)`,
    );
    const verdicts = goals.map((goal) => `${isReached(goal) ? 'reached' : 'MISSED '} ${goal.text}`);
    return [what, `${short(medians[OURS] ?? Number.NaN)} ${unit}`, others.join(', '), verdicts.join('; ')];
  });
  const heads = ['measured', OURS, 'beside it (ratio to it)', 'goal'];
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [format(heads), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(format)].join(
    '\n',
  );
}

/** Three digits that count. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
