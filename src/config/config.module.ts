import { Global, Module, type DynamicModule } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from './settings';

/** Makes the parsed settings injectable in every module. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: ConfigModule,
      providers: [{ provide: SETTINGS_TOKEN, useValue: settings }],
      exports: [SETTINGS_TOKEN],
    };
  }
}
