import { Global, Module } from '@nestjs/common';
import { Installation } from '../integrity/installation';
import { MacKeys } from '../integrity/mac-keys';
import { InstallationKey } from './installation-key';
import { ThisInstallation } from './this-installation';

/** Provides the key of the installation to broker and cache, and whether it may act to broker and deliveries. */
@Global()
@Module({
  providers: [
    { provide: MacKeys, useClass: InstallationKey },
    { provide: Installation, useClass: ThisInstallation },
  ],
  exports: [MacKeys, Installation],
})
export class InstallationModule {}
