import { applyDecorators } from '@nestjs/common';
import { ApiSecurity, type OpenAPIObject } from '@nestjs/swagger';

/** Whatever a caller may prove itself with. An operation names those that it takes, each of which is enough. */
export const SECURITY_SCHEMES = {
  tenant: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Tenant-Id',
    description: 'The id of the tenant. Enough on its own where TENANT_AUTH is `header` or `both`',
  },
  'api-key': {
    type: 'apiKey',
    in: 'header',
    name: 'X-Api-Key',
    description: 'An API key `sfk_…`, which gives the tenant and the scopes',
  },
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'Events: an API key `sfk_…`. Admin endpoints: an operator token `sfa_…`, or a token of the OIDC issuer. ' +
      'Endpoints that both may use: any of these',
  },
  'admin-token': {
    type: 'apiKey',
    in: 'header',
    name: 'X-Admin-Token',
    description: 'An operator token `sfa_…`, or the setting ADMIN_TOKEN, whose holder has the role `owner`',
  },
  'metrics-token': {
    type: 'http',
    scheme: 'bearer',
    description: 'The setting METRICS_TOKEN, if it is set',
  },
} as const satisfies NonNullable<OpenAPIObject['components']>['securitySchemes'];

type SecurityScheme = keyof typeof SECURITY_SCHEMES;

const TENANT_SCHEMES: SecurityScheme[] = ['tenant', 'api-key', 'bearer'];
const OPERATOR_SCHEMES: SecurityScheme[] = ['bearer', 'admin-token'];

/** Documents what an endpoint for tenants, for operators or for both takes as credentials. */
export function ApiCredentials(of: 'tenants' | 'operators' | 'both'): MethodDecorator & ClassDecorator {
  const schemes = {
    tenants: TENANT_SCHEMES,
    operators: OPERATOR_SCHEMES,
    both: [...new Set([...TENANT_SCHEMES, ...OPERATOR_SCHEMES])],
  }[of];
  return applyDecorators(...schemes.map((scheme) => ApiSecurity(scheme)));
}
