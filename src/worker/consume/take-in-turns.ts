import type { WorkItem } from '../work-item';

/**
 * Takes up to `most` items out of `waiting`: the first of each tenant, then the second of each, and so on. So the few events of
 * one tenant pass those of others that came before. The order within a tenant stays.
 */
export function takeInTurns(waiting: WorkItem[], most: number): WorkItem[] {
  if (waiting.length <= most) return waiting.splice(0);
  const turns = new Map<string, number>();
  const byTurn: number[][] = [];
  waiting.forEach(({ event: { tenantId } }, i) => {
    const turn = turns.get(tenantId) ?? 0;
    turns.set(tenantId, turn + 1);
    (byTurn[turn] ??= []).push(i);
  });
  const taken = new Set(byTurn.flat().slice(0, most));
  const batch = [...taken].sort((a, b) => a - b).map((i) => waiting[i] as WorkItem);
  const left = waiting.filter((_, i) => !taken.has(i));
  waiting.splice(0, waiting.length, ...left);
  return batch;
}
