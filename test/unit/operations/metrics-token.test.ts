import type { FastifyReply } from 'fastify';
import { parseSettings } from '../../../src/config/parse-settings';
import { MetricsController } from '../../../src/operations/operations.controller';
import { toProblem } from '../../../src/http/problem.filter';
import { Metrics } from '../../../src/observability/metrics';

describe('GET /metrics', () => {
  const reply = { type: jest.fn() } as unknown as FastifyReply;
  const metrics = new Metrics();
  const scrape = (env: Record<string, string>, sent?: string): Promise<string> =>
    new MetricsController(metrics, parseSettings(env)).index(reply, sent);

  it('needs no token when METRICS_TOKEN is not set', async () => {
    await expect(scrape({})).resolves.toContain('streamforge_ingest_total');
  });

  it('accepts METRICS_TOKEN as a bearer token', async () => {
    await expect(scrape({ METRICS_TOKEN: 's' }, 'Bearer s')).resolves.toContain('streamforge_ingest_total');
  });

  it.each([undefined, 's', 'Bearer ', 'Bearer S', 'Basic s'])(
    'responds with 401, and not with 500, to the authorization %j',
    async (sent) => {
      const error: unknown = await scrape({ METRICS_TOKEN: 's' }, sent).catch((reason: unknown) => reason);
      expect(toProblem(error)).toMatchObject({ status: 401 });
    },
  );
});
