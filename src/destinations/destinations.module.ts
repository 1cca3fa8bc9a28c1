import { Module } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { AddressGuard, RESOLVE } from './address/address-guard';
import { DestinationRegistry } from './destination-registry';
import { resolverOf } from './names/resolve-names';
import { TransformProcess } from './render/transform-process';
import { SecretKey } from './secrets/secret-key';
import { Senders } from './senders';

/** Shared by the worker, which delivers, and the admin endpoints, which register and test destinations. */
@Module({
  providers: [
    {
      provide: RESOLVE,
      inject: [SETTINGS_TOKEN],
      useFactory: (settings: Settings) => resolverOf(settings.DESTINATIONS_NAME_SERVERS),
    },
    AddressGuard,
    SecretKey,
    TransformProcess,
    Senders,
    DestinationRegistry,
  ],
  exports: [AddressGuard, SecretKey, Senders, DestinationRegistry],
})
export class DestinationsModule {}
