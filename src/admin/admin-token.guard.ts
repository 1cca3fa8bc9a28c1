import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { hasAdminToken } from '../http/admin-token';

/** Admin endpoints are for holders of the admin token. */
@Injectable()
export class AdminTokenGuard implements CanActivate {
  constructor(@Inject(SETTINGS_TOKEN) private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    if (!hasAdminToken(headers, this.settings.ADMIN_TOKEN)) {
      throw new Problem('admin-token-invalid', 'Send the admin token as X-Admin-Token.');
    }
    return true;
  }
}
