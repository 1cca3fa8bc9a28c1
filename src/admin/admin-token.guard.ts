import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { sha256 } from '../event/content-hash';
import { Problem } from '../event/problems';

/** Compares digests, so that neither the time nor the length of a guess tells anything. */
@Injectable()
export class AdminTokenGuard implements CanActivate {
  constructor(@Inject(SETTINGS_TOKEN) private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    const sent = headers['x-admin-token'];
    const token = this.settings.ADMIN_TOKEN;
    const matches =
      typeof sent === 'string' &&
      token !== undefined &&
      timingSafeEqual(Buffer.from(sha256(sent)), Buffer.from(sha256(token)));
    if (!matches) throw new Problem('admin-token-invalid', 'Send the admin token as X-Admin-Token.');
    return true;
  }
}
