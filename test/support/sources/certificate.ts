import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

/** A certificate that is signed with its own key, and that key. */
export interface MadeCertificate {
  pem: string;
  privateKey: KeyObject;
}

interface Options {
  type?: 'rsa' | 'ec';
  validFrom?: Date;
  validTo?: Date;
  /** Name of the host that it is for. */
  host?: string;
}

const DAY_MS = 86_400_000;
const ALGORITHMS = { rsa: '1.2.840.113549.1.1.11', ec: '1.2.840.10045.4.3.2' };
const COMMON_NAME = '2.5.4.3';
const ALTERNATIVE_NAME = '2.5.29.17';

/** Makes an X.509 certificate: Node.js can only read them. */
export function makeCertificate(options: Options = {}): MadeCertificate {
  const { type = 'rsa', validFrom = new Date(Date.now() - DAY_MS), validTo = new Date(Date.now() + DAY_MS) } = options;
  const { host = 'signer.example.com' } = options;
  const { privateKey, publicKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(ALGORITHMS[type]), ...(type === 'rsa' ? [tag(0x05, Buffer.alloc(0))] : []));
  const name = sequence(tag(0x31, sequence(oid(COMMON_NAME), tag(0x0c, Buffer.from(host)))));
  const names = sequence(tag(0x82, Buffer.from(host)));
  const signed = sequence(
    tag(0xa0, tag(0x02, Buffer.from([2]))),
    tag(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(validFrom), time(validTo)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, sequence(sequence(oid(ALTERNATIVE_NAME), tag(0x04, names)))),
  );
  const signature = createSign('sha256').update(signed).sign(privateKey);
  const der = sequence(signed, algorithm, tag(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return { pem: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`, privateKey };
}

function tag(kind: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([kind, ...head]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => tag(0x30, Buffer.concat(parts));

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = rest.flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tag(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

/** GeneralizedTime, such as 20260102030405Z. */
const time = (date: Date): Buffer => tag(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\..*/g, '')}Z`));
