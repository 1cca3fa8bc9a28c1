import { Global, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { Settings } from '../config/settings';
import { Installation } from '../integrity/installation';
import { MacKeys } from '../integrity/mac-keys';
import { Broker } from './broker';
import { MemoryBroker } from './memory-broker';
import { RabbitBroker } from './rabbit-broker';

/**
 * Chooses between RabbitMQ and the in-process broker. No other code makes this choice. Only the roles that publish or
 * consume messages load this module.
 */
@Global()
@Module({})
export class BrokerModule {
  static forRoot(settings: Settings): DynamicModule {
    const url = settings.RABBITMQ_URL;
    const roles = {
      publishes: settings.APP_ROLE.includes('publisher'),
      consumes: settings.APP_ROLE.includes('worker'),
      deadLetterCopies: settings.DLQ_COPY,
      bundleMaxEvents: settings.BUNDLE_MAX_EVENTS,
      namespace: settings.BROKER_NAMESPACE,
    };
    return {
      module: BrokerModule,
      providers: [
        {
          provide: Broker,
          inject: [MacKeys, Installation],
          useFactory: (keys: MacKeys, installation: Installation) =>
            url ? RabbitBroker.connect(url, roles, keys, installation) : new MemoryBroker(installation),
        },
        CloseBroker,
      ],
      exports: [Broker],
    };
  }
}

@Injectable()
class CloseBroker implements OnApplicationShutdown {
  constructor(private readonly broker: Broker) {}

  async onApplicationShutdown(): Promise<void> {
    await this.broker.close();
  }
}
