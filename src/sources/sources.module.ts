import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module';
import { DestinationsModule } from '../destinations/destinations.module';
import { ExpressionsModule } from '../expressions/expressions.module';
import { IngestModule } from '../ingest/ingest.module';
import { GuardedFetch } from './fetching/guarded-fetch';
import { HandshakeAnswers } from './handshakes/handshake-answers';
import { RequestReport } from './inspector/request-report';
import { RequestSamples } from './inspector/request-samples';
import { PublicUrl } from './request/public-url';
import { SourceEndpoint } from './source-endpoint';
import { SourceRegistry } from './directory/source-registry';
import { SourcesController } from './sources.controller';
import { StoreRequest } from './intake/store-request';
import { TryRequest } from './trial/try-request';
import { ProviderKeys } from './verification/provider-keys';

/** Takes requests of producers that we do not control, at a URL for each, and makes events of them. */
@Module({
  imports: [AccessModule, DestinationsModule, ExpressionsModule, IngestModule],
  controllers: [SourcesController],
  providers: [
    SourceRegistry,
    SourceEndpoint,
    StoreRequest,
    HandshakeAnswers,
    RequestReport,
    RequestSamples,
    PublicUrl,
    GuardedFetch,
    ProviderKeys,
    TryRequest,
  ],
  exports: [SourceRegistry, RequestSamples, PublicUrl, ProviderKeys, TryRequest],
})
export class SourcesModule {}
