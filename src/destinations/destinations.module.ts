import { Module } from '@nestjs/common';
import { AddressGuard, RESOLVE, resolveBySystem } from './address/address-guard';
import { DestinationRegistry } from './destination-registry';
import { TransformProcess } from './render/transform-process';
import { SecretKey } from './secrets/secret-key';
import { Senders } from './senders';

/** Shared by the worker, which delivers, and the admin endpoints, which register and test destinations. */
@Module({
  providers: [
    { provide: RESOLVE, useValue: resolveBySystem },
    AddressGuard,
    SecretKey,
    TransformProcess,
    Senders,
    DestinationRegistry,
  ],
  exports: [AddressGuard, SecretKey, Senders, DestinationRegistry],
})
export class DestinationsModule {}
