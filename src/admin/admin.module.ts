import { Module } from '@nestjs/common';
import { DestinationsModule } from '../destinations/destinations.module';
import { DestinationUrl } from './destination-url';
import { Destinations } from './destinations';
import { DestinationsController } from './destinations.controller';
import { UsageController } from './usage.controller';

/** What operators see and do. */
@Module({
  imports: [DestinationsModule],
  controllers: [UsageController, DestinationsController],
  providers: [Destinations, DestinationUrl],
})
export class AdminModule {}
