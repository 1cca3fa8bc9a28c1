import { hash } from 'node:crypto';
import { Mac } from '../../src/integrity/mac';
import type { MacKeys } from '../../src/integrity/mac-keys';

export interface KnownMacKeys extends MacKeys {
  current(): Mac;
  load(): Promise<Mac>;
  reload(): Promise<Mac>;
}

/** The keys of these names. The first one signs, and every one verifies. */
export function macKeys(first: string, ...others: string[]): KnownMacKeys {
  const keyOf = (name: string): Buffer => hash('sha256', name, 'buffer');
  const mac = new Mac([keyOf(first), ...others.map(keyOf)]);
  return { current: () => mac, load: () => Promise.resolve(mac), reload: () => Promise.resolve(mac) };
}
