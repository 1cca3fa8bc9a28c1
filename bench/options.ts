import { parseArgs } from 'node:util';

const GROUPS = [
  'single',
  'stream',
  'xml',
  'duplicates',
  'idle',
  'publisher',
  'drain',
  'growth',
  'idle-rabbit',
  'worker',
  'fairness',
  'destinations',
  'isolation',
  'overhead',
  'stored',
  'roles',
] as const;
export type Group = (typeof GROUPS)[number];

/** These take minutes of their own. */
const ON_DEMAND: ReadonlySet<Group> = new Set<Group>(['destinations', 'isolation', 'stored']);
const DEFAULT_GROUPS = GROUPS.filter((group) => !ON_DEMAND.has(group));

export interface BenchOptions {
  rounds: number;
  seconds: number;
  only: ReadonlySet<Group>;
}

/** @throws Error that says what is wrong with the command line. */
export function benchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      only: { type: 'string', default: DEFAULT_GROUPS.join(',') },
    },
  });
  const only = values.only.split(',').map((name) => {
    const group = GROUPS.find((known) => known === name.trim());
    if (!group) throw new Error(`--only takes a comma list of ${GROUPS.join(', ')}, not ${name}`);
    return group;
  });
  return {
    rounds: positive('--rounds', values.rounds),
    seconds: positive('--seconds', values.seconds),
    only: new Set(only),
  };
}

export function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not ${text}`);
  return value;
}
