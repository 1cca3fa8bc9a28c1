import { hasDigest, parseCredential } from './credential';
import type { AccessDirectory } from './access-directory';
import type { KeyRow } from './directory.queries';

/** Keys that are remembered as right. Beyond it, the oldest are checked in full again. */
const MAX_REMEMBERED = 20_000;

/**
 * Checks API keys, and remembers those that were right, because parsing a key and hashing its secret takes 2.5 µs, 2 %
 * of a POST. A remembered key counts only while the directory has the same row, so a change or a revocation is heeded
 * at once. Wrong keys are not remembered.
 */
export class CheckedKeys {
  /** In the order in which they were checked. */
  private readonly remembered = new Map<string, KeyRow>();

  constructor(private readonly directory: Pick<AccessDirectory, 'key'>) {}

  /** Returns the row of a key that is right and live. */
  rowOf(text: string): KeyRow | undefined {
    const known = this.remembered.get(text);
    if (known) {
      if (this.directory.key(known.id) === known) return known;
      this.remembered.delete(text);
    }
    const sent = parseCredential(text);
    const row = sent?.kind === 'sfk' ? this.directory.key(sent.id) : undefined;
    if (!sent || !hasDigest(sent, row?.digest) || !row) return undefined;
    this.remember(text, row);
    return row;
  }

  private remember(text: string, row: KeyRow): void {
    this.remembered.set(text, row);
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= MAX_REMEMBERED) break;
      this.remembered.delete(oldest);
    }
  }
}
