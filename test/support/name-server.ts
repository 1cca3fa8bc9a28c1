import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

const TYPES = { A: 1, CNAME: 5, AAAA: 28 } as const;
const CODES = { ok: 0, servfail: 2, nxdomain: 3 } as const;

/** What the name server knows of one name. Of a name that it does not know, it says NXDOMAIN. */
export interface KnownName {
  addresses?: string[];
  /** The name that has the addresses, which must be known as well. */
  cname?: string;
  ttlSeconds?: number;
  /** Queries of this type get no answer. */
  silentFor?: 'A' | 'AAAA';
  code?: keyof typeof CODES;
}

/** A name server on a UDP port of its own. Names that are silent get no answer. */
export class TestNameServer {
  readonly names = new Map<string, KnownName | 'silent'>();
  /** Names of the queries so far, each with its type. */
  readonly queries: string[] = [];

  private constructor(
    private readonly socket: Socket,
    readonly address: string,
  ) {
    socket.on('message', (query, { port, address: from }) => {
      const answer = this.answerTo(query);
      if (answer) socket.send(answer, port, from);
    });
  }

  static async start(): Promise<TestNameServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new TestNameServer(socket, `127.0.0.1:${socket.address().port}`);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }

  private answerTo(query: Buffer): Buffer | undefined {
    const { name, end } = readName(query);
    const type = query.readUInt16BE(end);
    this.queries.push(`${name} ${type === TYPES.A ? 'A' : type === TYPES.AAAA ? 'AAAA' : type}`);
    const known = this.names.get(name);
    if (known === 'silent' || (known?.silentFor && TYPES[known.silentFor] === type)) return undefined;
    const records = known ? this.recordsOf(name, known, type) : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180 | CODES[known ? (known.code ?? 'ok') : 'nxdomain'], 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    return Buffer.concat([head, query.subarray(12, end + 4), ...records]);
  }

  private recordsOf(name: string, known: KnownName, type: number): Buffer[] {
    const { addresses = [], cname, ttlSeconds = 60 } = known;
    if (cname !== undefined) {
      const target = this.names.get(cname);
      const rest = target && target !== 'silent' ? this.recordsOf(cname, target, type) : [];
      return [record(name, TYPES.CNAME, ttlSeconds, encodeName(cname)), ...rest];
    }
    const wanted = addresses.filter((address) => isIPv6(address) === (type === TYPES.AAAA));
    return wanted.map((address) => record(name, type, ttlSeconds, encodeAddress(address)));
  }
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ]);

function encodeAddress(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [before = '', after = ''] = address.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const [head, tail] = [groups(before), groups(after)];
  const bytes = Buffer.alloc(16);
  [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail].forEach((group, i) =>
    bytes.writeUInt16BE(group, i * 2),
  );
  return bytes;
}

function record(name: string, type: number, ttlSeconds: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(ttlSeconds, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(name), fixed, data]);
}
