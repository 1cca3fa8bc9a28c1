import type { DestinationAuth } from '../auth/destination-auth';
import type { StaticHeaders } from '../render/static-headers';
import type { SecretBox } from './secret-box';

/** Sealed headers and credentials open only as what they were sealed as. */
export const ofHeaders = (id: string): string => `${id}/headers`;
export const ofAuth = (id: string): string => `${id}/auth`;

export const sealHeaders = (box: SecretBox, headers: StaticHeaders, id: string): Buffer =>
  box.seal(JSON.stringify(headers), ofHeaders(id));

export const sealAuth = (box: SecretBox, auth: DestinationAuth, id: string): Buffer =>
  box.seal(JSON.stringify(auth), ofAuth(id));

/** @throws UnopenedSecretError */
export const openHeaders = (box: SecretBox, sealed: Buffer | null, id: string): StaticHeaders =>
  sealed === null ? {} : (JSON.parse(box.open(sealed, ofHeaders(id))) as StaticHeaders);

/** @throws UnopenedSecretError */
export const openAuth = (box: SecretBox, sealed: Buffer | null, id: string): DestinationAuth | null =>
  sealed === null ? null : (JSON.parse(box.open(sealed, ofAuth(id))) as DestinationAuth);
