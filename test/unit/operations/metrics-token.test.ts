import type { FastifyReply } from 'fastify';
import { parseSettings } from '../../../src/config/parse-settings';
import { MetricsController } from '../../../src/operations/operations.controller';
import { toProblem } from '../../../src/http/problem.filter';
import { Metrics } from '../../../src/observability/metrics';

describe('/metrics', () => {
  const reply = { type: jest.fn() } as unknown as FastifyReply;
  const metrics = new Metrics();
  const scrape = (env: Record<string, string>, sent?: string): Promise<string> =>
    new MetricsController(metrics, parseSettings(env)).index(reply, sent);

  it('is open where no token is set', async () => {
    await expect(scrape({})).resolves.toContain('streamforge_ingest_total');
  });

  it('takes the bearer token that is set', async () => {
    await expect(scrape({ METRICS_TOKEN: 's' }, 'Bearer s')).resolves.toContain('streamforge_ingest_total');
  });

  it.each([undefined, 's', 'Bearer ', 'Bearer S', 'Basic s'])(
    'answers 401, not a fault of ours, to %j',
    async (sent) => {
      const error: unknown = await scrape({ METRICS_TOKEN: 's' }, sent).catch((reason: unknown) => reason);
      expect(toProblem(error)).toMatchObject({ status: 401 });
    },
  );
});
