import { Module } from '@nestjs/common';
import { Chores } from './chores';
import { KeyPruning } from './key-pruning';
import { OutboxGauges } from './outbox-gauges';
import { Publisher } from './publisher';
import { Reconciler } from './reconciler';
import { Retention } from './retention';

/** The publisher, and the periodic chores of the installation. */
@Module({ providers: [Publisher, OutboxGauges, Reconciler, Retention, KeyPruning, Chores] })
export class OutboxModule {}
