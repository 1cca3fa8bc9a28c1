import { IsString, Length, Matches } from 'class-validator';
import { ApiText } from '../../http/docs/api-fields';

const MOST_CODE = 100;

export class SignInRequest {
  @ApiText('Vb2m0p2m8cJqk0Yd0y7bS7kW1m9s5n3x', {
    minLength: 1,
    maxLength: MOST_CODE,
    description: 'What follows `#code=` in the link',
  })
  @IsString()
  @Length(1, MOST_CODE)
  code!: string;
}

const MOST_ISSUER_CODE = 4_096;
const CODE = /^[\x20-\x7e]+$/;
/** Of the console: it leads back nowhere else. */
const REDIRECT_URI = /^https?:\/\/[^/?#@\s]+\/console\/$/;
/** Of RFC 7636. */
const VERIFIER = /^[\w.~-]{43,128}$/;
const MOST_URI = 2_048;

export class IssuerSignInRequest {
  @ApiText('SplxlOBeZQQYbYS6WxSbIA', {
    minLength: 1,
    maxLength: MOST_ISSUER_CODE,
    description: 'The parameter `code` with which the issuer led back to the console',
  })
  @IsString()
  @Length(1, MOST_ISSUER_CODE)
  @Matches(CODE, { message: 'code must be printable ASCII' })
  code!: string;

  @ApiText('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', {
    minLength: 43,
    maxLength: 128,
    description: 'Whose SHA-256 digest was sent to the issuer as `code_challenge` (PKCE)',
  })
  @IsString()
  @Matches(VERIFIER, { message: 'codeVerifier must have 43 to 128 letters, digits or -._~' })
  codeVerifier!: string;

  @ApiText('https://ops.example.com/console/', {
    minLength: 1,
    maxLength: MOST_URI,
    description: 'The address to which the issuer led back. The issuer compares it with what it knows',
  })
  @IsString()
  @Length(1, MOST_URI)
  @Matches(REDIRECT_URI, { message: 'redirectUri must be the address of the console, which ends with /console/' })
  redirectUri!: string;
}
