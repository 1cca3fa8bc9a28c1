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
];
