import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BenchServer } from '#bench/databases';
import { posts } from '#bench/figures';
import type { Measurement } from '#bench/measurement';
import type { BenchOptions } from '#bench/options';
import type { ServerProcess } from '#bench/processes';
import { shown } from '#bench/statistics';
import { startApi } from '#bench/streamforge';

const WARM_UP_SECONDS = 2;

/** One measurement per round for each side. */
export type OverheadResult = Record<string, Measurement[]>;

/** The same application: as by default, without metrics and logs, without tracing calls, and with tracing. */
const SIDES: readonly { name: string; mode: string; env: Record<string, string> }[] = [
  { name: 'unobserved', mode: 'unobserved', env: { LOG_LEVEL: 'silent' } },
  { name: 'default', mode: 'ours', env: { LOG_LEVEL: 'info' } },
  { name: 'no seams', mode: 'no-seams', env: { LOG_LEVEL: 'info' } },
  {
    name: '1 % traced',
    mode: 'ours',
    env: { LOG_LEVEL: 'info', OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' },
  },
];

/** Two sides, and the minimum ratio of the first to the second. */
const RATIOS = [
  ['default', 'unobserved', 0.92],
  ['default', 'no seams', 0.99],
  ['1 % traced', 'default', 0.9],
] as const;

/** All sides take turns within a round. Each round starts with another side. */
export async function measureOverhead(
  postgres: BenchServer,
  { rounds, seconds }: BenchOptions,
  atEnd: (step: () => Promise<void>) => void,
): Promise<OverheadResult> {
  const collector = await startCollector();
  atEnd(collector.close);
  const servers: [string, ServerProcess][] = [];
  for (const { name, mode, env } of SIDES) {
    const DATABASE_URL = await postgres.createDatabase(`overhead${servers.length}`);
    const tracing: Record<string, string> = 'OTEL_TRACES_SAMPLER' in env ? collector.env : {};
    const server = await startApi(mode, { DATABASE_URL, ...tracing, ...env });
    atEnd(() => server.stop());
    servers.push([name, server]);
  }
  const result: OverheadResult = Object.fromEntries(servers.map(([name]) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    await postgres.empty();
    for (let turn = 0; turn < servers.length; turn++) {
      const [name, server] = servers[(turn + round) % servers.length] as [string, ServerProcess];
      const source = { type: 'order.paid', run: `r${round}` };
      const measured = await posts({ source, seconds: round === 0 ? WARM_UP_SECONDS : seconds }, server);
      if (round > 0) result[name]?.push(measured);
    }
  }
  return result;
}

export function overheadReport(result: OverheadResult): string {
  const lines = Object.entries(result).map(([name, measured]) => {
    const perSecond = shown(
      measured.map((one) => one.perSecond),
      0,
    );
    const cpu = shown(
      measured.map(({ cpuUs }) => cpuUs ?? Number.NaN),
      1,
    );
    return `post, ${name}: ${perSecond} events/s, ${cpu} µs of CPU each`;
  });
  for (const [above, below, least] of RATIOS) {
    const ratio = (of: (measured: Measurement) => number): string =>
      shown(
        (result[above] ?? []).map((measured, i) => of(measured) / of(result[below]?.[i] as Measurement)),
        3,
      );
    lines.push(
      `${above} / ${below}: ${ratio(({ perSecond }) => perSecond)} of the events (wanted >= ${least}), ` +
        `${ratio(({ cpuUs }) => cpuUs ?? Number.NaN)} of the CPU`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Accepts traces and discards them. */
async function startCollector(): Promise<{ env: Record<string, string>; close: () => Promise<void> }> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.once('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { env, close };
}
