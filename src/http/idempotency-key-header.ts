import type { IncomingHttpHeaders } from 'node:http';
import { isIdempotencyKey } from '../event/identity/idempotency-key';
import { Problem } from '../event/problems';

/** Returns the idempotency key that a request sent. @throws Problem `idempotency-key-invalid` */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const ours = headers['x-idempotency-key'];
  const ietf = headers['idempotency-key'];
  if (ours !== undefined && ietf !== undefined && ours !== ietf) {
    throw new Problem(
      'idempotency-key-invalid',
      'X-Idempotency-Key and Idempotency-Key have different values. Send only one of them.',
    );
  }
  const key = ours ?? ietf;
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !isIdempotencyKey(key)) {
    throw new Problem(
      'idempotency-key-invalid',
      'An idempotency key must consist of 1 to 255 visible ASCII characters and must be sent only once.',
    );
  }
  return key;
}
