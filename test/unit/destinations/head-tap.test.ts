import { Socket } from 'node:net';
import * as fc from 'fast-check';
import { HeadTap } from '../../../src/destinations/http/head-tap';

const INTERIM = fc.constantFrom(
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 102\nA: b\n\n',
  '\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nX: y\r\n\r\n',
);
const FINAL = fc.constantFrom(
  { status: 200, text: 'HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1' },
  { status: 503, text: 'HTTP/1.1 503\n\nbusy' },
  { status: 101, text: 'HTTP/1.1 101 Switching Protocols\r\n\r\n' },
  { status: 204, text: 'HTTP/1.0 204 \r\nNonsense\r\n\r\n' },
);
const CUTS = fc.array(fc.nat(300), { maxLength: 12 });

function tapped(): { tap: HeadTap; socket: Socket; passed: () => string } {
  const tap = new HeadTap();
  const socket = new Socket();
  tap.watch(socket);
  return { tap, socket, passed: () => (socket.read() as Buffer | null)?.toString('latin1') ?? '' };
}

function pushInPieces(socket: Socket, text: string, cuts: readonly number[]): void {
  const offsets = [0, ...cuts.filter((cut) => cut > 0 && cut < text.length).sort((a, b) => a - b), text.length];
  for (const [at, start] of offsets.slice(0, -1).entries()) {
    if (offsets[at + 1] !== start) socket.push(Buffer.from(text.slice(start, offsets[at + 1]), 'latin1'));
  }
}

describe('the tap of a connection', () => {
  it('passes the final response and its status, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(INTERIM, { maxLength: 4 }), FINAL, CUTS, (interims, { status, text }, cuts) => {
        const { tap, socket, passed } = tapped();
        let found = 0;
        tap.begin(() => (found += 1));
        pushInPieces(socket, interims.join('') + text, cuts);
        expect([passed(), tap.status, tap.text, found]).toEqual([text, status, text, 1]);
        socket.destroy();
      }),
    );
  });

  it('passes everything unchanged between requests, and what is no response', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.boolean(), CUTS, (noise, isBegun, cuts) => {
        const { tap, socket, passed } = tapped();
        if (isBegun) tap.begin(() => undefined);
        const text = isBegun ? `!${noise}\n` : `HTTP/1.1 100 Continue\r\n\r\n${noise}`;
        pushInPieces(socket, Buffer.from(text).toString('latin1'), cuts);
        expect([Buffer.from(passed(), 'latin1').toString(), tap.status]).toEqual([text, undefined]);
        socket.destroy();
      }),
    );
  });

  it('passes what it held when the connection ends', () => {
    const { tap, socket, passed } = tapped();
    tap.begin(() => undefined);
    socket.push(Buffer.from('HTTP/1.1 2'));
    expect(passed()).toBe('');
    socket.push(null);
    expect(passed()).toBe('HTTP/1.1 2');
  });

  it('holds no more than 16 kB of a status line', () => {
    const { tap, socket, passed } = tapped();
    tap.begin(() => undefined);
    socket.push(Buffer.from(`HTTP/1.1 200 ${'x'.repeat(17_000)}`));
    expect(passed()).toHaveLength(17_013);
    expect(tap.text).toHaveLength(16_384);
  });
});
