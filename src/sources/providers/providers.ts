import { GITHUB } from './github';
import type { Provider } from './provider';
import { STRIPE } from './stripe';

/** Every preset there is. */
export const PROVIDERS: readonly Provider[] = [STRIPE, GITHUB];

const BY_ID = new Map(PROVIDERS.map((provider) => [provider.id, provider]));

export function providerOf(id: string): Provider | undefined {
  return BY_ID.get(id);
}
