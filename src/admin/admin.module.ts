import { Module } from '@nestjs/common';
import { UsageController } from './usage.controller';

/** What operators see and do. */
@Module({ controllers: [UsageController] })
export class AdminModule {}
