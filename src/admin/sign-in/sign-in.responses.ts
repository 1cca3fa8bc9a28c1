import { ApiObject, ApiText } from '../../http/docs/api-fields';

export class SignInResponse {
  @ApiText('qL2mB7cJqk0Yd0y7bS7kW1m9', { description: 'The admin token, for X-Admin-Token' }) token!: string;
}

export class IssuerOffer {
  @ApiText('https://id.example.com/realms/ops', { description: 'OIDC_ISSUER' }) issuer!: string;
  @ApiText('https://id.example.com/realms/ops/protocol/openid-connect/auth', {
    description: 'Where the browser asks for a code, with `response_type=code` and PKCE (S256)',
  })
  authorizationUrl!: string;
  @ApiText('streamforge-console', { description: 'OIDC_CLIENT_ID' }) clientId!: string;
  @ApiText('openid email profile', { description: 'OIDC_SCOPE' }) scope!: string;
}

export class SignInOffersResponse {
  @ApiObject(IssuerOffer, { nullable: true, description: 'Null unless OIDC_CLIENT_ID is set' })
  oidc!: IssuerOffer | null;
}

export class IssuerSignInResponse {
  @ApiText('eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIwMHUxIn0.c2lnbmF0dXJl', {
    description: 'A token of the issuer, for Authorization: Bearer',
  })
  token!: string;
}
