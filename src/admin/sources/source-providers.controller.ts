import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { LeastRole } from '../../access/least-role';
import { ApiAnyObject, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';
import type { Answers } from '../../sources/directory/answers';
import type { Mapping } from '../../sources/mapping/mapping';
import type { Provider } from '../../sources/providers/provider';
import { PROVIDERS } from '../../sources/providers/providers';
import { CUSTOM_PROVIDER } from '../../sources/directory/source';
import type { Verification } from '../../sources/verification/verification';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';

class ProviderResponse {
  @ApiText('stripe', { description: 'As in `provider` of a source' }) id!: string;
  @ApiText('Stripe') name!: string;
  @ApiText('https://docs.stripe.com/webhooks/signature', {
    nullable: true,
    description: 'Page of the provider that describes its signatures',
  })
  documentation!: string | null;
  @ApiText('2026-11-29', { nullable: true, description: 'The day on which the preset was compared with that page' })
  checkedOn!: string | null;
  @ApiText('npm stripe', { nullable: true, description: 'What proves the verification' }) proof!: string | null;
  @ApiText('the signing secret (whsec_…)', { description: 'What to send as `secrets`' }) secret!: string;
  @ApiAnyObject({ scheme: 'hmac' }, { nullable: true }) verification!: Verification | null;
  @ApiAnyObject({ eventType: '/type' }) mapping!: Mapping;
  @ApiAnyObject({ accepted: { status: 200 } }) answers!: Answers;
  @ApiList(String, { example: ['url_verification'], description: 'The checks of the URL that are answered' })
  handshakes!: string[];
}

class ProvidersResponse {
  @ApiList(ProviderResponse, { description: 'Presets in the order of their ids, and `custom`' })
  sourceProviders!: ProviderResponse[];
  @ApiNextCursor('Always null: the list has one page') nextCursor!: null;
}

const CUSTOM: ProviderResponse = {
  id: CUSTOM_PROVIDER,
  name: 'Any other provider',
  documentation: null,
  checkedOn: null,
  proof: null,
  secret: 'what the `verification` of the source needs',
  verification: null,
  mapping: {},
  answers: {},
  handshakes: [],
};

@AdminEndpoint()
@Controller('v1/admin/source-providers')
export class SourceProvidersController {
  @Get()
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'listSourceProviders',
    summary: 'List the presets: the providers whose verification and mapping a source may leave out.',
  })
  @ApiOkResponse({ type: ProvidersResponse })
  list(): ProvidersResponse {
    const presets = PROVIDERS.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    return { sourceProviders: [...presets.map(shown), CUSTOM], nextCursor: null };
  }
}

function shown(provider: Provider): ProviderResponse {
  const { id, name, documentation, checkedOn, proof, secret, verification, mapping } = provider;
  const { answers = {}, handshakes = [] } = provider;
  const preset = { id, name, documentation, checkedOn, proof, secret, verification, mapping, answers };
  return { ...preset, handshakes: handshakes.map((handshake) => handshake.name) };
}
