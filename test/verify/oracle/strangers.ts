import type { Evidence } from '../evidence/evidence';
import { entriesOf } from '../run/journal';
import { FaultWindows, hitsServer } from './fault-windows';
import { violation, type Violation } from './violation';

const WHY = 'belongs to another installation';
/** It had no server for longer than this, which is as long as a refused process waits before it tries again. */
const HEEDED_MS = 3_000;

/** Another installation on our virtual host is never ready, says why, and publishes and processes nothing. */
export function checkStrangers({ journal }: Pick<Evidence, 'journal'>): Violation[] {
  const faults = new FaultWindows(journal);
  return entriesOf(journal, 'stranger').flatMap(({ sinceMs, atMs, ready, notReady, published, attempts }) => {
    const isQuiet = !faults.explain(sinceMs - HEEDED_MS, atMs, hitsServer);
    const wrong = [
      ...(ready > 0 ? [`was ready on our virtual host, ${ready} times`] : []),
      ...(isQuiet && !notReady.some((text) => text.includes(WHY))
        ? [`does not say why it is not ready: ${notReady.join('; ')}`]
        : []),
      ...(published > 0 ? [`published ${published} messages on our virtual host`] : []),
      ...(attempts > 0 ? [`made ${attempts} attempts on our virtual host`] : []),
    ];
    return wrong.map((text) => violation('other installation', `another installation ${text}`));
  });
}
