import { createHmac } from 'node:crypto';
import { request } from '#bench/client';
import type { BenchServer } from '#bench/databases';
import { forSeconds } from '#bench/load';
import { measureLoad, type Measurement } from '#bench/measurement';
import type { BenchOptions } from '#bench/options';
import type { ServerProcess } from '#bench/processes';
import { shown } from '#bench/statistics';
import { ADMIN_TOKEN, startApi } from '#bench/streamforge';

const WARM_UP_SECONDS = 2;
const CONNECTIONS = 100;
/** More than the server takes. */
const MOST_PER_SECOND = 12_000;
const SECRET = 'whsec_bench_secret_of_the_endpoint';
const TENANT = 'sources';
/** Maximum ratio of the CPU time of a signed webhook to that of the same event by POST /v1/events. */
const MOST = 1.3;

/** The same events: sent as an envelope, and as webhooks of two providers. */
const LOADS = ['post', 'stripe', 'github'] as const;
type LoadName = (typeof LOADS)[number];

/** One measurement per round for each load. */
export type SourcesResult = Record<LoadName, Measurement[]>;
type RequestOf = (run: string, n: number) => string;

/** All loads take turns on one server within a round. Each round starts with another load. */
export async function measureSources(
  postgres: BenchServer,
  { rounds, seconds }: BenchOptions,
  atEnd: (step: () => Promise<void>) => void,
): Promise<SourcesResult> {
  const DATABASE_URL = await postgres.createDatabase('sources');
  const server = await startApi('ours', { DATABASE_URL, ADMIN_TOKEN, TENANT_AUTH: 'header' });
  atEnd(() => server.stop());
  const requestOf: Record<LoadName, RequestOf> = {
    post,
    stripe: stripe(await createSource(server, 'stripe')),
    github: github(await createSource(server, 'github')),
  };
  const result: SourcesResult = { post: [], stripe: [], github: [] };
  for (let round = 0; round <= rounds; round++) {
    await postgres.empty();
    for (let turn = 0; turn < LOADS.length; turn++) {
      const load = LOADS[(turn + round) % LOADS.length] as LoadName;
      const of = requestOf[load];
      const time = round === 0 ? WARM_UP_SECONDS : seconds;
      // Signed beforehand: signing would take the time of the client that a POST leaves to the server.
      const requests = Array.from({ length: time * MOST_PER_SECOND }, (_, n) => of(`${load}${round}`, n));
      const next = forSeconds(time, (n) => requests[n] ?? of(`${load}${round}`, n));
      const status = load === 'post' ? 202 : 200;
      const expected = { eventsPerRequest: 1, status, text: '"duplicate":false' };
      const measured = await measureLoad(server, { connections: CONNECTIONS, next }, expected);
      if (round > 0) result[load].push(measured);
    }
  }
  return result;
}

/** Returns the path of the new source. */
async function createSource(server: ServerProcess, provider: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/admin/sources`, {
    method: 'POST',
    headers: { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' },
    body: JSON.stringify({ tenantId: TENANT, name: provider, provider, secrets: [SECRET] }),
  });
  if (response.status !== 201) throw new Error(`creating a source: ${response.status} ${await response.text()}`);
  const { url } = (await response.json()) as { url: string };
  return new URL(url).pathname;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const hmac = (text: string): string => createHmac('sha256', SECRET).update(text).digest('hex');

/** About 600 bytes, as other loads of the bench. */
function invoice(run: string, n: number): string {
  const lines = Array.from(
    { length: 3 },
    (_, i) => `{"id":"il_${n}_${i}","amount":${i + 1}99,"description":"as ordered"}`,
  );
  return (
    `{"id":"evt_${run}_${n}","object":"event","api_version":"2025-09-30","created":1767225600,"type":"invoice.paid",` +
    `"livemode":true,"pending_webhooks":1,"request":{"id":"req_${n}","idempotency_key":null},"data":{"object":` +
    `{"id":"in_${run}_${n}","object":"invoice","amount_paid":2997,"currency":"eur","customer":"cus_${n}",` +
    `"lines":{"data":[${lines.join(',')}]}}}}`
  );
}

const post: RequestOf = (run, n) =>
  request(
    'POST /v1/events',
    { ...JSON_TYPE, 'X-Tenant-Id': TENANT },
    `{"eventType":"invoice.paid","eventId":"evt_${run}_${n}","subject":"in_${run}_${n}","source":"stripe",` +
      `"occurredAt":"2026-01-01T00:00:00Z","payload":${invoice(run, n)}}`,
  );

const stripe =
  (path: string): RequestOf =>
  (run, n) => {
    const body = invoice(run, n);
    const time = Math.floor(Date.now() / 1000);
    const signature = `t=${time},v1=${hmac(`${time}.${body}`)},v0=${'0'.repeat(64)}`;
    return request(`POST ${path}`, { ...JSON_TYPE, 'Stripe-Signature': signature, 'User-Agent': 'Stripe/1.0' }, body);
  };

const github =
  (path: string): RequestOf =>
  (run, n) => {
    const body = `{"action":"opened","repository":{"full_name":"acme/shop"},"issue":${invoice(run, n)}}`;
    const headers = {
      'X-GitHub-Event': 'issues',
      'X-GitHub-Delivery': `${run}-${n}`,
      'X-GitHub-Hook-ID': '1',
      'X-Hub-Signature-256': `sha256=${hmac(body)}`,
      'User-Agent': 'GitHub-Hookshot/bench',
    };
    return request(`POST ${path}`, { ...JSON_TYPE, ...headers }, body);
  };

export function sourcesReport(result: SourcesResult): string {
  const cpu = (load: LoadName): number[] => result[load].map(({ cpuUs }) => cpuUs ?? Number.NaN);
  const figures = LOADS.map((load) => {
    const perSecond = result[load].map((one) => one.perSecond);
    return `${load}: ${shown(perSecond, 0)} events/s, ${shown(cpu(load), 1)} µs of CPU each`;
  });
  const ofPost = cpu('post');
  const ratios = (['stripe', 'github'] as const).map((load) => {
    const ratio = cpu(load).map((one, i) => one / (ofPost[i] as number));
    return `${load} / post: ${shown(ratio, 3)} of the CPU (wanted <= ${MOST})`;
  });
  return `${[...figures, ...ratios].join('\n')}\n`;
}
