import { isJwt } from '../../api/credential-headers';
import { session } from '../../session/session';
import { CopyButton } from './copy-button';
import { curlOf, type CurlRequest } from './curl';

/** Copies the request that does the same without the console. */
export function CopyCurl(request: Pick<CurlRequest, 'method' | 'path' | 'body' | 'isStream'>) {
  const text = curlOf({ ...request, origin: location.origin, isJwt: isJwt(session.token() ?? '') });
  return <CopyButton label="Copy as curl" text={text} />;
}
