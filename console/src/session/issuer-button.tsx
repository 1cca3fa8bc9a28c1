import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Fault } from '../parts/fault';
import { goToIssuer, readOffer, type IssuerOffer } from './issuer-sign-in';

/** Leads to the OIDC issuer, where it is set up. While the issuer does not answer, a token is another way in. */
export function IssuerButton() {
  const { data: offer } = useQuery({ queryKey: ['sign-in', 'offer'], queryFn: readOffer, retry: false });
  const [error, setError] = useState<unknown>();
  if (!offer || !isSecureContext) return null; // PKCE needs the digests of secure contexts
  return (
    <>
      <button type="button" className="primary" onClick={() => void goToIssuer(offer).catch(setError)}>
        Continue with {hostOf(offer)}
      </button>
      {error !== undefined && <Fault error={error} />}
      <p className="hint">Or enter a token.</p>
    </>
  );
}

const hostOf = ({ issuer }: IssuerOffer): string => new URL(issuer).host;
