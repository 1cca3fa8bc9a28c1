import { Module } from '@nestjs/common';
import { OperatorEvents } from './operator-events';

/** Tells operators what goes wrong. It runs in publishers, as the other chores of the installation. */
@Module({ providers: [OperatorEvents] })
export class OperatorEventsModule {}
