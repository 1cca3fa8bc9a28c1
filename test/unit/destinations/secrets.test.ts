import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { SealedDestination } from '../../../src/destinations/destination';
import { newSecret, SecretBox, UnopenedSecretError } from '../../../src/destinations/secrets/secret-box';
import { WebhookSigner } from '../../../src/destinations/secrets/webhook-signer';

const ID = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const [KEY, OTHER] = [randomBytes(32), randomBytes(32)];

describe('a sealed secret', () => {
  const box = new SecretBox([KEY]);
  const secret = newSecret();

  it('opens with its key and does not contain the secret in plain text', () => {
    const sealed = box.seal(secret, ID);
    expect(box.open(sealed, ID)).toBe(secret);
    expect(sealed.toString('latin1')).not.toContain(secret.slice(6, 20));
    expect(box.seal(secret, ID)).not.toEqual(sealed);
  });

  it('opens while its key is one of several, so that keys can be rotated', () => {
    expect(new SecretBox([OTHER, KEY]).open(box.seal(secret, ID), ID)).toBe(secret);
  });

  it.each([
    ['with another key', () => new SecretBox([OTHER]), (sealed: Buffer) => sealed, ID],
    ['for another destination', () => box, (sealed: Buffer) => sealed, ID.replace('01', '02')],
    [
      'with a bit changed',
      () => box,
      (sealed: Buffer) => Buffer.from(sealed.map((b, i) => (i === 40 ? b ^ 1 : b))),
      ID,
    ],
    ['when it is truncated', () => box, (sealed: Buffer) => sealed.subarray(0, 20), ID],
    ['when it is empty', () => box, () => Buffer.alloc(0), ID],
  ])('does not open %s', (_what, opener, change, id) => {
    expect(() => opener().open(change(box.seal(secret, ID)), id)).toThrow(UnopenedSecretError);
  });
});

describe('the signatures of a delivery', () => {
  const box = new SecretBox([KEY]);
  const [old, fresh] = [newSecret(), newSecret()];
  const now = new Date();
  const destination = (untilMs: number): SealedDestination =>
    ({
      id: ID,
      secret: box.seal(fresh, ID),
      previousSecret: box.seal(old, ID),
      previousSecretUntil: new Date(untilMs).toISOString(),
    }) as SealedDestination;
  const body = '{"payload":"é☃"}';
  const verifies = (secret: string, headers: Record<string, string>): boolean => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  };

  it('verify with both secrets during a rotation, and afterwards only with the new one', () => {
    const signer = new WebhookSigner(destination(now.getTime() + 1), box);
    const during = signer.headers('evt', body, now);
    expect([verifies(old, during), verifies(fresh, during)]).toEqual([true, true]);
    const after = new WebhookSigner(destination(now.getTime()), box).headers('evt', body, now);
    expect([verifies(old, after), verifies(fresh, after)]).toEqual([false, true]);
  });

  it('cover id, timestamp and body', () => {
    const headers = new WebhookSigner(destination(0), box).headers('evt', body, now);
    expect(verifies(fresh, headers)).toBe(true);
    expect(verifies(fresh, { ...headers, 'webhook-id': 'other' })).toBe(false);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(verifies(fresh, { ...headers, 'webhook-timestamp': later })).toBe(false);
    expect(() => new Webhook(fresh).verify(`${body} `, headers)).toThrow();
  });
});
