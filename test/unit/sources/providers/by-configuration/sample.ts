import type { VerifierTools } from '../../../../../src/sources/verification/verifier';
import { hmac, type ExpectedEvent, type SentRequest } from '../../../../support/sources/proof';

/** A request that a source takes which is configured as the documentation says. */
export interface ConfiguredSample {
  secret: string;
  headers?: Readonly<Record<string, string>>;
  body: string;
  /** Adds the signature. Default: none is sent. */
  sign?: (request: SentRequest, secret: string, at: Date) => SentRequest | Promise<SentRequest>;
  /** When the request is received. Default: now. */
  at?: Date;
  tools?: VerifierTools;
  /** What else the rule needs of the account, by what stands for it in the documentation. */
  account?: Readonly<Record<string, string>>;
  events: readonly ExpectedEvent[];
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Signs the body, and sends the signature in a header. */
export const inHeader =
  (name: string, algorithm: 'sha1' | 'sha256', encoding: 'hex' | 'base64', before = '', after = '') =>
  (request: SentRequest, secret: string): SentRequest =>
    withHeader(request, name, `${before}${hmac(algorithm, secret, request.body, encoding)}${after}`);

/** Signs a time and the body, and sends both as `t=…,v1=…`. */
export const inParts =
  (name: string) =>
  (request: SentRequest, secret: string, at: Date): SentRequest => {
    const time = Math.floor(at.getTime() / 1_000);
    return withHeader(request, name, `t=${time},v1=${hmac('sha256', secret, `${time}.${request.body}`, 'hex')}`);
  };

export const withHeader = (request: SentRequest, name: string, value: string): SentRequest => ({
  ...request,
  headers: { ...request.headers, [name]: value },
});
