import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { AddressGuard, AddressRefusedError } from '../../destinations/address/address-guard';
import { Problem } from '../../event/problems';

/** Validates the URL of a destination. */
@Injectable()
export class DestinationUrl {
  private readonly requireHttps: boolean;

  constructor(
    @Inject(SETTINGS_TOKEN) settings: Settings,
    private readonly guard: AddressGuard,
  ) {
    this.requireHttps = settings.DESTINATIONS_REQUIRE_HTTPS ?? settings.NODE_ENV === 'production';
  }

  /** Returns the normalised URL, which is the form to store. @throws Problem `invalid-request` */
  async accept(text: string): Promise<string> {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
      refuse('url must be an absolute URL, such as https://example.com/events');
    if (url.protocol === 'http:' && this.requireHttps)
      refuse('url must start with https://, because DESTINATIONS_REQUIRE_HTTPS is on');
    if (url.username || url.password)
      refuse('url must not contain credentials; receivers authenticate a request by its signature');
    if (url.hash) refuse('url must not contain a fragment');
    try {
      await this.guard.check(url);
    } catch (error) {
      const refused = error instanceof AddressRefusedError;
      refuse(refused ? `url is refused: ${error.message}` : 'url has a host name that cannot be resolved');
    }
    return url.href;
  }
}

function refuse(message: string): never {
  throw new Problem('invalid-request', 'The URL of the destination is not allowed.', {
    errors: [{ pointer: '/url', code: 'invalid-request', message }],
  });
}
