import type { ReceivedRequest } from '../received-request';
import type { Verdict } from './verdict';

/** Decides whether a request comes from the producer. Waits only where a key has to be fetched. */
export type CompiledVerifier = (request: ReceivedRequest) => Verdict | Promise<Verdict>;

/** What a verifier may need besides its rule and the secrets. */
export interface VerifierTools {
  /** Fetches a certificate or a key set of a provider, through the address guard, and keeps it for a while. */
  fetchKey?: (url: string, hosts: readonly string[]) => Promise<string>;
}
