import type { Evidence } from '../evidence/evidence';
import { acknowledgedIds } from './answers';
import { violation, type Violation } from './violation';

/** I1: every acknowledged event can be read under the id in the response. */
export function checkAcknowledged({ journal, readBack }: Evidence): Violation[] {
  return [...acknowledgedIds(journal)].flatMap(([name, ids]): Violation[] => {
    const read = readBack.get(name);
    if (read?.httpStatus !== 200) {
      return [violation('lost', `${name} is read back with status ${read?.httpStatus ?? 'none'}`, name)];
    }
    const { id } = JSON.parse(read.text) as { id: string };
    if (ids.size === 0 || ids.has(id)) return [];
    return [violation('lost', `${name}: answered with id ${[...ids].join()}, read back with ${id}`, name)];
  });
}
