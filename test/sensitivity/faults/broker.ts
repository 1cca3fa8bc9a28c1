import type { DeliberateFault } from '../deliberate-fault';
import { under } from './runs';

export const FAULTS_IN_BROKER: readonly DeliberateFault[] = [
  {
    name: 'a publish counts as confirmed before the confirm',
    stage: 'broker',
    invariant: 'I3',
    edits: [
      {
        file: 'src/broker/rabbit-publisher.ts',
        find: "        else settle(this.takeReturn(message) ? 'unroutable' : 'confirmed');\n      });",
        replace:
          "        else settle(this.takeReturn(message) ? 'unroutable' : 'confirmed');\n      });\n      settle('confirmed');",
      },
    ],
    noticedBy: under(['hang-rabbitmq'], 'unsettled', 'left over'),
  },
  {
    name: 'a channel is not opened again after a reconnect',
    stage: 'broker',
    edits: [
      {
        file: 'src/broker/rabbit-channel.ts',
        find: "connection.managedConnection.on('connect', this.open);",
        replace: "connection.managedConnection.once('connect', this.open);",
      },
    ],
    noticedBy: under(['kill-rabbitmq', 'cut-rabbitmq'], 'left over', 'unsettled'),
  },
  {
    name: 'an ack covers all earlier messages as well',
    stage: 'broker',
    invariant: 'I5',
    edits: [
      {
        file: 'src/broker/rabbit-consumer.ts',
        find: '        channel.ack(withTag(tag));',
        replace: '        channel.ack(withTag(tag), true);',
      },
    ],
    noticedBy: { tests: ['test/contract/broker.test.ts'] },
  },
  {
    name: 'the signature of a message is not checked',
    stage: 'broker',
    edits: [
      {
        file: 'src/broker/message-signature.ts',
        find: "? undefined : 'forged';",
        replace: "|| signature ? undefined : 'forged';",
      },
    ],
    noticedBy: { tests: ['test/integration/worker/untrusted-broker.test.ts'] },
  },
  {
    name: 'the signature of a bundle is not checked',
    stage: 'broker',
    edits: [
      {
        file: 'src/broker/message-signature.ts',
        find: 'return doubt(LABEL_OF_BUNDLES, headers, bundle, mac);',
        replace: 'return doubt(LABEL_OF_BUNDLES, headers, bundle, mac) && undefined;',
      },
    ],
    noticedBy: { tests: ['test/integration/worker/bundles.test.ts'] },
  },
  {
    name: 'a bundle is acked with the first of its events',
    stage: 'broker',
    invariant: 'I5',
    edits: [
      {
        file: 'src/broker/rabbit-deliveries.ts',
        find: 'if (delivery.open === 0) ended',
        replace: 'if (delivery.open >= 0) ended',
      },
    ],
    noticedBy: { tests: ['test/contract/rabbit-bundles.test.ts'] },
  },
  {
    name: 'a redelivered bundle is not taken apart',
    stage: 'broker',
    invariant: 'I10',
    edits: [
      {
        file: 'src/broker/rabbit-deliveries.ts',
        find: 'redelivered: delivery.redelivered',
        replace: 'redelivered: delivery.redelivered && entries.length === 1',
      },
    ],
    noticedBy: { tests: ['test/integration/worker/bundles.test.ts'] },
  },
  {
    name: 'bundles are published although no worker takes them',
    stage: 'broker',
    invariant: 'I13',
    edits: [
      {
        file: 'src/broker/rabbit-publisher.ts',
        find: 'return consumers > 0;',
        replace: 'return consumers >= 0;',
      },
    ],
    noticedBy: { tests: ['test/contract/rabbit-bundles.test.ts'] },
  },
  {
    name: 'a message without a signature is trusted',
    stage: 'broker',
    edits: [
      {
        file: 'src/worker/consume/trusted-events.ts',
        find: "if (message.doubt === 'unsigned') return { kind: 'unsigned', event };",
        replace: "if (message.doubt === 'unsigned') return { kind: 'trusted', event, history: this.history ?? '' };",
      },
    ],
    noticedBy: under(['forge-rabbitmq'], 'usage', 'changed', 'doubled'),
  },
  {
    name: 'a message that always fails is tried for ever',
    stage: 'broker',
    invariant: 'I10',
    edits: [
      {
        file: 'src/worker/consume/patient-work.ts',
        find: 'if (failures >= MOST_FAILURES_ALONE) return',
        replace: 'if (failures >= Infinity * MOST_FAILURES_ALONE) return',
      },
    ],
    noticedBy: { tests: ['test/integration/worker/parked-messages.test.ts'] },
  },
  {
    name: 'a virtual host of another installation is used',
    stage: 'broker',
    edits: [
      {
        file: 'src/broker/rabbit-topology.ts',
        find: 'if (topology.owner !== undefined) await',
        replace: "if (topology.owner === 'nobody') await",
      },
    ],
    noticedBy: under(['share-rabbitmq'], 'other installation'),
  },
];
