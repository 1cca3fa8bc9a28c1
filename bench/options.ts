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
  'three-destinations',
  'many-destinations',
  'retrying',
  'ordering',
  'overhead',
  'keys',
  'sources',
  'stored',
  'rejections',
  'cache',
  'pooler',
  'roles',
] as const;
export type Group = (typeof GROUPS)[number];

/** These groups take minutes. */
const ON_DEMAND: ReadonlySet<Group> = new Set<Group>([
  ...(['destinations', 'isolation', 'three-destinations', 'many-destinations', 'retrying', 'ordering'] as const),
  ...(['stored', 'keys', 'sources', 'rejections', 'cache', 'pooler'] as const),
]);
const DEFAULT_GROUPS = GROUPS.filter((group) => !ON_DEMAND.has(group));

/** Groups that need only the public interface of a build, so that any two builds can be compared. */
export const COMPARED_GROUPS = ['single', 'stream', 'publisher', 'worker', 'drain'] as const;
export type ComparedGroup = (typeof COMPARED_GROUPS)[number];
const COMPARED_ON_DEMAND = ['many-destinations', 'rejections', 'cache'] as const;

export interface BenchOptions {
  rounds: number;
  seconds: number;
  only: ReadonlySet<Group>;
  /** Git revision or directory of a build to compare with; undefined measures this build alone. */
  against: string | undefined;
  /** Size of the backlog for publisher and worker in a comparison of builds, and of the good events of `fairness`. */
  events: number;
}

/** @throws Error that explains what is wrong with the command line. */
export function benchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      only: { type: 'string' },
      against: { type: 'string' },
      events: { type: 'string', default: '50000' },
    },
  });
  const { against } = values;
  const [known, byDefault, rounds] =
    against === undefined
      ? [GROUPS, DEFAULT_GROUPS, '5']
      : [[...COMPARED_GROUPS, ...COMPARED_ON_DEMAND] as const, COMPARED_GROUPS, '7'];
  const only = (values.only?.split(',') ?? byDefault).map((name) => {
    const group = known.find((one) => one === name.trim());
    if (!group) throw new Error(`--only must be a comma-separated list of ${known.join(', ')}, not ${name}`);
    return group;
  });
  return {
    rounds: positive('--rounds', values.rounds ?? rounds),
    seconds: positive('--seconds', values.seconds),
    only: new Set(only),
    against,
    events: positive('--events', values.events),
  };
}

export function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a number greater than 0, not ${text}`);
  return value;
}
