import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import { runLoad, type Load, type LoadResult } from '#bench/load';

/** One side under one load for a few seconds. */
export interface Measurement {
  events: number;
  perSecond: number;
  /** Of a request, which carries one event or many. */
  p50Ms: number;
  p99Ms: number;
  /** CPU time of the measured process for each event; null where there is no /proc. */
  cpuUs: number | null;
  requests: number;
}

export interface Expected {
  eventsPerRequest: number;
  status: number;
  /** Text that every answer must hold. */
  text: string;
}

/** @throws Error when any answer is not the expected one: a fast refusal must not pass for a fast answer. */
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
  if (unexpected) throw new Error(`Expected ${expected.status} with ${expected.text}, but: ${unexpected}`);
  if (result.answers.size !== 1) throw new Error(`Expected ${expected.status} only, but: ${result.byStatus}`);
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
