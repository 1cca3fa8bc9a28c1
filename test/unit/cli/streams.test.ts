import { bannerOf } from '../../../src/cli/commands/dev';
import { serverSentEvents, type ServerSentEvent } from '../../../src/cli/http/server-sent-events';
import { banner } from '../../../src/runtime/banner';
import { testSettings } from '../../support/app';

async function read(...chunks: string[]): Promise<ServerSentEvent[]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(bytes())) events.push(event);
  return events;
}

describe('server-sent events', () => {
  it('are read whole, wherever the chunks are cut', async () => {
    const text = Buffer.from('event: events\r\ndata: {"a":"ü"}\r\n\r\n: a comment\n\ndata: 1\ndata: 2\n\n').toString(
      'latin1',
    );
    const whole = [
      { event: 'events', data: '{"a":"ü"}' },
      { event: 'message', data: '1\n2' },
    ];
    for (let cut = 0; cut < text.length; cut++) {
      expect(await read(text.slice(0, cut), text.slice(cut))).toEqual(whole);
    }
  });

  it('leave out one that the connection has cut', async () => {
    expect(await read('data: 1\n\ndata: 2\n')).toEqual([{ event: 'message', data: '1' }]);
  });
});

describe('what a start prints', () => {
  const settings = testSettings({ ADMIN_TOKEN: '' });
  const started = { url: 'http://127.0.0.1:3000', dataDirectory: '/d', token: 'a-token', code: 'c0de' };

  it('has the address, the link to the console and the generated token', () => {
    const text = `{"level":30}\n${banner(settings, started)}`;
    expect(bannerOf(text)).toMatchObject({ url: 'http://127.0.0.1:3000', token: 'a-token' });
    expect(bannerOf(text)?.console).toMatch(/^http:\/\/127\.0\.0\.1:3000\/console/);
    expect(bannerOf(banner(settings, { ...started, opsUrl: 'http://127.0.0.1:9' }))?.url).toBe('http://127.0.0.1:9');
    expect(bannerOf(banner(settings, { url: started.url }))?.token).toBeUndefined();
  });

  it('is read only when all of it is there', () => {
    const text = banner(settings, started);
    for (let end = 0; end < text.length; end++) expect(bannerOf(text.slice(0, end))).toBeUndefined();
  });
});
