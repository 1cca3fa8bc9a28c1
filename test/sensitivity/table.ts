import { STAGES, type DeliberateFault } from './deliberate-fault';

/** The table in docs/verify.md: each deliberate fault, in the order of the stages, and who has to notice it. */
export function tableOf(faults: readonly DeliberateFault[]): string[][] {
  return STAGES.flatMap((stage) => faults.filter((fault) => fault.stage === stage).map(rowOf));
}

function rowOf({ name, stage, noticedBy }: DeliberateFault): string[] {
  if ('tests' in noticedBy) return [name, stage, noticedBy.tests.map((file) => code(file.slice(5))).join(', '), '–'];
  const { breaches, kinds = [] } = noticedBy;
  return [name, stage, breaches.map(code).join(', '), kinds.length > 0 ? kinds.map(code).join(', ') : 'none'];
}

const code = (text: string): string => `\`${text.replace(/\.test\.ts$/, '')}\``;
