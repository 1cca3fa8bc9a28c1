import type { DeliberateFault } from '../deliberate-fault';
import { calm, under } from './runs';

const INTAKE = 'src/ingest/store/intake.ts';

export const FAULTS_IN_CACHE: readonly DeliberateFault[] = [
  {
    name: "a fact is remembered under its neighbour's key",
    stage: 'cache',
    invariant: 'I2',
    edits: [
      {
        file: INTAKE,
        find: '(events[i] as PreparedEvent).keyDigest',
        replace: '(events[(i + 1) % events.length] as PreparedEvent).keyDigest',
      },
    ],
    noticedBy: calm('doubled', 'changed', 'rejection'),
  },
  {
    name: 'the cache remembers what is not committed yet',
    stage: 'cache',
    invariant: 'I2',
    edits: [
      {
        file: INTAKE,
        find: '    const result = await this.writer.write(prepared);',
        replace: `    const committed = { ...prepared.event, fingerprint: prepared.fingerprint };
    await this.cache.remember([{ digest: prepared.keyDigest, committed }]);
    const result = await this.writer.write(prepared);`,
      },
    ],
    noticedBy: under(['kill-postgres', 'stop-postgres', 'hang-postgres'], 'lost', 'doubled'),
  },
  {
    name: 'a duplicate from the cache is answered with the time of the repeat',
    stage: 'cache',
    edits: [
      {
        file: INTAKE,
        find: "return { ...decision, layer: 'cache' };",
        replace:
          "return { ...decision, of: { ...decision.of, receivedAt: prepared.event.receivedAt }, layer: 'cache' };",
      },
    ],
    noticedBy: calm('changed'),
  },
];
