import { Module } from '@nestjs/common';
import { Chores } from './chores';
import { Publisher } from './publisher';
import { Reconciler } from './reconciler';

/** Outbox → broker, and the chores of the installation. */
@Module({ providers: [Publisher, Reconciler, Chores] })
export class OutboxModule {}
