import type { DeliberateFault, Stage } from './deliberate-fault';
import { FAULTS_IN_ACCESS } from './faults/access';
import { FAULTS_IN_ADMIN } from './faults/admin';
import { FAULTS_IN_BROKER } from './faults/broker';
import { FAULTS_IN_CACHE } from './faults/cache';
import { FAULTS_IN_CHORES } from './faults/chores';
import { FAULTS_IN_DELIVERY } from './faults/delivery';
import { FAULTS_IN_INGEST } from './faults/ingest';
import { FAULTS_IN_LIMITS } from './faults/limits';
import { FAULTS_IN_ORDER } from './faults/order';
import { FAULTS_IN_OUTBOX } from './faults/outbox';
import { FAULTS_IN_SETTLEMENT } from './faults/settlement';
import { FAULTS_IN_SHUTDOWN } from './faults/shutdown';
import { FAULTS_IN_SOURCES } from './faults/sources';
import { FAULTS_IN_STORE } from './faults/store';
import { FAULTS_IN_WORKER } from './faults/worker';
import { SAFEGUARDS, type Safeguard } from './safeguards';

const STAGE_OF_FOLDER: Record<string, Stage> = {
  ingest: 'store',
  redis: 'cache',
  outbox: 'outbox',
  broker: 'broker',
  worker: 'worker',
  'event-state': 'settlement',
};

/** Switching off a safeguard is a deliberate fault. */
function withoutSafeguard({ name, tests, ...safeguard }: Safeguard): DeliberateFault {
  const folder = safeguard.edits[0]?.file.split('/')[1] ?? '';
  const stage = STAGE_OF_FOLDER[folder] as Stage;
  return { ...safeguard, name: `switched off: ${name}`, stage, noticedBy: { tests } };
}

export const DELIBERATE_FAULTS: readonly DeliberateFault[] = [
  ...FAULTS_IN_INGEST,
  ...FAULTS_IN_CACHE,
  ...FAULTS_IN_STORE,
  ...FAULTS_IN_OUTBOX,
  ...FAULTS_IN_BROKER,
  ...FAULTS_IN_WORKER,
  ...FAULTS_IN_SETTLEMENT,
  ...FAULTS_IN_DELIVERY,
  ...FAULTS_IN_ORDER,
  ...FAULTS_IN_CHORES,
  ...FAULTS_IN_ADMIN,
  ...FAULTS_IN_ACCESS,
  ...FAULTS_IN_SHUTDOWN,
  ...FAULTS_IN_LIMITS,
  ...FAULTS_IN_SOURCES,
  ...SAFEGUARDS.map(withoutSafeguard),
];
