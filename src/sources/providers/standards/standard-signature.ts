import type { HmacVerification } from '../../verification/verification';

/** The signature of Standard Webhooks. Packages on npm verify `v1` only, so the asymmetric `v1a` does not count. */
export function standardSignature(headers: 'webhook' | 'svix'): HmacVerification {
  return {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    secretEncoding: 'whsec',
    header: `${headers}-signature`,
    separator: ' ',
    prefix: 'v1,',
    signed: `{header:${headers}-id}.{header:${headers}-timestamp}.{body}`,
    timestamp: { header: `${headers}-timestamp`, toleranceSeconds: 300 },
  };
}
