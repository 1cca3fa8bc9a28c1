import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { AddressGuard, AddressRefusedError } from '../../destinations/address/address-guard';
import { TRANSPORTS } from '../../destinations/transports/transports';
import { Problem } from '../../event/problems';

/** Validates the URL of a destination, and that of the endpoint from which it gets its tokens. */
@Injectable()
export class DestinationUrl {
  private readonly requireHttps: boolean;
  private readonly isProduction: boolean;

  constructor(
    @Inject(SETTINGS_TOKEN) settings: Settings,
    private readonly guard: AddressGuard,
  ) {
    this.isProduction = settings.NODE_ENV === 'production';
    this.requireHttps = settings.DESTINATIONS_REQUIRE_HTTPS ?? settings.NODE_ENV === 'production';
  }

  /** Returns the normalised URL of a destination of any kind. @throws Problem `invalid-request` */
  async acceptDestination(text: string): Promise<string> {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const transport = url && TRANSPORTS[url.protocol];
    if (!url || !transport?.refusalOf) return this.accept(text);
    const refusal = refusedParts(url) ?? transport.refusalOf(url, this.isProduction);
    if (refusal !== undefined) refused('/url', `url ${refusal}`);
    return url.href;
  }

  /**
   * Returns the normalised URL of an HTTP endpoint, which is the form to store.
   * @param pointer where the request has it
   * @throws Problem `invalid-request`
   */
  async accept(text: string, pointer = '/url'): Promise<string> {
    const name = pointer.slice(pointer.lastIndexOf('/') + 1);
    const refuse = (message: string): never => refused(pointer, `${name} ${message}`);
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
      return refuse('must be an absolute URL, such as https://example.com/events');
    if (url.protocol === 'http:' && this.requireHttps)
      refuse('must start with https://, because DESTINATIONS_REQUIRE_HTTPS is on');
    const part = refusedParts(url);
    if (part !== undefined) refuse(part);
    try {
      await this.guard.check(url);
    } catch (error) {
      const isRefused = error instanceof AddressRefusedError;
      refuse(isRefused ? `is refused: ${error.message}` : 'has a host name that cannot be resolved');
    }
    return url.href;
  }
}

function refusedParts({ username, password, hash }: URL): string | undefined {
  if (username || password) return 'must not contain credentials; receivers authenticate a request by its signature';
  return hash ? 'must not contain a fragment' : undefined;
}

function refused(pointer: string, message: string): never {
  throw new Problem('invalid-request', 'The URL of the destination is not allowed.', {
    errors: [{ pointer, code: 'invalid-request', message }],
  });
}
