import { Module } from '@nestjs/common';
import { ReplayLoop } from './replay-loop';

/** The part of the admin side that publishers run: replays that do not end within their request. */
@Module({ providers: [ReplayLoop] })
export class ReplayModule {}
