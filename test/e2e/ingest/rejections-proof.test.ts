import { Report } from '../../deliveries-proof/report';
import { sendingsOf, type Corpus } from '../../rejections-proof/corpora';
import { hostileSendings } from '../../rejections-proof/hostile';
import { prove } from '../../rejections-proof/prove';
import type { Sending } from '../../rejections-proof/sending';
import { createSource } from '../../rejections-proof/source';
import { syntheticEvents } from '../../support/e2e-events';
import { useApp } from '../../support/fixtures/app';

const LIMIT = 8_192;
const PATIENCE_MS = 600_000;

const xmlOf = (n: number): string =>
  `<event eventId="xml-${n}"><eventType>sale</eventType>\n <subject>s</subject><payload><no>${n}</no></payload></event>`;
const CORPORA: Corpus[] = [
  { name: 'json', format: 'json', records: syntheticEvents(84, 'proof').map(({ line }) => line) },
  { name: 'xml', format: 'xml', records: Array.from({ length: 84 }, (_, n) => xmlOf(n)) },
];

describe('npm run rejections:proof, in short', () => {
  const running = useApp({ APP_ROLE: 'api', MAX_EVENT_BYTES: String(LIMIT) });

  /** Returns the figures that are not as they have to be, with the notes. */
  async function failuresOf(sendings: Sending[]): Promise<string[]> {
    const lines: string[] = [];
    const tally = await prove(running.url, sendings, new Report('short run', (line) => lines.push(line)));
    expect(tally.kept).toBeGreaterThan(0);
    return lines.some((line) => line.startsWith('FAIL')) ? lines : [];
  }

  it.each(CORPORA)(
    'every record of $name is an event, or is found again byte for byte, when every seventh is broken',
    async (corpus) => {
      const source = await createSource(running.url, `${corpus.name}-source`);
      expect(await failuresOf(sendingsOf(corpus, source, LIMIT))).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'every record of a hostile request is an event, or is found again, or is reported as not kept',
    async () => {
      expect(await failuresOf(hostileSendings())).toEqual([]);
    },
    PATIENCE_MS,
  );
});
