import { rightly, STYLES, type SigningStyle } from '../../../support/sources/styles';
import { NOW_SECONDS, type Sent } from '../../../support/sources/received';
import { codeOf, verified } from '../../../support/sources/verifying';

const REFUSED = /^signature-(?:missing|invalid|expired)$/;

/** Changes one bit of a byte. */
function flipped(bytes: Buffer, i: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[i] = (copy[i] as number) ^ 1;
  return copy;
}

const withHeader = (sent: Sent, name: string, value: string | string[] | undefined): Sent => ({
  ...sent,
  headers: { ...sent.headers, [name]: value },
});

describe.each(STYLES.map((style): [string, SigningStyle] => [style.name, style]))('%s', (_name, style) => {
  const { rule, secrets, headers } = style;
  const [right, wrong] = secrets;
  const good = style.request(rightly(style));

  it('accepts a request that is signed with one of its secrets, in any order', async () => {
    for (const order of [[right], [right, wrong], [wrong, right]]) {
      expect(await verified(rule, order, good)).toMatchObject({ verified: true });
    }
  });

  it('refuses another secret, and everything while it has none', async () => {
    expect(await codeOf(rule, [wrong], good)).toBe('signature-invalid');
    expect(await codeOf(rule, [], good)).toBe('signature-invalid');
    expect(await codeOf(rule, [right], style.request({ ...rightly(style), secret: wrong }))).toBe('signature-invalid');
  });

  it('refuses a signature of which one bit was changed, or which is shorter, longer or empty', async () => {
    const spoils: ((signature: Buffer) => Buffer)[] = [
      (signature) => signature.subarray(0, -1),
      (signature) => Buffer.concat([signature, Buffer.from('0')]),
      () => Buffer.alloc(0),
    ];
    for (let i = 0; i < 16; i++) spoils.push((signature) => flipped(signature, i));
    for (const spoil of spoils) {
      expect(await codeOf(rule, secrets, style.request({ ...rightly(style), spoil }))).toMatch(REFUSED);
    }
  });

  for (const name of headers) {
    it(`refuses a request without ${name}, or with another or a repeated one`, async () => {
      const value = good.headers?.[name] as string;
      expect(await codeOf(rule, secrets, withHeader(good, name, undefined))).toMatch(REFUSED);
      expect(await codeOf(rule, secrets, withHeader(good, name, ''))).toMatch(REFUSED);
      const changed = name === 'content-type' ? 'text/plain' : flipped(Buffer.from(value), 0).toString();
      expect(await codeOf(rule, secrets, withHeader(good, name, changed))).toMatch(REFUSED);
      if (name === 'content-type') return; // Node.js drops all but the first
      const other = style.request({ ...rightly(style), secret: wrong, at: NOW_SECONDS - 1 }).headers?.[name] as string;
      expect(await codeOf(rule, [right], withHeader(good, name, [other, other]))).toMatch(REFUSED);
    });
  }

  if (style.coversBody) {
    it('refuses a body of which one byte was changed, added or taken away', async () => {
      const body = Buffer.from(good.body as string);
      const changed = Array.from({ length: body.length }, (_, i) => flipped(body, i));
      for (const other of [
        ...changed,
        body.subarray(1),
        body.subarray(0, -1),
        Buffer.concat([body, Buffer.from(' ')]),
      ]) {
        expect(await codeOf(rule, secrets, { ...good, body: other })).toMatch(REFUSED);
      }
    });
  }

  if (style.isTimed) {
    it.each([
      [-300, 'ok'],
      [300, 'ok'],
      [-301, 'signature-expired'],
      [301, 'signature-expired'],
      [-1_000_000, 'signature-expired'],
    ])('a request that was signed %d s from now: %s', async (seconds, code) => {
      const request = style.request({ ...rightly(style), at: NOW_SECONDS + seconds });
      expect(await codeOf(rule, secrets, request)).toBe(code);
      if (code === 'ok') return;
      expect(await verified(rule, secrets, request)).toMatchObject({ facts: { clockDifferenceSeconds: -seconds } });
    });
  }

  it('shows no secret in a refusal', async () => {
    const refusals = [
      await verified(rule, [right], style.request({ ...rightly(style), secret: wrong })),
      await verified(rule, secrets, { ...good, headers: {}, body: '', query: {} }),
    ];
    const text = JSON.stringify(refusals);
    if (rule.scheme === 'hmac' || rule.scheme === 'token' || rule.scheme === 'basic') expect(text).not.toContain(right);
    expect(refusals).toEqual([
      expect.objectContaining({ verified: false }),
      expect.objectContaining({ verified: false }),
    ]);
  });

  it('refuses an empty secret', async () => {
    for (const secret of ['', ' ', '\n'])
      await expect(codeOf(rule, [secret], good)).rejects.toThrow('must not be empty');
  });
});
