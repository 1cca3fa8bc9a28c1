import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import { runLoad, type Load, type LoadResult } from '#bench/load';

/** The result of one side under one load for a few seconds. */
export interface Measurement {
  events: number;
  perSecond: number;
  /** Per request, which carries one event or many. */
  p50Ms: number;
  p99Ms: number;
  /** CPU time of the measured process per event; null without /proc. */
  cpuUs: number | null;
  requests: number;
}

export interface Expected {
  eventsPerRequest: number;
  status: number;
  /** Text that every response must contain. */
  text: string;
}

/** @throws Error if any response is not the expected one, so that a fast refusal does not count as a fast result. */
export async function measureLoad(
  server: ServerProcess,
  load: Omit<Load, 'url' | 'onAnswer'>,
  expected: Expected,
): Promise<Measurement> {
  let unexpected: string | undefined;
  const cpuBefore = cpuMicroseconds(server.child.pid);
  const result = await runLoad({
    ...load,
    url: server.url,
    onAnswer: ({ status, body }) => {
      if (status !== expected.status || !body.includes(expected.text)) unexpected ??= `${status} ${body.toString()}`;
    },
  });
  const cpuAfter = cpuMicroseconds(server.child.pid);
  if (unexpected) throw new Error(`Expected ${expected.status} with ${expected.text}, received ${unexpected}`);
  if (result.answers.size !== 1) throw new Error(`Expected ${expected.status} only, received ${result.byStatus}`);
  return toMeasurement(result, expected.eventsPerRequest, cpuBefore, cpuAfter);
}

function toMeasurement(result: LoadResult, each: number, cpuBefore?: number, cpuAfter?: number): Measurement {
  const { requests } = result;
  const events = requests * each;
  return {
    events,
    perSecond: events / result.seconds,
    p50Ms: result.percentileMs(50),
    p99Ms: result.percentileMs(99),
    cpuUs: cpuBefore === undefined || cpuAfter === undefined ? null : (cpuAfter - cpuBefore) / events,
    requests,
  };
}
