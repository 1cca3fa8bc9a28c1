import type { OpenAPIObject } from '@nestjs/swagger';
import { includesRole, OPERATOR_ROLES, type OperatorRole } from '../../access/identity/operator-roles';
import { markdownTable, withinMarks } from './markdown-table';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Operation {
  security?: Record<string, unknown>[];
  'x-role'?: OperatorRole;
  'x-scope'?: string;
}

/** Returns the page with the table of the document between the two marks. @throws if the page has no marks */
export function withAccessMatrix(page: string, document: Pick<OpenAPIObject, 'paths'>): string {
  return withinMarks(page, 'access-matrix', accessMatrix(document));
}

/** Returns a Markdown table: which keys and which roles each endpoint below /v1 admits. */
export function accessMatrix({ paths }: Pick<OpenAPIObject, 'paths'>): string {
  const rows = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const operation = item[method] as Operation | undefined;
        return operation ? [rowOf(`\`${method.toUpperCase()} ${path}\``, operation)] : [];
      }),
    );
  return markdownTable(['endpoint', 'API key', ...OPERATOR_ROLES], rows);
}

function rowOf(endpoint: string, operation: Operation): string[] {
  const takes = (scheme: string) => operation.security?.some((one) => scheme in one) ?? false;
  const least = operation['x-role'] ?? (takes('admin-token') ? OPERATOR_ROLES[0] : undefined);
  const key = takes('api-key') ? (operation['x-scope'] ?? 'any') : '';
  return [endpoint, key, ...OPERATOR_ROLES.map((role) => (least && includesRole(role, least) ? 'yes' : ''))];
}
