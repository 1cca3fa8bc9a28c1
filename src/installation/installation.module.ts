import { Global, Module } from '@nestjs/common';
import { MacKeys } from '../integrity/mac-keys';
import { InstallationKey } from './installation-key';

/** Provides the key of the installation to broker and cache. */
@Global()
@Module({ providers: [{ provide: MacKeys, useClass: InstallationKey }], exports: [MacKeys] })
export class InstallationModule {}
