import { Module } from '@nestjs/common';
import { AdminToken } from './admin-token';
import { AccessDirectory } from './identity/access-directory';
import { LastUsed } from './last-used';
import { OidcTokens } from './oidc/oidc-tokens';
import { OperatorAccess, OperatorIdentity } from './operator-access';
import { Redaction } from './redaction/redaction';
import { RefusedAttempts } from './refusals/refused-attempts';
import { RefusedCredentials } from './refusals/refused-credentials';
import { TenantAccess } from './tenant-access';
import { TenantAuthWarning } from './tenant-auth-warning';
import { WhoamiController } from './whoami.controller';

/** Who sends a request, and what the caller may do. */
@Module({
  controllers: [WhoamiController],
  providers: [
    AdminToken,
    AccessDirectory,
    LastUsed,
    OidcTokens,
    OperatorIdentity,
    OperatorAccess,
    Redaction,
    RefusedCredentials,
    RefusedAttempts,
    TenantAccess,
    TenantAuthWarning,
  ],
  exports: [AdminToken, AccessDirectory, OidcTokens, OperatorAccess, Redaction, RefusedCredentials, TenantAccess],
})
export class AccessModule {}
