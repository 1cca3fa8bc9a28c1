import { startAllInOne } from '#bench/streamforge';
import type { BenchServer } from '#bench/databases';
import {
  allReceived,
  DELIVERY_SETTINGS,
  register,
  sendEvery,
  sendStream,
  startReceiver,
} from '#bench/deliveries/gateway';
import { ndjsonBody } from '#bench/events';
import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import { shown } from '#bench/statistics';

const TENANTS = 8;
const BURST_EVENTS = 20_000;
const STEADY_EVENTS = 20_000;
const STEADY_PER_SECOND = 500;
const STEADY_LINES = 25;

interface Steady {
  p50Ms: number;
  p99Ms: number;
  requests: number;
  distinct: number;
}

interface Burst {
  perSecond: number;
  /** CPU time of gateway and receiver per event; undefined without /proc. */
  cpuUs: number | undefined;
}

export interface DestinationsResult {
  /** For each burst, from the first byte of the first stream to the last delivery: with many tenants, and with one. */
  bursts: { many: Burst; one: Burst }[];
  steady: { alone: Steady; besideDead: Steady } | undefined;
}

interface Bench {
  gateway: ServerProcess;
  receiver: ServerProcess;
}

/** An all-in-one process and a receiver in a process of its own, with a destination for every tenant. */
export async function measureDestinations(
  postgres: BenchServer,
  groups: { bursts: number; steady: boolean },
  progress: (text: string) => void,
): Promise<DestinationsResult> {
  const receiver = await startReceiver();
  const gateway = await startAllInOne({
    DATABASE_URL: await postgres.createDatabase('destinations'),
    ...DELIVERY_SETTINGS,
  });
  const bench = { gateway, receiver };
  try {
    const bursts: DestinationsResult['bursts'] = [];
    await burst(bench, 'warm-up', TENANTS, BURST_EVENTS / 4);
    for (let n = 1; n <= groups.bursts; n++) {
      progress(`destinations: burst ${n} of ${groups.bursts}`);
      const many = await burst(bench, `many-${n}`, TENANTS, BURST_EVENTS);
      bursts.push({ many, one: await burst(bench, `one-${n}`, 1, BURST_EVENTS) });
    }
    return { bursts, steady: groups.steady ? await isolation(bench, progress) : undefined };
  } finally {
    await gateway.stop();
    await receiver.stop();
  }
}

async function isolation(bench: Bench, progress: (text: string) => void): Promise<DestinationsResult['steady']> {
  progress('destinations: steady, alone');
  const alone = await steady(bench, 'alone', []);
  progress('destinations: steady, beside a dead one');
  return { alone, besideDead: await steady(bench, 'beside', ['dead']) };
}

export function destinationsReport({ bursts, steady }: DestinationsResult): string {
  const line = (of: string, measured: readonly Burst[]): string =>
    `destinations, ${BURST_EVENTS} events of ${of}: accepted and delivered ${shown(
      measured.map(({ perSecond }) => perSecond),
      0,
    )} events/s, CPU of gateway and receiver ${shown(
      measured.map(({ cpuUs = Number.NaN }) => cpuUs),
      0,
    )} µs/event\n`;
  const burstText =
    line(
      `${TENANTS} tenants`,
      bursts.map(({ many }) => many),
    ) +
    line(
      'one tenant',
      bursts.map(({ one }) => one),
    );
  return (bursts.length > 0 ? burstText : '') + (steady ? steadyReport(steady) : '');
}

function steadyReport({ alone, besideDead }: NonNullable<DestinationsResult['steady']>): string {
  const text = ({ p50Ms, p99Ms, requests, distinct }: Steady): string =>
    `p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, ${requests} requests for ${distinct} events`;
  return (
    `destinations, ${STEADY_EVENTS} events at ${STEADY_PER_SECOND}/s, accept to delivery: ${text(alone)}\n` +
    `  beside as many of another tenant, whose destination never responds: ${text(besideDead)}` +
    ` (p99 ${(besideDead.p99Ms / alone.p99Ms).toFixed(2)} times)\n`
  );
}

/** Events per second from the first byte sent to the last event delivered. */
async function burst(bench: Bench, run: string, tenants: number, events: number): Promise<Burst> {
  const each = events / tenants;
  const names = Array.from({ length: tenants }, (_, i) => `${run}-${i}`);
  for (const name of names) await registerPath(bench, name, `/quick/${name}`);
  const cpuBeforeUs = cpuOf(bench);
  const startedMs = Date.now();
  await Promise.all(
    names.map((name) => sendStream(bench.gateway, name, ndjsonBody({ type: 'order.paid', run: name }, 0, each))),
  );
  const reports = await Promise.all(names.map((name) => allReceived(bench.receiver, `/quick/${name}`, each)));
  const seconds = (Math.max(...reports.map(({ lastMs }) => lastMs)) - startedMs) / 1000;
  const cpuUs = (cpuOf(bench) - cpuBeforeUs) / events;
  return { perSecond: events / seconds, cpuUs: Number.isNaN(cpuUs) ? undefined : cpuUs };
}

function cpuOf({ gateway, receiver }: Bench): number {
  return [gateway, receiver].reduce((sum, { child }) => sum + (cpuMicroseconds(child.pid) ?? Number.NaN), 0);
}

/** Sends the same load for a healthy tenant and for each of the dead ones. */
async function steady(bench: Bench, healthy: string, dead: string[]): Promise<Steady> {
  await registerPath(bench, healthy, `/quick/${healthy}`);
  for (const name of dead) await registerPath(bench, name, `/dead/${name}`);
  await Promise.all([healthy, ...dead].map((name) => sendSteadily(bench, name)));
  const { p50Ms, p99Ms, requests, distinct } = await allReceived(bench.receiver, `/quick/${healthy}`, STEADY_EVENTS);
  return { p50Ms, p99Ms, requests, distinct };
}

function sendSteadily({ gateway }: Bench, tenant: string): Promise<void> {
  return sendEvery((STEADY_LINES * 1_000) / STEADY_PER_SECOND, STEADY_EVENTS / STEADY_LINES, (n) =>
    sendStream(gateway, tenant, ndjsonBody({ type: 'order.paid', run: tenant }, n * STEADY_LINES, STEADY_LINES)),
  );
}

function registerPath({ gateway, receiver }: Bench, tenantId: string, path: string): Promise<string> {
  return register(gateway, { tenantId, url: `${receiver.url}${path}`, maxInFlight: 16 });
}
