import type { DeliberateFault } from '../deliberate-fault';
import { calm, under } from './runs';

const LOOP = 'src/runtime/loop.ts';

export const FAULTS_IN_SHUTDOWN: readonly DeliberateFault[] = [
  {
    name: 'SIGTERM does not wait for the current pass of a loop',
    stage: 'shutdown',
    invariant: 'I15',
    edits: [{ file: LOOP, find: '    await this.running;\n', replace: '    await Promise.resolve();\n' }],
    noticedBy: { tests: ['test/unit/runtime/loop.test.ts'] },
  },
  {
    name: 'loops continue after SIGTERM',
    stage: 'shutdown',
    invariant: 'I15',
    edits: [{ file: LOOP, find: '    this.stopping = true;\n', replace: '' }],
    noticedBy: calm('shutdown'),
  },
  {
    name: 'SIGTERM closes the listener of an api at once',
    stage: 'shutdown',
    invariant: 'I15',
    edits: [{ file: 'src/create-app.ts', find: '  await sleep(drainMs);\n', replace: '  await sleep(0 * drainMs);\n' }],
    noticedBy: under(['leave-api'], 'strange answer'),
  },
  {
    name: 'at SIGTERM a worker acks messages that it has not processed',
    stage: 'shutdown',
    invariant: 'I15',
    edits: [
      {
        file: 'src/worker/consume/queue-consumer.ts',
        find: '    this.giveBack(this.arrived.splice(0));\n    this.requeue([...this.ready.splice(0), ...this.suspects.splice(0)]);\n',
        replace:
          '    this.consumer.ack([...this.arrived.splice(0), ...messagesOf([...this.ready.splice(0), ...this.suspects.splice(0)])]);\n',
      },
    ],
    noticedBy: { tests: ['test/integration/worker/worker.test.ts'] },
  },
];
