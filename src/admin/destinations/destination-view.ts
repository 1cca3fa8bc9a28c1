import { Injectable } from '@nestjs/common';
import { SECRET_OF_AUTH, type DestinationAuth } from '../../destinations/auth/destination-auth';
import type { SealedDestination } from '../../destinations/destination';
import { openAuth, openHeaders } from '../../destinations/secrets/sealed-options';
import { UnopenedSecretError, type SecretBox } from '../../destinations/secrets/secret-box';
import { SecretKey } from '../../destinations/secrets/secret-key';
import { keyHint } from '../../sources/verification/key-hint';
import type { DestinationResponse, DestinationStatus } from './destinations.responses';

const NO_HINT = '…';

/** Shows destinations without their secrets: of header values and credentials, at most a hint. */
@Injectable()
export class DestinationView {
  constructor(private readonly key: SecretKey) {}

  async showAll(destinations: readonly SealedDestination[]): Promise<DestinationResponse[]> {
    const box = await this.key.box();
    return destinations.map((destination) => shown(destination, box));
  }

  async show(destination: SealedDestination): Promise<DestinationResponse> {
    return shown(destination, await this.key.box());
  }
}

function shown(destination: SealedDestination, box: SecretBox): DestinationResponse {
  const { secret: _secret, previousSecret: _previous, revision: _revision, headers, auth, ...fields } = destination;
  const { id } = destination;
  return {
    ...fields,
    status: statusOf(destination),
    headers: headers && opened(() => hintsOf(openHeaders(box, headers, id))),
    auth: auth && opened(() => withHint(openAuth(box, auth, id))),
  };
}

function statusOf({ enabled, pausedAt }: SealedDestination): DestinationStatus {
  if (!enabled) return 'disabled';
  return pausedAt === null ? 'active' : 'paused';
}

const hintsOf = (values: Readonly<Record<string, string>>): object =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, keyHint(value) ?? NO_HINT]));

function withHint(auth: DestinationAuth | null): object | null {
  if (auth === null) return null;
  const secret = SECRET_OF_AUTH[auth.type];
  const { [secret]: text, ...rest } = auth as unknown as Record<string, string>;
  return { ...rest, [secret]: keyHint(text ?? '') ?? NO_HINT };
}

/** What was sealed with a lost key is shown as empty. The destination can still be given another one. */
function opened(open: () => object | null): object | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof UnopenedSecretError) return {};
    throw error;
  }
}
