import { ApiAnyObject, ApiInstant, ApiText } from './api-fields';

/** A request of a source without its body, as it is kept and shown. */
export class KeptRequestResponse {
  @ApiText('POST') method!: string;
  @ApiText('', { description: 'What follows the token in the path' }) path!: string;
  @ApiAnyObject({ attempt: '1' }) query!: Record<string, string | string[]>;
  @ApiAnyObject({ 'content-type': 'application/json' }, { description: 'Credentials are masked as `***`' })
  headers!: Record<string, string>;
  @ApiText('203.0.113.7') address!: string;
  @ApiInstant() receivedAt!: string;
}
