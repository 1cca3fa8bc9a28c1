import { Injectable, Module } from '@nestjs/common';
import { AddressGuard, RESOLVE, resolveBySystem } from './address/address-guard';
import { Courier } from './courier';
import { DestinationRegistry } from './destination-registry';
import { TransformProcess } from './render/transform-process';
import { SecretKey } from './secrets/secret-key';
import { Senders } from './senders';

/** Closes the lines of destinations that were deleted or disabled. */
@Injectable()
class CloseLines {
  constructor(registry: DestinationRegistry, courier: Courier) {
    registry.onChange(({ destinations }) => courier.forget(new Set(destinations.map(({ id }) => id))));
  }
}

/** Shared by the worker, which delivers, and the admin endpoints, which register and test destinations. */
@Module({
  providers: [
    { provide: RESOLVE, useValue: resolveBySystem },
    AddressGuard,
    SecretKey,
    TransformProcess,
    Senders,
    Courier,
    DestinationRegistry,
    CloseLines,
  ],
  exports: [AddressGuard, SecretKey, Senders, Courier, DestinationRegistry],
})
export class DestinationsModule {}
