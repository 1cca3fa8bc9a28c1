import type { ReceivedRequest } from '../request/received-request';
import type { ProviderKeys } from './provider-keys';
import type { Verdict } from './verdict';

/**
 * Decides whether a request comes from the producer. Waits only where a token is read or a key has to be fetched.
 * @throws Problem `provider-unavailable`
 */
export type CompiledVerifier = (request: ReceivedRequest) => Verdict | Promise<Verdict>;

/** What a verifier may need besides its rule and the secrets. */
export type VerifierTools = Pick<ProviderKeys, 'certificate' | 'keySet'>;
